"""A project's score explained: what it is made of, who said so, what moved it by hand."""

from dataclasses import dataclass
from functools import cached_property

from django.urls import reverse

from accounts.here import Here
from config.lib.ui.formats import day_text, lift_text
from projects import permissions
from projects.models import Project, RankOverride
from projects.rules import scoring as rules
from projects.rules.scoring import Arithmetic, Policy
from projects.selectors import scoring as selectors
from projects.selectors.scoring import Entry, Setting

EXCERPT = 3


@dataclass(frozen=True)
class Why:
    """Everything that its score is asked about. Takes few statements, made when it is shown."""

    project: Project
    here: Here

    @property
    def score(self) -> str:
        """Return the score stored, which is the one it ranks by."""
        return rules.plain(self.project.score) if self.project.score is not None else ""

    @cached_property
    def history(self) -> list[Entry]:
        return selectors.history_of(self.project)

    @property
    def latest(self) -> list[Entry]:
        return self.history[:EXCERPT]

    @cached_property
    def policy(self) -> Policy:
        """Return the policy its score is by: that of the day; for what is over, of its last."""
        if self.project.is_over and self.history:
            return selectors.read(self.history[0].scoring.policy)
        return selectors.policy_on(self.here.today)

    @property
    def arithmetic(self) -> Arithmetic | None:
        return rules.arithmetic(self.policy, self.project.impact, self.project.effort)

    @property
    def impact_points(self) -> str:
        return rules.plain(self.policy.points[self.project.impact]) if self.project.impact else ""

    @property
    def effort_factor(self) -> str:
        return rules.plain(self.policy.factors[self.project.effort]) if self.project.effort else ""

    @property
    def effort_days(self) -> str:
        return rules.days_words(self.policy, self.project.effort) if self.project.effort else ""

    @cached_property
    def seats(self) -> int | None:
        """Return the seats it would unlock; nothing where nobody said."""
        told = [each for each in self._links if each is not None]
        return sum(told) if told else None

    @property
    def account_count(self) -> int:
        return len(self._links)

    @cached_property
    def _links(self) -> list[int | None]:
        return list(self.project.account_links.values_list("seats_likely", flat=True))

    @property
    def lift(self) -> str:
        """Return the lift with its low and high: "0.4 (0.1 to 0.8)"."""
        project = self.project
        if project.lift is None:
            return ""
        middle = lift_text(project.lift)
        if project.lift_low == project.lift_high:
            return middle
        return f"{middle} ({lift_text(project.lift_low)} to {lift_text(project.lift_high)})"

    @property
    def set_by(self) -> str:
        """Return who set what when: "Impact set by Ada, 2 Nov; effort by Bo, 17 Nov."."""
        found = [
            (name, setting)
            for name in ("impact", "effort")
            if (setting := selectors.set_by(self.history, name))
        ]
        told = [f"{name} by {self._setter(setting)}" for name, setting in found]
        if len(found) > 1 and self._setter(found[0][1]) == self._setter(found[1][1]):
            told = [f"impact and effort by {self._setter(found[0][1])}"]
        words = "; ".join(told).replace(" by ", " set by ", 1)
        return f"{words[:1].upper()}{words[1:]}." if words else ""

    def _setter(self, setting: Setting) -> str:
        day = setting.at.astimezone(self.here.zone).date()
        who = "Keel" if setting.by.is_system else setting.by.name
        return f"{who}, {day_text(day, self.here.today)}"

    @cached_property
    def override(self) -> RankOverride | None:
        return selectors.override_of(self.project, on=self.here.today)

    @property
    def may_change(self) -> bool:
        return not self.project.is_over and permissions.can_score(self.here.user, self.project)

    @property
    def url(self) -> str:
        return reverse("projects:score", args=[self.project.pk])

    @property
    def policy_url(self) -> str:
        return reverse("settings:scoring")
