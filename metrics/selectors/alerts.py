"""Rules on numbers, what they would have said, and the alerts that came of them."""

import datetime as dt
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from django.db.models import Q, QuerySet

from accounts.selectors import company, today
from metrics import permissions
from metrics.models import Alert, AlertRule, MetricDefinition, MetricRun
from metrics.rules import alerting
from metrics.rules.derived import CONTRACTION
from metrics.selectors import families, numbers, runs
from people.models import User

S = Alert.State
A_DAY = dt.timedelta(days=1)
TRIED_DAYS = 90


@dataclass(frozen=True)
class Asked:
    """A rule put to the newest number of its slug; without a run there is nothing to ask."""

    run: MetricRun | None
    verdict: alerting.Verdict


@dataclass(frozen=True)
class Tried:
    """What a rule would have said on days that have a number."""

    now: alerting.Verdict | None
    held: int
    known: int
    days: int = TRIED_DAYS


def alerts_visible_to(user: User) -> QuerySet[Alert]:
    found = Alert.objects.select_related("rule", "last_run", "raised_by", "last_run__definition")
    return found if permissions.can_see_metrics(user) else found.none()


def rules_visible_to(user: User) -> QuerySet[AlertRule]:
    found = AlertRule.objects.select_related("made_by")
    return found if permissions.can_see_metrics(user) else found.none()


def open_alerts(user: User, slugs: Collection[str] | None = None) -> list[Alert]:
    """Return the open alerts, of these numbers or of all, the oldest first."""
    found = alerts_visible_to(user).filter(state=S.OPEN)
    if slugs is not None:
        found = found.filter(rule__slug__in=slugs)
    return list(found.order_by("raised_at", "pk"))


def titles(slugs: Collection[str] | None = None) -> dict[str, str]:
    """Return what people call the numbers, by slug."""
    return {each.slug: each.title for each in newest_definitions(slugs)}


def newest_definitions(slugs: Collection[str] | None = None) -> list[MetricDefinition]:
    found = runs.definitions()
    if slugs is not None:
        found = found.filter(slug__in=slugs)
    return list(found.distinct("slug"))


def definition_of(slug: str) -> MetricDefinition | None:
    return next(iter(newest_definitions([slug])), None)


def has_coverage(definition: MetricDefinition) -> bool:
    """Whether it says of how many accounts enough was known."""
    family = families.family_of(definition)
    return family is not families.FIGURES and definition.rule != CONTRACTION


def terms_of(rule: AlertRule, definition: MetricDefinition | None, currency: str) -> alerting.Terms:
    return alerting.Terms(
        kind=rule.kind,
        value=Fraction(rule.value),
        unit=definition.unit if definition else MetricDefinition.Unit.COUNT,
        days=rule.days,
        currency=currency,
    )


def point_of(run: MetricRun) -> alerting.Point:
    return alerting.Point(
        day=run.day,
        value=numbers.value_of(run),
        coverage=numbers.coverage_of(run) if has_coverage(run.definition) else None,
        definition=run.definition.number,
    )


def ask(rule: AlertRule, *, known_at: dt.datetime | None = None) -> Asked:
    """Put the rule to the newest run of its number; `known_at`: of those published by then."""
    run = runs.run_on(rule.slug, known_at=known_at)
    if run is None:
        return Asked(None, alerting.Verdict(None, "no run yet"))
    terms = terms_of(rule, run.definition, company().reporting_currency)
    then = None
    if rule.days:
        wanted = alerting.compared_day(terms, run.day)
        found = runs.run_on(rule.slug, wanted, known_at=known_at)
        then = point_of(found) if found else None
    verdict = alerting.verdict(terms, point_of(run), then, target=_target_of(rule.slug))
    return Asked(run, verdict)


def try_on(rules: Iterable[AlertRule], *, at: dt.datetime) -> list[Tried]:
    """Return what each rule would have said on each of the last days, from the ledger."""
    listed = list(rules)
    day, currency = today(at), company().reporting_currency
    definitions = {each.slug: each for each in newest_definitions({rule.slug for rule in listed})}
    back: dict[str, int] = {}
    for rule in listed:
        back[rule.slug] = max(back.get(rule.slug, 0), rule.days or 0)
    points = {
        slug: [
            point_of(run)
            for run in runs.series(
                slug, start=day - (TRIED_DAYS + days + alerting.GAP_DAYS) * A_DAY, end=day
            )
        ]
        for slug, days in back.items()
    }
    return [
        _tried(
            terms_of(rule, definitions.get(rule.slug), currency),
            points[rule.slug],
            since=day - TRIED_DAYS * A_DAY,
        )
        for rule in listed
    ]


def _tried(terms: alerting.Terms, points: Sequence[alerting.Point], *, since: dt.date) -> Tried:
    by_day = {point.day: point for point in points}
    verdicts = [
        alerting.verdict(terms, point, _before(terms, point, by_day))
        for point in points
        if point.day > since
    ]
    known = [each for each in verdicts if each.holds is not None]
    newest = verdicts[-1] if verdicts else None
    return Tried(now=newest, held=sum(bool(each.holds) for each in known), known=len(known))


def _before(
    terms: alerting.Terms, now: alerting.Point, by_day: Mapping[dt.date, alerting.Point]
) -> alerting.Point | None:
    wanted = alerting.compared_day(terms, now.day)
    days = (wanted - back * A_DAY for back in range(alerting.GAP_DAYS + 1))
    return next((by_day[day] for day in days if day in by_day), None)


def _target_of(slug: str) -> alerting.Target | None:
    target = runs.target_of(slug)
    return alerting.Target(Fraction(target.value), target.at_most) if target else None


def on_rule(rule: AlertRule) -> Alert | None:
    """Return the alert of the rule that is not over, locked: somebody may be snoozing it."""
    found = Alert.objects.select_for_update(of=("self",), no_key=True)
    return found.filter(~Q(state=S.OVER), rule=rule).first()
