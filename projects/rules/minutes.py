"""The minutes of a review, as plain text that is complete without the application."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from textwrap import indent

NOBODY = "nobody"


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    number: str
    title: str
    why: str
    decision: str
    # What the decision did: where it was scheduled, why it was declined.
    outcome: str
    note: str
    by: str
    # Why it stands where it stands: score, lift, seats.
    standing: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stopped:
    number: str
    title: str
    by_number: str
    on: str
    days: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Minutes:
    number: str
    # When it met, in words and with the zone.
    when: str
    lasted: str
    chair: str
    there: Sequence[str]
    missing: Sequence[str]
    decided: Sequence[Decided]
    stopped: Sequence[Stopped]
    stopped_days: str
    room: Sequence[str]
    note: str
    next: str
    address: str


def minutes_text(minutes: Minutes) -> str:
    return "\n\n".join(_parts(minutes)) + "\n"


def _parts(minutes: Minutes) -> Iterator[str]:
    yield "\n".join(
        [
            f"Minutes of the review {minutes.number}, {minutes.when}",
            f"{minutes.lasted} In the chair: {minutes.chair}.",
            f"There: {', '.join(minutes.there) or NOBODY}.",
            *([f"Invited, not there: {', '.join(minutes.missing)}."] if minutes.missing else []),
        ]
    )
    yield f"DECISIONS ({len(minutes.decided)})"
    for place, each in enumerate(minutes.decided, start=1):
        yield _decided(place, each)
    if not minutes.decided:
        yield "Nothing was on the agenda."
    if minutes.stopped:
        yield f"WORK STOPPED FOR OTHER WORK: {minutes.stopped_days}"
        for stop in minutes.stopped:
            yield _stopped(stop)
    else:
        yield "No work was stopped for other work since the last review."
    if minutes.room:
        yield "NEXT INCREMENTS\n" + "\n".join(minutes.room)
    if minutes.note:
        yield f"NOTE\n{minutes.note}"
    if minutes.next:
        yield f"Next review: {minutes.next}"
    yield f"The record: {minutes.address}"


def _decided(place: int, each: Decided) -> str:
    lines = [f"{place}. {each.number} {each.title}", f"   On the agenda: {each.why}."]
    if each.standing:
        lines.append(f"   {each.standing}")
    outcome = f" {each.outcome}" if each.outcome else ""
    lines.append(f"   Decided: {each.decision}.{outcome} ({each.by})")
    if each.note:
        lines.append(indent(each.note, "   > ", lambda _line: True))
    return "\n".join(lines)


def _stopped(each: Stopped) -> str:
    return (
        f"- {each.number} {each.title}, for {each.by_number} on {each.on}: {each.days}.\n"
        f"  {' '.join(each.reason.split())}"
    )
