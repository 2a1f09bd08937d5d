"""One move for many requests, one by one through the engine: what went, and why others stayed."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction

from config.lib.errors import DomainError
from engagements.models import ServiceRequest
from engagements.services.moving import move, workflow_of
from events.workflow import Blocked, Given, option
from people.models import User

CHANGED = "Somebody changed it while you were choosing. Look at it, and choose again."


@dataclass
class Report:
    """Keys of the requests that moved, and why each of the others stayed as it is."""

    done: list[int] = field(default_factory=list)
    skipped: dict[int, str] = field(default_factory=dict)


def hindrances(
    requests: Sequence[ServiceRequest], name: str, person: User, *, at: dt.datetime
) -> dict[int, str]:
    """Return by key why the move is not possible, of those for which it is not."""
    found = {}
    for each in requests:
        try:
            chosen = option(workflow_of(each), each, name, person, at=at)
        except Blocked as refusal:
            found[each.pk] = refusal.message
            continue
        if not chosen.may:
            found[each.pk] = chosen.refusal
        elif chosen.blocks:
            found[each.pk] = " ".join(words for _, words in chosen.blocks)
    return found


def move_all(
    requests: Sequence[ServiceRequest],
    name: str,
    *,
    by: User,
    at: dt.datetime,
    given: Given,
    versions: Mapping[int, int],
) -> Report:
    """Make the move for each request that can make it.

    Raises ValidationError, and moves none, where the values given are wrong for the first of
    them that could move: they are asked once for all.
    """
    report = Report()
    with transaction.atomic():
        for each in requests:
            if versions.get(each.pk, each.version) != each.version:
                report.skipped[each.pk] = CHANGED
                continue
            try:
                with transaction.atomic():
                    move(each, name, by=by, at=at, given=given)
            except ValidationError as error:
                if not report.done:
                    raise
                report.skipped[each.pk] = " ".join(error.messages)
            except PermissionDenied as refusal:
                report.skipped[each.pk] = str(refusal)
            except DomainError as refusal:
                report.skipped[each.pk] = refusal.message
            else:
                report.done.append(each.pk)
    return report
