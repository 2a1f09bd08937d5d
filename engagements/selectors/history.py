"""What happened to a request and all that hangs on it, and what an event is about."""

import uuid
from collections import defaultdict
from collections.abc import Collection, Iterator
from typing import NamedTuple

from django.db import models
from django.db.models import CharField, F, IntegerField, Q, QuerySet, Value
from django.db.models.functions import Cast

from config.lib.models import Public
from engagements.models import ServiceRequest, SignOff, SignOffLink, SowVersion
from events.models import Event

# Written with every pause in typing, or beside a move that tells the same.
PLUMBING = frozenset({"request.draft_saved", "sow.saved", "sign_off.answered"})
NUMBERS: dict[type[models.Model], str] = {
    SowVersion: "number",
    SignOff: "sow__number",
    SignOffLink: "sow__number",
}


class Thing(NamedTuple):
    """What an event is about: a request, or something of it."""

    label: str
    uuid: uuid.UUID
    request_id: int
    title: str
    # Of the statement of work it is, or belongs to.
    version: int | None
    # Who of the customer had a part in it.
    party: str


def events_of_request(request: ServiceRequest) -> QuerySet[Event]:
    """Return all that happened to it and to what hangs on it, the newest first."""
    ids = defaultdict(list)
    for label, thing_id in _union(
        part.filter(request=request).values_list("label", "uuid") for part in _parts()
    ):
        ids[label].append(thing_id)
    about = Q(object_type=ServiceRequest._meta.label_lower, object_id=request.uuid)  # noqa: SLF001
    for label, found in ids.items():
        about |= Q(object_type=label, object_id__in=found)
    events = Event.objects.filter(about).exclude(verb__in=PLUMBING)
    return events.select_related("actor", "subject").order_by("-id")


def things_of(ids: Collection[uuid.UUID]) -> list[Thing]:
    """Return of which requests these are, in one statement."""
    requests = _labelled(ServiceRequest).annotate(
        of=F("pk"),
        of_title=F("title"),
        part=Cast(Value(None), IntegerField()),
        party=_party_of(None),
    )
    columns = ("label", "uuid", "of", "of_title", "part", "party")
    wanted = [requests.filter(uuid__in=ids).values_list(*columns)]
    wanted += [
        part.filter(uuid__in=ids)
        .annotate(
            of=F("request_id"),
            of_title=F("request__title"),
            part=_version_of(part.model),
            party=_party_of(part.model),
        )
        .values_list(*columns)
        for part in _parts()
    ]
    return [Thing(*row) for row in _union(wanted)]


def _parts() -> "Iterator[QuerySet[models.Model]]":
    """Yield what belongs to requests, of each kind that the log can speak of."""
    for relation in ServiceRequest._meta.related_objects:  # noqa: SLF001
        model = relation.related_model
        is_of_one = relation.field.name == "request"
        if is_of_one and isinstance(model, type) and issubclass(model, Public):
            yield _labelled(model)


def _labelled(model: type[models.Model]) -> "QuerySet[models.Model]":
    label = Value(model._meta.label_lower, CharField())  # noqa: SLF001
    rows: QuerySet[models.Model] = model._default_manager.order_by()  # noqa: SLF001
    labelled: QuerySet[models.Model] = rows.annotate(label=label)
    return labelled


def _version_of(model: type[models.Model]) -> Cast:
    return Cast(F(NUMBERS[model]) if model in NUMBERS else Value(None), IntegerField())


def _party_of(model: type[models.Model] | None) -> Cast:
    return Cast(F("party_name") if model is SignOff else Value(""), CharField())


def _union(parts: "Iterator[QuerySet] | list[QuerySet]") -> "QuerySet":  # type: ignore[type-arg]
    first, *others = parts
    return first.union(*others, all=True)
