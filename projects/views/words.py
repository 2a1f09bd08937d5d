"""States in words, colours and icons, the same on every page."""

from typing import NamedTuple

from projects.models import Project, ProjectState

S = ProjectState
TONES = {
    S.PROPOSED: ("", "lightbulb"),
    S.READY: ("info", "circle-check"),
    S.SCHEDULED: ("info", "calendar"),
    S.IN_PROGRESS: ("info", "hammer"),
    S.DELIVERED: ("warn", "rocket"),
    S.CLOSED: ("good", "circle-check-big"),
    S.ON_HOLD: ("warn", "pause"),
    S.DECLINED: ("", "circle-slash"),
}


class StateTag(NamedTuple):
    label: str
    tone: str
    icon: str


def state_tag(project: Project) -> StateTag:
    state = ProjectState(project.state)
    return StateTag(state.label, *TONES[state])
