"""The parts of a charter: read, compared with what is stored, and written. The caller locks."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.core.exceptions import ValidationError

from accounts.models import Account
from config.lib.values import BadValue
from engagements.models import RequestState, ServiceRequest
from engagements.rules.links import parse_links
from events.services import record
from people.models import User
from people.permissions import has_any_role
from projects import permissions
from projects.models import Project, ProjectAccount, ProjectRequest, ProjectType, Stakeholder
from projects.rules.charter_values import NEEDED, Seats, checked_seats, reader_of

MOST_ACCOUNTS = 200
MOST_PEOPLE = 40
COLUMNS = reader_of({"kind": Project.Kind.values, "type": ProjectType.values})
LISTS = ("leads", "accounts", "requests", "stakeholders")
NAMES = frozenset({*COLUMNS, *LISTS, "links", "owner"})
NEVER_FILED = frozenset({RequestState.DRAFT, RequestState.SUBMITTED, RequestState.NEEDS_INFO})
OVER = frozenset({
    RequestState.ROUTED_OUT, RequestState.CLOSED, RequestState.DECLINED, RequestState.CANCELLED,
})  # fmt: skip

Values = Mapping[str, Any]
Row = tuple[str, User | None, str]


@dataclass
class Written:
    """What was stored anew, by verb of its event: what it was, and what it is."""

    changes: dict[str, tuple[dict[str, Any], dict[str, Any]]] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.changes)


def read(values: Values, project: Project | None) -> dict[str, Any]:
    """Return every value as it is stored. Raises ValidationError that names each wrong one."""
    read_values: dict[str, Any] = {}
    wrong: dict[str, ValidationError] = {}
    for name, value in values.items():
        try:
            read_values[name] = _read(name, value, project)
        except BadValue as bad:
            detail = NEEDED.get(name, bad.detail) if _is_nothing(value) else bad.detail
            wrong[name] = ValidationError(detail, code=bad.code)
    for name, words in NEEDED.items():
        if project is None and name not in values:
            wrong[name] = ValidationError(words, code="required")
    if wrong:
        raise ValidationError(wrong)
    return read_values


def write(project: Project, values: Values, *, by: User) -> Written:
    """Store what is different, all but the version; return what that was."""
    written = Written()
    _write_columns(project, values, written)
    _write_people(project, values, written)
    if "accounts" in values:
        _write_accounts(project, values["accounts"], written)
    if "requests" in values:
        _write_requests(project, values["requests"], written, by=by)
    if "stakeholders" in values:
        _write_stakeholders(project, values["stakeholders"], written)
    return written


def _is_nothing(value: Any) -> bool:
    return value is None or (isinstance(value, str) and not value.strip())


def _read(name: str, value: Any, project: Project | None) -> Any:
    if name in COLUMNS:
        return COLUMNS[name](value)
    if name == "links":
        return parse_links([each["url"] if isinstance(each, dict) else each for each in value])
    if name == "owner":
        return _owner(value, project)
    if name not in NAMES:
        raise BadValue("unknown", "A charter has no such part.")
    readers: dict[str, Callable[[Any, Project | None], Any]] = {
        "leads": _leads,
        "accounts": _accounts,
        "requests": _requests,
        "stakeholders": _stakeholders,
    }
    return readers[name](value, project)


def _owner(owner: User | None, project: Project | None) -> User | None:
    if owner is None or (project is not None and project.owner_id == owner.pk):
        return owner
    if not (owner.is_active and has_any_role(owner)):
        raise BadValue("no_role", f"{owner} is not active, or has no role. Choose somebody else.")
    return owner


def _leads(leads: Sequence[User], project: Project | None) -> list[User]:
    found = list(dict.fromkeys(leads))
    known = set(project.leads.values_list("pk", flat=True)) if project else set()
    for each in found:
        if each.pk not in known and not (each.is_active and permissions.is_engineer(each)):
            raise BadValue("no_engineer", f"{each} is no active DE engineer or DE lead.")
    if len(found) > MOST_PEOPLE:
        raise BadValue("too_many", f"At most {MOST_PEOPLE} leads.")
    return found


def _accounts(
    rows: Sequence[tuple[Account, Any, Any, Any]], _project: Project | None
) -> list[tuple[Account, Seats]]:
    found: dict[Account, Seats] = {}
    for account, *seats in rows:
        if account in found:
            raise BadValue("twice", f"{account} is named twice.")
        try:
            found[account] = checked_seats(*seats)
        except BadValue as bad:
            raise BadValue(bad.code, f"{account}: {bad.detail}") from bad
    if len(found) > MOST_ACCOUNTS:
        raise BadValue("too_many", f"At most {MOST_ACCOUNTS} accounts.")
    return list(found.items())


def _requests(requests: Sequence[ServiceRequest], project: Project | None) -> list[ServiceRequest]:
    known = set(project.request_links.values_list("request_id", flat=True)) if project else set()
    for each in requests:
        if each.pk in known:
            continue
        if each.state in NEVER_FILED:
            raise BadValue("not_decided", f"{each.number} is not in scope yet.")
        if each.state in OVER:
            state = each.get_state_display().lower()
            raise BadValue("is_over", f"{each.number} is {state}. There is nothing to do for it.")
    return list(dict.fromkeys(requests))


def _stakeholders(rows: Sequence[Row], _project: Project | None) -> list[Row]:
    found: list[Row] = []
    for kind, person, name in rows:
        if kind not in Stakeholder.Kind.values:
            known = ", ".join(Stakeholder.Kind.values)
            raise BadValue("not_a_choice", f"The kind of a stakeholder is one of: {known}.")
        if (person is None) == (not name.strip()):
            raise BadValue("person_or_name", "Name one of us, or somebody else: one of the two.")
        row = (kind, person, "" if person else COLUMNS["title"](name))
        if row not in found:
            found.append(row)
    if len(found) > MOST_PEOPLE:
        raise BadValue("too_many", f"At most {MOST_PEOPLE} stakeholders.")
    return found


def _write_columns(project: Project, values: Values, written: Written) -> None:
    names = [name for name in (*COLUMNS, "links") if name in values]
    before = {name: getattr(project, name) for name in names}
    changed = {name: values[name] for name in names if values[name] != before[name]}
    if not changed:
        return
    for name, value in changed.items():
        setattr(project, name, value)
    project.save(update_fields=list(changed))
    told = {name: _told(value) for name, value in changed.items()}
    was = {name: _told(before[name]) for name in changed}
    written.changes["charter_changed"] = (was, told)


def _told(value: Any) -> Any:
    """Write links as their addresses."""
    return [link["url"] for link in value] if isinstance(value, list) else value


def _write_people(project: Project, values: Values, written: Written) -> None:
    before: dict[str, Any] = {}
    after: dict[str, Any] = {}
    if "owner" in values and values["owner"] != project.owner:
        before["owner"], after["owner"] = project.owner, values["owner"]
        project.owner = values["owner"]
        project.save(update_fields=["owner"])
    if "leads" in values:
        leads = list(project.leads.order_by("pk"))
        if {each.pk for each in leads} != {each.pk for each in values["leads"]}:
            before["leads"], after["leads"] = leads, values["leads"]
            project.leads.set(values["leads"])
    if after:
        written.changes["people_set"] = (before, after)


def _write_accounts(
    project: Project, rows: Sequence[tuple[Account, Seats]], written: Written
) -> None:
    stored = project.account_links.select_related("account").order_by("account__name", "pk")
    before = {
        link.account: Seats(link.seats_low, link.seats_likely, link.seats_high) for link in stored
    }
    after = dict(rows)
    if before == after:
        return
    project.account_links.exclude(account__in=after).delete()
    ProjectAccount.objects.bulk_create(
        [
            ProjectAccount(
                project=project,
                account=account,
                seats_low=seats.low,
                seats_likely=seats.likely,
                seats_high=seats.high,
            )
            for account, seats in rows
        ],
        update_conflicts=True,
        unique_fields=["project", "account"],
        update_fields=["seats_low", "seats_likely", "seats_high"],
    )
    written.changes["accounts_set"] = (_told_accounts(before), _told_accounts(after))


def _told_accounts(rows: Mapping[Account, Seats]) -> dict[str, Any]:
    return {
        "accounts": [
            f"{account.name}: {seats.low} to {seats.high}, likely {seats.likely}"
            if seats.likely is not None
            else account.name
            for account, seats in rows.items()
        ]
    }


def _write_requests(
    project: Project, requests: Sequence[ServiceRequest], written: Written, *, by: User
) -> None:
    links = project.request_links.select_related("request").order_by("request")
    before = [link.request for link in links]
    if {each.pk for each in before} == {each.pk for each in requests}:
        return
    project.request_links.exclude(request__in=requests).delete()
    added = [each for each in requests if each not in before]
    ProjectRequest.objects.bulk_create(
        [ProjectRequest(project=project, request=each) for each in added]
    )
    for verb, changed in (
        ("request.put_into_project", added),
        ("request.taken_out_of_project", [each for each in before if each not in requests]),
    ):
        for each in changed:
            record(verb, each, by=by, after={"project": project.number}, account_id=each.account_id)
    written.changes["requests_set"] = (
        {"requests": [each.number for each in before]},
        {"requests": [each.number for each in requests]},
    )


def _write_stakeholders(project: Project, rows: Sequence[Row], written: Written) -> None:
    stored = list(project.stakeholders.select_related("person").order_by("pk"))
    before: list[Row] = [(each.kind, each.person, each.name) for each in stored]
    if before == list(rows):
        return
    gone = [each.pk for each in stored if (each.kind, each.person, each.name) not in rows]
    project.stakeholders.filter(pk__in=gone).delete()
    for kind, person, name in rows:
        if (kind, person, name) not in before:
            Stakeholder.objects.create(project=project, kind=kind, person=person, name=name)
    written.changes["stakeholders_set"] = (_told_people(before), _told_people(rows))


def _told_people(rows: Sequence[Row]) -> dict[str, Any]:
    """Names of people outside stay out of the log."""
    counts: dict[str, int] = {}
    for kind, _person, _name in rows:
        label = Stakeholder.Kind(kind).label.lower()
        counts[label] = counts.get(label, 0) + 1
    return dict(sorted(counts.items()))
