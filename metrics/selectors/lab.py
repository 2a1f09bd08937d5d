"""Definitions on trial: the proposals there are, and what stands in the way of one."""

import datetime as dt
from dataclasses import dataclass

from django.db.models import CharField, QuerySet, Value
from django.db.models.functions import Cast, Concat

from accounts.models import Account
from accounts.selectors import today
from config.lib.ui.formats import day_text
from metrics import permissions
from metrics.models import Backtest, DefinitionProposal, MetricDefinition
from metrics.rules import parameters
from metrics.rules.parameters import Choices, Line
from metrics.selectors import families, runs
from people.models import User

State = DefinitionProposal.State
UNDER_WAY = (State.DRAFT, State.PROPOSED)
AT_WORK = (Backtest.Progress.WAITING, Backtest.Progress.RUNNING)
PEOPLE = ("base", "trial", "made", "proposed_by", "decided_by")


def proposals_visible_to(user: User) -> QuerySet[DefinitionProposal]:
    """Return the proposals, the newest first: who may see the numbers may see these."""
    if not permissions.can_see_metrics(user):
        return DefinitionProposal.objects.none()
    return DefinitionProposal.objects.select_related(*PEOPLE).order_by("-pk")


def numbered(proposals: QuerySet[DefinitionProposal]) -> QuerySet[DefinitionProposal]:
    """Add `shown_number`, which lists cannot take from the property."""
    number = Concat(Value("DEF-"), Cast("pk", CharField()), output_field=CharField())
    return proposals.order_by().select_related(None).annotate(shown_number=number)


def proposals_of(slug: str) -> QuerySet[DefinitionProposal]:
    """Return what is proposed for a number, or beside it, and not decided yet."""
    found = DefinitionProposal.objects.filter(state__in=UNDER_WAY).select_related(*PEOPLE)
    return (found.filter(slug=slug) | found.filter(base__slug=slug)).order_by("-pk")


def choices() -> Choices:
    """Return the regions and segments that accounts have."""
    return Choices(_values("region"), _values("segment"))


def _values(column: str) -> list[str]:
    found = Account.objects.exclude(**{column: ""}).order_by(column)
    return list(found.values_list(column, flat=True).distinct())


def newest_version(slug: str) -> MetricDefinition | None:
    """Return the version with the highest number, in force or not."""
    return runs.definitions().filter(slug=slug).first()


def titles_beside(slug: str) -> set[str]:
    """Return what the other numbers are called, folded so that they can be compared."""
    newest = runs.definitions().exclude(slug=slug).distinct("slug")
    return {title.casefold() for title in newest.values_list("title", flat=True)}


def is_second(proposal: DefinitionProposal) -> bool:
    """Say whether it makes a number of its own beside the one it starts from."""
    return proposal.slug != proposal.base.slug


def lines_of(proposal: DefinitionProposal) -> list[Line]:
    return parameters.lines(proposal.base.rule, proposal.base.policy, proposal.policy)


def digest_of(proposal: DefinitionProposal) -> str:
    base = proposal.base
    return parameters.content_digest(proposal.slug, base.uuid, base.rule, proposal.policy)


def has_other_rules(proposal: DefinitionProposal) -> bool:
    """Say whether the number could come out otherwise, and not only read otherwise."""
    return is_second(proposal) or any(line.is_changed for line in lines_of(proposal))


def can_be_tested(definition: MetricDefinition) -> bool:
    """Say whether past days can be computed under other rules."""
    return families.family_of(definition) is not families.FIGURES


def test_of(proposal: DefinitionProposal) -> Backtest | None:
    """Return the newest back-test of this very content."""
    tests = proposal.backtests.filter(digest=digest_of(proposal)).select_related("trial")
    return tests.order_by("-pk").first()


def newest_test(proposal: DefinitionProposal) -> Backtest | None:
    return proposal.backtests.select_related("trial").order_by("-pk").first()


@dataclass(frozen=True, slots=True)
class Ledger:
    """The days that can be back-tested."""

    first: dt.date
    last: dt.date
    days: int


def ledger_of(slug: str, *, at: dt.datetime) -> Ledger | None:
    """Return the finished days of a number's ledger; None where there are none."""
    days = ledger_days(slug, before=today(at))
    return Ledger(days[0], days[-1], len(days)) if days else None


def ledger_days(
    slug: str, *, before: dt.date, first: dt.date | None = None, last: dt.date | None = None
) -> list[dt.date]:
    found = runs.published_runs(slug).filter(day__lt=before)
    if first is not None:
        found = found.filter(day__gte=first)
    if last is not None:
        found = found.filter(day__lte=last)
    return list(found.order_by("day").values_list("day", flat=True).distinct())


def lacking(proposal: DefinitionProposal) -> str:
    """Say what a proposal still lacks; nothing where it is complete."""
    needed = {"title": "a title", "text": "the text", "owner": "an owner", "why": "why"}
    missing = [words for name, words in needed.items() if not getattr(proposal, name).strip()]
    if missing:
        return f"Still missing: {', '.join(missing)}. Change the draft."
    if text_lags(proposal):
        return (
            "The parameters changed and the text did not: it would say what no longer holds."
            " Change the text too."
        )
    return ""


def text_lags(proposal: DefinitionProposal) -> bool:
    """Say whether the rules are others and the text is still that of the base."""
    is_same = proposal.text.split() == proposal.base.text.split()
    return is_same and any(line.is_changed for line in lines_of(proposal))


def sameness(proposal: DefinitionProposal) -> str:
    """Say why it would change nothing; nothing where it does."""
    base = proposal.base
    is_same = not any(line.is_changed for line in lines_of(proposal))
    if is_second(proposal):
        if is_same:
            return f"It has the rules of {base.title}. Change a parameter, or its text instead."
        return ""
    words = ("title", "text", "owner")
    if is_same and all(getattr(proposal, name) == getattr(base, name) for name in words):
        return f"It is what definition {base.number} says already. Change something."
    return ""


def clash(proposal: DefinitionProposal) -> str:
    """Say why it cannot be the next version of its number; nothing where it can."""
    newest = newest_version(proposal.slug)
    if proposal.title.casefold() in titles_beside(proposal.slug):
        return f"Another number is called “{proposal.title}” by now. Choose another title."
    if is_second(proposal):
        if newest is not None:
            return f"There is a number “{proposal.slug}” already. Choose another name."
        return ""
    assert newest is not None  # noqa: S101 the base is one
    if newest.valid_from >= proposal.effective_on:
        day = day_text(newest.valid_from, proposal.effective_on)
        return f"Definition {newest.number} begins on {day}. Choose a later day for this one."
    if newest.pk != proposal.base_id:
        return (
            f"It starts from definition {proposal.base.number} and would undo what definition"
            f" {newest.number} changed. Begin another proposal, from that one."
        )
    return ""


def lateness(proposal: DefinitionProposal, *, at: dt.datetime) -> str:
    """Say that its first day is over; nothing where it is not."""
    now = today(at)
    if proposal.effective_on >= now:
        return ""
    return (
        f"Its first day, {day_text(proposal.effective_on, now)}, is over. Past days keep the"
        " definition they were computed under: change it again, and choose today or a later day."
    )


def untested(proposal: DefinitionProposal) -> str:
    """Say that this content was not back-tested; nothing where it was, or cannot be."""
    if not has_other_rules(proposal) or not can_be_tested(proposal.base):
        return ""
    test = test_of(proposal)
    if test is None:
        if proposal.backtests.exists():
            return "Its rules were changed after the back-test. Run the back-test again."
        return "It was not back-tested. Run the back-test first."
    match test.progress:
        case Backtest.Progress.DONE:
            return ""
        case Backtest.Progress.FAILED | Backtest.Progress.STOPPED:
            return "The back-test did not get to its end. Let it go on."
    return "The back-test is under way. Wait until it is done."
