"""What moves ask for where it is people."""

from collections.abc import Sequence
from typing import Any

from config.lib.errors import Invalid
from config.lib.values import BadValue, echo, parse_uuid
from events.workflow import Case, Field
from people.models import Role, User


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


def _person(value: Any, those: Any, label: str, roles: tuple[Role, ...]) -> User:
    if isinstance(value, str) and "@" in value:
        found: User | None = those.filter(email__iexact=value).first()
    else:
        found = those.filter(uuid=parse_uuid(value)).first()
    if found is None:
        who = " or ".join(Role(role).label for role in roles) or "active person"
        raise Invalid(f"{label}: “{echo(value)}” is no {who}.", code="unknown")
    return found
