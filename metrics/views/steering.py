"""What moves the number's machinery: computing now, and setting a target."""

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from accounts.models import Account
from config.lib.authz import require
from config.lib.errors import DomainError
from config.lib.htmx import render
from config.lib.ui.formats import day_text, share_text
from config.lib.versions import take_cut
from metrics import permissions
from metrics.forms import TargetForm
from metrics.models import MetricDefinition, MetricTarget
from metrics.selectors import dashboard, numbers, runs
from metrics.selectors.runs import SEATS_DEPLOYED
from metrics.services.alerts import evaluate
from metrics.services.lifts import refresh_lifts
from metrics.services.runs import Outcome, recompute, set_target
from metrics.views.period import Period, read_period
from people.http import user_of

# More take longer than a page may.
MOST_ACCOUNTS = 20_000
PATIENCE_SECONDS = 5.0


@require_POST
def recompute_now(request: HttpRequest) -> HttpResponse:
    user = user_of(request)
    require(permissions.can_recompute, user)
    period = read_period(request, now=timezone.now())
    if Account.objects.count() >= MOST_ACCOUNTS:
        messages.warning(
            request,
            "Not computed: there are too many accounts for a page to wait. "
            "Run make manage ARGS=recompute_metrics instead.",
        )
        return redirect("metrics:dashboard")
    try:
        cut = take_cut(patience=PATIENCE_SECONDS)
        outcome = recompute(SEATS_DEPLOYED, period.today, by=user, now=timezone.now(), known_at=cut)
    except DomainError as refusal:
        messages.warning(request, f"Not computed. {refusal}")
    else:
        refresh_lifts(at=timezone.now())
        evaluate(at=timezone.now())
        messages.success(request, _result(outcome))
    return redirect("metrics:dashboard")


def _result(outcome: Outcome) -> str:
    run = outcome.run
    value = dashboard.shares_of(run).value
    number = (
        "no account is eligible, so there is no number"
        if value is None
        else f"{share_text(value)}, {run.numerator:,} of {run.denominator:,} accounts"
    )
    if not outcome.is_new:
        return f"Nothing has changed since revision {run.revision} of today: {number}."
    told = f"Computed {day_text(run.day, run.day)}, revision {run.revision}: {number}."
    is_held = run.status == run.Status.HELD
    return f"{told} It is held until a metric owner looks at it." if is_held else told


@require_http_methods(["GET", "POST"])
def target_page(request: HttpRequest) -> HttpResponse:
    user = user_of(request)
    require(permissions.can_set_targets, user)
    period = read_period(request, now=timezone.now())
    slug = request.GET.get("metric", "") or SEATS_DEPLOYED
    definition = runs.definitions().filter(slug=slug).first() if "\0" not in slug else None
    if definition is None:
        raise Http404("There is no such number to set a target for.")
    is_dashboard = slug == SEATS_DEPLOYED
    back_url = reverse("metrics:dashboard")
    if not is_dashboard:
        back_url = reverse("metrics:figure", args=[slug])
    is_less_better = definition.rule in numbers.LESS_IS_BETTER
    form = TargetForm(
        request.POST if request.method == "POST" else None,
        today=period.today,
        unit=definition.unit,
        currency=period.currency,
        initial={"direction": "at_most" if is_less_better else "at_least"},
    )
    if form.is_valid():
        target = set_target(
            slug,
            form.value,
            form.cleaned_data["by_day"],
            by=user,
            at_most=form.cleaned_data["direction"] == "at_most",
        )
        messages.success(request, f"Target set: {_wanted(target, definition, period)}.")
        return redirect(back_url)
    current = runs.target_of(slug)
    context = {
        "form": form,
        "definition": definition,
        "current": current,
        "current_text": _wanted(current, definition, period) if current else "",
        "period": period,
        "back_url": back_url,
        "back_title": "Seats deployed" if is_dashboard else definition.title,
    }
    status = 422 if form.errors else 200
    with timezone.override(period.zone):
        return render(request, "metrics/target.html", context, status=status).render()


def _wanted(target: MetricTarget, definition: MetricDefinition, period: Period) -> str:
    """Say a target: "75% by 31 Dec", "at most 12"."""
    value = numbers.text_of(target.value, definition.unit, period.currency).replace(".0%", "%")
    by_day = f" by {day_text(target.by_day, period.today)}" if target.by_day else ""
    return f"{'at most ' if target.at_most else ''}{value}{by_day}"
