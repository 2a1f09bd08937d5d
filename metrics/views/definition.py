"""The Handbook page of a number: its text, parameters, versions, examples, and both series."""

from dataclasses import dataclass
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from config.lib.authz import require
from config.lib.htmx import render
from config.lib.markdown import markdown
from metrics import permissions
from metrics.models import MetricDefinition, MetricRun
from metrics.rules.parameters import SEATS_RULE
from metrics.selectors import dashboard, handbook, lab, late_readings, runs
from metrics.selectors.bands import NEAR_POINTS
from metrics.selectors.runs import SEATS_DEPLOYED
from metrics.views.definition_series import series_of
from metrics.views.lab_words import STATES
from metrics.views.period import Period, read_period
from people.http import user_of


@dataclass(frozen=True)
class Version:
    definition: MetricDefinition
    is_shown: bool


@require_safe
def definition_page(request: HttpRequest) -> HttpResponse:
    """Show a version of any number: `metric` and `version`, else the one in force."""
    require(permissions.can_see_metrics, user_of(request))
    period = read_period(request, now=timezone.now())
    slug = request.GET.get("metric") or SEATS_DEPLOYED
    versions = [] if "\0" in slug else list(runs.definitions().filter(slug=slug))
    if not versions:
        raise Http404
    asked = request.GET.get("version", "")
    shown = runs.definition_on(slug, period.day or period.today)
    if asked:
        found = next((version for version in versions if str(version.number) == asked), None)
        if found is None:
            raise Http404
        shown = found
    with timezone.override(period.zone):
        context = {
            "period": period,
            "shown": shown,
            "version_tag": f"Definition {shown.number}",
            "is_seats": shown.rule == SEATS_RULE,
            "page_url": _page_of(slug),
            "others": _others(slug),
            "series": series_of(shown, versions, currency=period.currency),
            "examples": handbook.examples_of(shown),
            "proposals": [(each, STATES[lab.State(each.state)]) for each in lab.proposals_of(slug)],
            **definition_context(shown, period, None),
        }
        return render(request, "metrics/definition_page.html", context).render()


def definition_context(
    definition: MetricDefinition, period: Period, run: MetricRun | None
) -> dict[str, Any]:
    """Return what templates/metrics/definition.html needs; `run` adds the day's fraction."""
    versions = runs.definitions().filter(slug=definition.slug)
    return {
        "definition": definition,
        "definition_text": markdown(definition.text, heading=2, reflow=True),
        "definition_share": dashboard.shares_of(run).value if run else None,
        "parameters": [
            *handbook.parameters(definition, period.currency),
            *(SHOWN if definition.rule == SEATS_RULE else ()),
        ],
        "versions": [Version(each, each.pk == definition.pk) for each in versions],
    }


# What pages of the number go by, beside its parameters.
SHOWN = (
    ("Near the line", f"within {NEAR_POINTS} points", "For display only."),
    ("Late", f"over {late_readings.LATE_DAYS} days old", "Still used."),
)


def _page_of(slug: str) -> str:
    if slug == SEATS_DEPLOYED:
        return reverse("metrics:dashboard")
    return reverse("metrics:figure", args=[slug])


def _others(slug: str) -> list[tuple[str, str]]:
    """Return the other numbers by title, each with its slug."""
    titles = {each.slug: each.title for each in runs.definitions().order_by("slug", "number")}
    titles.pop(slug)
    return sorted(((title, name) for name, title in titles.items()), key=str)
