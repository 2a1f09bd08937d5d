"""Charters: proposed, made from a request, changed, blocked.

One lock, one version, one way of writing for all parts of a charter; see charter_parts.
"""

import datetime as dt
from collections.abc import Mapping
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import F
from django.db.models.functions import Now

from accounts.selectors import today
from config.lib.authz import require
from config.lib.errors import Conflict, Invalid, StaleWrite
from config.lib.etags import etag_of
from config.lib.values import BadValue, parse_text
from engagements.models import ServiceRequest
from events.services import record
from people.models import User
from projects import measure, permissions, selectors
from projects.models import Project, ProjectState
from projects.rules.charter import missing_parts
from projects.selectors.from_request import charter_from, project_of, why_not_made
from projects.services import charter_parts, lanes, support, telling
from projects.services.consequences import sole_account
from projects.services.locking import locked_project
from projects.services.scoring import take_over_score

BLOCKED_MAX = 2_000
NO_ACCOUNT = "This token is limited to some accounts. Name accounts and requests of these only."

Values = Mapping[str, Any]


class IsOver(Conflict):
    """What is closed or declined stays as it is."""

    code = "is_over"


class Incomplete(Conflict):
    """What a project needed to get where it is cannot be taken away from it."""

    code = "charter_incomplete"


class HasProject(Conflict):
    """The request is served already."""

    code = "has_project"


@transaction.atomic
def propose(values: Values, *, by: User, at: dt.datetime) -> Project:
    """Propose a project. Title, kind and type are needed; the rest may come later.

    `values` are columns of the charter by name, `links` as addresses, and beside them `owner`,
    `leads`, `accounts` as (account, low, likely, high), `requests`, and `stakeholders` as
    (kind, person or None, name). Raises ValidationError that names each wrong one.
    """
    require(permissions.can_propose, by)
    project = _made(values, by=by, at=at)
    _record(project, "proposed", by=by, after={"title": project.title, "kind": project.kind})
    telling.proposed(project, by=by, at=at)
    return project


@transaction.atomic
def make_from_request(
    request: ServiceRequest,
    *,
    by: User,
    at: dt.datetime,
    values: Values | None = None,
    again: bool = False,
) -> Project:
    """Make a project from what a request says, where work on it may be decided on.

    `values` go before what the request says. Raises HasProject where another project serves
    the request, unless `again` says that it takes several.
    """
    require(permissions.can_make_from_request, by)
    lanes.lock_lanes([ProjectState.PROPOSED])
    rows = ServiceRequest.objects.select_for_update(of=("self",), no_key=True)
    request = rows.select_related("account", "filed_by").get(pk=request.pk)
    if why_not := why_not_made(request, on=today(at)):
        raise Conflict(why_not, code="not_decided")
    other = project_of(request)
    if other is not None and not again:
        raise HasProject(
            f"{other.number} “{other.title}” serves {request.number} already.",
            details={"project": other.number},
        )
    project = _made({**charter_from(request, by=by), **(values or {})}, by=by, at=at)
    if take_over_score(project, request, by=by, at=at) is not None:
        rank = lanes.key_by_score(project.state, project)
        Project.objects.filter(pk=project.pk).update(rank=rank)
        project.refresh_from_db()
    _record(project, "made", by=by, after={"title": project.title, "request": request.number})
    if not permissions.is_lead(by):
        telling.proposed(project, by=by, at=at)
    return project


@transaction.atomic
def change_charter(
    project: Project,
    changes: Values,
    *,
    version: int | None = None,
    by: User,
    at: dt.datetime,
) -> Project:
    """Change the parts that are given, as `propose` takes them; a list is replaced as a whole.

    What changes nothing is no change. Raises StaleWrite where `version` is not the stored one,
    Incomplete where a project beyond triage would lose what it needed to get there, and
    ValidationError that names each wrong value.
    """
    stored = require_editable(project, version, by)
    values = charter_parts.read(changes, stored)
    lacked = set(missing_parts(selectors.charter_of(stored)))
    was = support.Was.of(stored)
    written = charter_parts.write(stored, values, by=by)
    if written:
        _keep_complete(stored, lacked)
        _bump(stored)
        for verb, (before, after) in written.changes.items():
            _record(stored, verb, by=by, before=before, after=after)
        support.after_charter_change(stored, was=was, by=by, at=at)
        _insist_on_reach(stored, by)
        if "accounts_set" in written.changes:
            measure.lift_changed([stored.pk])
    project.refresh_from_db()
    return project


@transaction.atomic
def set_blocked(
    project: Project, why: str, *, version: int | None = None, by: User, at: dt.datetime
) -> Project:
    """Say what stands in its way, or with "" that nothing does any more."""
    stored = require_editable(project, version, by)
    try:
        why = parse_text(why, max_length=BLOCKED_MAX, lines=True) if why.strip() else ""
    except BadValue as bad:
        raise Invalid(bad.detail, field="blocked_by", code=bad.code) from bad
    if why != stored.blocked_by:
        verb = "blocked" if why else "unblocked"
        since = stored.blocked_at if why and stored.blocked_by else (at if why else None)
        _record(stored, verb, by=by, reason=why)
        Project.objects.filter(pk=stored.pk).update(
            blocked_by=why, blocked_at=since, version=F("version") + 1, updated_at=Now()
        )
    project.refresh_from_db()
    return project


def require_editable(project: Project, version: int | None, by: User) -> Project:
    """Return the project as stored, locked, if the person may change its charter."""
    require(permissions.can_edit, by, project)
    stored = locked_project(project)
    require(permissions.can_edit, by, stored)
    if version is not None and version != stored.version:
        raise StaleWrite(etag=etag_of(stored.uuid, stored.version))
    if stored.is_over:
        state = stored.get_state_display().lower()
        raise IsOver(f"{stored.number} is {state}. Its charter stays as it is.")
    return stored


def _made(values: Values, *, by: User, at: dt.datetime) -> Project:
    """Store a proposal at the end of its column, with all its parts."""
    read = charter_parts.read(values, None)
    lanes.lock_lanes([ProjectState.PROPOSED])
    project = Project(
        title=read["title"],
        kind=read["kind"],
        type=read["type"],
        proposed_by=by,
        proposed_at=at,
        moved_at=at,
    )
    project.rank = lanes.key_by_score(ProjectState.PROPOSED, project)
    project.save()
    project.refresh_from_db()
    charter_parts.write(project, read, by=by)
    _insist_on_reach(project, by)
    support.after_charter_change(
        project,
        was=support.Was(in_scope=project.in_scope, builds_code=None, inside_product=False),
        by=by,
        at=at,
    )
    project.refresh_from_db()
    if read.get("accounts"):
        measure.lift_changed([project.pk])
        project.refresh_from_db()
    return project


def _keep_complete(project: Project, lacked: set[str]) -> None:
    if project.state == ProjectState.PROPOSED:
        return
    lacks = [part for part in missing_parts(selectors.charter_of(project)) if part not in lacked]
    if lacks:
        state = project.get_state_display().lower()
        raise Incomplete(
            f"{project.number} is {state}, and its charter stays complete. "
            f"It would lack: {', '.join(lacks)}."
        )


def _bump(project: Project) -> None:
    Project.objects.filter(pk=project.pk).update(version=F("version") + 1, updated_at=Now())
    project.refresh_from_db()


def _insist_on_reach(project: Project, by: User) -> None:
    """Refuse what the token of the request could not see once it is saved."""
    if by.limited_to is None:
        return
    if not selectors.projects_visible_to(by).filter(pk=project.pk).exists():
        raise ValidationError({"accounts": ValidationError(NO_ACCOUNT, code="required")})


def _record(project: Project, verb: str, *, by: User, **told: Any) -> None:
    record(f"project.{verb}", project, by=by, account_id=sole_account(project), **told)
