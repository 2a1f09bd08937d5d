"""`/metric/what-if/`: choose work and see the number, or a target and see the work."""

import datetime as dt
from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction
from functools import cached_property
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_safe

from accounts.here import Here, page
from accounts.models import Account
from accounts.selectors import accounts_visible_to
from config.lib.authz import require
from metrics import permissions
from metrics.models import MetricRun
from metrics.rules.planning import Number
from metrics.selectors import flips, runs, works
from metrics.selectors.runs import SEATS_DEPLOYED
from metrics.selectors.what_if import Answer, Typed, number_of, to_reach, what_if
from metrics.views.what_if_asked import ADD, TARGET, WORK, Asked, is_key, read_asked
from metrics.views.what_if_lines import AccountLine, EffectLine, WorkLine
from metrics.views.words import reason_text
from people.models import User
from projects.selectors.capacity import free_days_ahead

# What is swapped by itself.
PARTS = ("outcome", "choices")
# What is listed beside what is chosen; others are found by searching.
MOST_WORKS, MOST_ACCOUNTS, MOST_EFFECTS = 30, 10, 200


@require_safe
def what_if_page(request: HttpRequest) -> HttpResponse:
    here = Here.of(request)
    require(permissions.can_see_metrics, here.user)
    asked = read_asked(request.GET)
    run = runs.run_on(SEATS_DEPLOYED)
    number = number_of(run) if run else None
    if run is None or number is None:
        context: dict[str, Any] = {"run": run}
        return page(request, "metrics/what_if/no_number.html", context, here=here)
    shown = Shown(here, asked, run, number)
    context = {"shown": shown, "asked": asked, "run": run, "answer": shown.answer}
    return page(request, "metrics/what_if/page.html", context, here=here, partial=PARTS)


class Shown:
    """What the page shows of what was asked; each part is read when it is needed."""

    def __init__(self, here: Here, asked: Asked, run: MetricRun, number: Number) -> None:
        self.here, self.asked, self.run, self.number = here, asked, run, number
        self.policy = runs.policy_of(run.definition)
        self.is_cut = False

    @cached_property
    def target(self) -> Fraction | None:
        """Return the target asked for; the company's where none was typed."""
        if self.asked.target_text:
            return self.asked.target
        goal = runs.target_of(SEATS_DEPLOYED)
        return Fraction(goal.value) if goal else None

    @property
    def target_text(self) -> str:
        if self.asked.target_text or self.target is None:
            return self.asked.target_text
        percent = self.target * 100
        return f"{float(percent):g}"

    @property
    def target_percent(self) -> int | None:
        """Return where the bar of the number has its tick."""
        return None if self.target is None else int(self.target * 100)

    @property
    def kept(self) -> list[tuple[str, str]]:
        """Return what a scenario is kept of: the address, with a target that was not typed."""
        is_silent = self.asked.mode == TARGET and not self.asked.target_text
        return [*self.asked.pairs, *([("target", self.target_text)] if is_silent else [])]

    @cached_property
    def free_days(self) -> Decimal:
        return free_days_ahead(self.here.today).days

    @cached_property
    def answer(self) -> Answer | None:
        """Return the answer; None where a target is asked for and none was given."""
        return answer_to(
            self.here.user, self.asked, self.run, self.number, self.here.today, self.target
        )

    @property
    def is_asked(self) -> bool:
        return bool(self.answer and (self.answer.choices or self.answer.typed))

    @property
    def errors(self) -> list[tuple[str, str]]:
        return [(f"id_{name}", text) for name, text in self.asked.errors.items()]

    @property
    def notes(self) -> list[str]:
        if self.asked.mode == TARGET:
            return []
        wanted = [
            *(f"PRJ-{key}" for key in sorted(self.asked.projects)),
            *(f"REQ-{key}" for key in sorted(self.asked.requests)),
        ]
        found = {each.number for each in self.answer.choices} if self.answer else set()
        gone = [number for number in wanted if number not in found]
        left_out = f"Left out: {', '.join(gone)}. It is not open, or says no seats." if gone else ""
        wrong = [f"Seats: {detail}" for detail in dict.fromkeys(self.asked.errors.values())]
        return [*self.asked.notes, *wrong, *filter(None, [left_out])]

    @cached_property
    def works(self) -> list[WorkLine]:
        """Return what is chosen, then what can be, the most lift first."""
        chosen = list(self.answer.choices) if self.answer else []
        projects = works.projects_to_come(self.here.user).exclude(pk__in=self.asked.projects)
        requests = works.requests_to_come(self.here.user).exclude(pk__in=self.asked.requests)
        if self.asked.text:
            projects, requests = works.like(projects, requests, self.asked.text)
        first = list(projects[: MOST_WORKS + 1])
        rest = list(requests[: MOST_WORKS + 1 - min(len(first), MOST_WORKS)])
        self.is_cut = len(first) + len(rest) > MOST_WORKS
        others = works.choices_of(first, rest, on=self.here.today)[:MOST_WORKS]
        return [
            *(WorkLine(each, is_chosen=True) for each in chosen),
            *(WorkLine(each, is_chosen=False) for each in others),
        ]

    @cached_property
    def accounts(self) -> list[AccountLine]:
        """Return accounts with seats typed, then those with the fewest to go."""
        rows = flips.to_go(self.run, None).order_by("to_go", "account__name", "account_id")
        if self.asked.text:
            rows = rows.filter(account__name__icontains=self.asked.text)
        nearest = {row.account: row.to_go for row in rows[:MOST_ACCOUNTS]}
        typed = [each.account for each in self.answer.typed] if self.answer else []
        wrong = [
            int(name.removeprefix(ADD))
            for name in self.asked.errors
            if is_key(name.removeprefix(ADD))
        ]
        mistyped = accounts_visible_to(self.here.user).filter(pk__in=wrong)
        found = dict.fromkeys([*typed, *mistyped, *nearest])
        known = {
            row.account_id: row.to_go
            for row in flips.to_go(self.run, None).filter(account__in=[each.pk for each in found])
        }
        return [self._account(each, known.get(each.pk)) for each in found]

    def _account(self, account: Account, to_go: int | None) -> AccountLine:
        typed = self.asked.seats_texts.get(account.pk, "")
        return AccountLine(account, to_go, typed, self.asked.errors.get(f"{ADD}{account.pk}", ""))

    def share(self, more: int) -> Fraction:
        return self.number.with_more(more)

    @property
    def now(self) -> Fraction:
        return self.share(0)

    @property
    def likely(self) -> Fraction:
        return self.share(self.answer.outlook.likely if self.answer else 0)

    @property
    def low(self) -> Fraction:
        return self.share(self.answer.outlook.low if self.answer else 0)

    @property
    def high(self) -> Fraction:
        return self.share(self.answer.outlook.high if self.answer else 0)

    @property
    def gained(self) -> Fraction:
        return self.likely - self.now

    @property
    def effects(self) -> list[EffectLine]:
        """Return the accounts that cross, then the others that gain seats."""
        if self.answer is None:
            return []
        found = [*self.answer.crossing, *self.answer.others][:MOST_EFFECTS]
        return [EffectLine(self.answer.accounts[each.account], each) for each in found]

    @property
    def planned(self) -> list[WorkLine]:
        found = self.answer.choices if self.answer else ()
        return [WorkLine(each, is_chosen=True) for each in found]

    @property
    def silent(self) -> list[tuple[Account, str]]:
        """Return the accounts of which nothing can be said, and why."""
        if self.answer is None:
            return []
        return [
            (
                self.answer.accounts[each],
                reason_text(
                    self.answer.reasons[each], self.policy, self.here.company.reporting_currency
                ),
            )
            for each in self.answer.outlook.unknown
        ]

    @property
    def take_over_url(self) -> str:
        """Return the address of the what-if of what the plan chose."""
        assert self.answer is not None  # noqa: S101
        pairs = [
            ("project" if each.is_project else "request", each.number)
            for each in self.answer.choices
        ]
        return f"{reverse('metrics:what-if')}?{urlencode(pairs)}"

    @property
    def modes(self) -> list[dict[str, Any]]:
        return [
            {"label": label, "url": _mode_url(self.asked, mode), "current": mode == self.asked.mode}
            for mode, label in ((WORK, "Choose work"), (TARGET, "Reach a target"))
        ]


def _mode_url(asked: Asked, mode: str) -> str:
    pairs = [pair for pair in asked.pairs if pair[0] != "ask"]
    if mode == TARGET:
        pairs = [("ask", TARGET), *pairs]
    query = urlencode(pairs)
    return reverse("metrics:what-if") + (f"?{query}" if query else "")


def answer_to(
    user: User,
    asked: Asked,
    run: MetricRun,
    number: Number,
    today: dt.date,
    target: Fraction | None,
) -> Answer | None:
    if asked.mode == TARGET:
        if target is None or asked.errors:
            return None
        offered = works.choices_of(
            list(works.projects_to_come(user)), list(works.requests_to_come(user)), on=today
        )
        return to_reach(run, number, offered, target=target, capacity=asked.capacity)
    choices = works.choices_of(
        list(works.projects_to_come(user).filter(pk__in=asked.projects)),
        list(works.requests_to_come(user).filter(pk__in=asked.requests)),
        on=today,
    )
    return what_if(run, number, choices, _typed(user, asked))


def _typed(user: User, asked: Asked) -> Sequence[Typed]:
    found = accounts_visible_to(user).filter(pk__in=asked.seats).order_by("name", "pk")
    return [Typed(each, asked.seats[each.pk]) for each in found]
