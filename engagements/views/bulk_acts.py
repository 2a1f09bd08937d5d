"""Which moves are offered for many requests at once."""

from dataclasses import dataclass

from engagements import permissions
from engagements.workflows import REQUEST
from events.workflow import Transition
from people.models import User

MOST = 200
# Those whose fields mean the same for every request.
FOR_LEADS = ("take", "route_out", "hold", "resume", "decline", "cancel")
FOR_REQUESTERS = ("cancel",)


@dataclass(frozen=True)
class BulkAct:
    """A move, as the bar of the list offers it."""

    transition: Transition

    @property
    def name(self) -> str:
        return self.transition.id

    @property
    def label(self) -> str:
        return self.transition.label


def acts_of(user: User) -> list[BulkAct]:
    """Return what this person may do to some requests at least."""
    names: tuple[str, ...] = FOR_REQUESTERS if permissions.can_file_requests(user) else ()
    if permissions.is_lead(user):
        names = FOR_LEADS
    return [BulkAct(REQUEST.transition(name)) for name in names]
