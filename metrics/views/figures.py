"""The key figures: every number on a page, and each with what it is made from."""

from collections.abc import Sequence
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
from metrics.rules import derived as rules
from metrics.selectors import derived, families, figures, numbers, runs
from metrics.selectors.families import Family
from metrics.views.alert_parts import alerts_of
from metrics.views.figure_accounts import top_accounts
from metrics.views.figure_changes import change_of
from metrics.views.period import Period, read_period
from people.http import user_of

LIST_DAYS, PAGE_DAYS = 90, 365
GROUPS = (
    (Family.SEATS, "seats", "Seats deployed", "Shares of accounts, judged from the facts."),
    (
        Family.DERIVED,
        "derived",
        "From the same accounts",
        "Worked out from the rows of seats deployed, and published with it.",
    ),
    (
        Family.FIGURES,
        "work",
        "Requests and projects",
        "How requests are served and projects delivered, over the last 90 days.",
    ),
)


@dataclass(frozen=True)
class Card:
    figure: numbers.Shown
    url: str


@require_safe
def figure_list(request: HttpRequest) -> HttpResponse:
    require(permissions.can_see_metrics, user_of(request))
    period = read_period(request, now=timezone.now())
    by_family: dict[Family, list[Card]] = {family: [] for family in Family}
    definitions = list(runs.definitions().distinct("slug"))
    slugs = [definition.slug for definition in definitions]
    found = all_shown(slugs, period, LIST_DAYS)
    for definition, figure in zip(definitions, found, strict=True):
        url = period.url("metrics:figure", definition.slug)
        by_family[families.family_of(definition)].append(Card(figure, url))
    with timezone.override(period.zone):
        context = {
            "period": period,
            "groups": [
                {"key": key, "title": title, "text": text, "cards": _in_order(by_family[family])}
                for family, key, title, text in GROUPS
                if by_family[family]
            ],
            "dashboard_url": period.url("metrics:dashboard"),
        }
        return render(request, "metrics/figures/list.html", context).render()


def _in_order(cards: list[Card]) -> list[Card]:
    """Put what ships with Keel first, in the order in which it is thought of."""
    known = [runs.SEATS_DEPLOYED, *rules.RULES, *figures.SLUGS]

    def rank(card: Card) -> tuple[int, str]:
        slug = card.figure.slug
        return (known.index(slug) if slug in known else len(known)), slug

    return sorted(cards, key=rank)


def shown(slug: str, period: Period, days: int) -> numbers.Shown:
    (found,) = all_shown([slug], period, days)
    return found


def all_shown(slugs: Sequence[str], period: Period, days: int) -> list[numbers.Shown]:
    return numbers.shown(
        slugs,
        day=period.day or period.today,
        days=days,
        currency=period.currency,
        known_at=period.known_at,
    )


@require_safe
def figure_page(request: HttpRequest, slug: str) -> HttpResponse:
    """One number: its line, what it is made from, why it moved, its definition."""
    user = user_of(request)
    require(permissions.can_see_metrics, user)
    family = family_or_404(slug)
    period = read_period(request, now=timezone.now())
    figure = shown(slug, period, PAGE_DAYS)
    definition = _definition(request, slug, period)
    run, has_accounts = figure.run, family is not Family.FIGURES
    looks_back = period.day is not None or period.known_at is not None
    with timezone.override(period.zone):
        context = {
            "period": period,
            "figure": figure,
            "run": run,
            "trend_label": f"{figure.title}, day by day",
            "groups": groups_of(run, period) if run else [],
            "definition": definition,
            "definition_text": markdown(definition.text, heading=3, reflow=True),
            "parameters": parameters_of(definition),
            "versions": [
                (version, period.url("metrics:figure", slug, version=str(version.number)))
                for version in runs.definitions().filter(slug=slug)
            ],
            "figures_url": period.url("metrics:figures"),
            "has_accounts": has_accounts,
            "may_set_target": permissions.can_set_targets(user),
            "target_url": f"{reverse('metrics:target')}?metric={slug}",
            "alerts": []
            if looks_back
            else alerts_of([slug], user, on=period.today, zone=period.zone),
        }
        if run and has_accounts:
            context |= change_of(figure, period)
            context |= top_accounts(run, period)
        return render(request, "metrics/figures/figure.html", context).render()


def family_or_404(slug: str) -> Family:
    try:
        return families.family_of(slug)
    except MetricDefinition.DoesNotExist:
        raise Http404("There is no such number.") from None


def _definition(request: HttpRequest, slug: str, period: Period) -> MetricDefinition:
    asked = request.GET.get("version", "")
    if not asked:
        return runs.definition_on(slug, period.day or period.today)
    versions = runs.definitions().filter(slug=slug)
    found = next((version for version in versions if str(version.number) == asked), None)
    if found is None:
        raise Http404
    return found


LABELS = {
    **figures.BY,
    "tier": ("Tier", "No tier"),
    "region": ("Region", "No region"),
    "tam": ("TAM", "No TAM"),
    "quarter": ("Quarter of the renewal", ""),
}


def groups_of(run: MetricRun, period: Period) -> list[dict[str, Any]]:
    """Return the parts of the number as tables; those that say nothing are left out."""
    is_figure = families.family_of(run.definition) is Family.FIGURES
    if is_figure:
        parts = list(run.parts.get("by", {}))
    else:
        parts = list(reversed(derived.segmentations(run.definition.rule)))
    found = []
    for by in parts:
        if lines := _figure_lines(run, by) if is_figure else _lines(run, by, period):
            title, _ = LABELS[by]
            has_counts = any(line["of"] for line in lines)
            found.append({"by": by, "title": title, "lines": lines, "has_counts": has_counts})
    return found


def _figure_lines(run: MetricRun, by: str) -> list[dict[str, str]]:
    unit = run.definition.unit
    found = []
    for segment in figures.segments_of(run, by):
        of = ""
        if segment.denominator is not None:
            of = f"{segment.denominator:,}"
            if segment.numerator is not None:
                of = f"{segment.numerator:,} of {of}"
        value = figures.text_of(segment.value, unit)
        found.append({"label": segment.label, "value": value, "of": of, "url": ""})
    return found


def _lines(run: MetricRun, by: str, period: Period) -> list[dict[str, str]]:
    slug, unit = run.definition.slug, run.definition.unit
    found = []
    for segment in derived.segments_of(run, by):
        sums = segment.sums
        unknown = f", {sums.unknown:,} unknown" if sums.unknown else ""
        value = numbers.text_of(segment.value, unit, period.currency, short=True)
        found.append(
            {
                "label": segment.label if segment.key else LABELS[by][1],
                "value": value,
                "of": f"{sums.counted:,} of {sums.asked:,} accounts{unknown}"
                if sums.asked
                else "no account",
                "url": period.url("metrics:figure-accounts", slug, **{by: segment.key or "none"}),
            }
        )
    return found


def parameters_of(definition: MetricDefinition) -> list[tuple[str, str, str]]:
    """Return the parameters in words: what, how much, and a note."""
    policy = definition.policy
    return [PARAMETERS[name](value) for name, value in policy.items() if name in PARAMETERS]


PARAMETERS: dict[str, Any] = {
    "min_arr": lambda v: ("ARR above", f"{v}", "in the reporting currency; that much is out"),
    "share_percent": lambda v: ("Deployed of licensed", f"{v}%", "compared in whole numbers"),
    "stale_days": lambda v: ("A reading is stale", f"over {v} days old", "then it is not used"),
    "grace_days": lambda v: ("Grace for new customers", f"{v} days", "out of the ratio until then"),
    "after_days": lambda v: ("After the purchase", f"{v} days", "the first day it can count"),
    "within_days": lambda v: ("Renews within", f"{v} days", "from the day on"),
    "quarters": lambda v: ("Quarters", f"{v}", "the one of the day is the first"),
    "window_days": lambda v: ("Window", f"{v} days", "the day and those before it"),
    "reopen_days": lambda v: ("Reopened", f"{v} days", "finished days that late facts revise"),
}
