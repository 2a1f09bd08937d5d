"""Views of lists that people keep: their own, and those of the team."""

import datetime as dt
from collections.abc import Iterable, Sequence
from typing import Any

from django.db import IntegrityError, transaction

from config.lib.authz import require
from config.lib.errors import Conflict, Invalid, Missing
from config.lib.values import BadValue, parse_text
from events.services import record
from people import permissions
from people.models import SavedView, User

NAME_LENGTH = 60
MOST_OWN = 50


@transaction.atomic
def create_view(
    *,
    page: str,
    name: str,
    query: str,
    columns: Sequence[str] = (),
    is_team: bool = False,
    by: User,
    at: dt.datetime,
) -> SavedView:
    """Keep what a list shows under a name. Raises Conflict where the person has that name."""
    require(permissions.can_save_views, by)
    if is_team:
        require(permissions.can_make_team_views, by)
    if page not in SavedView.Page.values:
        raise Invalid("There is no such list.", field="page")
    if SavedView.objects.filter(owner=by).count() >= MOST_OWN:
        raise Conflict(f"You have {MOST_OWN} views already. Delete one you no longer need.")
    view = SavedView(
        owner=by,
        page=page,
        name=_parsed_name(name),
        query=query,
        columns=list(columns),
        is_team=is_team,
        created_at=at,
        updated_at=at,
    )
    _save(view)
    record("view.created", view, by=by, after=_told(view, ("page", *FIELDS)))
    return view


@transaction.atomic
def change_view(view: SavedView, *, by: User, at: dt.datetime, **given: Any) -> SavedView:
    """Give a view another `name`, `query`, `columns` or `is_team`; what is not given stays."""
    view = _locked(view)
    require(permissions.can_change_view, by, view)
    if given.get("is_team", view.is_team) != view.is_team:
        require(permissions.can_make_team_views, by)
    if "name" in given:
        given["name"] = _parsed_name(given["name"])
    changed = [name for name in FIELDS if name in given and given[name] != getattr(view, name)]
    before = _told(view, changed)
    for name in changed:
        setattr(view, name, given[name])
    if changed:
        view.updated_at = at
        _save(view, [*changed, "updated_at"])
        record("view.updated", view, by=by, before=before, after=_told(view, changed))
    return view


@transaction.atomic
def delete_view(view: SavedView, *, by: User) -> None:
    view = _locked(view)
    require(permissions.can_change_view, by, view)
    record("view.deleted", view, by=by, before=_told(view, FIELDS))
    view.delete()


FIELDS = ("name", "query", "columns", "is_team")


def _told(view: SavedView, names: Iterable[str]) -> dict[str, Any]:
    return {name: getattr(view, name) for name in names}


def _locked(view: SavedView) -> SavedView:
    found = SavedView.objects.select_for_update().filter(pk=view.pk).first()
    if found is None:
        raise Missing("This view was deleted meanwhile.")
    return found


def _save(view: SavedView, fields: Iterable[str] | None = None) -> None:
    try:
        with transaction.atomic():
            view.save(update_fields=fields)
    except IntegrityError as taken:
        raise Conflict(f"There is a view named “{view.name}” already. Choose another name.") from (
            taken
        )


def _parsed_name(name: str) -> str:
    try:
        return parse_text(name, max_length=NAME_LENGTH)
    except BadValue as error:
        raise Invalid(error.detail, field="name", code=error.code) from error
