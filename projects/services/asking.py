"""Asking those who may for a move of a project one may not make oneself, and their answer."""

import datetime as dt
import uuid

from django.db import transaction

from events.models import MoveRequest
from events.services import asked_moves
from people.models import User
from projects.models import Project
from projects.services import telling
from projects.services.moving import workflow_of


@transaction.atomic
def ask_move(
    project: Project, name: str, *, by: User, at: dt.datetime, note: str = ""
) -> MoveRequest:
    """Ask for the move and tell who can make it. Raises as events.services.asked_moves does."""
    workflow = workflow_of(project)
    asked, people = asked_moves.ask_for(workflow, project, name, by=by, at=at, note=note)
    label = workflow.transition(name).label
    telling.move_asked(project, label, people, note=asked.note, by=by, at=at)
    return asked


@transaction.atomic
def refuse_move(
    project: Project, asked_id: uuid.UUID, *, by: User, at: dt.datetime, answer: str
) -> MoveRequest:
    """Say no to a move asked for, and tell who asked."""
    workflow = workflow_of(project)
    asked = asked_moves.refuse_asked(workflow, project, asked_id, by=by, at=at, answer=answer)
    label = workflow.transition(asked.transition).label
    telling.move_refused(project, label, [asked.by], answer=asked.answer, by=by, at=at)
    return asked
