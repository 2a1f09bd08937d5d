"""What a review has to know of every project on the board: few statements for any number."""

import datetime as dt
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from accounts.selectors import company
from events.models import Event
from projects.models import (
    LANES,
    Project,
    ProjectState,
    SupportPlan,
)
from projects.rules.agenda import Card, Line, agenda
from projects.selectors import lateness
from projects.selectors.capacity import free_days_ahead
from projects.selectors.cards import Facts, facts_of
from projects.selectors.scoring import order_of
from projects.selectors.support import is_signed

S = ProjectState
# By what of a project is called what in “Changed: …”.
CHANGES = {
    "objectives": "scope",
    "outcomes": "scope",
    "in_scope": "scope",
    "out_of_scope": "scope",
    "score": "score",
    "impact": "score",
    "effort": "score",
    "days": "score",
    "seats": "seats",
    "seats_low": "seats",
    "seats_likely": "seats",
    "seats_high": "seats",
    "accounts": "seats",
    "increment": "dates",
    "roll_out_on": "dates",
}
NOUNS = tuple(dict.fromkeys(CHANGES.values()))
# By what of the log a project is new.
BEGAN = frozenset({"project.proposed", "project.made", "project.split_off"})
WAITS = frozenset({"waiting", "unconfirmed"})
BEFORE_WORK = frozenset({S.PROPOSED, S.READY, S.SCHEDULED})


@dataclass(frozen=True)
class _Days:
    """Days on the company's clocks."""

    today: dt.date
    zone: ZoneInfo

    def since(self, moment: dt.datetime | None) -> int:
        if moment is None:
            return 0
        return max(0, (self.today - moment.astimezone(self.zone).date()).days)


def agenda_on(on: dt.date, *, since: dt.datetime) -> list[Line]:
    """Return what a review on the day talks about, where the last one was at `since`."""
    open_ones = Project.objects.filter(state__in=LANES)
    projects = list(open_ones.select_related("increment"))
    facts = facts_of(projects, on=on)
    fresh, changes = _log_of(projects, since)
    plans = _waiting_plans(projects)
    days = _Days(on, ZoneInfo(company().time_zone))
    cards = [
        _card(
            each,
            facts[each.pk],
            days,
            plan=plans.get(each.pk),
            is_new=each.pk in fresh,
            changed=changes[each.pk],
        )
        for each in projects
    ]
    free = free_days_ahead(on)
    return agenda(cards, order_of(open_ones, on=on), free.days if free.teams else None)


def scored_higher(project: Project) -> int:
    """Return how many others that wait for their turn score higher."""
    if project.score is None:
        return 0
    rows = Project.objects.filter(state__in=(S.PROPOSED, S.READY), score__gt=project.score)
    return rows.exclude(pk=project.pk).count()


def _card(
    project: Project,
    facts: Facts,
    days: _Days,
    *,
    plan: SupportPlan | None,
    is_new: bool,
    changed: tuple[str, ...],
) -> Card:
    late_days, late_what = _late(project, days.today)
    waits = [
        days.since(paper.request.moved_at)
        for paper in facts.papers
        if paper.agreement.kind in WAITS
    ]
    waiting_for = "sign-off"
    if not waits and plan is not None:
        waits, waiting_for = [days.since(plan.written_at)], "sign-off of its support plan"
    is_rolled_out = project.rolled_out_on is not None
    return Card(
        id=project.pk,
        state=project.state,
        score=project.score,
        days=project.days,
        has_owner=project.owner_id is not None,
        is_new=is_new,
        changed=changed,
        blocked_by=project.blocked_by,
        blocked_days=days.since(project.blocked_at),
        late_days=late_days,
        late_what=late_what,
        waiting_days=max(waits, default=None),
        waiting_for=waiting_for,
        is_done=is_rolled_out and not facts.papers and not _owes_retrospective(project),
    )


def _late(project: Project, today: dt.date) -> tuple[int, str]:
    days = lateness.days_late(project, today)
    return days, "The roll-out is" if days and lateness.awaits_roll_out(project) else ""


def _owes_retrospective(project: Project) -> bool:
    return not project.retrospective and lateness.was_late(project)


def _log_of(
    projects: Sequence[Project], since: dt.datetime
) -> tuple[set[int], Mapping[int, tuple[str, ...]]]:
    """Return which of them began since then, and what the log says was changed of each."""
    keys = {each.uuid: each.pk for each in projects}
    events = Event.objects.filter(
        object_type=Project._meta.label_lower,  # noqa: SLF001 Django documents _meta
        object_id__in=list(keys),
        at__gt=since,
    ).exclude(verb="project.rescored")
    fresh: set[int] = set()
    found: dict[int, set[str]] = defaultdict(set)
    for verb, public_id, before, after in events.values_list(
        "verb", "object_id", "before", "after"
    ):
        if verb in BEGAN:
            fresh.add(keys[public_id])
        names = {*(before or {}), *(after or {})}
        found[keys[public_id]] |= {CHANGES[name] for name in names & CHANGES.keys()}
    told = {pk: tuple(noun for noun in NOUNS if noun in nouns) for pk, nouns in found.items()}
    return fresh, defaultdict(tuple, told)


def _waiting_plans(projects: Sequence[Project]) -> Mapping[int, SupportPlan]:
    """Return the support plans that are written and not signed by all three sides."""
    coding = {each.pk: each for each in projects if each.builds_code and each.state in BEFORE_WORK}
    if not coding:
        return {}
    plans = SupportPlan.objects.filter(project__in=list(coding)).prefetch_related("sign_offs")
    return {plan.project_id: plan for plan in plans if not is_signed(plan, coding[plan.project_id])}
