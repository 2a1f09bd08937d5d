"""What is written to the log, and the keys that seal the personal values in it."""

import dataclasses
import datetime as dt
import json
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextvars import ContextVar
from decimal import Decimal
from enum import Enum
from typing import Any, ClassVar, Protocol

from django.contrib.auth.base_user import AbstractBaseUser
from django.db import connection, models, transaction

from config.lib import crypto
from config.lib.copying import copy_rows
from config.lib.request_id import current_request_id
from events.models import Event, SubjectKey

SEALED = "sealed"
ERASED = {"erased": True}
EVENTS_A_STATEMENT = 2000
COPIED = ("actor_id", "token_key", "request_id", "verb", "object_type", "object_id", "object_label",
          "account_id", "before", "after", "reason", "subject_id")  # fmt: skip

SELECTED = """
INSERT INTO events_event (actor_id, token_key, request_id, verb, object_type, object_id,
    object_label, account_id, after, reason)
SELECT %(actor_id)s, %(token_key)s, %(request_id)s, %(verb)s, %(object_type)s, told.object_id,
    left(told.label, 200), told.account_id, told.after, %(reason)s
FROM ({statement}) told ORDER BY told.account_id
"""

# The public part of the API token the request came with; set by the API's authentication.
acting_token: ContextVar[str] = ContextVar("acting_token", default="")

# When what is recorded is said to have happened: for made-up history only.
told_as_of: ContextVar[dt.datetime | None] = ContextVar("told_as_of", default=None)

Subject = tuple[str, uuid.UUID]


class Recordable(Protocol):
    """A model that the outside knows by a UUID.

    Its `PERSONAL`, a set of field names, says which values may only be logged sealed. A
    model that has `PERSONAL`, even an empty one, is logged without a label, for its name
    would name a person.
    """

    uuid: Any
    _meta: ClassVar[Any]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """An event about to be recorded; `before` and `after` hold only what changed."""

    verb: str
    obj: Recordable
    before: Mapping[str, Any] | None = None
    after: Mapping[str, Any] | None = None
    account_id: int | None = None
    reason: str = ""
    # Only for made-up history; everything else happens when it is recorded.
    at: dt.datetime | None = None


def record(
    verb: str,
    obj: Recordable,
    *,
    by: AbstractBaseUser,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
    account_id: int | None = None,
    reason: str = "",
) -> Event:
    """Log what `by` did to `obj`, in the transaction that did it."""
    draft = Draft(
        verb=verb, obj=obj, before=before, after=after, account_id=account_id, reason=reason
    )
    return record_all([draft], by=by)[0]


def record_all(drafts: Sequence[Draft], *, by: AbstractBaseUser) -> list[Event]:
    """Log many changes in few statements, in the order given.

    Raises TransactionManagementError outside a transaction, where the change could be
    kept and its event lost.
    """
    _insist_on_transaction()
    keys = _keys_of({_subject_of(draft.obj) for draft in drafts if _has_personal(draft)})
    origin = _origin_of(by=by)
    return _stored([_event_of(draft, keys, **origin) for draft in drafts])


def record_many(drafts: Sequence[Draft], *, by: AbstractBaseUser) -> None:
    """Log like `record_all`, by COPY and without giving the events back: for whole files."""
    _insist_on_transaction()
    keys = _keys_of({_subject_of(draft.obj) for draft in drafts if _has_personal(draft)})
    rows = _rows_of(drafts, keys, by=by)
    copy_rows(Event._meta.db_table, COPIED, rows)  # noqa: SLF001 Django documents _meta


def record_selected(
    statement: str,
    parameters: Mapping[str, Any],
    *,
    verb: str,
    model: type[Recordable],
    by: AbstractBaseUser,
    reason: str = "",
) -> None:
    """Log what a statement gives: account_id, object_id, label and after, of one model.

    For whole files, and only for models without personal values, which are sealed elsewhere.
    """
    _insist_on_transaction()
    if hasattr(model, "PERSONAL"):
        raise TypeError(f"{model.__name__} has personal values; record each of its events.")
    with connection.cursor() as cursor:
        cursor.execute(
            SELECTED.format(statement=statement),
            {
                **parameters,
                **_origin_of(by=by),
                "verb": verb,
                "object_type": model._meta.label_lower,  # noqa: SLF001 Django documents _meta
                "reason": reason,
            },
        )


@transaction.atomic
def destroy_subject_key(obj: Recordable, *, at: dt.datetime) -> None:
    """Make every sealed value about `obj` unreadable for good, also those still to come."""
    key = _keys_of({_subject_of(obj)})[_subject_of(obj)]
    SubjectKey.objects.filter(pk=key.pk, destroyed_at=None).update(
        wrapped_key=None, destroyed_at=at
    )


def json_safe(value: Any) -> Any:
    """Return `value` in types JSON has: decimals as strings, dates as ISO 8601.

    Raises TypeError for what has no exact form there, floats among them.
    """
    if written := _PLAIN.get(type(value)):
        return written(value)
    for kinds, written in _WRITTEN:
        if isinstance(value, kinds):
            return written(value)
    raise TypeError(f"{type(value).__name__} has no place in the event log")


def _text(value: str) -> str:
    # PostgreSQL keeps neither NUL nor half a surrogate pair in JSON.
    if value.isascii() and "\x00" not in value:
        return str(value)
    return str(value).replace("\x00", "").encode(errors="replace").decode()


_Written = tuple[type | tuple[type, ...], Callable[[Any], Any]]
_WRITTEN: tuple[_Written, ...] = (
    (Enum, lambda value: json_safe(value.value)),
    ((type(None), int), lambda value: value),
    (str, _text),
    (Decimal, lambda value: format(value, "f")),
    ((dt.date, dt.time), lambda value: value.isoformat()),
    (uuid.UUID, str),
    (models.Model, lambda value: str(getattr(value, "uuid", value.pk))),
    (Mapping, lambda value: {_text(name): json_safe(item) for name, item in value.items()}),
    ((set, frozenset), lambda value: sorted(json_safe(item) for item in value)),
    ((list, tuple), lambda value: [json_safe(item) for item in value]),
)
# What there is most of, found at once.
_PLAIN: Mapping[type, Callable[[Any], Any]] = {
    str: _text,
    int: lambda value: value,
    bool: lambda value: value,
    type(None): lambda value: value,
    Decimal: lambda value: format(value, "f"),
    dt.date: lambda value: value.isoformat(),
    dt.datetime: lambda value: value.isoformat(),
    uuid.UUID: str,
}


def _insist_on_transaction() -> None:
    if not connection.in_atomic_block:
        raise transaction.TransactionManagementError(
            "An event is recorded in the transaction of the change it tells of."
        )


def _origin_of(*, by: AbstractBaseUser) -> dict[str, Any]:
    return {
        "actor_id": by.pk,
        "token_key": acting_token.get(),
        "request_id": current_request_id(),
    }


def _event_of(draft: Draft, keys: Mapping[Subject, SubjectKey], **origin: Any) -> Event:
    object_type, object_id = _subject_of(draft.obj)
    key = keys.get((object_type, object_id))
    personal = _personal_fields(draft.obj)
    return Event(
        verb=draft.verb,
        object_type=object_type,
        object_id=object_id,
        object_label=_label_of(draft.obj),
        account_id=draft.account_id,
        before=_sealed(draft.before, personal, key),
        after=_sealed(draft.after, personal, key),
        reason=draft.reason,
        subject=key,
        **({"at": at} if (at := draft.at or told_as_of.get()) else {}),
        **origin,
    )


def _rows_of(
    drafts: Iterable[Draft], keys: Mapping[Subject, SubjectKey], *, by: AbstractBaseUser
) -> Iterator[tuple[Any, ...]]:
    origin = tuple(_origin_of(by=by).values())
    return ((*origin, *_row_of(draft, keys)) for draft in drafts)


def _row_of(draft: Draft, keys: Mapping[Subject, SubjectKey]) -> tuple[Any, ...]:
    object_type, object_id = _subject_of(draft.obj)
    key = keys.get((object_type, object_id))
    personal = _personal_fields(draft.obj)
    return (
        draft.verb,
        object_type,
        object_id,
        _label_of(draft.obj),
        draft.account_id,
        _sealed(draft.before, personal, key),
        _sealed(draft.after, personal, key),
        draft.reason,
        key and key.pk,
    )


def _stored(events: list[Event]) -> list[Event]:
    return Event.objects.bulk_create(events, batch_size=EVENTS_A_STATEMENT)


def _personal_fields(obj: Recordable) -> frozenset[str]:
    return frozenset(getattr(obj, "PERSONAL", ()))


def _has_personal(draft: Draft) -> bool:
    personal = _personal_fields(draft.obj)
    return any(
        values.get(name) is not None
        for values in (draft.before or {}, draft.after or {})
        for name in personal
    )


def _subject_of(obj: Recordable) -> Subject:
    return obj._meta.label_lower, obj.uuid  # noqa: SLF001 Django documents _meta


def _label_of(obj: Recordable) -> str:
    return "" if hasattr(obj, "PERSONAL") else str(json_safe(str(obj)))[:200]


def _sealed(
    values: Mapping[str, Any] | None, personal: frozenset[str], key: SubjectKey | None
) -> dict[str, Any] | None:
    if values is None:
        return None
    safe: dict[str, Any] = json_safe(values)
    hidden = [name for name in safe if name in personal and safe[name] is not None]
    if hidden:
        assert key is not None  # noqa: S101 record_all made one for each such draft
        data_key = crypto.unwrap(bytes(key.wrapped_key)) if key.wrapped_key else None
        for name in hidden:
            safe[name] = _seal(safe[name], data_key)
    return safe


def _seal(value: Any, data_key: bytes | None) -> dict[str, Any]:
    if data_key is None:
        return ERASED
    return {SEALED: crypto.encrypt_text(json.dumps(value), key=data_key)}


def _keys_of(subjects: set[Subject]) -> dict[Subject, SubjectKey]:
    """Return each subject's key, made now where there is none yet.

    Made in a fixed order, and an insert that meets another's waits for it: so two
    transactions that need the same keys neither block each other for good nor make two.
    """
    found = _existing_keys(subjects)
    if missing := sorted(subjects - found.keys()):
        SubjectKey.objects.bulk_create(
            [
                SubjectKey(
                    subject_type=subject_type,
                    subject_id=subject_id,
                    wrapped_key=crypto.new_wrapped_key(),
                )
                for subject_type, subject_id in missing
            ],
            batch_size=EVENTS_A_STATEMENT,
            ignore_conflicts=True,
        )
        found |= _existing_keys(set(missing))
    return found


def _existing_keys(subjects: set[Subject]) -> dict[Subject, SubjectKey]:
    if not subjects:
        return {}
    keys = SubjectKey.objects.filter(
        subject_type__in={subject_type for subject_type, _ in subjects},
        subject_id__in=[subject_id for _, subject_id in subjects],
    )
    return {(key.subject_type, key.subject_id): key for key in keys}
