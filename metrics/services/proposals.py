"""Proposing a definition: drafting it, changing the draft, and what its approval makes."""

import datetime as dt
import re
from collections.abc import Callable, Mapping
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import F
from django.db.models.functions import Now

from accounts.selectors import today
from config.lib.authz import require
from config.lib.errors import Conflict, StaleWrite
from config.lib.etags import etag_of
from config.lib.ui.formats import day_text
from config.lib.values import BadValue, check_date, parse_text
from events import services as events
from events import workflow
from events.workflow import NOTHING, Changes, Given, Move, Option
from metrics import permissions
from metrics.models import DefinitionProposal, MetricDefinition
from metrics.rules import parameters
from metrics.rules.parameters import GRACE, BadPolicy
from metrics.selectors import lab
from metrics.services import proposal_notices
from people.models import User

WORKFLOW = "definition"
TEXT_MAX, TITLE_MAX, WHY_MAX = 20_000, 120, 4_000
MOST_AHEAD = dt.timedelta(days=366)
SLUG = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
SLUG_MAX, SLUG_MIN = 60, 3
STORED = ("slug", "title", "text", "policy", "owner", "effective_on", "why")
Sent = Mapping[str, Any]


@transaction.atomic
def create_proposal(
    base: MetricDefinition, sent: Sent, *, by: User, at: dt.datetime
) -> DefinitionProposal:
    """Begin a draft from a version. `sent` has any of STORED; the rest is as the version has it.

    Raises ValidationError with every field at fault.
    """
    require(permissions.can_propose_definitions, by)
    start = DefinitionProposal(
        base=base,
        slug=base.slug,
        title=base.title,
        text=base.text,
        policy=parameters.whole(base.rule, base.policy),
        owner=base.owner,
        effective_on=today(at) + dt.timedelta(days=1),
        proposed_by=by,
    )
    for name, value in _checked(start, sent, at=at).items():
        setattr(start, name, value)
    start.save(force_insert=True)
    events.record(f"{WORKFLOW}.drafted", start, by=by, after=_told(start))
    return start


@transaction.atomic
def change_proposal(
    proposal: DefinitionProposal,
    sent: Sent,
    *,
    version: int | None,
    by: User,
    at: dt.datetime,
) -> DefinitionProposal:
    """Change a draft. Raises StaleWrite where the version is not the stored one."""
    require(permissions.can_edit_proposal, by, proposal)
    stored = locked(proposal)
    require(permissions.can_edit_proposal, by, stored)
    if version is not None and version != stored.version:
        raise StaleWrite(etag=etag_of(stored.uuid, stored.version))
    if stored.state != lab.State.DRAFT:
        word = stored.get_state_display().lower()
        raise Conflict(f"{stored.number} is {word}. Only a draft can be changed.", code="not_draft")
    values = _checked(stored, sent, at=at)
    before = {name: getattr(stored, name) for name in values}
    after = {name: value for name, value in values.items() if value != before[name]}
    if after:
        DefinitionProposal.objects.filter(pk=stored.pk).update(
            **after, version=F("version") + 1, updated_at=Now()
        )
        stored.refresh_from_db()
        changed = {name: before[name] for name in after}
        events.record(f"{WORKFLOW}.changed", stored, by=by, before=changed, after=after)
    return stored


def move(
    proposal: DefinitionProposal, name: str, *, by: User, at: dt.datetime, given: Given = NOTHING
) -> Move:
    table = workflow.workflow_named(WORKFLOW)
    return workflow.perform(table, proposal, name, by=by, at=at, given=given)


def options(proposal: DefinitionProposal, person: User, *, at: dt.datetime) -> list[Option]:
    return workflow.options(workflow.workflow_named(WORKFLOW), proposal, person, at=at)


def locked(proposal: DefinitionProposal) -> DefinitionProposal:
    rows = DefinitionProposal.objects.select_for_update(of=("self",), no_key=True)
    return rows.select_related("base").get(pk=proposal.pk)


def proposed(move: Move) -> Changes:
    return {"proposed_at": move.at}


def decided(move: Move) -> Changes:
    return {"decided_by": move.by, "decided_at": move.at}


def version_made(move: Move) -> Changes:
    """Make the version: the definition on trial gets its number, its predecessor ends."""
    proposal: DefinitionProposal = move.obj
    if not lab.can_be_tested(proposal.base) and lab.has_other_rules(proposal):
        _require_acknowledged(move)
    versions = MetricDefinition.objects.filter(number__isnull=False).order_by("pk")
    # Of two that approve a number of the same name, from whichever base, one waits here; what it
    # was allowed by may no longer hold then.
    list(versions.select_for_update().filter(rule=proposal.base.rule))
    if words := lab.clash(proposal):
        raise Conflict(words, code="overtaken")
    newest = lab.newest_version(proposal.slug)
    number = (newest.number or 0) + 1 if newest else 1
    test = lab.test_of(proposal)
    trial = test.trial if test else None
    if trial is None or trial.number is not None or not _reads_alike(trial, proposal):
        trial = MetricDefinition(
            slug=proposal.slug,
            rule=proposal.base.rule,
            title=proposal.title,
            unit=proposal.base.unit,
            text=proposal.text,
            policy=proposal.policy,
            owner=proposal.owner,
            number=number,
            valid_from=proposal.effective_on,
        )
        trial.save(force_insert=True)
    else:
        trial.number, trial.valid_from = number, proposal.effective_on
        trial.save(update_fields=["number", "valid_from"])
    if newest is not None:
        newest.valid_to = proposal.effective_on
        newest.save(update_fields=["valid_to"])
    events.record(
        f"{WORKFLOW}.made",
        trial,
        by=move.by,
        after={"metric": trial.slug, "version": number, "valid_from": trial.valid_from},
    )
    return {"made": trial}


def tell_deciders(move: Move) -> None:
    proposal_notices.tell_deciders(move.obj, by=move.by, at=move.at)


def tell_decision(move: Move) -> None:
    proposal_notices.tell_decision(move.obj, by=move.by, at=move.at, reason=move.reason)


def _require_acknowledged(move: Move) -> None:
    if not move.values.get("acknowledged"):
        words = "No back-test exists for this number. Tick that you approve it without one."
        raise ValidationError({"acknowledged": ValidationError(words, code="required")})


def _reads_alike(trial: MetricDefinition, proposal: DefinitionProposal) -> bool:
    return all(getattr(trial, name) == getattr(proposal, name) for name in ("title", "text",
                                                                            "owner"))  # fmt: skip


def _told(proposal: DefinitionProposal) -> dict[str, Any]:
    told = {name: getattr(proposal, name) for name in STORED if name != "text"}
    return {"metric": proposal.base.slug, "from_version": proposal.base.number, **told}


def _checked(proposal: DefinitionProposal, sent: Sent, *, at: dt.datetime) -> dict[str, Any]:
    """Return what was sent as it is stored. Raises ValidationError."""
    values, wrong = dict[str, Any](), dict[str, ValidationError]()
    for name, value in sent.items():
        if name == "policy":
            continue
        try:
            values[name] = READERS.get(name, _unknown)(value)
        except BadValue as bad:
            wrong[name] = ValidationError(bad.detail, code=bad.code)
    if "policy" in sent:
        values |= _read_policy(proposal, sent["policy"], wrong)
    if words := _wrong_day(values.get("effective_on"), on=today(at)):
        wrong["effective_on"] = ValidationError(*words)
    _check_name(proposal, values, wrong)
    if wrong:
        raise ValidationError(wrong)
    return values


def _wrong_day(effective_on: dt.date | None, *, on: dt.date) -> tuple[str, str] | None:
    """Return what is wrong with a first day, and its code.

    Nothing can begin before a version that was approved, so none may be put out of reach.
    """
    if effective_on is None:
        return None
    if effective_on < on:
        return "Choose today or a later day.", "past"
    if effective_on > (latest := on + MOST_AHEAD):
        return f"Choose {day_text(latest, on)} at the latest: a year ahead.", "too_far"
    return None


def _read_policy(
    proposal: DefinitionProposal, sent: object, wrong: dict[str, ValidationError]
) -> dict[str, Any]:
    rule, before = proposal.base.rule, proposal.policy
    try:
        return {"policy": parameters.changed(rule, before, _policy(sent), choices=lab.choices())}
    except BadPolicy as refused:
        for name, bad in refused.wrong.items():
            wrong[name] = ValidationError(bad.detail, code=bad.code)
    return {}


def _check_name(
    proposal: DefinitionProposal, values: dict[str, Any], wrong: dict[str, ValidationError]
) -> None:
    """Whether it is a number of its own goes together with its name, its title, and grace."""
    base = proposal.base
    slug = values.get("slug", proposal.slug)
    title, policy = values.get("title", proposal.title), values.get("policy", proposal.policy)
    if title.casefold() in lab.titles_beside(slug):
        words = f"Another number is called “{title}”. Give this one a title of its own."
        wrong.setdefault("title", ValidationError(words, code="same_title"))
    if slug == base.slug:
        grace = policy.get(GRACE, 0)
        if grace and not base.policy.get(GRACE, 0) and GRACE not in wrong:
            wrong[GRACE] = ValidationError(
                f"Grace would move {base.title} without a seat deployed. Make it a second number:"
                " give it a name and a title of its own.",
                code="second_number",
            )
        return
    if base.rule != parameters.SEATS_RULE:
        wrong["slug"] = ValidationError(
            f"Only numbers made from accounts can have a second one beside them. Use {base.slug}.",
            code="no_second",
        )
    elif lab.newest_version(slug) is not None:
        words = f"There is a number “{slug}” already. Choose another name."
        wrong["slug"] = ValidationError(words, code="taken")


def _policy(sent: object) -> Mapping[str, Any]:
    if isinstance(sent, Mapping):
        return sent
    raise BadPolicy({"policy": BadValue("not_an_object", "Write an object of parameters.")})


def _unknown(_sent: object) -> None:
    raise BadValue("unknown", "There is no such field.")


def _slug(sent: object) -> str:
    text = parse_text(sent, max_length=SLUG_MAX)
    if len(text) < SLUG_MIN or not SLUG.fullmatch(text):
        raise BadValue("not_a_name", "Use small letters, digits and dashes: seats-established.")
    return text


def _day(sent: object) -> dt.date:
    if not isinstance(sent, dt.date):
        raise BadValue("not_a_date", "Write a day like 2026-03-31.")
    return check_date(sent)


def _text(most: int, *, lines: bool = False) -> Callable[[object], str]:
    return lambda sent: parse_text(sent, max_length=most, lines=lines)


def _why(sent: object) -> str:
    return parse_text(sent, max_length=WHY_MAX, lines=True) if sent not in ("", None) else ""


READERS: dict[str, Callable[[object], Any]] = {
    "slug": _slug,
    "title": _text(TITLE_MAX),
    "text": _text(TEXT_MAX, lines=True),
    "owner": _text(TITLE_MAX),
    "effective_on": _day,
    "why": _why,
}
