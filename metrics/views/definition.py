"""The Handbook page of the number."""

from dataclasses import dataclass
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_safe

from config.lib.authz import require
from config.lib.htmx import render
from config.lib.markdown import markdown
from config.lib.ui.formats import money_text
from metrics import permissions
from metrics.models import MetricDefinition, MetricRun
from metrics.selectors import dashboard, runs
from metrics.selectors.bands import NEAR_POINTS
from metrics.selectors.runs import SEATS_DEPLOYED
from metrics.views.period import Period, read_period
from people.http import user_of

SOURCES = {
    "telemetry": "telemetry",
    "api": "API",
    "import": "file import",
    "air_gapped": "air-gapped file",
    "manual": "entered by hand",
}


@dataclass(frozen=True)
class Version:
    definition: MetricDefinition
    is_shown: bool


@require_safe
def definition_page(request: HttpRequest) -> HttpResponse:
    require(permissions.can_see_metrics, user_of(request))
    period = read_period(request, now=timezone.now())
    asked = request.GET.get("version", "")
    shown = runs.definition_on(SEATS_DEPLOYED, period.day or period.today)
    if asked:
        versions = runs.definitions().filter(slug=SEATS_DEPLOYED)
        found = next((version for version in versions if str(version.number) == asked), None)
        if found is None:
            raise Http404
        shown = found
    with timezone.override(period.zone):
        context = {
            "period": period,
            "shown": shown,
            "version_tag": f"Definition {shown.number}",
            **definition_context(shown, period, None),
        }
        return render(request, "metrics/definition_page.html", context).render()


def definition_context(
    definition: MetricDefinition, period: Period, run: MetricRun | None
) -> dict[str, Any]:
    """Return what templates/metrics/definition.html needs; `run` adds the day's fraction."""
    policy = runs.policy_of(definition)
    versions = runs.definitions().filter(slug=definition.slug)
    return {
        "definition": definition,
        "definition_text": markdown(definition.text, heading=2, reflow=True),
        "definition_share": dashboard.shares_of(run).value if run else None,
        "parameters": [
            ("ARR above", money_text(policy.min_arr, period.currency), "exactly that much is out"),
            ("Deployed of licensed", f"{policy.share_percent}% or more", "never rounded first"),
            ("A reading is stale", f"over {policy.stale_days} days old", "then it is not used"),
            (
                "Same moment, two sources",
                ", then ".join(SOURCES.get(source, source) for source in policy.source_order),
                "the first one counts",
            ),
            ("Near the line", f"within {NEAR_POINTS} points", "for display only"),
            ("Late", f"over {dashboard.LATE_DAYS} days old", "still used"),
        ],
        "versions": [Version(each, each.pk == definition.pk) for each in versions],
    }
