"""What was measured, and what follows from it: ratios beside what they may be."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from statistics import median
from typing import Any, Self

Key = tuple[str, int]


@dataclass(slots=True)
class Sample:
    """One measurement; `more` has what is particular to a goal."""

    seconds: float
    statements: int = 0
    trips: int = 0
    wal: int = 0
    more: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Case:
    """A function of a worker that returns one sample, several, or some by name."""

    name: str
    size: int
    function: str
    arguments: tuple[Any, ...] = ()
    # Of so many rounds one takes it; heavy ones are taken less often.
    every: int = 1


@dataclass(slots=True)
class Figures:
    """All samples by name and size."""

    samples: dict[Key, list[Any]] = field(default_factory=lambda: defaultdict(list))

    def add(self, case: Case, answer: Any) -> None:
        if isinstance(answer, dict):
            for name, sample in answer.items():
                self.samples[f"{case.name} {name}", case.size].append(sample)
        else:
            self.samples[case.name, case.size] += answer if isinstance(answer, list) else [answer]

    def of(self, name: str, size: int) -> list[Any]:
        if not self.samples.get((name, size)):
            raise KeyError(f"Nothing was measured of {name} at {size}.")
        return self.samples[name, size]

    def seconds(self, name: str, size: int) -> float:
        """Return the median."""
        return median(sample.seconds for sample in self.of(name, size))

    def quickest(self, name: str, size: int) -> float:
        """Return the least: what others do on the machine only adds."""
        return min(sample.seconds for sample in self.of(name, size))

    def statements(self, name: str, size: int) -> int:
        """Return the usual number; the first call of a process may ask for more."""
        return int(median(sample.statements for sample in self.of(name, size)))

    def wal(self, name: str, size: int) -> int:
        return min(sample.wal for sample in self.of(name, size))

    def more(self, name: str, size: int, what: str) -> Any:
        return self.of(name, size)[-1].more[what]


@dataclass(frozen=True, slots=True)
class Finding:
    """One ratio or count beside its goal; `seen` are the absolute figures behind it."""

    goal: str
    what: str
    size: int
    value: float
    limit: float | None = None
    at_least: bool = False
    unit: str = ""
    seen: dict[str, Any] = field(default_factory=dict)

    @property
    def is_met(self) -> bool | None:
        if self.limit is None:
            return None
        return self.value >= self.limit if self.at_least else self.value <= self.limit

    def as_json(self) -> dict[str, Any]:
        return {
            "goal": self.goal,
            "what": self.what,
            "accounts": self.size,
            "value": round(self.value, 4),
            "unit": self.unit,
            "limit": self.limit,
            "at_least": self.at_least,
            "met": self.is_met,
            "seen": self.seen,
        }

    @classmethod
    def from_json(cls, told: dict[str, Any]) -> Self:
        named = {name: told[name] for name in told.keys() - {"accounts", "met"}}
        return cls(size=told["accounts"], **named)


def ms(seconds: float) -> str:
    return f"{seconds * 1000:.1f} ms"


def rounded(seconds: float) -> str:
    return f"{seconds:.2f} s" if seconds >= 1 else ms(seconds)


def met(findings: Iterable[Finding]) -> tuple[int, int]:
    judged = [finding.is_met for finding in findings if finding.is_met is not None]
    return sum(judged), len(judged)
