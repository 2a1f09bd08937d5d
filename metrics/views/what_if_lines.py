"""The lines of a what-if: work, accounts, and what the work does for them."""

from dataclasses import dataclass

from django.urls import reverse

from accounts.models import Account
from metrics.rules.lift import Seats
from metrics.rules.planning import Effect
from metrics.selectors.works import Choice
from metrics.views.what_if_asked import ADD


@dataclass(frozen=True)
class WorkLine:
    """A project or a request of the list."""

    choice: Choice
    is_chosen: bool

    @property
    def name(self) -> str:
        return "project" if self.choice.is_project else "request"

    @property
    def url(self) -> str:
        name = "projects:detail" if self.choice.is_project else "requests:detail"
        return reverse(name, args=[self.choice.thing.pk])

    @property
    def accounts(self) -> str:
        """ "Kestrel Logistics" or "6 accounts"."""
        found = self.choice.accounts
        return found[0].name if len(found) == 1 else f"{len(found):,} accounts"


@dataclass(frozen=True)
class AccountLine:
    """An account of the list, with what was typed for it."""

    account: Account
    to_go: int | None
    typed: str
    error: str

    @property
    def name(self) -> str:
        return f"{ADD}{self.account.pk}"


@dataclass(frozen=True)
class EffectLine:
    """What the work does for one account."""

    account: Account
    effect: Effect

    @property
    def seats(self) -> Seats:
        return self.effect.seats

    @property
    def to_go(self) -> int:
        return max(0, self.effect.standing.gap)

    @property
    def above(self) -> int:
        return max(0, -self.effect.standing.gap)

    @property
    def fell(self) -> int:
        return self.effect.standing.fell

    @property
    def before(self) -> float:
        return self.effect.gain.before

    @property
    def after(self) -> float:
        return self.effect.gain.after

    @property
    def _words(self) -> tuple[str, str, str]:
        effect = self.effect
        if not self.to_go:
            is_kept = effect.gain.expected > 0
            return ("Protected", "info", "shield-check") if is_kept else ("Passes", "", "check")
        if effect.is_sure:
            return "Even with the low", "good", "circle-check"
        if effect.is_likely:
            return "With the likely", "good", "check"
        return ("Only with the high", "warn", "") if effect.is_possible else ("No", "", "")

    @property
    def word(self) -> str:
        return self._words[0]

    @property
    def tone(self) -> str:
        return self._words[1]

    @property
    def icon(self) -> str:
        return self._words[2]
