"""That what was built is in use, and what could have gone better."""

import datetime as dt
from typing import Any

from django.db import transaction

from accounts.selectors import today
from config.lib.authz import require
from config.lib.errors import Conflict, Invalid, StaleWrite
from config.lib.etags import etag_of
from config.lib.ui.formats import day_text
from config.lib.values import BadValue, parse_text
from events.services import record
from people.models import User
from projects import permissions
from projects.models import Project, ProjectState
from projects.services.consequences import sole_account
from projects.services.locking import locked_project

TEXT_MAX = 10_000
NOTE_MAX = 4_000
S = ProjectState
ROLLED_OUT_IN = frozenset({S.IN_PROGRESS, S.DELIVERED})
LOOKED_BACK_IN = frozenset({S.DELIVERED, S.CLOSED})


@transaction.atomic
def roll_out(
    project: Project, *, note: str, done_on: dt.date, by: User, at: dt.datetime
) -> Project:
    """Note that it is rolled out, or correct what was noted."""
    project = require_locked(
        project, ROLLED_OUT_IN, "It is rolled out while in progress or delivered", by
    )
    note = _text("note", note, NOTE_MAX, "Say where and how it was rolled out.")
    if done_on > today(at):
        words = f"{day_text(done_on)} is still to come. Enter the day on which it was done."
        raise Invalid(words, field="done_on", code="in_the_future")
    return _changed(project, "rolled_out", by, rolled_out_on=done_on, roll_out_note=note)


@transaction.atomic
def take_back_roll_out(project: Project, *, reason: str, by: User, at: dt.datetime) -> Project:
    del at
    project = require_locked(
        project, ROLLED_OUT_IN, "It is rolled out while in progress or delivered", by
    )
    reason = _text("reason", reason, NOTE_MAX, "Say why it is not rolled out after all.")
    if project.rolled_out_on is None:
        raise Conflict(f"{project.number} is not rolled out.", code="not_rolled_out")
    changes = {"rolled_out_on": None, "roll_out_note": ""}
    return _changed(project, "roll_out_taken_back", by, reason=reason, **changes)


@transaction.atomic
def write_retrospective(
    project: Project, text: str, *, version: int | None = None, by: User, at: dt.datetime
) -> Project:
    """Write down what could have gone better, or write it anew."""
    del at
    project = require_locked(
        project, LOOKED_BACK_IN, "A retrospective is written after the delivery", by
    )
    if version is not None and version != project.version:
        raise StaleWrite(etag=etag_of(project.uuid, project.version))
    text = _text("text", text, TEXT_MAX, "Write what could have gone better.")
    return _changed(project, "retrospective_written", by, retrospective=text)


def require_locked(
    project: Project, states: frozenset[ProjectState], sentence: str, by: User
) -> Project:
    require(permissions.works_on, by, project)
    project = locked_project(project)
    require(permissions.works_on, by, project)
    if project.state not in states:
        state = project.get_state_display().lower()
        raise Conflict(f"{project.number} is {state}. {sentence}.", code="wrong_state")
    return project


def _changed(project: Project, verb: str, by: User, *, reason: str = "", **columns: Any) -> Project:
    before = {name: getattr(project, name) for name in columns}
    for name, value in columns.items():
        setattr(project, name, value)
    project.version += 1
    project.save(update_fields=[*columns, "version", "updated_at"])
    record(
        f"project.{verb}",
        project,
        by=by,
        before=before,
        after=columns,
        account_id=sole_account(project),
        reason=reason,
    )
    return project


def _text(field: str, value: str, max_length: int, wanted: str) -> str:
    if not value.strip():
        raise Invalid(wanted, field=field, code="required")
    try:
        return parse_text(value, max_length=max_length, lines=True)
    except BadValue as bad:
        raise Invalid(bad.detail, field=field, code=bad.code) from bad
