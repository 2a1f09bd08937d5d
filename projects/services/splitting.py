"""Splitting a project: what is too long for two weeks becomes parts, each a project of its own."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import F, Q
from django.db.models.functions import Now

from accounts.selectors import today
from config.lib.authz import require
from config.lib.errors import Conflict, Invalid, StaleWrite
from config.lib.etags import etag_of
from config.lib.values import BadValue, parse_name
from events.services import record
from events.workflow import Blocked, Given
from people.models import User
from projects import measure, permissions
from projects.models import Project, ProjectAccount, ProjectRequest, ProjectState, Stakeholder
from projects.rules.scoring import effort_for
from projects.selectors.scoring import policy_on
from projects.services import lanes
from projects.services.consequences import sole_account
from projects.services.locking import locked_project
from projects.services.moving import move
from projects.services.scoring import score_project
from projects.services.support import Content, write_plan

S = ProjectState
# Work that has begun is not taken apart.
NOT_BEGUN = frozenset({S.PROPOSED, S.READY, S.SCHEDULED, S.ON_HOLD})
MOST_PARTS = 9
# Two weeks of one person's work.
LONGEST = Decimal(10)
COPIED = (
    "kind", "type", "objectives", "outcomes", "in_scope", "out_of_scope", "if_not", "owner_id",
    "roll_out_where", "roll_out_told", "roll_out_on", "links", "builds_code", "inside_product",
)  # fmt: skip


class NotSplittable(Conflict):
    """What has begun, or is over, stays whole."""

    code = "not_splittable"


@dataclass(frozen=True, slots=True)
class Part:
    title: str
    # Of work; null where nobody knows yet.
    days: Decimal | None


def why_not_splittable(project: Project) -> str:
    """Return "" where the project can be split, else why not and what to do."""
    if project.is_over:
        return f"It is {project.get_state_display().lower()}. Only open work is split."
    if project.state not in NOT_BEGUN or project.paused_from == S.IN_PROGRESS:
        return "Work has begun. Deliver what it holds, and propose the rest as another project."
    return ""


@transaction.atomic
def split(
    project: Project,
    parts: Sequence[Part],
    *,
    seats_with: int,
    version: int | None = None,
    by: User,
    at: dt.datetime,
) -> list[Project]:
    """Split into these parts, and return all of them: the project itself is the first.

    The further ones are new: they copy charter, people, requests and accounts, and come directly
    after it. The seats stay with one part, by its place in the list, so that no seat counts twice.
    A support plan is copied without its sign-offs. Raises NotSplittable, StaleWrite, and Invalid
    naming the field.
    """
    require(permissions.can_split, by, project)
    lanes.lock_lanes({S.PROPOSED, S.READY, project.state})
    project = locked_project(project)
    if version is not None and version != project.version:
        raise StaleWrite(etag=etag_of(project.uuid, project.version))
    if why_not := why_not_splittable(project):
        raise NotSplittable(f"{project.number} cannot be split. {why_not}")
    parts = _checked(parts, seats_with)
    family = project.part_of or project
    _make_room(project, family, len(parts) - 1)
    before = {"title": project.title, "days": project.days}
    seats = _seats_of(project)
    _become_first(project, parts[0], keeps_seats=seats_with == 0)
    made = [project]
    for place, part in enumerate(parts[1:], 1):
        new = _copy(project, family, part, place=place, by=by, at=at)
        _copy_links(project, new, seats if seats_with == place else {})
        made.append(new)
    _rank(made)
    _score(made, parts, by=by, at=at)
    record(
        "project.split",
        project,
        by=by,
        before=before,
        after={"title": parts[0].title, "days": parts[0].days,
               "parts": [each.number for each in made], "seats_with": made[seats_with].number},
        account_id=sole_account(project),
    )  # fmt: skip
    for new in made[1:]:
        record(
            "project.split_off",
            new,
            by=by,
            after={"title": new.title, "part": new.part, "part_of": family.number},
            account_id=sole_account(new),
        )
        _follow(project, new, by=by, at=at)
    measure.lift_changed([each.pk for each in made])
    for each in made:
        each.refresh_from_db()
    return made


def _checked(parts: Sequence[Part], seats_with: int) -> list[Part]:
    if not 2 <= len(parts) <= MOST_PARTS:  # noqa: PLR2004 one is no split
        raise Invalid(f"Split into 2 to {MOST_PARTS} parts.", field="parts", code="out_of_range")
    if not 0 <= seats_with < len(parts):
        raise Invalid("Say with which of the parts the seats come.", field="seats_with")
    checked, errors = [], {}
    for place, part in enumerate(parts):
        try:
            checked.append(Part(parse_name(part.title), part.days))
        except BadValue as bad:
            errors[f"title_{place}"] = ValidationError(bad.detail, code=bad.code)
        if part.days is not None and not 0 < part.days <= LONGEST:
            errors[f"days_{place}"] = ValidationError(
                f"Part {place + 1} has {part.days:f} days: more than 0, and at most {LONGEST}, "
                "two weeks of work.",
                code="out_of_range",
            )
    if errors:
        raise ValidationError(errors)
    return checked


def _make_room(project: Project, family: Project, more: int) -> None:
    """Count on the later parts of what was split before."""
    later = Project.objects.filter(Q(pk=family.pk) | Q(part_of=family), part__gt=project.part)
    later.update(part=F("part") + more, version=F("version") + 1, updated_at=Now())


def _seats_of(project: Project) -> dict[int, ProjectAccount]:
    return {link.account_id: link for link in project.account_links.all()}


def _become_first(project: Project, part: Part, *, keeps_seats: bool) -> None:
    if not keeps_seats:
        project.account_links.update(seats_low=None, seats_likely=None, seats_high=None)
    Project.objects.filter(pk=project.pk).update(
        title=part.title, version=F("version") + 1, updated_at=Now()
    )
    project.refresh_from_db()


def _copy(
    project: Project, family: Project, part: Part, *, place: int, by: User, at: dt.datetime
) -> Project:
    new = Project(
        **{name: getattr(project, name) for name in COPIED},
        title=part.title,
        proposed_by=by,
        part_of=family,
        part=project.part + place,
        proposed_at=at,
        moved_at=at,
    )
    new.rank = lanes.key_before(S.PROPOSED, None, new)
    new.save()
    new.refresh_from_db()
    return new


def _copy_links(project: Project, new: Project, seats: dict[int, ProjectAccount]) -> None:
    new.leads.set(project.leads.all())
    ProjectRequest.objects.bulk_create(
        ProjectRequest(project=new, request_id=link.request_id)
        for link in project.request_links.order_by("pk")
    )
    ProjectAccount.objects.bulk_create(
        ProjectAccount(
            project=new,
            account_id=link.account_id,
            seats_low=held.seats_low if (held := seats.get(link.account_id)) else None,
            seats_likely=held.seats_likely if held else None,
            seats_high=held.seats_high if held else None,
        )
        for link in project.account_links.order_by("pk")
    )
    Stakeholder.objects.bulk_create(
        Stakeholder(project=new, kind=each.kind, person_id=each.person_id, name=each.name)
        for each in project.stakeholders.order_by("pk")
    )


def _rank(made: list[Project]) -> None:
    """Put the new parts directly after the project, or where its score belongs in triage."""
    project, first = made[0], made[1]
    if project.state == S.PROPOSED:
        after = project
    else:
        first.score = project.score
        _place(first, lanes.key_by_score(S.PROPOSED, first))
        after = first
    others = Project.objects.filter(state=S.PROPOSED).exclude(pk__in=[each.pk for each in made])
    for each in made[1:]:
        if each is not after:
            next_card = others.filter(rank__gt=after.rank).order_by("rank").first()
            _place(each, lanes.key_before(S.PROPOSED, next_card, each))
            after.refresh_from_db(fields=["rank"])


def _place(project: Project, rank: str) -> None:
    Project.objects.filter(pk=project.pk).update(rank=rank)
    project.rank = rank


def _score(made: list[Project], parts: list[Part], *, by: User, at: dt.datetime) -> None:
    """Score each part by its own days."""
    policy = policy_on(today(at))
    first = made[0]
    impact, effort, confidence = first.impact, first.effort, first.confidence
    for number, (each, part) in enumerate(zip(made, parts, strict=True), 1):
        score_project(
            each,
            impact=impact,
            effort=effort if part.days is None else effort_for(policy, part.days),
            days=part.days,
            confidence=confidence,
            reason=f"Split into {len(parts)} parts: this is part {number} of them.",
            by=by,
            at=at,
        )


def _follow(project: Project, new: Project, *, by: User, at: dt.datetime) -> None:
    """Take the support plan over as text, and make the part ready where the project was."""
    plan = getattr(project, "support_plan", None)
    if plan is not None:
        content = Content(
            mode=plan.mode,
            maintained_by=plan.maintained_by,
            text=plan.text,
            depends_on_server_version=plan.depends_on_server_version,
        )
        write_plan(new, content, by=by, at=at)
    if project.state in (S.READY, S.SCHEDULED):
        note = f"A part of {project.number}."
        try:
            move(new, "ready", by=by, at=at, given=Given(values={"limit_note": note}))
        except Blocked:
            # It waits in triage for what does not come along, such as signatures.
            return
