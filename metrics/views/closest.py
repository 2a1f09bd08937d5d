"""The card of the accounts nearest to the line, and what more seats there would do."""

import contextlib
import json
from dataclasses import dataclass
from fractions import Fraction

from django.http import HttpRequest

from config.lib.ui.formats import share_text
from config.lib.values import BadValue, parse_integer_text
from metrics.models import MetricRun
from metrics.rules import what_if
from metrics.selectors import dashboard
from metrics.views.parts import Steps, Target

PARAMETER = "add"
# Without a target to reach, the slider starts where so many accounts cross.
FIRST_FEW = 3


@dataclass(frozen=True)
class WhatIf:
    """The slider: seats added now, and the number for every count of accounts that cross."""

    seats: int
    so_far: tuple[int, ...]
    shares: tuple[Fraction, ...]
    target: Target | None
    # How many accounts have to cross for the target; None without one.
    needed: int | None

    @property
    def most(self) -> int:
        return self.so_far[-1]

    @property
    def crossing(self) -> int:
        return what_if.crossing(self.seats, self.so_far)

    @property
    def share(self) -> Fraction:
        return self.shares[self.crossing]

    @property
    def is_met(self) -> bool:
        return self.needed is not None and self.crossing >= self.needed

    @property
    def missing(self) -> int:
        return max(0, (self.needed or 0) - self.crossing)

    @property
    def as_json(self) -> str:
        """Return what the slider needs in the browser, numbers already in words."""
        return json.dumps(
            {
                "seats": self.so_far,
                "shares": [share_text(share) for share in self.shares],
                "widths": [f"{float(share) * 100:.2f}%" for share in self.shares],
                "needed": self.needed,
            }
        )


def what_if_of(
    request: HttpRequest,
    run: MetricRun,
    near: tuple[dashboard.Near, ...],
    target: Target | None,
    steps: Steps | None,
) -> WhatIf | None:
    """Return the slider as the address sets it; None where no account is below the line."""
    below = sorted((each for each in near if not each.passes), key=lambda each: each.rank)
    so_far = tuple(each.so_far for number, each in enumerate(below, start=1) if each.rank == number)
    if not so_far or not run.denominator or run.numerator is None:
        return None
    seats = steps.seats if steps and 0 < steps.seats <= so_far[-1] else 0
    seats = seats or so_far[min(FIRST_FEW, len(so_far)) - 1]
    with contextlib.suppress(BadValue):
        seats = parse_integer_text(request.GET.get(PARAMETER, ""), low=0, high=so_far[-1])
    return WhatIf(
        seats=seats,
        so_far=so_far,
        shares=tuple(what_if.shares_by_crossing(run.numerator, run.denominator, len(so_far))),
        target=target,
        needed=target.more if target else None,
    )
