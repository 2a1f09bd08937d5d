"""`/metric/alert-rules/`: on which numbers an alert is raised, and when."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.here import Here, page, posted
from config.lib.authz import require
from config.lib.errors import StaleWrite
from config.lib.values import plain_text
from metrics import permissions
from metrics.forms import AlertRuleForm
from metrics.models import Alert, AlertRule, MetricDefinition
from metrics.rules.alerting import COVERAGE_FELL
from metrics.selectors import alerts as selectors
from metrics.selectors.alerts import Tried, try_on
from metrics.services import alert_rules as services
from metrics.views.alert_parts import AlertLine, lines_of, roles_text, rule_words, sentence
from people.models import Role
from people.writing import once

STALE = "Not saved: the rule was changed meanwhile. Look, then send it again."
KINDS = {
    "above": "is above a line",
    "below": "is below a line",
    "rose": "rises",
    "fell": "falls",
    "coverage_fell": "loses coverage",
}


@dataclass(frozen=True)
class RuleLine:
    """A rule as the list shows it; `tried` says what it would have done."""

    rule: AlertRule
    words: str
    tells: str
    now: str
    tried: str
    alert: AlertLine | None


@require_safe
def rule_list(request: HttpRequest) -> HttpResponse:
    here = _here(request)
    found = list(selectors.rules_visible_to(here.user).order_by("slug", "kind", "pk"))
    active = [rule for rule in found if rule.is_active]
    standing = Alert.objects.exclude(state=Alert.State.OVER).select_related(
        "rule", "last_run__definition"
    )
    alerts = {
        each.alert.rule_id: each for each in lines_of(list(standing), on=here.today, zone=here.zone)
    }
    tried = dict(zip((rule.pk for rule in active), try_on(active, at=here.now), strict=True))
    known = {each.slug: each for each in selectors.newest_definitions()}
    context = {
        "rules": [_line(rule, here, tried[rule.pk], alerts.get(rule.pk), known) for rule in active],
        "off": [_line(rule, here, None, None, known) for rule in found if not rule.is_active],
        "may_change": permissions.can_keep_alert_rules(here.user),
        "refusal": permissions.can_keep_alert_rules.__doc__,
    }
    return page(request, "metrics/alerts/rules.html", context, here=here)


@require_http_methods(["GET", "POST"])
@once
def rule_new(request: HttpRequest) -> HttpResponse:
    """First which number, then when."""
    here = _here(request)
    require(permissions.can_keep_alert_rules, here.user)
    definition = selectors.definition_of(request.GET.get("metric", "").replace("\x00", ""))
    if definition is None:
        context = {"numbers": sorted(selectors.titles().items(), key=lambda each: each[1])}
        return page(request, "metrics/alerts/rule_number.html", context, here=here)
    initial = {"kind": "fell", "days": "7", "tells": [Role.LEADERSHIP, Role.METRIC_OWNER]}
    form = _form(request, here, definition, initial)
    rule = AlertRule(slug=definition.slug, tells=[])
    return _answer(request, here, form, rule, definition)


@require_http_methods(["GET", "POST"])
@once
def rule_edit(request: HttpRequest, alert_rule_id: uuid.UUID) -> HttpResponse:
    here = _here(request)
    require(permissions.can_keep_alert_rules, here.user)
    rule = _rule(here, alert_rule_id)
    definition = selectors.definition_of(rule.slug)
    if definition is None:
        raise Http404
    initial = {
        "kind": rule.kind,
        "value": _typed(rule, definition),
        "days": rule.days,
        "tells": rule.tells,
        "note": rule.note,
        "version": rule.version,
    }
    return _answer(request, here, _form(request, here, definition, initial), rule, definition)


@require_POST
@once
def rule_switch(request: HttpRequest, alert_rule_id: uuid.UUID) -> HttpResponse:
    """Switch it off, which ends its alert, or on again."""
    here = _here(request)
    require(permissions.can_keep_alert_rules, here.user)
    rule = _rule(here, alert_rule_id)
    is_active = request.POST.get("active") == "yes"
    changed = services.change_rule(
        rule, {"is_active": is_active}, version=None, by=here.user, at=here.now
    )
    messages.success(request, f"The rule is switched {'on' if changed.is_active else 'off'}.")
    return redirect("metrics:alert-rules")


def _answer(
    request: HttpRequest,
    here: Here,
    form: AlertRuleForm,
    rule: AlertRule,
    definition: MetricDefinition,
) -> HttpResponse:
    """Show the form, what the rule would have done, or save it."""
    preview, status = None, 200
    if form.is_valid():
        sent = {name: form.cleaned_data[name] for name in ("kind", "value", "days", "note")}
        sent["tells"] = form.cleaned_data["tells"]
        try:
            if request.POST.get("do") == "preview":
                preview = _preview(rule, sent, here)
            else:
                return _save(request, here, rule, sent, form.cleaned_data["version"])
        except ValidationError as error:
            for name, errors in error.error_dict.items():
                form.add_error(name if name in form.fields else None, errors)
        except StaleWrite:
            status = 412
            form.add_error(None, STALE)
            resent = request.POST.copy()
            resent["version"] = str(_rule(here, rule.uuid).version)
            form.data = resent
    if form.errors and status == 200:  # noqa: PLR2004
        status = 422
    context = {
        "form": form,
        "rule": rule if rule.pk else None,
        "definition": definition,
        "preview": preview,
    }
    return page(request, "metrics/alerts/rule.html", context, here=here, status=status)


def _save(
    request: HttpRequest, here: Here, rule: AlertRule, sent: dict[str, Any], version: int | None
) -> HttpResponse:
    if rule.pk is None:
        values = {"slug": rule.slug, **sent}
        saved = services.make_rule(values, by=here.user, at=here.now)
    else:
        saved = services.change_rule(rule, sent, version=version, by=here.user, at=here.now)
    messages.success(request, f"Saved: an alert is raised when {rule_words(saved, here)}.")
    return redirect("metrics:alert-rules")


def _preview(rule: AlertRule, sent: dict[str, Any], here: Here) -> RuleLine:
    tried = AlertRule(slug=rule.slug, **sent)
    services.check(tried)
    return _line(tried, here, try_on([tried], at=here.now)[0], None)


def _line(
    rule: AlertRule,
    here: Here,
    tried: Tried | None,
    alert: AlertLine | None,
    known: Mapping[str, MetricDefinition] | None = None,
) -> RuleLine:
    return RuleLine(
        rule=rule,
        words=rule_words(rule, here, known),
        tells=roles_text(rule),
        now=_now(tried),
        tried=_tried(tried),
        alert=alert,
    )


def _now(tried: Tried | None) -> str:
    if tried is None:
        return ""
    if tried.now is None:
        return "The number has no run yet. The rule waits for one."
    return sentence(tried.now.says)


def _tried(tried: Tried | None) -> str:
    if tried is None or tried.now is None:
        return ""
    if not tried.known:
        return "It could not be asked yet: there is nothing to compare with."
    days = f"{tried.known} day{'' if tried.known == 1 else 's'} with a number"
    if not tried.held:
        return f"Not true on any of the last {days}."
    return f"True on {tried.held} of the last {days}."


def _form(
    request: HttpRequest, here: Here, definition: MetricDefinition, initial: dict[str, Any]
) -> AlertRuleForm:
    kinds = [
        (kind, words)
        for kind, words in KINDS.items()
        if kind != COVERAGE_FELL or selectors.has_coverage(definition)
    ]
    return AlertRuleForm(
        posted(request),
        kinds=kinds,
        unit=definition.unit,
        currency=here.company.reporting_currency,
        initial=initial,
    )


def _typed(rule: AlertRule, definition: MetricDefinition) -> str:
    """Return the value as the form asks for it: shares in percent."""
    is_share = definition.unit == MetricDefinition.Unit.SHARE or rule.kind == COVERAGE_FELL
    value = Fraction(rule.value) * (100 if is_share else 1)
    return plain_text(Decimal(value.numerator) / Decimal(value.denominator))


def _here(request: HttpRequest) -> Here:
    here = Here.of(request)
    require(permissions.can_see_metrics, here.user)
    return here


def _rule(here: Here, rule_id: uuid.UUID) -> AlertRule:
    found = selectors.rules_visible_to(here.user).filter(uuid=rule_id).first()
    if found is None:
        raise Http404
    return found
