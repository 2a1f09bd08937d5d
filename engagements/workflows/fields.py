"""What moves of requests ask for, each said once; what is common is in events and people."""

import re
from collections.abc import Sequence
from typing import Any

from django.core.exceptions import ValidationError

from accounts.models import Contact
from config.lib.errors import Invalid
from config.lib.values import echo, parse_choice, parse_uuid
from engagements.models import Impact, Owner, ReasonCode, ServiceRequest
from engagements.selectors import requests_visible_to
from engagements.selectors.absences import why_away
from events.fields import TEXT_MAX, choice, day, lines, text, whole, yes
from events.workflow import Case, Changes, Field, Move
from people.fields import people, person
from people.models import User

__all__ = ["TEXT_MAX", "choice", "day", "lines", "people", "person", "text", "whole", "yes"]
# The first and the last day included: two weeks.
MOST_DAYS = 14
PREEMPTED = "preempted"
# Why Keel itself puts work on hold; people have reasons of their own.
KEELS_OWN = ("objected", "risk_ended")
NUMBER = re.compile(r"REQ-([0-9]{1,18})")


def impact(**more: Any) -> Field:
    def choices(_case: Case) -> Sequence[tuple[str, str]]:
        return [(str(value), label) for value, label in Impact.choices]

    return whole(
        "impact",
        "Impact",
        1,
        4,
        kind="choice",
        choices=choices,
        help="Highest: widespread, internally and externally. High: widespread in one of them. "
        "Medium: specific external. Low: specific internal.",
        initial=lambda case: case.obj.impact,
        **more,
    )


def reason_code(kind: ReasonCode.Kind, **more: Any) -> Field:
    """A code of policy data: why it was declined, cancelled, held."""

    def codes(case: Case) -> dict[str, str]:
        rows = ReasonCode.objects.filter(kind=kind).order_by("pk")
        if not case.by.is_system:
            rows = rows.filter(is_active=True).exclude(code__in=KEELS_OWN)
        return dict(rows.values_list("code", "label"))

    def parse(value: Any, case: Case) -> str:
        return parse_choice(value, list(codes(case)))

    return Field(
        name="code",
        label="Reason",
        parse=parse,
        kind="choice",
        choices=lambda case: list(codes(case).items()),
        **more,
    )


def contact(name: str, label: str, **more: Any) -> Field:
    """A contact of the request's account, by public id."""

    def parse(value: Any, case: Case) -> Contact:
        found = Contact.objects.filter(account=case.obj.account_id, uuid=parse_uuid(value)).first()
        if found is None:
            raise Invalid(f"There is no contact “{echo(value)}” at this account.", code="unknown")
        return found

    def choices(case: Case) -> Sequence[tuple[str, str]]:
        rows = Contact.objects.filter(account=case.obj.account_id).exclude(email="")
        return [(str(each.uuid), f"{each.name}, {each.email}") for each in rows.order_by("name")]

    return Field(name=name, label=label, parse=parse, kind="choice", choices=choices, **more)


def other_request(name: str, label: str, **more: Any) -> Field:
    """Another request, by number (REQ-12) or public id."""

    def parse(value: Any, case: Case) -> ServiceRequest:
        found = _request(value, case.by)
        if found is None or found.pk == case.obj.pk or found.state == "draft":
            raise Invalid(f"There is no other request “{echo(value)}”.", code="unknown")
        return found

    return Field(name=name, label=label, parse=parse, **more)


def _request(value: Any, by: User) -> ServiceRequest | None:
    visible = requests_visible_to(by)
    if isinstance(value, str) and value.upper().startswith("REQ-"):
        number = NUMBER.fullmatch(value.upper())
        return visible.filter(pk=int(number[1])).first() if number else None
    return visible.filter(uuid=parse_uuid(value)).first()


def elsewhere(value: Any, _case: Case) -> str:
    """Any team but Deployment Engineering."""
    return parse_choice(value, [owner for owner in Owner.values if owner != Owner.DE])


def checked_dates(move: Move) -> Changes:
    """The dates of a schedule: in order, at most two weeks, and its lead is there."""
    start, end = move.values["start"], move.values["end"]
    if end < start:
        raise ValidationError({"end": "The last day is before the first."})
    if (end - start).days >= MOST_DAYS:
        raise ValidationError({"end": f"More than {MOST_DAYS} days. Split the work."})
    if why := why_away(move.values["lead"], start, end):
        raise ValidationError({"lead": why})
    return {"start": start, "end": end}


def checked_pre_emption(move: Move) -> Changes:
    """A hold that pre-empts names what pre-empted it."""
    code, other = move.values["code"], move.values["preempted_by"]
    if code == PREEMPTED and other is None:
        raise ValidationError({"preempted_by": "Say which request came first, such as REQ-12."})
    return {"hold_code": code, "preempted_by": other}
