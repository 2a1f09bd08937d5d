"""What moves ask for, each said once. Values are parsed strictly, typed or as texts."""

import datetime as dt
import re
from collections.abc import Sequence
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import TextChoices

from accounts.models import Contact
from config.lib.errors import Invalid
from config.lib.values import (
    BadValue,
    echo,
    parse_boolean,
    parse_boolean_text,
    parse_choice,
    parse_date,
    parse_integer,
    parse_integer_text,
    parse_text,
    parse_uuid,
)
from engagements.models import Impact, Owner, ReasonCode, ServiceRequest
from engagements.selectors import requests_visible_to
from events.workflow import Case, Changes, Field, Move
from people.models import Role, User

TEXT_MAX = 4000
# The first and the last day included: two weeks.
MOST_DAYS = 14
PREEMPTED = "preempted"
# Why Keel itself puts work on hold; people have reasons of their own.
KEELS_OWN = ("objected", "risk_ended")
NUMBER = re.compile(r"REQ-([0-9]{1,18})")


def lines(name: str, label: str, **more: Any) -> Field:
    def parse(value: Any, _case: Case) -> str:
        return parse_text(value, max_length=TEXT_MAX, lines=True)

    return Field(name=name, label=label, parse=parse, kind="lines", **more)


def text(name: str, label: str, *, longest: int = 200, **more: Any) -> Field:
    def parse(value: Any, _case: Case) -> str:
        return parse_text(value, max_length=longest)

    return Field(name=name, label=label, parse=parse, **more)


def day(name: str, label: str, **more: Any) -> Field:
    def parse(value: Any, _case: Case) -> dt.date:
        return parse_date(value)

    return Field(name=name, label=label, parse=parse, kind="date", **more)


def whole(name: str, label: str, low: int, high: int, **more: Any) -> Field:
    def parse(value: Any, case: Case) -> int:
        read = parse_integer_text if case.as_text else parse_integer
        return read(value, low=low, high=high)

    return Field(name=name, label=label, parse=parse, kind=more.pop("kind", "number"), **more)


def yes(name: str, label: str, **more: Any) -> Field:
    def parse(value: Any, case: Case) -> bool:
        if case.as_text and value == "on":
            return True
        return parse_boolean_text(value) if case.as_text else parse_boolean(value)

    return Field(name=name, label=label, parse=parse, kind="yes", **more)


def choice(name: str, label: str, words: type[TextChoices], **more: Any) -> Field:
    def parse(value: Any, _case: Case) -> str:
        return parse_choice(value, words.values)

    def choices(_case: Case) -> Sequence[tuple[str, str]]:
        return words.choices

    return Field(name=name, label=label, parse=parse, kind="choice", choices=choices, **more)


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


def person(name: str, label: str, *roles: Role, **more: Any) -> Field:
    """Somebody with one of the roles, by public id or e-mail."""

    def those() -> Any:
        found = User.objects.filter(is_active=True, is_system=False)
        return found.filter(groups__name__in=roles).distinct() if roles else found

    def parse(value: Any, _case: Case) -> User:
        return _person(value, those(), label, roles)

    def choices(_case: Case) -> Sequence[tuple[str, str]]:
        return [(str(each.uuid), each.name) for each in those().order_by("name", "pk")]

    return Field(name=name, label=label, parse=parse, kind="choice", choices=choices, **more)


def people(name: str, label: str, *roles: Role, **more: Any) -> Field:
    """Several of them, as a list."""
    one = person(name, label, *roles)

    def parse(value: Any, case: Case) -> list[User]:
        if not isinstance(value, list | tuple):
            raise BadValue("not_a_list", f"“{label}” is a list of people.")
        return [one.parse(each, case) for each in value]

    return Field(name=name, label=label, parse=parse, kind="choices", choices=one.choices, **more)


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


def _person(value: Any, those: Any, label: str, roles: tuple[Role, ...]) -> User:
    if isinstance(value, str) and "@" in value:
        found: User | None = those.filter(email__iexact=value).first()
    else:
        found = those.filter(uuid=parse_uuid(value)).first()
    if found is None:
        who = " or ".join(Role(role).label for role in roles) or "active person"
        raise Invalid(f"{label}: “{echo(value)}” is no {who}.", code="unknown")
    return found


def elsewhere(value: Any, _case: Case) -> str:
    """Any team but Deployment Engineering."""
    return parse_choice(value, [owner for owner in Owner.values if owner != Owner.DE])


def checked_dates(move: Move) -> Changes:
    """The dates of a schedule: in order, and at most two weeks."""
    start, end = move.values["start"], move.values["end"]
    if end < start:
        raise ValidationError({"end": "The last day is before the first."})
    if (end - start).days >= MOST_DAYS:
        raise ValidationError({"end": f"More than {MOST_DAYS} days. Split the work."})
    return {"start": start, "end": end}


def checked_pre_emption(move: Move) -> Changes:
    """A hold that pre-empts names what pre-empted it."""
    code, other = move.values["code"], move.values["preempted_by"]
    if code == PREEMPTED and other is None:
        raise ValidationError({"preempted_by": "Say which request came first, such as REQ-12."})
    return {"hold_code": code, "preempted_by": other}
