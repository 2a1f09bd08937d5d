"""What a project leaves behind, and who looks after it from then on."""

import datetime as dt
from typing import Any, Unpack

from django.db import transaction

from config.lib.authz import require
from config.lib.errors import Conflict, Invalid, StaleWrite
from config.lib.etags import etag_of
from config.lib.values import BadValue, parse_name
from engagements.rules.links import parse_link
from engagements.services.keeping import Care, take_care, told_of
from events.services import record
from people.models import User
from projects import permissions
from projects.models import Project, ProjectArtefact, ProjectState
from projects.services.consequences import sole_account
from projects.services.locking import locked_project

GONE = frozenset({ProjectState.DECLINED})
# Later, what was handed over is retired, not made to have never been.
MAY_REMOVE = frozenset(ProjectState) - {
    ProjectState.DELIVERED,
    ProjectState.CLOSED,
    ProjectState.DECLINED,
}


@transaction.atomic
def add_artefact(
    project: Project,
    *,
    name: str,
    url: str = "",
    by: User,
    at: dt.datetime,
    **care: Unpack[Care],
) -> ProjectArtefact:
    """Note something that stays after the project."""
    project = require_open(project, by)
    artefact = ProjectArtefact(project=project, by=by, at=at)
    _describe(artefact, name, url)
    take_care(artefact, care, at=at)
    artefact.save()
    artefact.refresh_from_db()
    _record("added", artefact, by=by, after=_told(artefact))
    return artefact


@transaction.atomic
def change_artefact(
    artefact: ProjectArtefact,
    *,
    name: str | None = None,
    url: str | None = None,
    version: int | None = None,
    by: User,
    at: dt.datetime,
    **care: Unpack[Care],
) -> ProjectArtefact:
    """Change what is said of it; what is not given stays."""
    project = require_open(artefact.project, by)
    artefact = project.artefacts.select_for_update(of=("self",)).get(pk=artefact.pk)
    if version is not None and version != artefact.version:
        raise StaleWrite(etag=etag_of(artefact.uuid, artefact.version))
    before = _told(artefact)
    _describe(
        artefact, artefact.name if name is None else name, artefact.url if url is None else url
    )
    take_care(artefact, care, at=at)
    after = _told(artefact)
    if after == before:
        return artefact
    artefact.version += 1
    artefact.by, artefact.at = by, at
    artefact.save()
    _record("changed", artefact, by=by, before=before, after=after)
    return artefact


@transaction.atomic
def remove_artefact(artefact: ProjectArtefact, *, by: User, at: dt.datetime) -> None:
    """Remove what was noted by mistake, before it is handed over."""
    del at
    project = require_open(artefact.project, by)
    if project.state not in MAY_REMOVE:
        raise Conflict(
            f"{project.number} is {project.get_state_display().lower()}. What was handed over is "
            "retired instead: say since when it is not in use.",
            code="handed_over",
        )
    artefact = project.artefacts.get(pk=artefact.pk)
    record(
        "project.artefact_removed",
        project,
        by=by,
        before=_told(artefact),
        account_id=sole_account(project),
    )
    artefact.delete()


def require_open(project: Project, by: User) -> Project:
    require(permissions.can_keep_artefacts, by, project)
    project = locked_project(project)
    if project.state in GONE:
        raise Conflict(f"{project.number} is declined. Nothing stays of it.", code="wrong_state")
    return project


def _describe(artefact: ProjectArtefact, name: str, url: str) -> None:
    if not name.strip():
        raise Invalid("Name what stays.", field="name", code="required")
    try:
        artefact.name = parse_name(name)
    except BadValue as bad:
        raise Invalid(bad.detail, field="name", code=bad.code) from bad
    try:
        artefact.url = parse_link(url)["url"] if url.strip() else ""
    except BadValue as bad:
        raise Invalid(bad.detail, field="url", code=bad.code) from bad


def _told(artefact: ProjectArtefact) -> dict[str, Any]:
    return {"artefact": artefact.name, "url": artefact.url, **told_of(artefact)}


def _record(verb: str, artefact: ProjectArtefact, *, by: User, **told: Any) -> None:
    account_id = sole_account(artefact.project)
    record(f"project_artefact.{verb}", artefact, by=by, account_id=account_id, **told)
