"""States in words, colours and icons, the same on every page."""

from typing import NamedTuple

from engagements.models import RequestState, ServiceRequest

S = RequestState
TONES = {
    S.DRAFT: ("line", "pencil"),
    S.SUBMITTED: ("info", "inbox"),
    S.NEEDS_INFO: ("warn", "circle-question-mark"),
    S.ROUTED_OUT: ("", "arrow-up-right"),
    S.SOW_DRAFTING: ("info", "file-pen-line"),
    S.AWAITING_SIGNOFF: ("warn", "hourglass"),
    S.SIGNED_OFF: ("good", "circle-check"),
    S.TRIAGED: ("info", "list-ordered"),
    S.SCHEDULED: ("info", "calendar"),
    S.IN_PROGRESS: ("info", "hammer"),
    S.ON_HOLD: ("warn", "pause"),
    S.DELIVERED: ("warn", "package-check"),
    S.ACCEPTED: ("good", "thumbs-up"),
    S.CLOSED: ("good", "circle-check"),
    S.DECLINED: ("", "circle-slash"),
    S.CANCELLED: ("", "circle-x"),
}


class StateTag(NamedTuple):
    label: str
    tone: str
    icon: str


def state_tag(request: ServiceRequest) -> StateTag:
    state = RequestState(request.state)
    label: str = state.label
    if state == S.ROUTED_OUT and request.owner:
        label = f"Routed to {request.get_owner_display()}"
    return StateTag(label, *TONES[state])
