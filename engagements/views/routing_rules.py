"""Settings of the router: its rules by date, packs, and facts to try them with."""

import datetime as dt
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import wraps
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.text import slugify
from django.views.decorators.http import require_http_methods, require_safe

from accounts.here import Here, add_refusal, page, posted
from config.lib.authz import require
from config.lib.errors import DomainError
from config.lib.ui.formats import day_text
from config.lib.values import BadValue, parse_date
from engagements import permissions
from engagements.forms.routing import AdoptForm, EndForm, RuleForm, TryForm, initial_of
from engagements.models import RequestType, RoutingRule
from engagements.rules import router
from engagements.rules.packs import packs
from engagements.rules.router import Rule
from engagements.rules.routing_words import conditions_text, example_text, types_text
from engagements.rules.rule_changes import adoption, checked, with_rule, without
from engagements.selectors import routing
from engagements.selectors.routing_changes import Effect, effect_of, rules_from
from engagements.services.routing_rules import adopt_pack, end_rule, save_rule
from engagements.views.scope import told
from people.writing import once

View = Callable[..., HttpResponse]
CHECK = "check"
TAB = "Routing"
SLUG_MAX = 60
LABELS = dict(RequestType.choices)


def once_saved(view: View) -> View:
    """Let the form have one effect; only looking what it would do is none."""
    kept = once(view)

    @wraps(view)
    def wrapped(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        is_check = request.POST.get("act") == CHECK
        return (view if is_check else kept)(request, *args, **kwargs)

    return wrapped


@dataclass(frozen=True)
class Line:
    """A rule in a list."""

    row: RoutingRule
    types: list[str]
    conditions: list[str]
    owner: str
    precision: routing.Precision | None
    examples: list[str]
    is_broken: bool = False
    is_unreached: bool = False


@require_safe
def rule_list(request: HttpRequest) -> HttpResponse:
    here = _administrator(request, looks=True)
    asked = "" if here.looks_back else request.GET.get("on", "")
    day, wrong = _day(asked, here.today)
    rows = routing.rules_known(here.past)
    in_force = [row for row in rows if routing.rule_of(row).is_in_force(day)]
    planned = [row for row in rows if row.start > day]
    ended = [row for row in rows if row.end and row.end <= day]
    stood = routing.precision(until=here.now if here.looks_back else None)
    context = {
        "kept_from": routing.kept_from() if here.past and not rows else None,
        "day": day,
        "on": asked,
        "wrong_day": wrong,
        "in_force": _lines(in_force, here, stood, on=day),
        "planned": _lines(planned, here, stood),
        "ended": _lines(ended, here, stood),
        "packs": list(packs().values()),
    }
    return _page(request, "requests/settings/rules.html", context, here)


@require_http_methods(["GET", "POST"])
@once_saved
def rule_new(request: HttpRequest) -> HttpResponse:
    here = _administrator(request)
    form = RuleForm(posted(request), initial={"start": here.today, "priority": _next(here)})
    return _rule_form(request, here, form, None)


@require_http_methods(["GET", "POST"])
@once_saved
def rule_change(request: HttpRequest, rule_id: uuid.UUID) -> HttpResponse:
    here = _administrator(request)
    row = _row(rule_id)
    rule = routing.rule_of(row)
    start = max(here.today, row.start)
    form = RuleForm(posted(request), initial=initial_of(rule, start), slug=row.slug)
    return _rule_form(request, here, form, row)


@require_http_methods(["GET", "POST"])
@once
def rule_end(request: HttpRequest, rule_id: uuid.UUID) -> HttpResponse:
    here = _administrator(request)
    row = _row(rule_id)
    form = EndForm(posted(request), initial={"end": max(here.today, row.start)})
    day = max(here.today, row.start)
    if form.is_valid():
        day = form.cleaned_data["end"]
        try:
            end_rule(row, end=day, by=here.user, at=here.now)
        except DomainError as refusal:
            add_refusal(form, refusal)
        else:
            words = day_text(day, here.today)
            messages.success(request, f"“{row.name}” is no longer in force from {words}.")
            return redirect("settings:routing")
    before = routing.rules_on(day)
    context = {
        "form": form,
        "row": row,
        "effect": effect_of(before, without(before, row.slug), on=day, now=here.now),
    }
    return _page(request, "requests/settings/rule_end.html", context, here, _status(form))


@require_http_methods(["GET", "POST"])
@once_saved
def pack_adopt(request: HttpRequest, pack: str) -> HttpResponse:
    here = _administrator(request)
    found = packs().get(pack)
    if found is None:
        raise Http404
    sent = posted(request)
    form = AdoptForm(sent, initial={"start": here.today})
    day = here.today
    if form.is_valid():
        day = form.cleaned_data["start"]
        if request.POST.get("act") != CHECK:
            try:
                adopt_pack(pack, start=day, by=here.user, at=here.now)
            except DomainError as refusal:
                add_refusal(form, refusal)
            else:
                words = day_text(day, here.today)
                messages.success(request, f"The rules of “{found.name}” are in force from {words}.")
                return redirect("settings:routing")
    plan = adoption(found, rules_from(day), start=day)
    context = {
        "form": form,
        "pack": found,
        "stay": _rules(plan.stay, here),
        "end": _rules(plan.end, here),
        "begin": _rules(plan.begin, here),
        "effect": effect_of(routing.rules_on(day), plan.rules, on=day, now=here.now),
    }
    return _page(request, "requests/settings/pack.html", context, here, _status(form))


@require_safe
def rule_try(request: HttpRequest) -> HttpResponse:
    """Facts in, answer out: for every day, also one to come."""
    here = _administrator(request)
    asked = request.GET if "type" in request.GET else None
    form = TryForm(asked, initial={"on": here.today})
    scope = None
    if form.is_valid():
        day = form.cleaned_data["on"]
        answer = router.route(form.told, routing.rules_on(day), on=day)
        scope = told(answer, None, here)
    context = {"form": form, "scope": scope}
    return _page(request, "requests/settings/rule_try.html", context, here, _status(form))


def _rule_form(
    request: HttpRequest, here: Here, form: RuleForm, row: RoutingRule | None
) -> HttpResponse:
    effect = None
    if form.is_valid():
        rule = form.rule(row.slug if row else _slug(form.cleaned_data["name"]))
        effect = _effect_of(rule, here)
        _refuse_broken(form, rule, effect)
        if not form.errors and request.POST.get("act") != CHECK and _saved(form, rule, row, here):
            day = day_text(rule.start, here.today)
            messages.success(request, f"“{rule.name}” is in force from {day}.")
            return redirect("settings:routing")
    context = {"form": form, "row": row, "effect": effect}
    return _page(request, "requests/settings/rule.html", context, here, _status(form))


def _slug(name: str) -> str:
    """Return what the rule is known by in all its versions."""
    return slugify(name)[:SLUG_MAX] or f"rule-{uuid.uuid4().hex[:8]}"


def _effect_of(rule: Rule, here: Here) -> Effect:
    before = routing.rules_on(rule.start)
    return effect_of(before, with_rule(before, rule), on=rule.start, now=here.now)


def _refuse_broken(form: RuleForm, rule: Rule, effect: Effect) -> None:
    own = effect.check.broken_of(rule.slug)
    for each in own:
        owner = routing.owner_label(each.owner)
        form.add_error("examples", f"“{example_text(each.example)}” does not hold: {owner}.")
    others = len(effect.check.broken) - len(own)
    if others and not form.cleaned_data.get("accept_broken"):
        words = "Examples of other rules do not hold any more. Look at them below."
        form.add_error("accept_broken", words)


def _saved(form: RuleForm, rule: Rule, row: RoutingRule | None, here: Here) -> bool:
    try:
        save_rule(rule, instead_of=row, by=here.user, at=here.now)
    except DomainError as refusal:
        add_refusal(form, refusal)
        return False
    return True


def _administrator(request: HttpRequest, *, looks: bool = False) -> Here:
    here = Here.looking(request) if looks else Here.of(request)
    require(permissions.can_change_policy, here.user)
    return here


def _row(rule_id: uuid.UUID) -> RoutingRule:
    row = RoutingRule.objects.filter(uuid=rule_id).first()
    if row is None:
        raise Http404
    return row


def _day(text: str, today: dt.date) -> tuple[dt.date, str]:
    """Return the day asked for, and what is wrong with it."""
    if not text.strip():
        return today, ""
    try:
        return parse_date(text.strip()), ""
    except BadValue as bad:
        return today, bad.detail


def _next(here: Here) -> int:
    """Return a priority after all others."""
    last = max((rule.priority for rule in rules_from(here.today)), default=0)
    return last // 10 * 10 + 10


def _lines(
    rows: Sequence[RoutingRule],
    here: Here,
    stood: Mapping[str, routing.Precision],
    *,
    on: dt.date | None = None,
) -> list[Line]:
    """Return the rows as lines; of those in force on a day also what is wrong with them."""
    rules = [routing.rule_of(row) for row in rows]
    check = checked(rules, on=on) if on else None
    unreached = {rule.slug for rule in check.unreached} if check else set()
    return [
        Line(
            row=row,
            types=types_text(rule, LABELS),
            conditions=_conditions(rule, here),
            owner=routing.outcome_label(rule.owner, fast_path=rule.fast_path),
            precision=stood.get(rule.slug),
            examples=[example_text(each) for each in rule.examples],
            is_broken=bool(check and check.broken_of(rule.slug)),
            is_unreached=rule.slug in unreached,
        )
        for row, rule in zip(rows, rules, strict=True)
    ]


def _rules(rules: Sequence[Rule], here: Here) -> list[dict[str, Any]]:
    """Return rules that may not be stored yet, in their order."""
    return [
        {
            "name": rule.name,
            "priority": rule.priority,
            "types": types_text(rule, LABELS),
            "conditions": _conditions(rule, here),
            "owner": routing.outcome_label(rule.owner, fast_path=rule.fast_path),
        }
        for rule in sorted(rules, key=lambda rule: (rule.priority, rule.slug))
    ]


def _conditions(rule: Rule, here: Here) -> list[str]:
    return conditions_text(rule.conditions, currency=here.company.reporting_currency)


def _status(form: Any) -> int:
    return 422 if form.errors else 200


def _page(
    request: HttpRequest, template: str, context: dict[str, Any], here: Here, status: int = 200
) -> HttpResponse:
    return page(request, template, {"tab": TAB, **context}, here=here, status=status)
