"""The expected lift of a project in words: how many points, by which accounts, as of when."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import Any

from accounts.models import Account
from accounts.words import SHORT
from config.lib.ui.formats import lift_text, number_text, share_text
from projects import measure
from projects.models import Project, ProjectAccount

# Why an account adds nothing, beside what accounts/words.py says of the account itself.
NOTES = {"no_seats": "no seats estimated", "not_seen": "new since the last run"}


@dataclass(frozen=True)
class AccountPart:
    """What one account of the project gains."""

    account: Account
    told: dict[str, Any]

    @property
    def note(self) -> str:
        """Say why it adds nothing, where nothing can be said of it."""
        code = self.told["note"]
        return NOTES.get(code) or SHORT.get(code, code.replace("_", " "))

    @property
    def points(self) -> str:
        return lift_text(Decimal(self.told["points"]))

    @property
    def seats(self) -> int:
        return int(self.told["seats"][1])

    @property
    def gap(self) -> int:
        return int(self.told["gap"])

    @property
    def is_kept(self) -> bool:
        """Whether it passes already, so that the seats only protect it."""
        return self.gap <= 0

    @property
    def crosses(self) -> bool:
        return 0 < self.gap <= self.seats

    @property
    def chance(self) -> str:
        return share_text(Decimal(self.told["after"]))

    @property
    def chance_before(self) -> str:
        return share_text(Decimal(self.told["before"]))


@dataclass(frozen=True)
class ExpectedLift:
    project: Project
    links: Sequence[ProjectAccount]

    @property
    def is_known(self) -> bool:
        return self.project.lift is not None

    @property
    def points(self) -> str:
        return lift_text(self.project.lift)

    @property
    def low(self) -> str:
        return lift_text(self.project.lift_low)

    @property
    def high(self) -> str:
        return lift_text(self.project.lift_high)

    @property
    def sentence(self) -> str:
        """Say what it would deploy: "Would deploy about 214 seats at 6 accounts."."""
        count = sum(link.seats_likely is not None for link in self.links)
        seats = self.project.lift_seats or 0
        return (
            f"Would deploy about {number_text(seats)} seat{'' if seats == 1 else 's'}"
            f" at {number_text(count)} account{'' if count == 1 else 's'}."
        )

    @cached_property
    def parts(self) -> list[AccountPart]:
        """Return its accounts, those that gain most first."""
        by_id = {str(link.account.uuid): link.account for link in self.links}
        return [
            AccountPart(by_id[told["account"]], told)
            for told in self.project.lift_parts
            if told.get("account") in by_id
        ]

    @property
    def gaining(self) -> list[AccountPart]:
        return [part for part in self.parts if not part.told["note"]]

    @property
    def silent(self) -> list[AccountPart]:
        """Return the accounts that add nothing, for a reason that is told."""
        return [part for part in self.parts if part.told["note"]]

    @property
    def more(self) -> int:
        return sum(told.get("more", 0) for told in self.project.lift_parts)

    @cached_property
    def day(self) -> dt.date | None:
        return measure.lifted_by()
