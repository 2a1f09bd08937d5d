"""What a board pack says of the data, the other figures and the definitions behind them."""

import datetime as dt
from typing import Any

from django.db.models import Count, Q

from config.lib.values import moment_text
from metrics.models import MetricDefinition, MetricRun
from metrics.selectors import dashboard, families, late_readings, runs
from metrics.selectors.packs_number import Scene, Told, counts, ref, value_text
from metrics.selectors.reasons import reason_text
from metrics.selectors.runs import SEATS_DEPLOYED

# Parameters of rules, and what people call them.
PARAMETERS = {
    "min_arr": "ARR above",
    "share_percent": "Seats deployed, in percent",
    "stale_days": "Readings stale after days",
    "source_order": "Order of sources",
    "grace_days": "Grace for new customers, in days",
    "exclude_regions": "Regions left out",
    "exclude_segments": "Segments left out",
    "roll_up": "Children count at their parent",
    "window_days": "Window in days",
    "reopen_days": "Days reopened",
}


def quality(scene: Scene) -> Told:
    run, cells = scene.run, dashboard.cells_of(scene.run)
    late = late_readings.by_source_of(run, scene.zone)
    return {
        "late": late_readings.count_of(run, scene.zone),
        "late_days": late_readings.LATE_DAYS,
        "late_by_source": [
            {
                "source": each.source,
                "accounts": each.accounts,
                "last": each.last.astimezone(scene.zone).date().isoformat(),
            }
            for each in late
        ],
        "unknown": _reasons(scene, dashboard.reasons(cells, "unknown")),
        "excluded": _reasons(scene, dashboard.reasons(cells, "excluded")),
        "amiss": _reasons(scene, dashboard.reasons(cells, "amiss")),
        **_nights(scene),
    }


def _reasons(scene: Scene, found: dict[str, int]) -> list[Told]:
    policy = runs.policy_of(scene.run.definition)
    return [
        {"reason": code, "label": reason_text(code, policy, scene.currency), "accounts": count}
        for code, count in found.items()
    ]


def _nights(scene: Scene) -> Told:
    """Tell which days of the month have no run, which were revised, and what was held."""
    month, last = scene.month, scene.run.day
    known = MetricRun.objects.filter(
        definition__slug=SEATS_DEPLOYED,
        day__gte=month.first,
        day__lte=last,
        computed_at__lte=scene.known_at,
    ).exclude(status=MetricRun.Status.TRIAL)
    by_day = dict(known.order_by().values_list("day").annotate(runs=Count("pk")))
    held = known.exclude(held_for=[]).select_related("definition", "published_by")
    days = (last - month.first).days + 1
    return {
        "days": days,
        "missing": days - len(by_day),
        "revised": sum(count > 1 for count in by_day.values()),
        "held": [_held(run, scene) for run in held.order_by("day", "revision")],
    }


def _held(run: MetricRun, scene: Scene) -> Told:
    published = run.published_at is not None and run.published_at <= scene.known_at
    replaced = not published and _is_replaced(run, scene.known_at)
    return {
        **ref(run),
        **counts(run),
        "why": [reason["detail"] for reason in run.held_for],
        "published_at": moment_text(run.published_at) if published and run.published_at else None,
        "published_by": run.published_by.name if published and run.published_by else None,
        "reason": run.publish_reason if published else "",
        "replaced": replaced,
    }


def _is_replaced(run: MetricRun, known_at: dt.datetime) -> bool:
    later = MetricRun.objects.filter(
        definition__slug=SEATS_DEPLOYED, day=run.day, published_at__lte=known_at
    )
    return later.filter(
        Q(definition__number__gt=run.definition.number or 0) | Q(revision__gt=run.revision)
    ).exists()


def figures(scene: Scene) -> list[Told]:
    """Return every other number of the ledger, as it stood on the same day."""
    return [_figure(scene, slug) for slug in _others()]


def _others() -> list[str]:
    """Return the other slugs: numbers of accounts, those made from them, of work."""
    return [
        slug
        for family in families.Family
        for slug in families.slugs_of(family)
        if slug != SEATS_DEPLOYED
    ]


def _figure(scene: Scene, slug: str) -> Told:
    run = scene.used.run_on(slug, scene.run.day)
    before = scene.used.run_on(slug, scene.month.before.last) if run else None
    definition = run.definition if run else runs.definition_on(slug, scene.run.day)
    return {
        "metric": slug,
        "title": definition.title,
        "unit": definition.unit,
        "version": definition.number,
        "window_days": definition.policy.get("window_days"),
        "run": {**ref(run), **counts(run), "value": value_text(run)} if run else None,
        "before": {**ref(before), "value": value_text(before)} if before else None,
    }


def definitions(scene: Scene) -> list[Told]:
    """Return the definitions that the numbers shown were made by, and what changed in them."""
    return [_definition(scene, slug) for slug in (SEATS_DEPLOYED, *_others())]


def _definition(scene: Scene, slug: str) -> Told:
    run = runs.run_on(slug, scene.run.day, known_at=scene.known_at)
    now = run.definition if run else runs.definition_on(slug, scene.run.day)
    earlier = runs.run_on(slug, scene.month.before.last, known_at=scene.known_at)
    then = earlier.definition if earlier else now
    return {
        "metric": slug,
        "title": now.title,
        "version": now.number,
        "owner": now.owner,
        "valid_from": now.valid_from.isoformat(),
        "before": then.number if then.pk != now.pk else None,
        "changed": _changed(then, now) if then.pk != now.pk else [],
    }


def _changed(then: MetricDefinition, now: MetricDefinition) -> list[Told]:
    names = sorted(then.policy.keys() | now.policy.keys())
    found = [
        {
            "name": PARAMETERS.get(name, name.replace("_", " ").capitalize()),
            "then": _plain(then.policy.get(name)),
            "now": _plain(now.policy.get(name)),
        }
        for name in names
        if then.policy.get(name) != now.policy.get(name)
    ]
    if then.text != now.text and not found:
        found.append({"name": "Text", "then": "as before", "now": "reworded"})
    return found


def _plain(value: Any) -> str:
    """Write a parameter as people read it."""
    if value is None:
        return "not set"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "none"
    if isinstance(value, dict):
        return ", ".join(f"{name} {each}" for name, each in sorted(value.items())) or "none"
    return str(value)
