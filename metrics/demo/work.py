"""How one project of the demo company goes its way."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from accounts.models import Account
from engagements.models import ServiceRequest
from events.workflow import Given
from metrics.demo.clock import Clock
from people.models import User
from projects import selectors
from projects.models import Increment, Project, ProjectCheck, SupportSignOff
from projects.services import (
    allocating,
    artefacts,
    charters,
    move,
    outcomes,
    roll_outs,
    scoring,
    support,
)

Asked = Mapping[str, Any]
DAYS = {"low": "2", "medium": "4", "high": "8", "very_high": "14"}
# Seats, where it is not known what an account still needs.
USUAL_GAP = 20
SCOPE = {"one_off": "custom_integration", "non_standard": "deployment"}


@dataclass(frozen=True)
class Cast:
    """Who plays."""

    filer: User
    colleague: User
    engineer: User
    second_engineer: User
    lead: User
    second_lead: User
    leader: User
    engineering: User
    support: User
    product: User


class Work:
    """Takes one project from its charter to its close."""

    def __init__(self, asked: Asked, cast: Cast, clock: Clock) -> None:
        self.asked, self.cast, self.clock = asked, cast, clock
        self.project: Project

    def make_from(self, request: ServiceRequest) -> None:
        """Make it from a request that was triaged, and get it ready."""
        asked = self.asked
        values = {
            "type": SCOPE.get(asked["type"], "other"),
            "owner": self.cast.engineer,
            "leads": [self.doer],
            "out_of_scope": "\n".join(asked["out_of_scope"]),
            "builds_code": asked["type"] == "one_off",
            "roll_out_where": "The customer's own servers.",
            "roll_out_told": "Everybody concerned, by their administrators.",
            "roll_out_on": self.clock.at.date() + dt.timedelta(days=24),
            "stakeholders": [
                ("input", self.cast.filer, ""),
                ("uses", None, "Their administrators"),
            ],
        }
        with self.clock.then():
            self.project = charters.make_from_request(
                request, by=self.cast.lead, at=self.clock.at, values=values
            )
        self._estimate(request.impact, request.effort, DAYS[request.effort])
        self._support("Fixes within five working days; the scripts are handed over with tests.")
        if asked["effort"] != "very_high":
            self._move("ready", self.cast.lead)

    def propose(self, accounts: Sequence[Account]) -> None:
        """Propose it with its charter."""
        asked = self.asked
        values = {
            "title": asked["title"],
            "kind": "internal" if asked.get("internal") else "external",
            "type": asked["type"],
            "objectives": asked["objectives"],
            "outcomes": asked["outcomes"],
            "in_scope": asked["in_scope"],
            "out_of_scope": asked["out_of_scope"],
            "if_not": asked["if_not"],
            "roll_out_where": asked["where"],
            "roll_out_told": asked["told"],
            "roll_out_on": self.clock.at.date() + dt.timedelta(days=35),
            "builds_code": asked["code"],
            "accounts": [(account, *self._seats_at(account)) for account in accounts],
            "stakeholders": [
                ("feedback", self.cast.filer, ""), ("uses", None, "Customers' administrators"),
            ],
        }  # fmt: skip
        with self.clock.then():
            self.project = charters.propose(values, by=self.cast.filer, at=self.clock.at)
        if asked["until"] == "propose" and not asked.get("plan"):
            return
        self._take_on()

    def _seats_at(self, account: Account) -> list[int | None]:
        """Return low, likely and high, as shares of what the account still needs."""
        percents = self.asked.get("seats")
        if percents is None:
            return [None, None, None]
        facts = getattr(account, "facts", None)
        needed = facts.seats_to_go if facts and facts.seats_to_go else USUAL_GAP
        return [1 + needed * percent // 100 for percent in percents]

    def _take_on(self) -> None:
        """Find who does it, and say how much it is."""
        asked = self.asked
        self.clock.wait(days=1)
        people = {"owner": self.cast.lead, "leads": [self.doer]}
        with self.clock.then():
            charters.change_charter(self.project, people, by=self.cast.lead, at=self.clock.at)
        self._estimate(asked["impact"], asked["effort"], asked["days_of_work"])
        self._support(asked.get("plan", ""))
        if asked["until"] != "propose":
            self.clock.wait(days=1)
            self._move("ready", self.cast.lead)

    def _estimate(self, impact: int | None, effort: str, days: str) -> None:
        with self.clock.then():
            scoring.score_project(
                self.project, impact=impact, effort=effort, days=Decimal(days),
                confidence="medium", reason="As estimated together.", by=self.cast.lead,
                at=self.clock.at,
            )  # fmt: skip
        self.project.refresh_from_db()

    def _support(self, text: str) -> None:
        if not self.project.builds_code:
            return
        mode = self.asked.get("mode", "team")
        with self.clock.then():
            content = support.Content(
                mode=mode, maintained_by="rd" if mode == "official" else "de", text=text
            )
            plan = support.write_plan(self.project, content, by=self.doer, at=self.clock.at)
        self.clock.wait(hours=5)
        for side in self.asked.get("signs", SupportSignOff.Side.values):
            with self.clock.then():
                support.sign(
                    self.project, side, agrees=True, digest=plan.digest,
                    by=getattr(self.cast, side), at=self.clock.at,
                )  # fmt: skip

    def schedule(self) -> None:
        """Put it into the increment of its time; what is to begin begins in the next."""
        rows = Increment.objects.filter(end__gte=self.clock.at.date()).order_by("start")
        if self.asked["until"] == "schedule":
            rows = rows.filter(start__gt=self.clock.now.date())
        elif self.asked["until"] == "start" and not self._is_own:
            rows = rows.filter(end__gte=self.clock.now.date())
        increment = rows[0]
        on = self.clock.at.date()
        is_tight = bool(allocating.why_not_fitting(self.project, increment, on=on))
        despite = "The customer's date does not move." if is_tight else ""
        self._move(
            "schedule", self.cast.lead, increment=str(increment.uuid), despite=despite,
            limit_note="",
        )  # fmt: skip

    def start(self) -> None:
        increment = self.project.increment
        if increment is not None and increment.start > self.clock.at.date():
            self.clock.wait(days=(increment.start - self.clock.at.date()).days)
        self._move("start", self.doer, limit_note="It has to begin before the freeze.")

    def hold(self, first: Project) -> None:
        self._move(
            "hold", self.cast.lead, reason=f"{first.number} comes first.", code="preempted",
            preempted_by=first.number, cost_days="1.5",
        )  # fmt: skip

    def decline(self) -> None:
        self._move(
            "decline", self.cast.lead, reason="It moves no seat.", code="too_little_impact",
            alternative="The canteen has a page that can be subscribed to.",
        )  # fmt: skip

    def deliver(self) -> None:
        if self._is_own:
            self._leave()
        used = self.asked.get("used") or str(self._used())
        self._move(
            "deliver", self.doer, summary="As the charter says.", days_used=used,
            limit_note="It is only rolled out.",
        )  # fmt: skip

    def _leave(self) -> None:
        """What stays of a project that is no single customer's."""
        keeper = User.objects.filter(is_active=False, is_system=False).first()
        is_orphan = keeper is not None and self.asked["type"] == "demo"
        with self.clock.then():
            artefacts.add_artefact(
                self.project, name=self.asked["title"], maintained_by="de",
                url="https://docs.harborline.example/shelf",
                keeper=self.doer, by=self.cast.lead, at=self.clock.at,
                depends_on_server_version=self.asked["type"] in {"demo", "tool"},
                review_on=self.clock.at.date() + dt.timedelta(days=180),
            )  # fmt: skip
        if is_orphan:
            self.project.artefacts.update(keeper=keeper)

    def _used(self) -> Decimal:
        """Days it took: a little more than thought, twice as many where it was late."""
        planned = self.project.days or Decimal(4)
        factor = Decimal("1.9") if self.asked.get("late") else Decimal("1.1")
        return (planned * factor).quantize(Decimal("0.1"))

    def close(self) -> None:
        by = self.project.owner or self.cast.lead
        with self.clock.then():
            roll_outs.roll_out(
                self.project, note="In use where the charter says.",
                done_on=self.clock.at.date(), by=by, at=self.clock.at,
            )  # fmt: skip
        if selectors.was_late(self.project):
            text = "Their test system came late. We ask for it before we plan."
            with self.clock.then():
                roll_outs.write_retrospective(self.project, text, by=by, at=self.clock.at)
        self._move("close", by)
        self._look_back(by)

    def _look_back(self, by: User) -> None:
        """Say what came of it, as far as the days for that have come; one look is overdue."""
        due = ProjectCheck.objects.filter(
            project=self.project, due_on__lt=self.clock.now.date() - dt.timedelta(days=20)
        )
        for check in due.order_by("due_on"):
            promised = check.seats_promised or 0
            share = Decimal(("1.2", "0.9", "0.4")[self.project.pk % 3]) * (check.days + 60) / 150
            found = (check.seats_before or 0) + int(promised * share)
            with self.clock.then():
                outcomes.record_check(
                    check, seats_found=found if promised else None,
                    note="The departments use it.", by=by, at=self.clock.now,
                )  # fmt: skip

    @property
    def _is_own(self) -> bool:
        """Whether it is the team's, and not made from one request."""
        return "where" in self.asked

    @property
    def doer(self) -> User:
        """The engineers take turns."""
        is_even = len(self.asked["title"]) % 2 == 0
        return self.cast.engineer if is_even else self.cast.second_engineer

    def _move(self, name: str, by: User, reason: str = "", **values: Any) -> None:
        kept = {key: value for key, value in values.items() if value not in (None, "")}
        with self.clock.then():
            move(
                self.project, name, by=by, at=self.clock.at,
                given=Given(reason=reason, values=kept),
            )  # fmt: skip
