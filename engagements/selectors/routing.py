"""Reading who owns what: rules, answers, decisions and how often the rules were right."""

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from django.conf import settings
from django.db.models import Count, F, Min, OuterRef, Q, QuerySet, Subquery

from accounts import selectors as accounts
from accounts.models import Account, AccountFacts, Assignment
from accounts.selectors.then import fact_of, holding, known
from config.lib.then import Then
from config.lib.ui.formats import day_text, number_text
from engagements import permissions
from engagements.models import (
    Owner,
    RequestType,
    RoutingDecision,
    RoutingRule,
    RoutingRuleVersion,
    ServiceRequest,
)
from engagements.rules import handing_over, router
from engagements.rules.handing_over import Brief
from engagements.rules.router import Answer, Example, Facts, Rule
from engagements.rules.routing_words import facts_text, told, unknown_text
from people.models import User

# Who is asked first at the account, by owner.
ROLES: dict[str, tuple[str, ...]] = {
    Owner.CSM_TAM: (Assignment.Role.CSM, Assignment.Role.TAM),
    Owner.TAM: (Assignment.Role.TAM,),
    Owner.AE: (Assignment.Role.AE,),
    Owner.SUPPORT: (Assignment.Role.CRE,),
}
NEEDS_A_PERSON = "A person decides"


def rows_in_force(day: dt.date) -> QuerySet[RoutingRule]:
    rows = RoutingRule.objects.filter(Q(end=None) | Q(end__gt=day), start__lte=day)
    return rows.order_by("priority", "slug")


def rules_known(then: Then | None) -> list[RoutingRule]:
    """Return the rules of all days: those there are, or were known at the moment."""
    order = ("priority", "slug", "-start")
    if then is None:
        return list(RoutingRule.objects.order_by(*order))
    versions = known(RoutingRuleVersion, then.known_at).order_by(*order)
    return [fact_of(version, RoutingRule) for version in versions]


def rules_then(user: User, then: Then | None) -> "QuerySet[Any, Any]":
    """Return the rules whoever may see requests knows of; of another day those in force on it."""
    if then is None:
        rows: QuerySet[Any, Any] = RoutingRule.objects.order_by("priority", "slug", "-start")
    else:
        rows = holding(known(RoutingRuleVersion, then.known_at), then.day)
    return rows if permissions.can_see_requests(user) else rows.none()


def kept_from() -> dt.datetime | None:
    """Return since when it is known which rules were known."""
    versions: Any = RoutingRuleVersion
    found: dt.datetime | None = versions.objects.aggregate(first=Min("known_from"))["first"]
    return found


def rules_on(day: dt.date) -> list[Rule]:
    """Return the rules of the day, in the order they are tried."""
    return [rule_of(row) for row in rows_in_force(day)]


def rule_of(row: RoutingRule) -> Rule:
    return Rule(
        slug=row.slug,
        name=row.name,
        priority=row.priority,
        conditions=row.conditions,
        owner=row.owner,
        fast_path=row.fast_path,
        needs_sow=row.needs_sow,
        why=row.why,
        next_step=row.next_step,
        way_out=row.way_out,
        hand_over=row.hand_over,
        examples=tuple(Example.from_json(each) for each in row.examples),
        start=row.start,
        end=row.end,
        row=row.pk,
    )


def facts_of(request: ServiceRequest) -> Facts:
    """Return what the router looks at; an escalation without a reason is none."""
    told_of = {name: getattr(request, name) for name in router.YES_OR_NO}
    if request.escalated and not request.escalation_reason.strip():
        told_of["escalated"] = False
    return Facts(
        type=request.type,
        **told_of,
        product_approval=bool(request.product_approval.strip()),
        arr=_current(request.account).arr,
    )


def answer_for(request: ServiceRequest, *, on: dt.date) -> Answer:
    return router.route(facts_of(request), rules_on(on), on=on)


def answer_told(answer: Answer, account: Account | None) -> dict[str, Any]:
    """Return the answer in words, as it is kept and shown."""
    currency = accounts.company().reporting_currency
    return told(answer, account=account.name if account else "", currency=currency)


def owner_label(owner: str | None) -> str:
    return Owner(owner).label if owner else NEEDS_A_PERSON


def owner_user(account: Account | None, owner: str | None, *, on: dt.date) -> User | None:
    """Return who it is at the account, where somebody is assigned."""
    roles = ROLES.get(owner or "", ())
    if account is None or not roles:
        return None
    assigned = accounts.assignments_on(on).filter(
        account=account, role__in=roles, user__is_active=True
    )
    found = sorted(
        assigned.select_related("user"), key=lambda a: (roles.index(a.role), not a.primary, a.pk)
    )
    return found[0].user if found else None


def ruled(request: ServiceRequest) -> RoutingDecision | None:
    """Return what the router itself decided of the request last."""
    return request.decisions.filter(by=None).select_related("rule").order_by("-id").first()


def brief_of(request: ServiceRequest, why: str = "") -> Brief:
    """Return what a text for the owner is made from."""
    seats = [request.seats_low, request.seats_likely, request.seats_high]
    low, likely, high = (number_text(each) if each is not None else "" for each in seats)
    span = f"{low} to {high}, likely {likely}" if low and high else likely
    return Brief(
        number=request.number,
        customer=request.account.name if request.account else "",
        type=request.get_type_display() if request.type else "",
        title=request.title,
        requester=request.filed_by.name,
        problem=request.problem,
        outcome=request.outcome,
        if_not=request.if_not,
        needed_by=day_text(request.needed_by) if request.needed_by else "",
        time_reason=request.time_reason,
        links=[(str(each.get("kind", "")), str(each.get("url", ""))) for each in request.links],
        seats=span if router.asks_for_seats(request.type) else "",
        url=f"{settings.BASE_URL}/requests/{request.number}/",
        why=why,
        approval=request.product_approval,
        escalation=request.escalation_reason if request.escalated else "",
    )


def hand_over_text(request: ServiceRequest, owner: str, preferred: str = "", why: str = "") -> str:
    """Return the text ready for the owner; "" where nobody owns it yet."""
    names = handing_over.names_for(owner, preferred) if owner else []
    return handing_over.TEXTS[names[0]](brief_of(request, why)) if names else ""


@dataclass(frozen=True, kw_only=True)
class Shown:
    """Who owns a request and why, as the card on its page shows it."""

    decision: RoutingDecision
    # What the router answered, in the words of that moment.
    answer: dict[str, Any]
    owner: str
    owner_user: User | None
    facts: list[tuple[str, str]]
    near_misses: list[tuple[str, str]]
    # Label and text of each; the first is the one handed over.
    texts: list[tuple[str, str]]

    @property
    def is_ours(self) -> bool:
        return self.decision.owner == Owner.DE

    @property
    def needs_a_person(self) -> bool:
        return not self.decision.owner

    @property
    def is_against_the_rule(self) -> bool:
        ruled_owner = self.answer.get("owner")
        return bool(ruled_owner) and ruled_owner != self.decision.owner

    @property
    def ruled_owner(self) -> str:
        return owner_label(self.answer.get("owner"))

    @property
    def shows_next_step(self) -> bool:
        return bool(self.answer.get("next_step")) and not self.is_against_the_rule

    @property
    def shows_way_out(self) -> bool:
        return bool(self.answer.get("way_out")) and not self.is_ours

    @property
    def appeal(self) -> RoutingDecision | None:
        """Return the decision that was appealed, if one was."""
        return self.decision if self.decision.appealed_at else None


def decision_shown(request: ServiceRequest) -> Shown | None:
    """Return the decision that stands, with the rule's answer; None before there is one."""
    decisions = list(
        request.decisions.select_related("by", "rule", "appealed_by", "appeal_decided_by").order_by(
            "-id"
        )[:50]
    )
    if not decisions:
        return None
    newest = decisions[0]
    routed = next((each for each in decisions if each.by_id is None), newest)
    answer = routed.answer
    preferred = routed.rule.hand_over if routed.rule and newest.owner == routed.owner else ""
    return Shown(
        decision=newest,
        answer=answer,
        owner=owner_label(newest.owner),
        owner_user=request.owner_user,
        facts=_facts_shown(answer),
        near_misses=near_misses_shown(answer),
        texts=_texts(request, newest, preferred),
    )


def near_misses_shown(answer: dict[str, Any]) -> list[tuple[str, str]]:
    """Return which facts would have to be otherwise, and whose it would be then."""
    return [
        (
            each["if"] + unknown_text(each["unknown"]),
            outcome_label(each["owner"], fast_path=each["fast_path"]),
        )
        for each in answer.get("near_misses", ())
    ]


def outcome_label(owner: str | None, *, fast_path: bool = False) -> str:
    return f"{owner_label(owner)}{', fast path' if fast_path else ''}"


@dataclass(frozen=True)
class Precision:
    """How often what a rule decided stood."""

    decided: int
    overridden: int

    @property
    def share(self) -> Fraction | None:
        if not self.decided:
            return None
        return Fraction(self.decided - self.overridden, self.decided)


def precision(*, until: dt.datetime | None = None) -> dict[str, Precision]:
    """Return for each rule, in all its versions, how many decisions stood.

    One is overridden where the owner today, or at `until`, is another, by a lead or on appeal.
    """
    decisions = RoutingDecision.objects.all()
    if until is not None:
        decisions = decisions.filter(at__lte=until)
    newest = decisions.filter(request=OuterRef("request")).order_by("-id")
    by_rules = decisions.filter(by=None, rule__isnull=False).exclude(owner="")
    rows = (
        by_rules.annotate(final=Subquery(newest.values("owner")[:1]))
        .values("rule__slug")
        .annotate(decided=Count("pk"), overridden=Count("pk", filter=~Q(final=F("owner"))))
    )
    return {
        row["rule__slug"]: Precision(row["decided"], row["overridden"])
        for row in rows.order_by("rule__slug")
    }


def types_labelled(types: Iterable[str]) -> list[str]:
    return [RequestType(type_).label for type_ in types]


def _current(account: Account | None) -> AccountFacts:
    return getattr(account, "facts", None) or AccountFacts()


def _facts_shown(answer: dict[str, Any]) -> list[tuple[str, str]]:
    if not answer:
        return []
    return facts_text(answer["facts"], currency=accounts.company().reporting_currency)


def _texts(
    request: ServiceRequest, decision: RoutingDecision, preferred: str
) -> list[tuple[str, str]]:
    """Return the text handed over first, then the others that fit the owner.

    Of what is ours only what another team gets as well.
    """
    names: Sequence[str] = handing_over.names_for(decision.owner, preferred)
    if decision.owner == Owner.DE:
        names = [name for name in names if name not in handing_over.OF_OWNER[Owner.DE]]
    brief = brief_of(request, decision.reason)
    texts = [(handing_over.LABELS[name], handing_over.TEXTS[name](brief)) for name in names]
    if decision.hand_over and texts:
        label = texts[0][0] if decision.hand_over == texts[0][1] else "As it was handed over"
        others = [each for each in texts if each[1] != decision.hand_over]
        return [(label, decision.hand_over), *others]
    return texts
