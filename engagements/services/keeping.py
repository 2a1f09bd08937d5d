"""Who looks after what stays, until when it is to be looked at again, and when it is retired."""

import datetime as dt
from typing import Any, TypedDict, Unpack

from django.db import transaction

from accounts.selectors import today
from config.lib.authz import require
from config.lib.errors import Invalid
from config.lib.ui.formats import day_text
from config.lib.values import echo
from engagements import permissions
from engagements.models import Artefact, MaintenanceOwner
from events.services import record
from people.models import User

COLUMNS = (
    "maintained_by", "keeper", "depends_on_server_version", "review_on", "retired_on",
)  # fmt: skip


class Care(TypedDict, total=False):
    """What may be said of an artefact beside what it is; what is not said stays."""

    # "": nobody yet.
    maintained_by: str
    keeper: User | None
    depends_on_server_version: bool
    review_on: dt.date | None
    retired_on: dt.date | None


@transaction.atomic
def look_after(artefact: Artefact, *, by: User, at: dt.datetime, **care: Unpack[Care]) -> Artefact:
    """Change who looks after what a request left behind, at any time after."""
    require(permissions.can_keep_artefacts, by, artefact.request)
    artefact = Artefact.objects.select_for_update(of=("self",)).get(pk=artefact.pk)
    before = told_of(artefact)
    take_care(artefact, care, at=at)
    after = told_of(artefact)
    if after == before:
        return artefact
    artefact.by, artefact.at = by, at
    artefact.save(update_fields=[*COLUMNS, "by", "at"])
    request = artefact.request
    record(
        "request.artefact_kept",
        request,
        by=by,
        before=before,
        after={"artefact": artefact.name, **after},
        account_id=request.account_id,
    )
    return artefact


def take_care(artefact: Any, care: Care, *, at: dt.datetime) -> None:
    """Set what was said. Raises Invalid for who is not here, and for days that cannot be."""
    owner = care.get("maintained_by", artefact.maintained_by)
    if owner and owner not in MaintenanceOwner.values:
        words = f"“{echo(owner)}” is none of: {', '.join(MaintenanceOwner.values)}."
        raise Invalid(words, field="maintained_by", code="not_a_choice")
    keeper = care.get("keeper")
    is_new = keeper is not None and keeper.pk != artefact.keeper_id
    if keeper is not None and is_new and (keeper.is_system or not keeper.roles):
        words = f"{keeper.name} is not here any more. Choose somebody who is."
        raise Invalid(words, field="keeper", code="not_here")
    retired_on = care.get("retired_on", artefact.retired_on)
    if retired_on is not None and retired_on > today(at):
        words = f"{day_text(retired_on)} is still to come. Enter the day it was taken out of use."
        raise Invalid(words, field="retired_on", code="in_the_future")
    for name, value in care.items():
        setattr(artefact, name, value)


def told_of(artefact: Any) -> dict[str, Any]:
    """Return what the log keeps of it."""
    return {
        **{name: getattr(artefact, name) for name in COLUMNS if name != "keeper"},
        "keeper": artefact.keeper.name if artefact.keeper else None,
    }
