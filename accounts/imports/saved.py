"""Mappings by name: those that people keep for the next file of a system, and the shipped ones."""

import contextlib
import datetime as dt
import json
from collections.abc import Mapping as Dict
from functools import cache
from typing import Any

from django.db import transaction
from django.db.models import QuerySet

from accounts import permissions
from accounts.imports.columns import KINDS
from accounts.imports.mappings import (
    MOST_BYTES,
    Mapping,
    UnusableMapping,
    load_mapping,
    read_mapping,
    shipped_names,
)
from accounts.models import SavedMapping
from config.lib.authz import require
from config.lib.errors import Conflict, Invalid, Missing
from config.lib.values import BadValue, echo, parse_text
from events import services as events
from people.models import User

LONGEST_NAME = 60


def saved_mappings(kind: str = "") -> QuerySet[SavedMapping]:
    """Return them by name; `kind` narrows."""
    found = SavedMapping.objects.select_related("by").order_by("name")
    return found.filter(kind=kind) if kind else found


def as_read(kind: str) -> list[Mapping]:
    """Return the saved mappings of the kind, ready to read with."""
    return [read_mapping(each.mapping, kind, name=each.name) for each in saved_mappings(kind)]


@cache
def shipped_mappings(kind: str) -> tuple[Mapping, ...]:
    """Return those shipped mappings that are for this kind only."""
    found = []
    for name in shipped_names():
        with contextlib.suppress(UnusableMapping):
            found.append(load_mapping(name, kind))
    return tuple(mapping for mapping in found if mapping.columns)


def mapping_named(name: str, kind: str) -> Mapping:
    """Return the saved or shipped mapping; its `raw` can be changed and chosen."""
    saved = saved_mappings(kind).filter(name=name).first()
    if saved is not None:
        return read_mapping(saved.mapping, kind, name=saved.name)
    if name not in shipped_names():
        known = [*saved_mappings(kind).values_list("name", flat=True), *shipped_names()]
        raise UnusableMapping(
            f"There is no mapping “{echo(name)}” for {kind}. There are: {', '.join(known)}."
        )
    return load_mapping(name, kind)


@transaction.atomic
def create_mapping(
    *, name: str, kind: str, raw: Dict[str, Any], by: User, at: dt.datetime
) -> SavedMapping:
    """Keep a mapping. Raises UnusableMapping, and Conflict where the name is taken."""
    require(permissions.can_import, by)
    name, raw = _checked(name, kind, raw)
    saved, is_new = SavedMapping.objects.get_or_create(
        name=name,
        defaults={
            "kind": kind, "mapping": raw, "by": by, "created_at": at, "updated_at": at,
        },
    )  # fmt: skip
    if not is_new:
        raise _taken(name)
    events.record("mapping.saved", saved, by=by, after={"name": name, "mapping": raw})
    return saved


@transaction.atomic
def update_mapping(
    saved: SavedMapping, *, name: str, raw: Dict[str, Any], by: User, at: dt.datetime
) -> SavedMapping:
    require(permissions.can_import, by)
    saved = _locked(saved)
    name, raw = _checked(name, saved.kind, raw)
    if SavedMapping.objects.filter(name=name).exclude(pk=saved.pk).exists():
        raise _taken(name)
    before = {"name": saved.name, "mapping": saved.mapping}
    after = {"name": name, "mapping": raw}
    if before == after:
        return saved
    saved.name, saved.mapping, saved.by, saved.updated_at = name, raw, by, at
    saved.save(update_fields=["name", "mapping", "by", "updated_at"])
    events.record("mapping.changed", saved, by=by, before=before, after=after)
    return saved


@transaction.atomic
def delete_mapping(saved: SavedMapping, *, by: User) -> None:
    require(permissions.can_import, by)
    saved = _locked(saved)
    events.record("mapping.deleted", saved, by=by, before={"name": saved.name})
    saved.delete()


def name_of(raw: Dict[str, Any], kind: str) -> str:
    """Return what a mapping is called that somebody chose: its own name, if it has one."""
    known = (*as_read(kind), *shipped_mappings(kind))
    found = next((mapping.name for mapping in known if mapping.raw == raw), "")
    return found or ("chosen" if raw.get("columns") else "")


def _locked(saved: SavedMapping) -> SavedMapping:
    try:
        return SavedMapping.objects.select_for_update().get(pk=saved.pk)
    except SavedMapping.DoesNotExist:
        raise Missing("Somebody has deleted this mapping.") from None


def _checked(name: str, kind: str, raw: Dict[str, Any]) -> tuple[str, dict[str, Any]]:
    if kind not in KINDS:
        raise Invalid(f"“{echo(kind)}” is none of: {', '.join(KINDS)}.", field="kind")
    try:
        name = parse_text(name, max_length=LONGEST_NAME)
    except BadValue as error:
        raise Invalid(error.detail, field="name", code=error.code) from None
    if name in shipped_names():
        raise _taken(name)
    return name, checked_raw(raw, kind)


def checked_raw(raw: Dict[str, Any], kind: str) -> dict[str, Any]:
    """Return the mapping as JSON keeps it. Raises UnusableMapping."""
    plain: dict[str, Any] = dict(read_mapping(raw, kind, name="mapping").raw)
    if len(json.dumps(plain)) > MOST_BYTES:
        raise UnusableMapping(f"The mapping is larger than {MOST_BYTES // 1000} kB.")
    return plain


def _taken(name: str) -> Conflict:
    return Conflict(
        f"There is a mapping “{name}” already. Choose another name, or change that one."
    )
