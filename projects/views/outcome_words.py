"""Outcomes and calibration in words, the same on every page."""

from dataclasses import dataclass
from typing import NamedTuple

from config.lib.ui.formats import number_text, share_text
from projects import selectors
from projects.models import Project, ProjectCheck, ProjectType
from projects.rules.outcomes import (
    ACHIEVED,
    ENOUGH,
    MISSED,
    PARTLY,
    Calibration,
    Outcome,
    Ratio,
)

MINUS = "\u2212"
TONES = {
    ACHIEVED: ("good", "circle-check"),
    PARTLY: ("warn", "circle-dot"),
    MISSED: ("bad", "circle-x"),
}


class Verdict(NamedTuple):
    label: str
    tone: str
    icon: str
    # The sum behind it.
    words: str


def verdict_of(outcome: Outcome) -> Verdict:
    if not outcome.verdict:
        return Verdict("Not to be judged", "", "circle-help", outcome.why_unknown)
    promised, realised = outcome.promised or 0, outcome.realised or 0
    came = number_text(realised) if realised >= 0 else f"{MINUS}{number_text(-realised)}"
    share = share_text(outcome.share) if outcome.share is not None else ""
    label = ProjectCheck.Verdict(outcome.verdict).label
    words = f"{came} of {number_text(promised)} seats promised came: {share}."
    return Verdict(str(label), *TONES[outcome.verdict], words)


@dataclass(frozen=True)
class Calibrated:
    """What projects of one type brought and took, in words beside a new claim."""

    type: str
    calibration: Calibration

    @property
    def label(self) -> str:
        return str(ProjectType(self.type).label)

    @property
    def seats(self) -> str:
        ratio = self.calibration.seats
        if ratio is None:
            return "Nobody has looked yet at what such a project brought."
        return f"{_of(ratio)} brought {share_text(ratio.middle)} of the seats promised."

    @property
    def effort(self) -> str:
        ratio = self.calibration.effort
        if ratio is None:
            return "No such project is over yet, so nothing is known of its days."
        return f"{_of(ratio)} took {float(ratio.middle):.1f} times the days planned."

    @property
    def caution(self) -> str:
        """Return what is too little to go by, "" where there is enough."""
        known = [each for each in (self.calibration.seats, self.calibration.effort) if each]
        if not any(each.is_thin for each in known):
            return ""
        return f"Fewer than {ENOUGH} are too few to go by."


def calibrated(type_: str, *, but: Project | None = None) -> Calibrated:
    """Return what templates/projects/parts/calibration.html takes."""
    return Calibrated(type_, selectors.calibration_of(type_, but=but))


def _of(ratio: Ratio) -> str:
    if ratio.count == 1:
        return "The only one so far"
    return f"The middle one of {ratio.count}"
