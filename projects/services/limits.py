"""How many cards a column may hold before a move into it has to say why."""

from collections.abc import Mapping

from django.db import transaction
from django.db.models import F

from accounts.selectors import company
from config.lib.authz import require
from config.lib.errors import Invalid
from events.services import record
from people.models import User
from projects.models import LANES, MOST_DAYS, Lane, ProjectState
from projects.permissions import can_set_limits
from projects.services.lanes import lock_lanes


@transaction.atomic
def set_limits(limits: Mapping[str, int | None], *, by: User) -> list[str]:
    """Set the limits of these columns; return the names of those that changed."""
    require(can_set_limits, by)
    for state, limit in limits.items():
        if state not in LANES:
            raise Invalid(f"There is no column “{state}”.", field=state)
        if limit is not None and not 1 <= limit <= MOST_DAYS:
            raise Invalid(f"A limit is from 1 to {MOST_DAYS}, or none.", field=state)
    lock_lanes(limits)
    before = dict(Lane.objects.filter(pk__in=limits).values_list("pk", "limit"))
    changed = {state: limit for state, limit in limits.items() if before[state] != limit}
    for state, limit in changed.items():
        Lane.objects.filter(pk=state).update(limit=limit, version=F("version") + 1)
    if changed:
        record(
            "company.board_limits_changed",
            company(),
            by=by,
            before={state: before[state] for state in changed},
            after=changed,
        )
    return [str(LANES[ProjectState(state)]) for state in changed]
