"""Alerts in words, with the addresses of what they are about."""

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from django.urls import reverse

from accounts.here import Here
from config.lib.ui.formats import day_text, days_ago_text
from metrics.models import Alert, AlertRule, MetricDefinition, MetricRun
from metrics.rules import alerting
from metrics.selectors import alerts as selectors
from metrics.selectors import families
from metrics.selectors.runs import SEATS_DEPLOYED
from people.models import Role, User

S = Alert.State
TAGS = {
    S.OPEN: ("Open", "bad", "bell-ring"),
    S.SNOOZED: ("Snoozed", "warn", "alarm-clock"),
    S.OVER: ("Over", "", "circle-check"),
}
# So far back a change is explained where the rule itself compares nothing.
USUAL_DAYS = 30


@dataclass(frozen=True)
class AlertLine:
    """An alert as lists show it."""

    alert: Alert
    name: str
    tag: tuple[str, str, str]
    url: str
    number_url: str
    # "" where the number has no explanation of its changes.
    why_url: str
    since: dt.date
    days: int
    until: str

    @property
    def says(self) -> str:
        return sentence(self.alert.says)

    @property
    def shown(self) -> str:
        """What a list says: of one that is over, what it was about."""
        return sentence(self.alert.said) if self.alert.state == S.OVER else self.says


def alerts_of(
    slugs: Collection[str], user: User, *, on: dt.date, zone: ZoneInfo
) -> list[AlertLine]:
    """Return the open alerts of these numbers, for metrics/alerts/banner.html."""
    return lines_of(selectors.open_alerts(user, slugs), on=on, zone=zone)


def lines_of(alerts: Sequence[Alert], *, on: dt.date, zone: ZoneInfo) -> list[AlertLine]:
    names = selectors.titles({each.rule.slug for each in alerts}) if alerts else {}
    return [_line(each, names.get(each.rule.slug, each.rule.slug), on, zone) for each in alerts]


def _line(alert: Alert, name: str, on: dt.date, zone: ZoneInfo) -> AlertLine:
    since = alert.raised_at.astimezone(zone).date()
    over_on = alert.over_at.astimezone(zone).date() if alert.over_at else None
    end = over_on or on
    return AlertLine(
        alert=alert,
        name=name,
        tag=TAGS[S(alert.state)],
        url=reverse("metrics:alert", args=[alert.uuid]),
        number_url=number_url(alert.last_run),
        why_url=why_url(alert),
        since=since,
        days=(end - since).days,
        until=_until(alert, over_on, on),
    )


def _until(alert: Alert, over_on: dt.date | None, on: dt.date) -> str:
    if alert.state == S.SNOOZED and alert.snoozed_until:
        return f"until {day_text(alert.snoozed_until, on)}"
    return days_ago_text(over_on, on) if over_on else ""


def number_url(run: MetricRun) -> str:
    slug = run.definition.slug
    page = (
        reverse("metrics:dashboard")
        if slug == SEATS_DEPLOYED
        else reverse("metrics:figure", args=[slug])
    )
    return f"{page}?{urlencode({'as_of': run.day.isoformat()})}"


def why_url(alert: Alert) -> str:
    """Return where the change is explained account by account, of the days the rule compares."""
    run, slug = alert.last_run, alert.rule.slug
    if families.family_of(run.definition) is families.FIGURES:
        return ""
    before = run.day - dt.timedelta(days=alert.rule.days or USUAL_DAYS)
    query = urlencode({"as_of": run.day.isoformat(), "vs": before.isoformat()})
    if slug == SEATS_DEPLOYED:
        return f"{reverse('metrics:changes')}?{query}"
    return f"{reverse('metrics:figure-changes', args=[slug])}?{query}"


def sentence(says: str) -> str:
    return f"{says[:1].upper()}{says[1:]}."


def rule_words(
    rule: AlertRule, here: Here, known: Mapping[str, MetricDefinition] | None = None
) -> str:
    """Say a rule in words: "Seats deployed falls by at least 3 points in 7 days".

    `known` are the newest definitions by slug, where several rules are said.
    """
    definition = selectors.definition_of(rule.slug) if known is None else known.get(rule.slug)
    name = definition.title if definition else rule.slug
    terms = selectors.terms_of(rule, definition, here.company.reporting_currency)
    return f"{name} {alerting.rule_text(terms)}"


def roles_text(rule: AlertRule) -> str:
    return ", ".join(str(Role(role).label) for role in rule.tells)
