"""`/metric/`: where the number stands, how it came there, and what would move it."""

import datetime as dt
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils import timezone
from django.views.decorators.http import require_safe

from config.lib.authz import require
from config.lib.htmx import render
from config.lib.reading import one_reading
from config.lib.rendering import csv_response
from config.lib.ui.formats import day_text, share_text
from config.lib.values import moment_text, ratio_text
from metrics import permissions
from metrics.models import MetricRun
from metrics.selectors import dashboard, late_readings, runs
from metrics.selectors.runs import SEATS_DEPLOYED
from metrics.views import parts
from metrics.views.alert_parts import AlertLine, alerts_of
from metrics.views.change_parts import change_context
from metrics.views.closest import what_if_of
from metrics.views.control import control_context
from metrics.views.definition import definition_context
from metrics.views.period import Period, comparisons, read_period
from people.http import user_of
from people.models import Role, User
from people.permissions import has_role

# So far back a day to compare with is looked for.
SERIES_DAYS = parts.CHART_DAYS + parts.GAP_DAYS
PLACES = 6
LEADS = (
    Role.DE_LEAD,
    Role.LEADERSHIP,
    Role.ENGINEERING_LEADERSHIP,
    Role.SUPPORT_LEADERSHIP,
    Role.PRODUCT_LEADERSHIP,
)
SERIES_COLUMNS = (
    "day", "revision", "definition_version", "value", "numerator", "denominator", "low", "high",
    "unknown", "coverage", "oldest_reading", "computed_at", "known_at",
)  # fmt: skip


@require_safe
@one_reading()
def dashboard_page(request: HttpRequest) -> HttpResponse:
    user = user_of(request)
    require(permissions.can_see_metrics, user)
    now = timezone.now()
    period = read_period(request, now=now)
    until = period.day or period.today
    series = runs.series(
        SEATS_DEPLOYED,
        start=until - dt.timedelta(days=SERIES_DAYS),
        end=until,
        known_at=period.known_at,
    )
    run = series[-1] if series else period.run()
    # Everything on a page is told in the company's time, so it is rendered in here.
    with period.clocks():
        if run is None:
            return no_number(request, period, user)
        context = {
            "period": period,
            "may": _rights(user),
            **_state(run, series, period, now),
            **control_context(run, period, now=now),
            "alerts": _alerts(period, user),
            **_addresses(period, run, now),
            **_cards(request, run, series, period),
            **definition_context(run.definition, period, run),
        }
        return render(request, "metrics/dashboard.html", context, partial="metric").render()


def no_number(request: HttpRequest, period: Period, user: User) -> HttpResponse:
    """Say why there is no number for what was asked, and where there is one."""
    first = dashboard.first_run(SEATS_DEPLOYED, period.known_at)
    context: dict[str, Any] = {"period": period, "may": _rights(user), "first_run": first}
    if first is not None:
        asked = day_text(period.day or period.today)
        context |= {
            "missing_title": f"There is no number for {asked}",
            "missing_text": f"The first day that was computed is {day_text(first.day)}.",
            "first_url": period.url("metrics:dashboard", as_of=first.day.isoformat()),
        }
    elif period.known_at is not None:
        context |= {
            "missing_title": f"Nothing had been computed by {day_text(period.known_at.date())}",
            "now_url": period.url("metrics:dashboard", known_at=""),
        }
    return render(request, "metrics/no_number.html", context).render()


@require_safe
def series_csv(request: HttpRequest) -> HttpResponseBase:
    require(permissions.can_see_metrics, user_of(request))
    period = read_period(request, now=timezone.now(), strict=True)
    series = runs.series(SEATS_DEPLOYED, end=period.day, known_at=period.known_at)
    lines = (_series_line(run) for run in series)
    return csv_response(f"{SEATS_DEPLOYED}-series.csv", SERIES_COLUMNS, lines)


def _series_line(run: MetricRun) -> tuple[Any, ...]:
    def share(part: int) -> str | None:
        return ratio_text(part, run.denominator, places=PLACES) if run.denominator else None

    passing = run.numerator or 0
    return (
        run.day, run.revision, run.definition.number, share(passing), run.numerator,
        run.denominator, share(passing), share(passing + run.unknown), run.unknown,
        share(run.covered), run.oldest_reading, run.computed_at, run.known_at,
    )  # fmt: skip


def _rights(user: User) -> dict[str, bool]:
    return {
        "recompute": permissions.can_recompute(user),
        "set_target": permissions.can_set_targets(user),
    }


def _state(
    run: MetricRun, series: list[MetricRun], period: Period, now: dt.datetime
) -> dict[str, Any]:
    """Return which run is shown, and how fresh it is."""
    end_of_day = dt.datetime.combine(run.day + dt.timedelta(days=1), dt.time(), period.zone)
    oldest = run.oldest_reading
    return {
        "run": run,
        "is_unfinished": run.known_at < end_of_day,
        "is_old": not (period.day or period.known_at)
        and run.day < period.today - dt.timedelta(days=1),
        "is_another_day": period.day is not None and run.day != period.day,
        "late": late_readings.count_of(run, period.zone),
        "late_days": late_readings.LATE_DAYS,
        "gaps": parts.gaps(series, run.day),
        "oldest_age": (run.day - oldest.astimezone(period.zone).date()).days if oldest else None,
    }


def _addresses(period: Period, run: MetricRun, now: dt.datetime) -> dict[str, Any]:
    def accounts(band: str) -> str:
        return period.url("metrics:account-list", band=band)

    return {
        "late_url": accounts("late"),
        "below_url": accounts("below"),
        "falling_url": accounts("falling"),
        "unknown_url": accounts("unknown"),
        "excluded_url": accounts("excluded"),
        "amiss_url": accounts("amiss"),
        "flips_url": period.url("metrics:flip-list"),
        "falling_flips_url": period.url("metrics:flip-list", side="fall"),
        "kept": _kept(period),
        "definition_url": period.url("metrics:definition"),
        "rows_csv_url": period.url("metrics:rows-csv"),
        "series_csv_url": period.url("metrics:series-csv"),
        "permanent_url": period.url(
            "metrics:dashboard",
            as_of=run.day.isoformat(),
            known_at=moment_text(period.known_at or now),
            vs=period.versus,
        ),
        "now_url": period.url("metrics:dashboard", known_at=""),
    }


def _alerts(period: Period, user: User) -> list[AlertLine]:
    """Return what is amiss now; a page of another day is not about that."""
    if period.day or period.known_at:
        return []
    return alerts_of([SEATS_DEPLOYED], user, on=period.today, zone=period.zone)


def _kept(period: Period) -> dict[str, str]:
    """Return what a form of the page sends along."""
    asked = {
        "as_of": period.day.isoformat() if period.day else "",
        "known_at": moment_text(period.known_at) if period.known_at else "",
        "vs": period.versus,
    }
    return {name: value for name, value in asked.items() if value}


def _cards(
    request: HttpRequest, run: MetricRun, series: list[MetricRun], period: Period
) -> dict[str, Any]:
    cells, teams = dashboard.cells_of(run), dashboard.cells_by_tam(run)
    policy = runs.policy_of(run.definition)
    target = parts.target(dashboard.target_at(SEATS_DEPLOYED, period.known_at), run)
    below = dashboard.total(cells, "below")
    count = min(target.more, below) if target else 0
    near = dashboard.nearest(run, upto=count)
    labels = dashboard.labels_of([*cells, *teams])
    shown = [each.account_id for each in near if each.rank <= dashboard.SHOWN]
    accounts = dashboard.accounts_of(run, shown)
    steps = parts.steps(near, count, target)
    shares = dashboard.shares_of(run)
    is_lead = has_role(user_of(request), *LEADS)
    compared = parts.compared(series, run, period)
    return {
        "policy": policy,
        "shares": shares,
        "headline": share_text(shares.value, sign=""),
        "seen": sum(cell.accounts for cell in cells),
        "compared": compared,
        "comparisons": comparisons(run.day, period.versus),
        **change_context(run, compared.run, period),
        "squares": parts.squares(cells),
        "near_text": parts.NEAR_TEXT,
        "target": target,
        "target_percent": target.percent if target else None,
        "steps": steps,
        "what_if": what_if_of(request, run, near, target, steps),
        "trend": parts.trend(series, run),
        "below": below,
        "closest": parts.lines(near, accounts, labels, passes=False),
        "falling": parts.lines(near, accounts, labels, passes=True),
        "falling_count": dashboard.total(cells, "falling"),
        "segments": parts.segments(
            {"tier": cells, "region": cells, "tam": teams}, labels, period, target, is_lead=is_lead
        ),
        "quality": parts.quality(cells, period),
        "excluded": parts.excluded(cells, policy, period),
        "excluded_count": dashboard.total(cells, "excluded"),
    }
