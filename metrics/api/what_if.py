"""What the number would be if work were done, and the least work that reaches a target."""

import uuid
from collections.abc import Collection, Mapping
from decimal import Decimal
from fractions import Fraction
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpResponseBase
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.models import Account
from accounts.selectors import accounts_visible_to, today
from config.lib import parameters, values
from config.lib.bodies import checked
from config.lib.errors import Invalid, Missing
from metrics.api.runs import require_accounts
from metrics.api.what_if_bodies import WhatIfBody, WhatIfRow
from metrics.models import MetricRun
from metrics.rules.planning import Effect, Plan
from metrics.selectors import answers, runs, works
from metrics.selectors.what_if import Answer, Typed, number_of, to_reach, what_if
from metrics.selectors.works import Choice
from people.http import user_of
from people.models import ApiToken, Scope, User

NO_STORE = {"Cache-Control": "no-store"}
CHANCE_PLACES = Decimal("0.000001")


class WhatIfView(APIView):
    """Ask what the number would be. Never writes anything."""

    noun = "what-if"
    scope = Scope.METRICS_READ
    write_scope = Scope.METRICS_READ
    serializer_class = WhatIfRow
    rate = "read"

    @extend_schema(request=WhatIfBody, responses=WhatIfRow, summary="Ask what if")
    def post(self, request: Request, slug: str) -> HttpResponseBase:
        parameters.check(request, ())
        require_accounts(request, slug)
        asked = checked(WhatIfBody, request.data)
        _require_a_question(asked)
        _require_scopes(request.auth, asked)
        run = runs.run_on(slug)
        if run is None:
            raise Missing("Nothing was published yet.", code="no_run")
        return Response(as_json(_answer(user_of(request), run, asked)), headers=NO_STORE)


def _require_a_question(asked: Mapping[str, Any]) -> None:
    if asked.get("target") is not None:
        return
    if asked.get("capacity_days") is not None:
        raise Invalid("Say which target to reach.", field="target", code="required")
    if not any(asked.get(name) for name in ("projects", "requests", "seats")):
        raise Invalid(
            "Name projects, requests or seats, or a target to reach.",
            field="projects",
            code="required",
        )


def _require_scopes(token: Any, asked: Mapping[str, Any]) -> None:
    """Work is told by number and title: to a token that may read such work."""
    if not isinstance(token, ApiToken):
        return
    offers_all = not any(asked.get(name) for name in ("projects", "requests", "seats"))
    for name, scope in (("projects", Scope.PROJECT_READ), ("requests", Scope.REQUEST_READ)):
        if (asked.get(name) or offers_all) and scope not in token.scopes:
            raise PermissionDenied(f"This token has no scope {scope}.")


def _answer(user: User, run: MetricRun, asked: Mapping[str, Any]) -> Answer:
    number = number_of(run)
    if number is None:
        raise Missing("No account counts in the newest run, so there is no number.", code="no_run")
    target = asked.get("target")
    typed = _typed(user, asked.get("seats") or [], with_days=target is not None)
    choices = _choices(user, asked, offer_all=target is not None and not typed)
    if target is None:
        return what_if(run, number, choices, typed)
    return to_reach(
        run,
        number,
        choices,
        typed,
        target=Fraction(target),
        capacity=asked.get("capacity_days"),
    )


def _choices(user: User, asked: Mapping[str, Any], *, offer_all: bool) -> list[Choice]:
    projects: Any = works.projects_to_come(user)
    requests: Any = works.requests_to_come(user)
    if asked.get("projects") or asked.get("requests") or not offer_all:
        projects = _found(projects, asked.get("projects") or [], "projects", "PRJ")
        requests = _found(requests, asked.get("requests") or [], "requests", "REQ")
    return works.choices_of(list(projects), list(requests), on=today(timezone.now()))


def _found(
    rows: QuerySet[Any], keys: Collection[int | uuid.UUID], field: str, prefix: str
) -> list[Any]:
    if not keys:
        return []
    found = list(works.called(rows, keys))
    known = {each.pk for each in found} | {each.uuid for each in found}
    for key in keys:
        if key not in known:
            name = f"{prefix}-{key}" if isinstance(key, int) else str(key)
            raise Invalid(
                f"{name}: there is no such open work that says which seats it unlocks.",
                field=field,
                code="not_found",
            )
    return found


def _typed(user: User, told: list[dict[str, Any]], *, with_days: bool) -> list[Typed]:
    ids = [each["account"] for each in told]
    found: dict[uuid.UUID, Account] = {
        each.uuid: each for each in accounts_visible_to(user).filter(uuid__in=ids)
    }
    for place, each in enumerate(told):
        where = f"seats[{place}]"
        if each["account"] not in found:
            raise Invalid(
                f"{each['account']}: no such account.", field=f"{where}.account", code="not_found"
            )
        if ids.index(each["account"]) != place:
            raise Invalid(
                f"{each['account']} is named twice; add its seats up.",
                field=f"{where}.account",
                code="repeated",
            )
        if with_days and each.get("days") is None:
            raise Invalid(
                "Say how many days these seats take, to plan with them.",
                field=f"{where}.days",
                code="required",
            )
    return [Typed(found[each["account"]], each["add"], each.get("days")) for each in told]


def as_json(answer: Answer) -> dict[str, Any]:
    outlook, run = answer.outlook, answer.run
    return {
        "metric": run.definition.slug,
        "definition_version": run.definition.number,
        "as_of": run.day.isoformat(),
        "revision": run.revision,
        "now": _part(answer, 0),
        "low": _part(answer, outlook.low),
        "likely": _part(answer, outlook.likely),
        "high": _part(answer, outlook.high),
        "lift": {
            "low": values.plain_text(outlook.lift.low),
            "expected": values.plain_text(outlook.lift.expected),
            "high": values.plain_text(outlook.lift.high),
        },
        "days": values.plain_text(outlook.days),
        "undated": [str(key) for key in outlook.undated],
        "work": [
            *map(_work, answer.choices),
            *(_typed_work(each) for each in answer.typed),
        ],
        "accounts": [
            _effect(each, answer.accounts[each.account])
            for each in (*answer.crossing, *answer.others)
        ],
        "unknown": [_unknown(answer, each) for each in outlook.unknown],
        "plan": _plan(answer, answer.plan) if answer.plan else None,
    }


def _part(answer: Answer, more: int) -> dict[str, Any]:
    passing, accounts = answer.number.passing + more, answer.number.accounts
    return {
        "numerator": passing,
        "denominator": accounts,
        "value": answers.share(passing, accounts),
    }


def _work(choice: Choice) -> dict[str, Any]:
    return {
        "number": choice.number,
        "title": choice.title,
        "days": None if choice.days is None else values.plain_text(choice.days),
        "by_effort": choice.is_by_effort and choice.days is not None,
        "seats": choice.likely,
    }


def _typed_work(typed: Typed) -> dict[str, Any]:
    return {
        "number": typed.number,
        "title": typed.account.name,
        "days": None if typed.days is None else values.plain_text(typed.days),
        "by_effort": False,
        "seats": typed.seats,
    }


def _effect(effect: Effect, account: Account) -> dict[str, Any]:
    return {
        "account": str(account.uuid),
        "number": account.number,
        "external_id": account.external_id,
        "name": account.name,
        "seats_to_go": effect.standing.gap,
        "seats_low": effect.seats.low,
        "seats_likely": effect.seats.likely,
        "seats_high": effect.seats.high,
        "crosses": _crosses(effect),
        "chance_before": _chance(effect.gain.before),
        "chance_after": _chance(effect.gain.after),
    }


def _crosses(effect: Effect) -> str:
    if effect.is_sure:
        return "sure"
    if effect.is_likely:
        return "likely"
    return "possible" if effect.is_possible else "no"


def _chance(value: float) -> str:
    return values.plain_text(Decimal(value).quantize(CHANCE_PLACES))


def _unknown(answer: Answer, account_id: int) -> dict[str, Any]:
    account = answer.accounts[account_id]
    return {
        "account": str(account.uuid),
        "number": account.number,
        "name": account.name,
        "reason": answer.reasons[account_id],
    }


def _plan(answer: Answer, plan: Plan) -> dict[str, Any]:
    target, capacity = answer.target or Fraction(0), answer.capacity
    return {
        "target": values.plain_text(Decimal(target.numerator) / target.denominator),
        "capacity_days": None if capacity is None else values.plain_text(capacity),
        "reached": plan.reaches,
        "exact": plan.is_exact,
        "needed": plan.wanted,
        "crossing": plan.crossing,
        "days": values.plain_text(plan.days),
        "least_days": None if plan.least_days is None else values.plain_text(plan.least_days),
        "most_crossing": plan.most_crossing,
        "reachable": plan.reachable,
    }
