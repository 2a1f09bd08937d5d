"""The one engine of every change of state; docs/states.md shows the tables it is fed with.

A workflow is a table of transitions. `perform` carries one out, whoever asks: a page, the API, a
bulk action, a task. `options` answers what may happen next, what is blocked and why. States are
written here and nowhere else: a trigger in the database refuses the rest.
"""

import datetime as dt
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from django.core.exceptions import ValidationError
from django.db import connection, models, transaction
from django.db.models import F
from django.db.models.functions import Now

from config.lib.authz import require
from config.lib.errors import Conflict, Invalid, StaleWrite
from config.lib.etags import etag_of
from config.lib.values import BadValue, echo, parse_text
from events.models import MoveRequest
from events.services.log import record

REASON_MAX = 4000


class Blocked(Conflict):
    """The move is not possible now. `details["guards"]` says what stands in its way."""

    code = "blocked"


@dataclass(frozen=True, kw_only=True)
class Case:
    """What predicates, guards, fields and effects look at."""

    obj: Any
    by: Any
    at: dt.datetime
    # Whether values are texts, as a form sends them, or typed, as JSON does.
    as_text: bool = False


@dataclass(frozen=True, kw_only=True)
class Given:
    """What comes with the wish for a move."""

    reason: str = ""
    values: Mapping[str, Any] = field(default_factory=dict)
    # Null: whatever is stored.
    version: int | None = None
    as_text: bool = False


NOTHING = Given()


@dataclass(frozen=True, kw_only=True)
class Field:
    """Something a move asks for. `parse` returns the value or raises BadValue or Invalid."""

    name: str
    label: str
    parse: Callable[[Any, Case], Any]
    required: bool = True
    # How a form asks for it: text, lines, number, date, choice, choices, yes.
    kind: str = "text"
    help: str = ""
    choices: Callable[[Case], Sequence[tuple[str, str]]] | None = None
    initial: Callable[[Case], Any] | None = None


@dataclass(frozen=True, kw_only=True)
class Guard:
    """A condition of a move; `says` is how the handbook puts it."""

    code: str
    says: str
    # Returns "" where it holds, else why not and what to do.
    check: Callable[[Case], str]


@dataclass(frozen=True, kw_only=True)
class Move:
    """A move on its way, as effects see it. `obj` is locked and fresh."""

    case: Case
    transition: "Transition"
    was: str
    becomes: str
    reason: str
    values: Mapping[str, Any]

    @property
    def obj(self) -> Any:
        return self.case.obj

    @property
    def by(self) -> Any:
        return self.case.by

    @property
    def at(self) -> dt.datetime:
        return self.case.at


Changes = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Transition:
    """One row of the table."""

    id: str
    label: str
    # How the event reads: "request.submitted".
    done: str
    sources: frozenset[str]
    # Null: the state that `leads` works out, one of `targets`.
    target: str | None = None
    targets: frozenset[str] = frozenset()
    leads: Callable[[Case], str] | None = None
    # Takes (person, object); its docstring says who may.
    who: Callable[[Any, Any], bool]
    guards: tuple[Guard, ...] = ()
    fields: tuple[Field, ...] = ()
    needs_reason: bool = False
    # Further columns of the row, written together with the state.
    changes: tuple[Callable[[Move], Changes], ...] = ()
    # What else happens, in the same transaction, after the row is written.
    effects: tuple[Callable[[Move], None], ...] = ()
    # Who is asked by those who may not; empty: it cannot be asked for.
    asks: Callable[[Any], Iterable[Any]] | None = None
    # Only the application itself makes it.
    is_automatic: bool = False
    # What a person should know before: it leaves the house, or cannot be taken back.
    warns: str = ""
    # Stays out of the event: it may be personal.
    private: frozenset[str] = frozenset()

    @property
    def leads_to(self) -> frozenset[str]:
        return frozenset({self.target}) if self.target else self.targets


@dataclass(frozen=True, kw_only=True)
class Workflow:
    """A table of transitions for the `state` of one model."""

    name: str
    noun: str
    model: type[models.Model]
    states: type[models.TextChoices]
    transitions: tuple[Transition, ...]
    on_move: tuple[Callable[[Move], None], ...] = ()
    account_of: Callable[[Any], int | None] = lambda obj: obj.account_id

    def transition(self, name: str) -> Transition:
        for each in self.transitions:
            if each.id == name:
                guards = (*each.guards, *_added.get((self.name, name), ()))
                return replace(each, guards=guards)
        known = ", ".join(each.id for each in self.transitions if not each.is_automatic)
        raise Invalid(
            f"There is no move “{echo(name)}” for a {self.noun}. Use one of: {known}.",
            field="transition",
            code="unknown_transition",
        )


@dataclass(frozen=True, kw_only=True)
class Option:
    """A transition from where the object is now, for one person."""

    transition: Transition
    # Whether the person may make it at all, and what they are told if not.
    may: bool
    refusal: str
    # Code and words of guards that do not hold.
    blocks: tuple[tuple[str, str], ...] = ()
    # Whether those who may can be asked for it.
    can_ask: bool = False
    case: Case = field(repr=False)

    @property
    def is_open(self) -> bool:
        return self.may and not self.blocks


_workflows: dict[str, Workflow] = {}
_added: dict[tuple[str, str], tuple[Guard, ...]] = {}


def register(workflow: Workflow) -> None:
    """Make a table known; called by its app at start-up."""
    _workflows[workflow.name] = workflow


def add_guard(workflow: str, transition: str, guard: Guard) -> None:
    """Let an app above set a condition on a move below; called at start-up."""
    key = (workflow, transition)
    _added[key] = (*_added.get(key, ()), guard)


def workflows() -> list[Workflow]:
    return list(_workflows.values())


def workflow_named(name: str) -> Workflow:
    return _workflows[name]


@transaction.atomic
def perform(
    workflow: Workflow,
    obj: Any,
    name: str,
    *,
    by: Any,
    at: dt.datetime,
    given: Given = NOTHING,
) -> Move:
    """Make one move, or raise and change nothing.

    Raises Invalid for an unknown transition, PermissionDenied with the words of who may,
    StaleWrite where the version given is not the stored one, Blocked with every guard that does
    not hold, and ValidationError naming each field that is missing or wrong.
    """
    transition = workflow.transition(name)
    require(transition.who, by, obj)
    locked: Any = workflow.model._default_manager.select_for_update(  # noqa: SLF001
        of=("self",), no_key=True
    ).get(pk=obj.pk)
    case = Case(obj=locked, by=by, at=at, as_text=given.as_text)
    require(transition.who, by, locked)
    if given.version is not None and given.version != locked.version:
        raise StaleWrite(etag=etag_of(locked.uuid, locked.version))
    if blocks := _blocks(workflow, transition, case):
        raise Blocked(
            blocks[0][1],
            details={
                "transition": transition.id,
                "state": locked.state,
                "guards": [{"code": code, "detail": detail} for code, detail in blocks],
            },
        )
    move = Move(
        case=case,
        transition=transition,
        was=locked.state,
        becomes=_target(transition, case),
        reason=given.reason.strip(),
        values=_parsed(transition, given, case),
    )
    _write(workflow, move)
    for effect in (*workflow.on_move, *transition.effects):
        effect(move)
    _settle(workflow, move)
    obj.refresh_from_db()
    return move


def options(workflow: Workflow, obj: Any, person: Any, *, at: dt.datetime) -> list[Option]:
    """Return every transition from the object's state, open or not, in the table's order."""
    case = Case(obj=obj, by=person, at=at)
    found = []
    for each in workflow.transitions:
        if obj.state not in each.sources or each.is_automatic:
            continue
        transition = workflow.transition(each.id)
        may = transition.who(person, obj)
        found.append(
            Option(
                transition=transition,
                may=may,
                refusal="" if may else (transition.who.__doc__ or "").strip(),
                blocks=_blocks(workflow, transition, case),
                can_ask=not may and transition.asks is not None,
                case=case,
            )
        )
    return found


def option(workflow: Workflow, obj: Any, name: str, person: Any, *, at: dt.datetime) -> Option:
    """Return one transition for the person; raises Invalid, and Blocked from elsewhere."""
    transition = workflow.transition(name)
    for each in options(workflow, obj, person, at=at):
        if each.transition.id == name:
            return each
    raise Blocked(_wrong_state(workflow, transition, obj))


@transaction.atomic
def place(obj: Any, state: str) -> None:
    """Put an object into a state without a move: for tests, and nothing else."""
    _store(type(obj), obj.pk, {"state": state})
    obj.refresh_from_db()


def _target(transition: Transition, case: Case) -> str:
    if transition.leads is not None:
        return transition.leads(case)
    return transition.target or case.obj.state


def _blocks(workflow: Workflow, transition: Transition, case: Case) -> tuple[tuple[str, str], ...]:
    if case.obj.state not in transition.sources:
        return (("wrong_state", _wrong_state(workflow, transition, case.obj)),)
    checked = ((guard.code, guard.check(case)) for guard in transition.guards)
    return tuple((code, words) for code, words in checked if words)


def _wrong_state(workflow: Workflow, transition: Transition, obj: Any) -> str:
    states = [obj.state, *(each for each in workflow.states if each in transition.sources)]
    labels = [workflow.states(each).label for each in states]
    now, *sources = [label[:1].lower() + label[1:] for label in labels]
    start = " or ".join(filter(None, [", ".join(sources[:-1]), sources[-1]]))
    return f"“{transition.label}” is not possible now: the {workflow.noun} is {now}, not {start}."


def _parsed(transition: Transition, given: Given, case: Case) -> dict[str, Any]:
    errors = _wrong_reason(transition, given.reason)
    for name in given.values.keys() - {each.name for each in transition.fields}:
        errors[name] = ValidationError(f"“{transition.label}” takes no such field.", code="unknown")
    parsed: dict[str, Any] = {}
    for each in transition.fields:
        try:
            parsed[each.name] = _value(each, given.values.get(each.name), case)
        except BadValue as error:
            errors[each.name] = ValidationError(error.detail, code=error.code)
        except Invalid as error:
            errors[each.name] = ValidationError(error.message, code=error.code)
    if errors:
        raise ValidationError(errors)
    return parsed


def _value(asked: Field, value: Any, case: Case) -> Any:
    is_empty = value in (None, "", [])
    if is_empty and asked.required:
        verb = "Choose" if "choice" in asked.kind else "Fill in"
        raise BadValue("required", f"{verb} “{asked.label}”.")
    return None if is_empty else asked.parse(value, case)


def _wrong_reason(transition: Transition, reason: str) -> dict[str, ValidationError]:
    if transition.needs_reason and not reason.strip():
        return {"reason": ValidationError("Say why.", code="required")}
    try:
        parse_text(reason.strip() or "None.", max_length=REASON_MAX, lines=True)
    except BadValue as error:
        return {"reason": ValidationError(error.detail, code=error.code)}
    return {}


def _write(workflow: Workflow, move: Move) -> None:
    columns: dict[str, Any] = {}
    for change in move.transition.changes:
        columns |= change(move)
    before = {"state": move.was} | {name: getattr(move.obj, name) for name in columns}
    _store(
        workflow.model,
        move.obj.pk,
        {"state": move.becomes, **columns, "version": F("version") + 1, "updated_at": Now()},
    )
    move.obj.refresh_from_db()
    after = {name: value for name, value in move.values.items() if value is not None}
    after |= {"state": move.becomes, **columns}
    private = move.transition.private
    record(
        f"{workflow.name}.{move.transition.done}",
        move.obj,
        by=move.by,
        before={name: value for name, value in before.items() if name not in private},
        after={name: value for name, value in after.items() if name not in private},
        account_id=workflow.account_of(move.obj),
        reason=move.reason,
    )


def _store(model: type[models.Model], pk: int, columns: Mapping[str, Any]) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('keel.moving', 'on', true)")
        model._default_manager.filter(pk=pk).update(**columns)  # noqa: SLF001
        cursor.execute("SELECT set_config('keel.moving', 'off', true)")


def _settle(workflow: Workflow, move: Move) -> None:
    """Close what was asked for: the move that was made, and those that start here no more."""
    open_ones = MoveRequest.objects.filter(
        workflow=workflow.name, object_id=move.obj.uuid, settled_at=None
    )
    open_ones.filter(transition=move.transition.id).update(
        settled_at=move.at, settled_by=move.by.pk, is_done=True
    )
    if move.becomes != move.was:
        gone = [each.id for each in workflow.transitions if move.becomes not in each.sources]
        open_ones.filter(transition__in=gone).update(settled_at=move.at, settled_by=move.by.pk)
