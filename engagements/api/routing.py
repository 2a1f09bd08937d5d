"""Who owns a request and why, and who would."""

import uuid
from decimal import Decimal
from typing import Any

from django.db.models import QuerySet
from django.http import HttpResponseBase
from django.utils import timezone
from drf_spectacular.utils import extend_schema, extend_schema_serializer
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.selectors import today
from config.lib import fields, parameters
from config.lib.bodies import WriteBody, checked
from config.lib.errors import Missing
from config.lib.rows import RowSerializer
from config.lib.values import moment_text, money_text
from engagements import selectors
from engagements.models import Owner, RequestType, RoutingDecision, ServiceRequest
from engagements.rules import router
from engagements.rules.router import Facts
from engagements.selectors import routing
from people.http import user_of
from people.models import Scope

NO_STORE = {"Cache-Control": "no-store"}
OWNERS = Owner.values
CONDITIONS = {"type": "string", "enum": list(router.CONDITIONS)}


class RuleNameRow(RowSerializer):
    """`since` is the first day of this version of the rule."""

    slug = fields.PlainField()
    name = fields.PlainField()
    since = fields.DateField()


class NearMissRow(serializers.Serializer[Any]):
    """A rule that would have won, had these facts been otherwise; some may be unknown."""

    rule = RuleNameRow()
    owner = fields.ChoiceField(OWNERS, allow_null=True)
    fast_path = fields.BooleanField()
    facts = fields.JsonListField(CONDITIONS)
    unknown = fields.JsonListField(CONDITIONS)

    def get_fields(self) -> dict[str, Any]:
        # The name is a word of the language.
        return {**super().get_fields(), "if": fields.PlainField()}


class FactsRow(RowSerializer):
    """What the rules looked at; null: not known, or not asked for this type."""

    type = fields.ChoiceField(RequestType.values, allow_null=True)
    standard_environment = fields.BooleanField(allow_null=True)
    inside_product = fields.BooleanField(allow_null=True)
    licence_matter = fields.BooleanField(allow_null=True)
    critical = fields.BooleanField(allow_null=True)
    over_one_day = fields.BooleanField(allow_null=True)
    escalated = fields.BooleanField(allow_null=True)
    product_approval = fields.BooleanField()
    arr = fields.AmountField(allow_null=True)


class AnswerRow(serializers.Serializer[Any]):
    """The router's answer. `owner` is null where a person decides."""

    owner = fields.ChoiceField(OWNERS, allow_null=True)
    needs_a_person = fields.BooleanField()
    fast_path = fields.BooleanField()
    needs_sow = fields.BooleanField()
    rule = RuleNameRow(allow_null=True)
    why = fields.PlainField()
    next_step = fields.PlainField()
    way_out = fields.PlainField()
    near_misses = NearMissRow(many=True)
    facts = FactsRow()
    missing = fields.JsonListField({"type": "string"})


class RouteRow(serializers.Serializer[Any]):
    """Who owns the request, and what the router answered.

    `how` is null where nothing is decided yet: a draft, whose answer is today's. `hand_over` is
    the text for the owner, "" where there is none yet; `answer` is null where it was never asked.
    """

    request = fields.UuidField()
    number = fields.PlainField()
    owner = fields.ChoiceField(OWNERS, allow_null=True)
    owner_user = fields.UuidField(allow_null=True)
    how = fields.ChoiceField(RoutingDecision.How.values, allow_null=True)
    reason = fields.PlainField()
    decided_at = fields.DateTimeField(allow_null=True)
    appeal = fields.ChoiceField(["open", "granted", "refused"], allow_null=True)
    hand_over = fields.PlainField()
    answer = AnswerRow(allow_null=True)


@extend_schema_serializer(component_name="RoutePreview")
class FactsBody(WriteBody):
    """Facts as intake asks for them. `arr` is in the reporting currency; null or none: not known.

    `escalated` counts as escalated with the reason. What is not asked for the type does not count.
    """

    row = FactsRow
    type = fields.ChoiceField(RequestType.values)
    standard_environment = fields.BooleanField(required=False, allow_null=True)
    inside_product = fields.BooleanField(required=False, allow_null=True)
    licence_matter = fields.BooleanField(required=False, allow_null=True)
    critical = fields.BooleanField(required=False, allow_null=True)
    over_one_day = fields.BooleanField(required=False, allow_null=True)
    escalated = fields.BooleanField(required=False, allow_null=True)
    product_approval = fields.BooleanField(required=False)
    arr = fields.MoneyField(required=False, allow_null=True)


class RouteView(APIView):
    """Who owns a request, by which rule, and which rules came near."""

    noun = "route"
    scope = Scope.REQUEST_READ
    for_limited_tokens = True
    serializer_class = RouteRow

    @extend_schema(summary="Get who owns a request")
    def get(self, request: Request, request_id: uuid.UUID) -> HttpResponseBase:
        parameters.check(request, ())
        rows: QuerySet[ServiceRequest] = selectors.requests_visible_to(user_of(request))
        found = rows.select_related("account__facts", "owner_user").filter(uuid=request_id).first()
        if found is None:
            raise Missing("No such request.")
        return Response(route_of(found), headers=NO_STORE)


class RoutePreviewView(APIView):
    """Who would own a request with these facts today. Writes nothing."""

    noun = "route"
    scope = Scope.REQUEST_READ
    write_scope = Scope.REQUEST_READ
    for_limited_tokens = True
    serializer_class = AnswerRow
    rate = "read"

    @extend_schema(request=FactsBody, responses=AnswerRow, summary="Preview a route")
    def post(self, request: Request) -> HttpResponseBase:
        parameters.check(request, ())
        facts = Facts(**checked(FactsBody, request.data))
        on = today(timezone.now())
        answer = router.route(facts, routing.rules_on(on), on=on)
        return Response(as_answer(routing.answer_told(answer, None)), headers=NO_STORE)


def route_of(request: ServiceRequest) -> dict[str, Any]:
    """Return the decision that stands; of a draft, what the router would answer today."""
    decision = selectors.newest_decision(request)
    if decision is None:
        answer = routing.answer_for(request, on=today(timezone.now()))
        told = routing.answer_told(answer, request.account)
        decided = _decided(RoutingDecision(owner=answer.owner, reason=told["why"]))
    else:
        told = (routing.ruled(request) or decision).answer
        decided = _decided(decision)
    person = request.owner_user
    return {
        "request": str(request.uuid),
        "number": request.number,
        **decided,
        "owner_user": str(person.uuid) if person else None,
        "answer": as_answer(told) if told else None,
    }


def as_answer(told: dict[str, Any]) -> dict[str, Any]:
    """Return what is kept of an answer with every fact, known or not."""
    facts = told["facts"]
    arr = facts.get("arr")
    every = {name: facts.get(name) for name in router.YES_OR_NO}
    return {
        **told,
        "facts": {
            "type": facts["type"] or None,
            **every,
            "product_approval": facts["product_approval"],
            "arr": None if arr is None else money_text(Decimal(arr)),
        },
    }


def _decided(decision: RoutingDecision) -> dict[str, Any]:
    appeal = None
    if decision.appealed_at is not None:
        appeal = "open" if decision.is_appealed else "refused"
    elif decision.how == RoutingDecision.How.APPEAL:
        appeal = "granted"
    return {
        "owner": decision.owner or None,
        "how": decision.how or None,
        "reason": decision.reason,
        "decided_at": moment_text(decision.at) if decision.at else None,
        "appeal": appeal,
        "hand_over": decision.hand_over,
    }
