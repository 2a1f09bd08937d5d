"""When a run looks wrong beside the last published one, and is held until somebody looks."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any, NamedTuple

NAMED = 5


@dataclass(frozen=True, slots=True)
class HoldPolicy:
    """What is taken for wrong; a definition's policy may say otherwise under `hold`.

    A jump is a change by the factor at least, in either direction, and by the amount at least,
    from one run to another not more than `step_days` later.
    """

    coverage_fall: Fraction = Fraction(1, 10)
    step_days: int = 7
    jump_factor: int = 5
    jump_seats: int = 100
    jump_arr: Decimal = Decimal(100_000)

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> "HoldPolicy":
        """Read the policy as it is stored: numbers that are not whole are texts."""
        kinds = {"coverage_fall": Fraction, "jump_arr": Decimal}
        return cls(**{name: kinds.get(name, int)(value) for name, value in values.items()})


class Counts(NamedTuple):
    """What a run counted: accounts in the ratio, those with a usable reading, those left out."""

    denominator: int
    covered: int
    missing_rate: int

    @property
    def coverage(self) -> Fraction | None:
        return Fraction(self.covered, self.denominator) if self.denominator else None


class Jump(NamedTuple):
    """An account whose seats or ARR changed beyond belief; amounts are in words already."""

    account: str
    what: str
    before: str
    after: str


class Reason(NamedTuple):
    code: str
    detail: str


def reasons_to_hold(
    before: Counts,
    after: Counts,
    *,
    jumps: Sequence[Jump],
    failed: Sequence[str],
    policy: HoldPolicy,
) -> Iterator[Reason]:
    """Yield what is wrong; `failed` are the accounts that newly could not be computed."""
    was, becomes = before.coverage, after.coverage
    if was is not None and becomes is not None and was - becomes > policy.coverage_fall:
        yield Reason(
            "coverage_fell",
            f"Coverage fell from {_percent(was)} to {_percent(becomes)}: "
            f"{_accounts(after.denominator - after.covered)} in the number without a usable "
            "seat count.",
        )
    if (more := after.missing_rate - before.missing_rate) > 0:
        yield Reason(
            "rate_missing",
            f"{_accounts(more)} left the number because an exchange rate is missing.",
        )
    if failed:
        yield Reason("failed", f"Could not be computed: {_named(failed)}.")
    if jumps:
        told = [f"{each.account}: {each.what} {each.before} → {each.after}" for each in jumps]
        yield Reason("jump", f"Changed beyond belief in one step. {_named(told, '; ')}.")


def _percent(share: Fraction) -> str:
    # Cut, not rounded: what is shown was reached.
    return f"{int(share * 1000) / 10}%"


def _accounts(count: int) -> str:
    return "1 account" if count == 1 else f"{count:,} accounts"


def _named(things: Sequence[str], between: str = ", ") -> str:
    rest = len(things) - NAMED
    return between.join(things[:NAMED]) + (f" and {rest:,} more" if rest > 0 else "")
