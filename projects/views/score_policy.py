"""How scores are worked out: read by everybody with a role, changed by administrators."""

import datetime as dt
import uuid
from dataclasses import dataclass
from typing import Any, NamedTuple

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_http_methods, require_POST

from accounts.here import Here, add_refusal, page, posted
from config.lib.authz import require
from config.lib.errors import DomainError
from config.lib.ui.formats import day_text
from people.writing import once
from projects import permissions
from projects.forms.score_policy import PolicyForm
from projects.models import ScorePolicy
from projects.rules import scoring as rules
from projects.rules.scoring import Example, Policy
from projects.selectors.ranked import Preview, preview
from projects.selectors.scoring import policies, policy_on, policy_row_on, read
from projects.services import score_policy as services

TAB = "Scoring"
SAVE = "save"
TEMPLATE = "projects/settings/scoring.html"


class Row(NamedTuple):
    """One impact: in words, what it means, its points, and its score with each effort."""

    word: str
    means: str
    points: str
    scores: list[str]


@dataclass(frozen=True)
class Shown:
    """A policy as pages print it."""

    row: ScorePolicy
    policy: Policy
    is_now: bool = False
    is_planned: bool = False

    @property
    def factors(self) -> list[tuple[str, str, str]]:
        """Return each effort in words, its factor, and its days."""
        return [
            (rules.EFFORTS[effort], rules.plain(factor), rules.days_words(self.policy, effort))
            for effort, factor in self.policy.factors.items()
        ]

    @property
    def rows(self) -> list[Row]:
        """Return the matrix, from the highest impact down."""
        return [
            Row(
                rules.IMPACTS[row[0].impact],
                rules.IMPACT_MEANS[row[0].impact],
                rules.plain(self.policy.points[row[0].impact]),
                [rules.plain(cell.score) for cell in row],
            )
            for row in rules.matrix(self.policy)
        ]

    @property
    def example(self) -> Example:
        return rules.example(self.policy)


@require_http_methods(["GET", "POST"])
def scoring(request: HttpRequest) -> HttpResponse:
    """Show the policies; a form says with `do` whether it asks what would move, or saves."""
    here = Here.of(request)
    require(permissions.can_see_projects, here.user)
    if request.method == "POST":
        require(permissions.can_change_score_policy, here.user)
    form = PolicyForm(
        posted(request),
        initial={"start": here.today, **PolicyForm.initial_of(policy_on(here.today))},
    )
    found: Preview | None = None
    if form.is_valid():
        try:
            if request.POST.get("do") == SAVE:
                row = services.begin_policy(
                    start=form.cleaned_data["start"],
                    note=form.cleaned_data["note"],
                    **form.values,
                    by=here.user,
                    at=here.now,
                )
                day = day_text(row.start, here.today)
                messages.success(request, f"Policy {row.number} holds from {day} on.")
                return redirect("settings:scoring")
            found = _preview(form, here)
        except DomainError as refusal:
            add_refusal(form, refusal)
    context = {**_policies(here), "form": form, "preview": found, "tab": TAB,
               "may_change": permissions.can_change_score_policy(here.user)}  # fmt: skip
    return page(request, TEMPLATE, context, here=here, status=422 if form.errors else 200)


@require_POST
@once
def take_back(request: HttpRequest, policy_id: uuid.UUID) -> HttpResponse:
    here = Here.of(request)
    require(permissions.can_change_score_policy, here.user)
    row = get_object_or_404(ScorePolicy, uuid=policy_id)
    services.take_back(row, by=here.user, at=here.now)
    messages.success(request, f"Policy {row.number} is taken back. It never begins.")
    return redirect("settings:scoring")


def _preview(form: PolicyForm, here: Here) -> Preview:
    policy = services.checked_policy(
        number=0, start=form.cleaned_data["start"], **form.values, on=here.today
    )
    return preview(policy, on=here.today)


def shown_on(day: dt.date) -> Shown:
    """Return the policy of a day, for the Handbook page."""
    row = policy_row_on(day)
    return Shown(row, read(row), is_now=True)


def _policies(here: Here) -> dict[str, Any]:
    rows = policies()
    now = next((row for row in rows if row.start <= here.today), rows[-1])
    shown = [
        Shown(row, read(row), is_now=row == now, is_planned=row.start > here.today) for row in rows
    ]
    return {
        "now": next(each for each in shown if each.is_now),
        "others": [each for each in shown if not each.is_now],
    }
