"""What pages below show of the number: loaded by the name of its address."""

import datetime as dt
from fractions import Fraction

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_safe

from accounts import selectors as accounts
from config.lib.authz import require
from config.lib.htmx import is_htmx
from metrics import permissions
from metrics.models import MetricRun
from metrics.selectors import dashboard, runs
from metrics.selectors.runs import SEATS_DEPLOYED
from people.http import user_of

LOOKS_BACK = dt.timedelta(days=30)


@require_safe
def number_panel(request: HttpRequest) -> HttpResponse:
    """The number in one line, and by how much it moved in a month."""
    require(permissions.can_see_metrics, user_of(request))
    if not is_htmx(request):
        return redirect("metrics:dashboard")
    today = accounts.today(timezone.now())
    found = runs.series(SEATS_DEPLOYED, start=today - LOOKS_BACK, end=today)
    newest, before = (found[-1], found[0]) if found else (None, None)
    context = {
        "run": newest,
        "before": before,
        "share": newest and dashboard.shares_of(newest).value,
        "moved": newest and before and _difference(newest, before),
    }
    return render(request, "metrics/number_panel.html", context)


def _difference(newest: MetricRun, before: MetricRun) -> Fraction | None:
    now, then = dashboard.shares_of(newest).value, dashboard.shares_of(before).value
    return None if now is None or then is None else now - then
