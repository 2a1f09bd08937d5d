"""Health in sentences: what each part says, where it comes from, and what is not known."""

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any, NamedTuple

from config.lib.ui.formats import MINUS, day_text, number_text, share_text
from metrics.models import HealthPolicy, HealthRow
from metrics.rules import health_policy as rules
from metrics.rules.health import KNOWN
from metrics.selectors import health

Told = Mapping[str, Any]
LABELS = {
    rules.DEPLOYMENT: "Seats deployed",
    rules.TREND: "Trend",
    rules.ADOPTION: "Adoption",
    rules.RENEWAL: "Renewal",
    rules.REQUESTS: "Requests",
}
MEANS = {
    rules.DEPLOYMENT: "deployed of licensed seats",
    rules.TREND: "seats won or lost",
    rules.ADOPTION: "people a month of licensed seats",
    rules.RENEWAL: "time left below the line",
    rules.REQUESTS: "late, or at work at risk",
}
SEAT_COUNTS, CONTRACTS, OF_REQUESTS = "Seat counts", "Contracts", "Requests"
SOURCES = {
    rules.DEPLOYMENT: SEAT_COUNTS,
    rules.TREND: SEAT_COUNTS,
    rules.ADOPTION: SEAT_COUNTS,
    rules.RENEWAL: CONTRACTS,
    rules.REQUESTS: OF_REQUESTS,
}
UNKNOWN = {
    "stale": "every seat count is too old to be used",
    "no_reading": "no seats have been counted yet",
    "no_instance": "no instance is counted",
    "partial": "some instances have no usable count",
    "no_entitlement": "no licensed seats are on record",
    "unlimited": "an unlimited licence has no share",
    "no_before": "the seats were not fully counted where the trend begins",
    "not_counted": "not every instance tells how many people are active a month",
    "not_recorded": "the ledger did not keep it yet on that day",
}
NO_SCORE = "No score"


class Tone(NamedTuple):
    css: str
    icon: str


TONES = (Tone("good", "circle-check"), Tone("warn", "eye"), Tone("bad", "triangle-alert"))


@dataclass(frozen=True, slots=True)
class Line:
    """A part as the table shows it."""

    code: str
    label: str
    means: str
    is_known: bool
    value: str
    points: str
    share: str
    weight: int
    why: str
    source: str
    # The day of the oldest thing it was made from, where that has a day of its own.
    oldest: dt.date | None

    @property
    def fraction(self) -> Decimal | None:
        if not self.is_known or not Decimal(self.share):
            return None
        return Decimal(self.points) / Decimal(self.share)


def lines_of(row: HealthRow, oldest: dt.date | None) -> list[Line]:
    """Return the parts by the policy the score was worked out by."""
    policy = health.read(row.policy)
    return [_line(part, row.parts.get(part.code, {}), oldest, row) for part in policy.parts]


def _line(part: rules.Part, said: Told, oldest: dt.date | None, row: HealthRow) -> Line:
    code, state = part.code, said.get("state", "")
    is_known = state == KNOWN
    told = said.get("told", {})
    source = SOURCES[code]
    return Line(
        code=code,
        label=LABELS[code],
        means=MEANS[code],
        is_known=is_known,
        value=VALUES[code](said.get("value"), told) if is_known else "Not known",
        points=said.get("points", "0.0"),
        share=said.get("share", "0.0"),
        weight=part.weight,
        why=WHYS[code](told, row) if is_known else unknown_text(state, part.weight, row),
        source=source,
        oldest=oldest if is_known and source == SEAT_COUNTS else None,
    )


def unknown_text(state: str, weight: int, row: HealthRow) -> str:
    why = UNKNOWN.get(state, "it could not be worked out")
    where = f"Its {weight} points went to the others." if row.score is not None else ""
    return f"Not known, for {why}. {where}".strip()


def no_score_text(row: HealthRow) -> str:
    """Say why there is no score: in the words of its heaviest part."""
    policy = health.read(row.policy)
    part = max(policy.parts, key=lambda each: (each.code in rules.GROUNDS, each.weight))
    state = row.parts.get(part.code, {}).get("state", "")
    return f"Nothing is known that makes a score, for {UNKNOWN.get(state, 'its data is amiss')}."


def weakest(row: HealthRow) -> str:
    """Name the part that takes the most points, and what it says; "" where none does."""
    known = [
        (Decimal(said["share"]) - Decimal(said["points"]), code)
        for code, said in row.parts.items()
        if said.get("state") == KNOWN
    ]
    lost, code = max(known, default=(Decimal(0), ""))
    if not lost or row.score is None:
        return ""
    said = row.parts[code]
    value = VALUES[code](said["value"], said["told"])
    return f"{LABELS[code]}: {value[:1].lower()}{value[1:]}, {MINUS}{lost} points"


def tone_of(band: str, bands: Sequence[str]) -> Tone:
    """The best band is good, the last one bad, those between are to be watched."""
    if band not in bands:
        return Tone("line", "circle-question-mark")
    place = list(bands).index(band)
    return TONES[0 if place == 0 else 2 if place == len(bands) - 1 else 1]


def _share(value: Any) -> str:
    return share_text(Fraction(str(value)))


def _of_trend(value: Any, _: Told) -> str:
    share = Fraction(str(value))
    if not share:
        return "No change"
    return f"{'+' if share > 0 else MINUS}{share_text(abs(share))}"


def _of_renewal(weeks: Any, told: Told) -> str:
    if weeks is None:
        return "Not at stake" if told.get("at_line") else "None"
    if weeks >= told["weeks"]:
        return f"{weeks} weeks or more"
    return f"{weeks} week{'' if weeks == 1 else 's'}"


def _of_requests(count: Any, _: Told) -> str:
    return "None late" if not count else f"{number_text(count)} late or at risk"


VALUES: Mapping[str, Callable[[Any, Told], str]] = {
    rules.DEPLOYMENT: lambda value, _: _share(value),
    rules.TREND: _of_trend,
    rules.ADOPTION: lambda value, _: _share(value),
    rules.RENEWAL: _of_renewal,
    rules.REQUESTS: _of_requests,
}


def _why_deployment(told: Told, _: HealthRow) -> str:
    seats = f"{number_text(told['deployed'])} of {number_text(told['licensed'])} licensed seats"
    return f"{seats} are deployed. Full points from {told['line']}%."


def _why_trend(told: Told, row: HealthRow) -> str:
    gained = told["deployed"] - told["before"]
    what = "gained" if gained >= 0 else "lost"
    licensed = number_text(told["licensed"])
    said = f"{_seats(abs(gained))} {what} in {told['days']} days, of {licensed} licensed."
    part = health.read(row.policy).part(rules.TREND)
    assert part is not None  # noqa: S101 it was measured by it
    none_at = part.parameters["none_at"]
    if told["at_line"]:
        return f"{said} At the line full points without a loss, none from {none_at}% lost."
    return f"{said} Full points from {part.parameters['full_at']}% gained, none at {none_at}% lost."


def _why_adoption(told: Told, _: HealthRow) -> str:
    active = f"{number_text(told['active'])} people a month"
    licensed = number_text(told["licensed"])
    return f"{active} of {licensed} licensed seats. Full points from {told['full_at']}%."


def _why_renewal(told: Told, row: HealthRow) -> str:
    on = told.get("on")
    when = (
        f"The first contract ends on {day_text(dt.date.fromisoformat(on), row.from_day)}."
        if on
        else ""
    )
    if told["at_line"]:
        return f"At the line or above, a renewal takes no points. {when}".strip()
    if not on:
        return "No running contract ends."
    return f"{when} Below the line, full points from {told['weeks']} weeks before."


def _why_requests(told: Told, _: HealthRow) -> str:
    many = told["open"]
    if not many:
        return "No request is open."
    late, at_risk = told["late"], told["at_risk"]
    if not late + at_risk:
        are = "The open request is" if many == 1 else f"The {number_text(many)} open requests are"
        return f"{are} neither late nor at work at risk."
    parts = [
        f"{number_text(late)} late by service level" if late else "",
        f"{number_text(at_risk)} at work without a sign-off" if at_risk else "",
    ]
    said = " and ".join(part for part in parts if part)
    return f"Of {number_text(many)} open, {said}. Each takes {told['each']}% of the points."


def _seats(count: int) -> str:
    return f"{number_text(count)} seat{'' if count == 1 else 's'}"


WHYS: Mapping[str, Callable[[Told, HealthRow], str]] = {
    rules.DEPLOYMENT: _why_deployment,
    rules.TREND: _why_trend,
    rules.ADOPTION: _why_adoption,
    rules.RENEWAL: _why_renewal,
    rules.REQUESTS: _why_requests,
}


def policy_sentences(row: HealthPolicy) -> list[tuple[str, int, str]]:
    """Return each part of a policy: its name, its points, and what gives them."""
    return [(LABELS[part.code], part.weight, _means(part)) for part in health.read(row).parts]


def _means(part: rules.Part) -> str:
    given = part.parameters
    match part.code:
        case rules.DEPLOYMENT:
            return "In proportion to deployed of licensed seats, full points at the line."
        case rules.TREND:
            return (
                f"Seats won or lost in {given['days']} days, of licensed seats: full points from"
                f" {given['full_at']}% gained, none at {given['none_at']}% lost. At the line full"
                " points without a loss."
            )
        case rules.ADOPTION:
            return f"People a month of licensed seats: full points from {given['full_at']}%."
        case rules.RENEWAL:
            return (
                f"Below the line, fewer points each week from {given['weeks']} weeks before the"
                " first contract ends. At the line a renewal takes none."
            )
    return (
        "Each open request that is late by its service level, or at work at risk, takes"
        f" {given['each']}% of the points."
    )
