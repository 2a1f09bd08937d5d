"""What is sent to propose a project or to change its charter."""

import uuid
from collections.abc import Callable, Mapping
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework.exceptions import ErrorDetail, ValidationError

from accounts.models import Account
from accounts.selectors import accounts_visible_to
from accounts.selectors.references import accounts_named
from config.lib import fields, values
from config.lib.bodies import WriteBody
from config.lib.values import BadValue, OuterId, echo
from engagements.models import ServiceRequest
from engagements.rules.links import MOST_LINKS, parse_links
from engagements.selectors import requests_visible_to
from people.models import User
from projects.api.project_rows import ProjectRow
from projects.models import Project, ProjectType, Stakeholder
from projects.rules.charter_values import TEXT_MAX

MOST = 200
AccountSeats = tuple[Account, int | None, int | None, int | None]
PERSON = {"oneOf": [{"type": "string", "format": "uuid"}, {"$ref": "#/components/schemas/Address"}]}
REFERENCE = {
    "oneOf": [{"type": "string", "format": "uuid"}, {"$ref": "#/components/schemas/OuterId"}]
}
SEATS = {"type": ["integer", "null"], "minimum": 0, "maximum": values.SEATS_MAX}


def _list(parse: Callable[[Any], Any]) -> Callable[[Any], list[Any]]:
    def parsed(data: Any) -> list[Any]:
        if not isinstance(data, list):
            raise BadValue("not_a_list", "Write a list.")
        if len(data) > MOST:
            raise BadValue("too_many", f"At most {MOST}.")
        return [parse(item) for item in data]

    return parsed


def _keys(data: Any, needed: set[str], known: set[str]) -> Mapping[str, Any]:
    if not isinstance(data, Mapping):
        raise BadValue("not_an_object", "Write an object for each of them.")
    if unknown := sorted(data.keys() - known):
        raise BadValue("unknown", f"There is no such field: “{echo(str(unknown[0]))}”.")
    if missing := sorted(needed - data.keys()):
        raise BadValue("required", f"“{missing[0]}” is required for each of them.")
    return data


@extend_schema_field({"type": "array", "maxItems": MOST, "items": PERSON})
class PeopleField(fields.StrictField):
    """Some of us, each by id or address."""

    def parse(self, data: Any) -> list[uuid.UUID | str]:
        return _list(values.parse_person)(data)


@extend_schema_field(
    {
        "type": "array",
        "maxItems": MOST,
        "items": {
            "type": "object",
            "required": ["account"],
            "properties": {
                "account": REFERENCE,
                "seats_low": SEATS,
                "seats_likely": SEATS,
                "seats_high": SEATS,
            },
            "additionalProperties": False,
        },
    }
)
class AccountsField(fields.StrictField):
    """Accounts, and the seats that the project would unlock there."""

    def parse(self, data: Any) -> list[Any]:
        return _list(self._one)(data)

    @staticmethod
    def _one(data: Any) -> tuple[uuid.UUID | OuterId, tuple[int | None, ...]]:
        names = ("seats_low", "seats_likely", "seats_high")
        sent = _keys(data, {"account"}, {"account", *names})
        seats = [
            None if sent.get(name) is None else values.parse_seats(sent[name]) for name in names
        ]
        return values.parse_reference(sent["account"]), tuple(seats)


@extend_schema_field(
    {"type": "array", "maxItems": MOST, "items": {"type": "string", "format": "uuid"}}
)
class RequestsField(fields.StrictField):
    """Requests by id."""

    def parse(self, data: Any) -> list[uuid.UUID]:
        return _list(values.parse_uuid)(data)


@extend_schema_field(
    {
        "type": "array",
        "maxItems": MOST,
        "items": {
            "type": "object",
            "required": ["kind"],
            "properties": {
                "kind": {"type": "string", "enum": Stakeholder.Kind.values},
                "person": PERSON,
                "name": {"type": "string", "maxLength": values.NAME_MAX},
            },
            "additionalProperties": False,
        },
    }
)
class StakeholdersField(fields.StrictField):
    """Each with its kind: one of us as `person`, or somebody else by `name`."""

    def parse(self, data: Any) -> list[Any]:
        return _list(self._one)(data)

    @staticmethod
    def _one(data: Any) -> tuple[str, uuid.UUID | str | None, str]:
        sent = _keys(data, {"kind"}, {"kind", "person", "name"})
        kind = values.parse_choice(sent["kind"], Stakeholder.Kind.values)
        person, name = sent.get("person"), sent.get("name")
        if (person is None) == (name is None):
            raise BadValue("person_or_name", "Give “person” or “name”, one of them.")
        if person is not None:
            return kind, values.parse_person(person), ""
        return kind, None, values.parse_name(name)


@extend_schema_field(
    {
        "type": "array",
        "maxItems": MOST_LINKS,
        "items": {"type": "string", "format": "uri", "maxLength": 500},
    }
)
class LinksField(fields.StrictField):
    """Addresses that begin with https://."""

    def parse(self, data: Any) -> list[dict[str, str]]:
        return parse_links(data)


class ProjectBody(WriteBody):
    """What changes of the charter; what is not sent stays, and a list is replaced whole."""

    row = ProjectRow
    shown = frozenset(ProjectRow().fields)
    kind = fields.ChoiceField(Project.Kind.values, required=False)
    type = fields.ChoiceField(ProjectType.values, required=False)
    title = fields.NameField(required=False)
    objectives = fields.LinesField(max_length=TEXT_MAX, blank=True, required=False)
    outcomes = fields.LinesField(max_length=TEXT_MAX, blank=True, required=False)
    in_scope = fields.LinesField(max_length=TEXT_MAX, blank=True, required=False)
    out_of_scope = fields.LinesField(max_length=TEXT_MAX, blank=True, required=False)
    if_not = fields.LinesField(max_length=TEXT_MAX, blank=True, required=False)
    owner = fields.PersonField(required=False, allow_null=True)
    leads = PeopleField(required=False)
    accounts = AccountsField(required=False)
    requests = RequestsField(required=False)
    stakeholders = StakeholdersField(required=False)
    roll_out_where = fields.LinesField(max_length=TEXT_MAX, blank=True, required=False)
    roll_out_told = fields.LinesField(max_length=TEXT_MAX, blank=True, required=False)
    roll_out_on = fields.DateField(required=False, allow_null=True)
    links = LinksField(required=False)
    builds_code = fields.BooleanField(required=False, allow_null=True)
    inside_product = fields.BooleanField(required=False)


class ProjectCreate(ProjectBody):
    """A proposal: what it is and its title; the rest of the charter may follow."""

    kind = fields.ChoiceField(Project.Kind.values)
    type = fields.ChoiceField(ProjectType.values)
    title = fields.NameField()


def resolved(sent: Mapping[str, Any], *, by: User) -> dict[str, Any]:
    """Return what was sent with the things themselves in place of what names them.

    Raises ValidationError with every field that names what there is not.
    """
    found, wrong = dict(sent), {}
    for name in found.keys() & _RESOLVERS.keys():
        try:
            found[name] = _RESOLVERS[name](found[name], by)
        except BadValue as bad:
            wrong[name] = [ErrorDetail(bad.detail, code=bad.code)]
    if wrong:
        raise ValidationError(wrong)
    return found


def _person(sent: uuid.UUID | str | None, _by: User) -> User | None:
    if sent is None:
        return None
    key = {"uuid": sent} if isinstance(sent, uuid.UUID) else {"email__iexact": sent}
    found = User.objects.filter(is_active=True, is_system=False, **key).first()
    if found is None:
        raise BadValue("unknown", f"There is nobody “{echo(str(sent))}”.")
    return found


def _people(sent: list[uuid.UUID | str], by: User) -> list[User]:
    people = [person for each in sent if (person := _person(each, by))]
    return list(dict.fromkeys(people))


def _accounts(
    sent: list[Any], by: User
) -> list[tuple[Account, int | None, int | None, int | None]]:
    named = accounts_named([reference for reference, _ in sent], user=by)
    keys = {}
    for reference, seats in sent:
        if reference not in named:
            raise BadValue("unknown", f"There is no account “{echo(_shown(reference))}”.")
        keys[named[reference].key] = seats
    accounts = accounts_visible_to(by).in_bulk(list(keys))
    return [(accounts[key], *seats) for key, seats in keys.items()]


def _requests(sent: list[uuid.UUID], by: User) -> list[ServiceRequest]:
    found = {each.uuid: each for each in requests_visible_to(by).filter(uuid__in=sent)}
    for each in sent:
        if each not in found:
            raise BadValue("unknown", f"There is no request “{each}”.")
    return [found[each] for each in dict.fromkeys(sent)]


def _stakeholders(sent: list[Any], by: User) -> list[tuple[str, User | None, str]]:
    return [(kind, _person(person, by), name) for kind, person, name in sent]


def _shown(reference: uuid.UUID | OuterId) -> str:
    return reference.external_id if isinstance(reference, OuterId) else str(reference)


_RESOLVERS: dict[str, Callable[[Any, User], Any]] = {
    "owner": _person,
    "keeper": _person,
    "leads": _people,
    "accounts": _accounts,
    "requests": _requests,
    "stakeholders": _stakeholders,
}
