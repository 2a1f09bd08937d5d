"""Asking for a move one may not make, and answering."""

import datetime as dt
import uuid
from typing import Any

from django.db import transaction

from config.lib.authz import require
from config.lib.errors import Conflict, Invalid, Missing
from events.models import MoveRequest
from events.services.log import record
from events.workflow import REASON_MAX, Option, Workflow, option


@transaction.atomic
def ask_for(
    workflow: Workflow, obj: Any, name: str, *, by: Any, at: dt.datetime, note: str = ""
) -> tuple[MoveRequest, list[Any]]:
    """Ask for a move one may not make; return the request and the people to be told.

    Raises Invalid where it cannot be asked for, and Conflict where the person may make the
    move or has asked for it already.
    """
    found = option(workflow, obj, name, by, at=at)
    told = require_askable(found)
    asked, is_new = MoveRequest.objects.get_or_create(
        workflow=workflow.name,
        transition=name,
        object_id=obj.uuid,
        by=by,
        settled_at=None,
        defaults={"note": note.strip()[:REASON_MAX], "at": at},
    )
    if not is_new:
        raise Conflict("You have asked for this already. It waits for an answer.", code="asked")
    record(
        f"{workflow.name}.move_asked",
        obj,
        by=by,
        after={"transition": name},
        account_id=workflow.account_of(obj),
        reason=asked.note,
    )
    return asked, told


def require_askable(found: Option) -> list[Any]:
    """Return those who are asked; raises where the person may do it, or nobody can be asked."""
    if found.may:
        raise Conflict(f"You may do “{found.transition.label}” yourself.", code="may_do")
    if found.transition.asks is None:
        raise Invalid(f"“{found.transition.label}” cannot be asked for.", field="transition")
    return list(found.transition.asks(found.case.obj))


@transaction.atomic
def refuse_asked(
    workflow: Workflow, obj: Any, asked_id: uuid.UUID, *, by: Any, at: dt.datetime, answer: str
) -> MoveRequest:
    """Say no to an asked move; only those who may make it can."""
    asked = (
        MoveRequest.objects.select_for_update()
        .filter(workflow=workflow.name, object_id=obj.uuid, uuid=asked_id)
        .first()
    )
    if asked is None:
        raise Missing("No such request for a move.")
    require(workflow.transition(asked.transition).who, by, obj)
    if asked.settled_at is not None:
        raise Conflict("This was answered already.", code="answered")
    if not answer.strip():
        raise Invalid("Say why not.", field="answer", code="required")
    asked.settled_at, asked.settled_by_id, asked.answer = at, by.pk, answer.strip()[:REASON_MAX]
    asked.save(update_fields=["settled_at", "settled_by", "answer"])
    record(
        f"{workflow.name}.move_refused",
        obj,
        by=by,
        after={"transition": asked.transition},
        account_id=workflow.account_of(obj),
        reason=asked.answer,
    )
    return asked
