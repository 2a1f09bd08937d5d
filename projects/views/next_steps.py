"""What may happen next to a project, why not, and who else could: for the person who looks."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from django.urls import reverse

from config.lib.ui.formats import day_text, days_between_text
from engagements.models import ReasonCode
from events.models import MoveRequest
from events.workflow import Case, Option, Transition
from projects.models import ProjectState
from projects.services.consequences import where_it_was
from projects.workflows import PROJECT

if TYPE_CHECKING:
    from projects.views.shell import Shell

S = ProjectState
# What usually comes next, by state.
PRIMARY = {
    S.PROPOSED: "ready",
    S.READY: "schedule",
    S.SCHEDULED: "start",
    S.IN_PROGRESS: "deliver",
    S.DELIVERED: "close",
    S.ON_HOLD: "resume",
}
# Offered even where something is missing: its form says what.
NEVER_HIDDEN = frozenset({"ready"})
LABELS = {"ready": "Ready for review"}
DANGER = frozenset({"decline"})
# Where what stands in the way can be put right.
REMEDIES = {
    "charter": ("Complete the charter", "projects:detail", "#missing"),
    "support_plan": ("See the support plan", "projects:support", ""),
    "product_approval": ("See the support plan", "projects:support", ""),
    "official_support": ("See the support plan", "projects:support", ""),
    "agreed": ("See its requests", "projects:detail", "#requests"),
    "two_weeks": ("Split it", "projects:split", ""),
    "requests_delivered": ("See its requests", "projects:detail", "#requests"),
    "requests_accepted": ("See its requests", "projects:detail", "#requests"),
    "maintained": ("Name the owners", "projects:delivery", ""),
    "rolled_out": ("Note the roll-out", "projects:delivery", ""),
    "retrospective": ("Write the retrospective", "projects:delivery", ""),
}


class Reason(NamedTuple):
    """Why a move is not possible, and where that is put right."""

    words: str
    remedy: str = ""
    url: str = ""


@dataclass(frozen=True)
class Act:
    """A move, as the page offers or explains it."""

    option: Option
    number: int
    # The move that usually comes next.
    usual: str = ""

    @property
    def label(self) -> str:
        return label_of(self.option.transition)

    @property
    def is_primary(self) -> bool:
        return self.option.transition.id == self.usual

    @property
    def is_danger(self) -> bool:
        return self.option.transition.id in DANGER

    @property
    def is_offered(self) -> bool:
        return self.option.is_open or (
            self.option.may and self.option.transition.id in NEVER_HIDDEN
        )

    @property
    def url(self) -> str:
        return reverse("projects:move", args=[self.number, self.option.transition.id])

    @property
    def ask_url(self) -> str:
        return reverse("projects:ask-move", args=[self.number, self.option.transition.id])

    @property
    def reasons(self) -> list[Reason]:
        return reasons_of(self.option.blocks, self.number)


@dataclass(frozen=True)
class Asked:
    """A move somebody asks for, who may not make it."""

    request: MoveRequest
    label: str
    number: int
    # Whether who looks may make it, and so answers.
    may: bool

    @property
    def url(self) -> str:
        return reverse("projects:move", args=[self.number, self.request.transition])

    @property
    def refuse_url(self) -> str:
        return reverse("projects:refuse-move", args=[self.number, self.request.uuid])


@dataclass(frozen=True)
class NextSteps:
    shell: "Shell"

    @cached_property
    def acts(self) -> list[Act]:
        usual = PRIMARY.get(ProjectState(self.shell.project.state), "")
        return [Act(option, self.shell.project.pk, usual) for option in self.shell.options]

    @property
    def primary(self) -> Act | None:
        return next((act for act in self.acts if act.is_primary and act.is_offered), None)

    @property
    def others(self) -> list[Act]:
        """Return the further open moves; what ends the project comes last."""
        found = [act for act in self.acts if act.option.is_open and not act.is_primary]
        return sorted(found, key=lambda act: act.is_danger)

    @property
    def hindered(self) -> Act | None:
        """Return the usual next move, where it is this person's and something is in the way."""
        return next(
            (act for act in self.acts if act.is_primary and act.option.may and act.option.blocks),
            None,
        )

    @property
    def blocked(self) -> list[Act]:
        return [
            act for act in self.acts if act.option.may and act.option.blocks and not act.is_primary
        ]

    @property
    def of_others(self) -> list[Act]:
        """Return what somebody else could do now, and can be asked for."""
        return [act for act in self.acts if act.option.can_ask and not act.option.blocks]

    @property
    def is_reader(self) -> bool:
        return not any(act.option.may for act in self.acts)

    @cached_property
    def asked(self) -> list[Asked]:
        """Return the open wishes for moves of this project, the oldest first."""
        project = self.shell.project
        may = {option.transition.id: option.may for option in self.shell.options}
        open_ones = MoveRequest.objects.filter(
            workflow=PROJECT.name, object_id=project.uuid, settled_at=None
        )
        return [
            Asked(
                each,
                label_of(PROJECT.transition(each.transition)),
                project.pk,
                may.get(each.transition, False),
            )
            for each in open_ones.select_related("by").order_by("pk")
        ]

    @property
    def own_wishes(self) -> set[str]:
        return {
            each.request.transition
            for each in self.asked
            if each.request.by_id == self.shell.here.user.pk
        }

    @cached_property
    def sentence(self) -> str:
        """Say for whom it waits, and for what."""
        return _SENTENCES[ProjectState(self.shell.project.state)](self.shell)

    @property
    def held(self) -> str:
        """Say since when and why it is on hold, and where it goes on."""
        return _held(self.shell)


def label_of(transition: Transition) -> str:
    return LABELS.get(transition.id, transition.label)


def reasons_of(blocks: Iterable[tuple[str, str]], number: int) -> list[Reason]:
    found = []
    for code, words in blocks:
        remedy, name, part = REMEDIES.get(code, ("", "", ""))
        url = f"{reverse(name, args=[number])}{part}" if name else ""
        found.append(Reason(words, remedy, url))
    return found


def _workers(shell: "Shell") -> str:
    project, user = shell.project, shell.here.user
    if project.owner is None:
        return "an owner"
    return "you" if project.owner_id == user.pk else project.owner.name


def _lead(shell: "Shell") -> str:
    is_own = any(act.is_primary and act.option.may for act in shell.next_steps.acts)
    return "you or another DE lead" if is_own else "a DE lead"


def _proposed(shell: "Shell") -> str:
    count, option = len(shell.missing), shell.option("ready")
    if count:
        parts = "1 part is" if count == 1 else f"{count} parts are"
        return f"Waits for {_workers(shell)}. {parts} missing from its charter."
    if option is not None and option.blocks:
        if shell.next_steps.is_reader:
            # The reasons stand below for those who move it on.
            return f"Its charter is complete. {' '.join(words for _, words in option.blocks)}"
        return "Its charter is complete, and there is more to do before the review."
    return f"Its charter is complete. Waits for {_workers(shell)} to put it up for review."


def _scheduled(shell: "Shell") -> str:
    project = shell.project
    who = project.owner.name if project.owner else "Nobody yet"
    if project.increment is None:
        return f"{who} owns it. It is in no increment."
    start, end, today = project.increment.start, project.increment.end, shell.here.today
    if project.state == S.IN_PROGRESS and end < today:
        return f"{who} owns it. Its increment ended on {day_text(end, today)}: it is late."
    return f"{who} owns it, {days_between_text(start, end, today)}."


def _held(shell: "Shell") -> str:
    project = shell.project
    why = _code(project.hold_code) or "No reason was given"
    first = f": {project.preempted_by.number} came first" if project.preempted_by else ""
    case = Case(obj=project, by=shell.here.user, at=shell.here.now)
    back = ProjectState(where_it_was(case)).label
    return f"On hold since {shell.day(project.moved_at)}. {why}{first}. It goes on as “{back}”."


def _over(shell: "Shell") -> str:
    project = shell.project
    words = [f"{project.get_state_display()} {shell.day(project.closed_at)}".strip() + "."]
    if why := _code(project.end_code):
        words.append(f"{why}.")
    return " ".join(words)


def _code(code: str) -> str:
    if not code:
        return ""
    found = ReasonCode.objects.filter(code=code).order_by("pk").first()
    return found.label if found else code.replace("_", " ").capitalize()


_SENTENCES = {
    S.PROPOSED: _proposed,
    S.READY: lambda shell: f"Waits for {_lead(shell)} to schedule it.",
    S.SCHEDULED: _scheduled,
    S.IN_PROGRESS: _scheduled,
    S.DELIVERED: lambda shell: f"Rolling out. Waits for {_workers(shell)} to close it.",
    S.ON_HOLD: lambda shell: f"Waits for {_lead(shell)} to resume it.",
    S.CLOSED: _over,
    S.DECLINED: _over,
}
