"""Why a card was not moved, in a sentence that names the card and what it needs."""

from collections.abc import Iterable, Mapping
from typing import Any

from events.workflow import Blocked, Transition
from projects.models import LANES, Project, ProjectState

# What a guard asks for, after "needs".
NEEDS = {
    "charter": "a complete charter",
    "support_plan": "a support plan signed by all three sides",
    "product_approval": "the approval of Product Engineering",
    "official_support": "its official support approved",
    "agreed": "a signed statement of work",
    "two_weeks": "to be split",
    "in_increment": "an increment",
    "requests_delivered": "its requests delivered",
    "maintained": "an owner for every artefact",
    "rolled_out": "its roll-out done",
    "requests_accepted": "its requests accepted",
    "retrospective": "a retrospective",
}
# What it is to become, after "before it".
GOALS = {
    "ready": "is ready",
    "schedule": "can be scheduled",
    "start": "can be started",
    "deliver": "can be delivered",
    "rework": "can go back to work",
    "close": "can be closed",
    "resume": "can go on",
}


def refusal(project: Project, blocked: Blocked) -> str:
    """Return "Not moved. PRJ-96 needs a signed statement of work before it can be scheduled. …"."""
    guards: list[Mapping[str, Any]] = list(blocked.details.get("guards", []))
    needs = needs_of([(each["code"], each["detail"]) for each in guards])
    goal = GOALS.get(str(blocked.details.get("transition", "")), "can go there")
    details = " ".join(dict.fromkeys(str(each["detail"]) for each in guards)) or blocked.message
    if not needs:
        return f"Not moved. {project.number}: {details}"
    return f"Not moved. {project.number} needs {needs} before it {goal}. {details}"


def needs_of(blocks: Iterable[tuple[str, str]]) -> str:
    """Return "a complete charter and an increment"; "" where no guard has words for it."""
    words = list(dict.fromkeys(NEEDS[code] for code, _ in blocks if code in NEEDS))
    if not words:
        return ""
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def lane_name(state: str) -> str:
    known = ProjectState(state)
    return str(LANES.get(known, known.label))


def asks_more(way: Transition) -> bool:
    """Whether the move asks for more than a place in the column."""
    return way.needs_reason or any(each.required for each in way.fields)
