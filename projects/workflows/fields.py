"""What moves of projects ask for, each said once."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from django.core.exceptions import ValidationError

from accounts.selectors import today
from config.lib.errors import Invalid
from config.lib.ui.formats import days_between_text
from config.lib.values import echo, parse_decimal, parse_uuid
from events.fields import lines
from events.workflow import Case, Changes, Field, Move
from projects import selectors
from projects.models import LANES, MOST_DAYS, Increment, Lane, Project, ProjectState

PREEMPTED = "preempted"


def before() -> Field:
    """Where the card goes in its new column: before this project; without it, by its score."""

    def parse(value: Any, case: Case) -> Project | str:
        if value == "end":
            return "end"
        return _project(value, case)

    return Field(name="before", label="Before", parse=parse, required=False, kind="place")


def limit_note() -> Field:
    return lines(
        "limit_note",
        "Why one more than the column holds",
        required=False,
        help="Only where the column is full.",
    )


def increment(**more: Any) -> Field:
    """An increment that is not over, by public id."""

    def open_ones(case: Case) -> Any:
        rows = Increment.objects.filter(end__gte=today(case.at)).select_related("team")
        return rows.order_by("start", "team__name", "pk")

    def parse(value: Any, case: Case) -> Increment:
        found = open_ones(case).filter(uuid=parse_uuid(value)).first()
        if found is None:
            raise Invalid(f"There is no open increment “{echo(value)}”.", code="unknown")
        return found  # type: ignore[no-any-return]

    def choices(case: Case) -> Sequence[tuple[str, str]]:
        day = today(case.at)
        return [
            (
                str(each.uuid),
                f"{each.team}: {each.name}, {days_between_text(each.start, each.end, day)}",
            )
            for each in open_ones(case)
        ]

    def initial(case: Case) -> str:
        stored = case.obj.increment
        return str(stored.uuid) if stored else ""

    return Field(
        name="increment",
        label="Increment",
        parse=parse,
        kind="choice",
        choices=choices,
        initial=initial,
        **more,
    )


def days(name: str, label: str, **more: Any) -> Field:
    """Days of work, in tenths."""

    def parse(value: Any, _case: Case) -> Decimal:
        text = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
        found = parse_decimal(text, places=1, whole_digits=3)
        if found > MOST_DAYS:
            raise Invalid(f"At most {MOST_DAYS} days.", code="too_many")
        return found

    return Field(name=name, label=label, parse=parse, kind="number", **more)


def other_project(name: str, label: str, **more: Any) -> Field:
    """Another project, by number (PRJ-12) or public id."""

    def parse(value: Any, case: Case) -> Project:
        return _project(value, case)

    return Field(name=name, label=label, parse=parse, **more)


def checked_limit(move: Move) -> Changes:
    """A column that is full takes one more only with a reason."""
    if move.was == move.becomes or move.becomes not in LANES:
        return {}
    lane = Lane.objects.get(pk=move.becomes)
    if lane.limit is None or move.values.get("limit_note"):
        return {}
    there = Project.objects.filter(state=move.becomes).count()
    if there >= lane.limit:
        raise ValidationError(
            {"limit_note": f"{LANES[ProjectState(move.becomes)]} holds {there} of {lane.limit}. "
             "Say why one more."}
        )  # fmt: skip
    return {}


def checked_pre_emption(move: Move) -> Changes:
    """A hold that pre-empts names what pre-empted it, and what that costs."""
    errors = {}
    if move.values["code"] == PREEMPTED:
        if move.values["preempted_by"] is None:
            errors["preempted_by"] = "Say which project came first, such as PRJ-12."
        if move.values["cost_days"] is None:
            errors["cost_days"] = "Say how many days of work this costs."
    if errors:
        raise ValidationError(errors)
    return {"hold_code": move.values["code"], "preempted_by": move.values["preempted_by"]}


def _project(value: Any, case: Case) -> Project:
    found = selectors.project_called(value, by=case.by)
    if found is None or found.pk == case.obj.pk:
        raise Invalid(f"There is no other project “{echo(value)}”.", code="unknown")
    return found
