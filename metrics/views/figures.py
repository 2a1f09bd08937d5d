"""The key figures of requests: all on a page, and each with its definition and its parts."""

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_safe

from config.lib.authz import require
from config.lib.htmx import render
from config.lib.markdown import markdown
from metrics import permissions
from metrics.models import MetricDefinition, MetricRun
from metrics.selectors import figures, runs
from metrics.selectors.runs import SEATS_DEPLOYED
from metrics.views.period import Period, read_period
from people.http import user_of

LIST_DAYS, PAGE_DAYS = 90, 365


@require_safe
def figure_list(request: HttpRequest) -> HttpResponse:
    require(permissions.can_see_metrics, user_of(request))
    period = read_period(request, now=timezone.now())
    day = period.day or period.today
    with timezone.override(period.zone):
        context = {
            "period": period,
            "figures": [figures.shown(slug, day=day, days=LIST_DAYS) for slug in figures.SLUGS],
            "seats": runs.run_on(SEATS_DEPLOYED, day),
            "asked": f"?as_of={day}" if period.day else "",
        }
        return render(request, "metrics/figures/list.html", context).render()


@require_safe
def figure_page(request: HttpRequest, slug: str) -> HttpResponse:
    """One figure: its line, its parts, its definition."""
    require(permissions.can_see_metrics, user_of(request))
    if not figures.is_figure(slug):
        raise Http404
    period = read_period(request, now=timezone.now())
    day = period.day or period.today
    figure = figures.shown(slug, day=day, days=PAGE_DAYS)
    definition = _definition(request, slug, period)
    with timezone.override(period.zone):
        context = {
            "period": period,
            "figure": figure,
            "run": figure.run,
            "trend_label": f"{figure.title}, day by day",
            "groups": _groups(figure.run) if figure.run else [],
            "definition": definition,
            "definition_text": markdown(definition.text, heading=3, reflow=True),
            "parameters": _parameters(definition),
            "versions": runs.definitions().filter(slug=slug),
        }
        return render(request, "metrics/figures/figure.html", context).render()


def _definition(request: HttpRequest, slug: str, period: Period) -> MetricDefinition:
    asked = request.GET.get("version", "")
    if not asked:
        return runs.definition_on(slug, period.day or period.today)
    versions = runs.definitions().filter(slug=slug)
    found = next((version for version in versions if str(version.number) == asked), None)
    if found is None:
        raise Http404
    return found


def _groups(run: MetricRun) -> list[dict[str, Any]]:
    """Return the parts of the figure as tables; those that say nothing are left out."""
    return [
        {
            "by": by,
            "title": figures.BY[by][0],
            "lines": lines,
            "has_counts": any(line["of"] for line in lines),
        }
        for by in run.parts.get("by", {})
        if (lines := _lines(run, by))
    ]


def _lines(run: MetricRun, by: str) -> list[dict[str, str]]:
    unit = run.definition.unit
    found = []
    for segment in figures.segments_of(run, by):
        of = ""
        if segment.denominator is not None:
            of = f"{segment.denominator:,}"
            if segment.numerator is not None:
                of = f"{segment.numerator:,} of {of}"
        found.append(
            {"label": segment.label, "value": figures.text_of(segment.value, unit), "of": of}
        )
    return found


def _parameters(definition: MetricDefinition) -> list[tuple[str, str, str]]:
    policy = definition.policy
    return [
        ("Window", f"{policy['window_days']} days", "the day and those before it"),
        ("Reopened", f"{policy['reopen_days']} days", "finished days that late facts revise"),
    ]
