"""Narrowing a list of accounts to a reason, a tier, a region or a TAM."""

from collections.abc import Iterable

from django.db.models import Q

from metrics import rules
from metrics.selectors import dashboard
from metrics.selectors.dashboard import NO_ONE
from metrics.views.period import Period
from metrics.views.words import reason_text


def segment_choices(
    cells: tuple[dashboard.Cell, ...],
    labels: dashboard.Labels,
    band: str,
    policy: rules.Policy,
    period: Period,
) -> dict[str, list[tuple[str, str]]]:
    """Return what a list of accounts can be narrowed to, from what its run saw."""

    def named(found: Iterable[dashboard.Label], none: str) -> list[tuple[str, str]]:
        ordered = sorted(found, key=lambda label: label.order)
        return [*((label.key, label.name) for label in ordered), (NO_ONE, none)]

    regions = sorted({cell.region for cell in cells} - {""})
    codes = dashboard.reasons(cells, band)
    return {
        "reason": [(code, reason_text(code, policy, period.currency)) for code in codes],
        "tier": named(labels.tiers.values(), "No tier"),
        "region": [*((region, region) for region in regions), (NO_ONE, "No region")],
        "tam": named(labels.tams.values(), "No TAM"),
    }


def narrowed(name: str, value: str) -> Q:
    if name == "reason":
        return Q(reason=value)
    if name == "region":
        return Q(region="" if value == NO_ONE else value)
    return Q(**{f"{name}__uuid": None if value == NO_ONE else value})
