"""A change and its explanation as programs read it: the API and `explain_metric --json`."""

import datetime as dt
from collections.abc import Collection
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from typing import Any

from accounts.models import Account
from config.lib.ui.formats import percent
from config.lib.values import money_text, plain_text
from metrics.models import MetricRun
from metrics.rules.explaining import Contribution, Explanation, Side
from metrics.selectors import answers, runs
from metrics.selectors.explaining import explanation

PLACES = Decimal("0.000001")


def runs_of(
    slug: str,
    first: dt.date,
    last: dt.date,
    *,
    known_at: dt.datetime | None = None,
    first_known_at: dt.datetime | None = None,
) -> tuple[MetricRun | None, MetricRun | None]:
    """Return the newest published revisions of two days, or of the last ones before them.

    `first_known_at` is what the first day is read by; two moments tell two revisions of one day.
    """
    return (
        runs.run_on(slug, first, known_at=first_known_at or known_at),
        runs.run_on(slug, last, known_at=known_at),
    )


def as_json(before: MetricRun, after: MetricRun) -> answers.Answer:
    found = explanation(before, after)
    accounts = accounts_of({each.account_id for each in found.contributions})
    has_number = found.delta is not None
    return {
        "from": answers.as_json(before),
        "to": answers.as_json(after),
        "delta": exact(found.delta) if has_number else None,
        "delta_points": points_of(found.delta) if has_number else None,
        "earned": exact(found.earned) if has_number else None,
        "earned_points": points_of(found.earned) if has_number else None,
        "unearned": exact(found.unearned) if has_number else None,
        "unearned_points": points_of(found.unearned) if has_number else None,
        "stayed": found.stayed if has_number else None,
        "restated": _restated(found),
        "contraction": _contraction(found),
        "contributions": [
            _contribution_as_json(each, accounts.get(each.account_id))
            for each in found.contributions
        ],
    }


def accounts_of(ids: Collection[int]) -> dict[int, Account]:
    return Account.objects.only("uuid", "name", "external_id").in_bulk(list(ids))


def points_of(value: Fraction | None) -> str | None:
    """Write a difference of shares in percentage points, to six places."""
    if value is None:
        return None
    return plain_text(percent(value).quantize(PLACES, ROUND_HALF_UP))


def exact(value: Fraction | None) -> str | None:
    return None if value is None else f"{value.numerator}/{value.denominator}"


def _restated(found: Explanation) -> dict[str, Any] | None:
    if found.restated is None:
        return None
    whole = found.restated
    return {
        "numerator": whole.numerator,
        "denominator": whole.denominator,
        "value": answers.share(whole.numerator, whole.denominator),
    }


def _contraction(found: Explanation) -> dict[str, Any] | None:
    lost = found.contraction
    if not lost:
        return None
    value = sum((each.value for each in lost), Fraction(0))
    return {
        "accounts": len(lost),
        "contribution": exact(value),
        "points": points_of(value),
        "arr_before": money_text(arr_of(each.before for each in lost)),
        "arr_after": money_text(arr_of(each.after for each in lost)),
    }


def arr_of(sides: Any) -> Decimal:
    """Return the ARR of the sides together, as far as it is known."""
    return sum((side.arr for side in sides if side is not None and side.arr), Decimal(0))


def named(account: Account | None) -> dict[str, Any]:
    return {
        "account": str(account.uuid) if account else None,
        "number": account.number if account else None,
        "external_id": account.external_id if account else None,
        "name": account.name if account else None,
    }


def _contribution_as_json(each: Contribution, account: Account | None) -> dict[str, Any]:
    return {
        **named(account),
        "move": each.move,
        "contribution": exact(each.value),
        "points": points_of(each.value),
        "cause": each.cause,
        "earned": each.is_earned,
        "contraction": each.is_contraction,
        "before": _side_as_json(each.before),
        "after": _side_as_json(each.after),
        # Fills once there are requests and projects to have helped.
        "work": [],
    }


def _side_as_json(side: Side | None) -> dict[str, Any] | None:
    if side is None:
        return None
    return {
        "arr": None if side.arr is None else money_text(side.arr),
        "licensed": side.licensed,
        "deployed": side.deployed,
        "share": answers.share(side.deployed, None if side.unlimited else side.licensed),
        "eligible": side.eligible,
        "passes": side.passes,
        "reason": side.reason,
    }
