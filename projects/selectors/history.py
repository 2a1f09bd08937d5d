"""What happened to a project and to what hangs on it."""

import uuid
from collections.abc import Collection
from itertools import chain
from typing import NamedTuple

from django.db import models
from django.db.models import Q, QuerySet

from config.lib.models import Public
from events.models import Event
from projects.models import Project


class Thing(NamedTuple):
    """What an event is about: a project, or something of it."""

    uuid: uuid.UUID
    project_id: int
    title: str


def events_of_project(project: Project) -> QuerySet[Event]:
    """Return all that happened to it and to what hangs on it, the newest first."""
    about = Q(object_type=Project._meta.label_lower, object_id=project.uuid)  # noqa: SLF001
    for model in _parts():
        ids = model._default_manager.filter(project=project).values("uuid")  # noqa: SLF001
        about |= Q(object_type=model._meta.label_lower, object_id__in=ids)  # noqa: SLF001
    return Event.objects.filter(about).select_related("actor", "subject").order_by("-id")


def things_of(ids: Collection[uuid.UUID]) -> list[Thing]:
    """Return of which projects these are."""
    projects = Project.objects.filter(uuid__in=ids).values_list("uuid", "pk", "title")
    parts = chain.from_iterable(
        model._default_manager.filter(uuid__in=ids).values_list(  # noqa: SLF001
            "uuid", "project_id", "project__title"
        )
        for model in _parts()
    )
    return [Thing(*row) for row in chain(projects.order_by(), parts)]


def _parts() -> list[type[models.Model]]:
    """Return the models of what belongs to a project, and that the log can speak of."""
    found: list[type[models.Model]] = []
    for relation in Project._meta.related_objects:  # noqa: SLF001
        model = relation.related_model
        is_of_one = relation.field.name == "project"
        if is_of_one and isinstance(model, type) and issubclass(model, Public):
            found.append(model)
    return found
