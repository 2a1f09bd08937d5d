"""Reading the log, opening what is sealed in it, and reading what a person was told."""

import dataclasses
import json
from typing import Any

from django.db.models import BooleanField, Count, ExpressionWrapper, Q, QuerySet, Subquery
from django.db.models.expressions import Combinable
from django.db.models.functions import Coalesce

from config.lib import crypto
from events.models import Event, Notice

HIDDEN = "(personal)"
ERASED = "(erased)"
# Nobody counts further.
MOST_UNSEEN = 100


@dataclasses.dataclass(frozen=True, slots=True)
class Readable:
    """An event's values as somebody may see them."""

    before: dict[str, Any] | None
    after: dict[str, Any] | None


def events_of_account(account_id: int) -> QuerySet[Event]:
    """Return all that happened to the account and what hangs on it, newest first."""
    return _with_people(Event.objects.filter(account_id=account_id))


def events_of_object(obj: Any) -> QuerySet[Event]:
    """Return all that happened to one thing, newest first."""
    return _with_people(
        Event.objects.filter(object_type=obj._meta.label_lower, object_id=obj.uuid)  # noqa: SLF001
    )


def notices_of(person: Any) -> QuerySet[Notice]:
    """Return what the person was told; `is_seen` orders what is new before the rest."""
    is_seen = ExpressionWrapper(Q(seen_at__isnull=False), output_field=BooleanField())
    return Notice.objects.filter(to=person).annotate(is_seen=is_seen)


def unseen_count(person: Any) -> int:
    """Return how many notices are new, 100 where there are more."""
    return Notice.objects.filter(to=person, seen_at=None)[:MOST_UNSEEN].count()


def unseen_of(person: Any) -> Combinable:
    """Return how many notices are new for a column of people, to be read along with them."""
    new = Notice.objects.filter(to=person, seen_at=None).order_by().values("to")
    return Coalesce(Subquery(new.annotate(count=Count("pk")).values("count")), 0)


def readable(event: Event, *, may_open: bool) -> Readable:
    """Return the event's values, the personal ones opened for whoever may see them.

    Where the key was destroyed the value reads "(erased)", and "(personal)" to others.
    """
    data_key = None
    if may_open and event.subject and event.subject.wrapped_key:
        data_key = crypto.unwrap(bytes(event.subject.wrapped_key))
    closed = ERASED if event.subject and event.subject.destroyed_at else HIDDEN

    def opened(values: dict[str, Any] | None) -> dict[str, Any] | None:
        if values is None:
            return None
        return {name: _opened(value, data_key, closed) for name, value in values.items()}

    return Readable(before=opened(event.before), after=opened(event.after))


def _opened(value: Any, data_key: bytes | None, closed: str) -> Any:
    match value:
        case {"sealed": str(sealed)} if len(value) == 1:
            return json.loads(crypto.decrypt_text(sealed, key=data_key)) if data_key else closed
        case {"erased": True}:
            return ERASED
    return value


def _with_people(events: QuerySet[Event]) -> QuerySet[Event]:
    return events.select_related("actor", "subject").order_by("-id")
