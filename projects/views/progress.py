"""The progress line of a project: how far it went."""

from typing import TYPE_CHECKING, NamedTuple

from config.lib.ui.formats import day_text
from projects.models import ProjectState

if TYPE_CHECKING:
    from projects.views.shell import Shell

S = ProjectState
DONE, NOW, AHEAD = "done", "now", "ahead"
ICONS = {DONE: "circle-check", NOW: "circle-dot", AHEAD: "circle-dashed"}
WAY = [S.PROPOSED, S.READY, S.SCHEDULED, S.IN_PROGRESS, S.DELIVERED, S.CLOSED]
MOMENTS = {
    S.PROPOSED: "proposed_at",
    S.READY: "ready_at",
    S.SCHEDULED: "scheduled_at",
    S.IN_PROGRESS: "started_at",
    S.DELIVERED: "delivered_at",
    S.CLOSED: "closed_at",
}
BEGUN = {S.IN_PROGRESS: "Started"}


class Step(NamedTuple):
    """One stage of the progress line."""

    label: str
    status: str = AHEAD

    @property
    def icon(self) -> str:
        return ICONS[self.status]


def steps_of(shell: "Shell") -> list[Step]:
    """Return the stages from proposed to closed, as far as the project went."""
    project = shell.project
    if project.state == S.DECLINED:
        return [_done(shell, S.PROPOSED), Step(f"Declined {shell.day(project.closed_at)}", NOW)]
    reached = WAY.index(ProjectState(project.paused_from or project.state))
    steps = [_done(shell, stage) for stage in WAY[:reached]]
    if project.state == S.CLOSED:
        return [*steps, _done(shell, S.CLOSED)]
    steps.append(Step(_now(shell, WAY[reached]), NOW))
    return steps + [Step(stage.label) for stage in WAY[reached + 1 :]]


def _done(shell: "Shell", stage: ProjectState) -> Step:
    when = shell.day(getattr(shell.project, MOMENTS[stage]))
    return Step(f"{BEGUN.get(stage, stage.label)} {when}".strip(), DONE)


def _now(shell: "Shell", stage: ProjectState) -> str:
    project = shell.project
    if project.state == S.ON_HOLD:
        return "On hold"
    if project.increment and stage == S.SCHEDULED:
        return f"Starts {day_text(project.increment.start, shell.here.today)}"
    if project.increment and stage == S.IN_PROGRESS:
        return f"In progress until {day_text(project.increment.end, shell.here.today)}"
    if stage == S.DELIVERED:
        return "Rolling out"
    label: str = stage.label
    return label
