"""The table of who is told of which move of a project, and in which words.

A title may name what `telling.words_of` knows. Where somebody would be told twice of one move,
the first row that has them stands.
"""

from collections.abc import Callable
from dataclasses import dataclass

from events.workflow import Move
from projects.services.audiences import (
    Audience,
    by_keepers,
    by_owner,
    by_proposer,
    by_requesters,
    by_workers,
)

TEAM = (by_proposer, by_workers)
EVERYBODY = (by_proposer, by_workers, by_requesters, by_keepers)


@dataclass(frozen=True, slots=True)
class Telling:
    """One group that is told of a move."""

    kind: str
    title: str
    to: tuple[Audience, ...]
    # Null: the reason that was given.
    body: Callable[[Move], str] | None = None


def _what_came_first(move: Move) -> str:
    other, cost = move.values["preempted_by"], move.values["cost_days"]
    if other is None:
        return move.reason
    first = f"First comes {other.number}, {other.title}"
    return f"{move.reason}\n\n{first}: that costs {cost:f} days."


def _alternative(move: Move) -> str:
    return f"{move.reason}\n\nInstead: {move.values['alternative']}"


def _summary(move: Move) -> str:
    return str(move.values["summary"])


PROJECT: dict[str, tuple[Telling, ...]] = {
    "ready": (Telling("project_moved", "{project} is ready: it waits for its turn", TEAM),),
    "unready": (Telling("decision", "{project} is back in triage", TEAM),),
    "schedule": (
        Telling("asked_of_you", "You work on {project} from {start} to {end}", (by_workers,)),
        Telling("project_moved", "{project} is scheduled from {start} to {end}", EVERYBODY),
    ),
    "unschedule": (Telling("decision", "{project} is off the schedule", EVERYBODY),),
    "start": (Telling("project_moved", "Work on {project} has begun", EVERYBODY),),
    "deliver": (
        Telling(
            "asked_of_you",
            "{project} is delivered: roll it out, then close it",
            (by_owner,),
            body=_summary,
        ),
        Telling("project_moved", "{project} is delivered", EVERYBODY, body=_summary),
    ),
    "rework": (Telling("decision", "{project} is back at work", EVERYBODY),),
    "close": (Telling("project_moved", "{project} is closed", EVERYBODY),),
    "hold": (Telling("decision", "{project} is on hold", EVERYBODY, body=_what_came_first),),
    "resume": (Telling("decision", "{project} goes on", EVERYBODY),),
    "decline": (Telling("decision", "{project} is declined", EVERYBODY, body=_alternative),),
    "reopen": (Telling("decision", "{project} is open again", EVERYBODY),),
}
