"""Alerts and the rules that raise them."""

import uuid
from collections.abc import Mapping, Sequence
from decimal import Decimal
from http import HTTPStatus
from typing import Any

from django.db.models import QuerySet
from django.http import HttpResponseBase
from django.urls import reverse
from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from config.lib import etags, fields, filters, values
from config.lib.bodies import WriteBody, checked
from config.lib.errors import Missing
from config.lib.parameters import ETAG, IF_MATCH, IF_MATCH_MAYBE, LOCATION
from config.lib.rows import RowSerializer
from config.lib.views import ReadViewSet
from engagements import move_bodies
from events.workflow import options, perform
from metrics.models import Alert, AlertRule
from metrics.selectors import alerts as selectors
from metrics.services import alert_rules
from metrics.workflows import ALERT
from people.http import user_of
from people.models import Role, Scope
from people.rows import WriterRow
from people.writing import Keyed

ID = "id"


@extend_schema_field(
    {"type": "string", "pattern": r"^\d{1,15}(\.\d{1,6})?$", "examples": ["0.03", "250000"]}
)
class LineField(fields.StrictField):
    """A line or change in the unit of the number; shares and coverage as shares."""

    def parse(self, data: Any) -> Decimal:
        return values.parse_decimal(data, places=6, whole_digits=15)

    @staticmethod
    def write(value: Any) -> str:
        return values.plain_text(value)


@extend_schema_field({"type": "integer", "minimum": 1, "maximum": alert_rules.MOST_DAYS})
class DaysBackField(fields.StrictField):
    """How many days before; only for changes."""

    def parse(self, data: Any) -> int:
        return values.parse_integer(data, low=1, high=alert_rules.MOST_DAYS)


@extend_schema_field({"type": "array", "items": {"type": "string", "enum": list(Role.values)}})
class RolesField(fields.StrictField):
    """Roles whose people are told."""

    is_text = True

    def parse(self, data: Any) -> list[str]:
        if not isinstance(data, list):
            raise values.BadValue("not_a_list", "Write a list of roles.")
        return [values.parse_choice(each, Role.values) for each in data[: len(Role.values) + 1]]


class AlertRuleRow(RowSerializer):
    """A condition on a number, asked after each published run."""

    id = fields.UuidField(source="uuid")
    metric = fields.PlainField(source="slug")
    kind = fields.ChoiceField(AlertRule.Kind.values)
    value = LineField()
    days = DaysBackField(allow_null=True)
    note = fields.TextField()
    tells = RolesField()
    is_active = fields.BooleanField()
    made_by = WriterRow(allow_null=True)
    created_at = fields.DateTimeField()
    updated_at = fields.DateTimeField()
    version = fields.IntegerField()


class AlertRuleBody(WriteBody):
    # The number of a rule never changes: make another rule.
    row = AlertRuleRow
    kind = fields.ChoiceField(AlertRule.Kind.values, required=False)
    value = LineField(required=False)
    days = DaysBackField(required=False, allow_null=True)
    note = fields.TextField(max_length=alert_rules.NOTE_MAX, blank=True, required=False)
    tells = RolesField(required=False)
    is_active = fields.BooleanField(required=False)


class AlertRuleCreate(WriteBody):
    row = AlertRuleRow
    metric = fields.NameField(max_length=60)
    kind = fields.ChoiceField(AlertRule.Kind.values)
    value = LineField()
    days = DaysBackField(required=False, allow_null=True)
    note = fields.TextField(max_length=alert_rules.NOTE_MAX, blank=True, required=False)
    tells = RolesField()


class RuleRow(RowSerializer):
    id = fields.UuidField(source="uuid")
    metric = fields.PlainField(source="slug")
    kind = fields.ChoiceField(AlertRule.Kind.values)


class AlertRunRow(RowSerializer):
    """The run that a sentence is about."""

    as_of = fields.DateField(source="day")
    revision = fields.IntegerField()
    definition_version = fields.IntegerField(source="definition.number")


class AlertRow(RowSerializer):
    """A rule that held. One of each rule is not over at a time, however many runs say so again."""

    id = fields.UuidField(source="uuid")
    rule = RuleRow()
    state = fields.ChoiceField(Alert.State.values)
    said = fields.LinesField()
    says = fields.LinesField()
    raised_by = AlertRunRow()
    last_run = AlertRunRow()
    raised_at = fields.DateTimeField()
    snoozed_until = fields.DateField(allow_null=True)
    over_at = fields.DateTimeField(allow_null=True)
    updated_at = fields.DateTimeField()
    version = fields.IntegerField()


class AlertTransitionOption(move_bodies.Told):
    """A move from the state it has. It is possible where it is `allowed` and nothing blocks."""

    id = fields.PlainField()
    label = fields.PlainField()
    leads_to = serializers.ListField(child=fields.ChoiceField(Alert.State.values))
    allowed = fields.BooleanField()
    who_may = fields.PlainField()
    blocked = move_bodies.MoveBlock(many=True)
    can_ask = fields.BooleanField()
    needs_reason = fields.BooleanField()
    warns = fields.PlainField()
    fields = move_bodies.MoveField(many=True)


class AlertTransitionOptions(move_bodies.Told):
    """What may happen next, what is blocked, and why."""

    state = fields.ChoiceField(Alert.State.values)
    version = fields.IntegerField()
    transitions = AlertTransitionOption(many=True)


class AlertViewSet(Keyed, ReadViewSet):
    """Alerts on numbers. Keel raises and ends them; people snooze them, and end a snooze."""

    noun = "alert"
    scope, write_scope = Scope.METRICS_READ, Scope.METRICS_WRITE
    serializer_class = AlertRow
    filterset_class = filters.filter_set(
        "AlertFilters",
        filters.word("metric", path="rule__slug"),
        filters.word("state", choices=Alert.State.values),
        filters.uuid("rule", path="rule__uuid", lookups="exact"),
        filters.moment("raised_at"),
        filters.moment("updated_at"),
    )
    ordering = {"raised_at": "raised_at", "over_at": "over_at", "updated_at": "updated_at"}
    order_by = ("-raised_at",)
    updated_since = "updated_at"

    def get_queryset(self) -> QuerySet[Alert]:
        return selectors.alerts_visible_to(user_of(self.request)).select_related(None)

    @extend_schema(responses=AlertTransitionOptions, summary="List what may happen next")
    @action(detail=True)
    def transitions(self, request: Request, **found: uuid.UUID) -> HttpResponseBase:
        """Every move from its state: for whom it is, what blocks it, what it asks for."""
        one = self._one(found)
        offered = options(ALERT, one, user_of(request), at=timezone.now())
        return move_bodies.options_told(one, offered)

    @extend_schema(
        request={"application/json": move_bodies.MOVE_BODY},
        responses={200: AlertRow},
        summary="Snooze an alert, or end its snooze",
    )
    @transitions.mapping.post
    def make_move(self, request: Request, **found: uuid.UUID) -> HttpResponseBase:
        """`snooze` needs a `reason` and the last day as `until`, at most 90 days ahead."""
        one = self._one(found)
        name, given = move_bodies.move_asked(request, one)
        perform(ALERT, one, name, by=user_of(request), at=timezone.now(), given=given)
        told, etag = self.answer_about(one.uuid)
        return Response(told, headers={"ETag": etag})

    def headers_told(self) -> Sequence[OpenApiParameter]:
        return (IF_MATCH_MAYBE, ETAG) if self.action == "make_move" else ()

    def _one(self, found: Mapping[str, uuid.UUID]) -> Alert:
        visible = selectors.alerts_visible_to(user_of(self.request))
        one = visible.filter(uuid=found[ID]).first()
        if one is None:
            raise Missing(f"No such {self.noun}.")
        return one


class AlertRuleViewSet(Keyed, ReadViewSet):
    """Rules on numbers. Metric owners and leadership make, change and switch them off.

    A rule is never deleted, for its alerts name it: DELETE switches it off, as `is_active` does.
    """

    noun = "alert rule"
    scope, write_scope = Scope.METRICS_READ, Scope.METRICS_WRITE
    serializer_class = AlertRuleRow
    # Names of people change without it.
    answers_304 = False
    filterset_class = filters.filter_set(
        "AlertRuleFilters",
        filters.word("metric", path="slug"),
        filters.word("kind", choices=AlertRule.Kind.values),
        filters.boolean("is_active"),
        filters.moment("updated_at"),
    )
    ordering = {"metric": "slug", "created_at": "created_at", "updated_at": "updated_at"}
    order_by = ("slug",)
    updated_since = "updated_at"

    def get_queryset(self) -> QuerySet[AlertRule]:
        return selectors.rules_visible_to(user_of(self.request)).select_related(None)

    def create(self, request: Request) -> HttpResponseBase:
        """It is asked at once: where it holds already, its alert is raised."""
        sent = checked(AlertRuleCreate, request.data)
        sent["slug"] = sent.pop("metric")
        rule = alert_rules.make_rule(sent, by=user_of(request), at=timezone.now())
        return self._told(rule, HTTPStatus.CREATED)

    def partial_update(self, request: Request, **found: uuid.UUID) -> HttpResponseBase:
        """Change it; it is asked anew at once. If-Match says from which version."""
        rule = self._matched(request, found)
        sent = checked(AlertRuleBody, request.data)
        return self._told(self._changed(request, rule, sent))

    def destroy(self, request: Request, **found: uuid.UUID) -> HttpResponseBase:
        """Switch it off. Its alert is over; the rule stays, and PATCH switches it on again."""
        rule = self._matched(request, found)
        return self._told(self._changed(request, rule, {"is_active": False}))

    def bodies(self) -> Mapping[str, type[serializers.Serializer[Any]]]:
        return {"create": AlertRuleCreate, "partial_update": AlertRuleBody}

    def headers_told(self) -> Sequence[OpenApiParameter]:
        match self.action:
            case "create":
                return (ETAG, LOCATION)
            case "partial_update" | "destroy":
                return (IF_MATCH, ETAG)
        return ()

    def answers_told(self) -> Mapping[int, type[serializers.Serializer[Any]]] | None:
        if self.action == "create":
            return {201: self.serializer_class}
        return {200: self.serializer_class} if self.action == "destroy" else None

    def _matched(self, request: Request, found: Mapping[str, uuid.UUID]) -> AlertRule:
        visible = selectors.rules_visible_to(user_of(self.request))
        rule = visible.filter(uuid=found[ID]).first()
        if rule is None:
            raise Missing(f"No such {self.noun}.")
        etags.require_match(request, etags.etag_of(rule.uuid, rule.version))
        return rule

    def _changed(self, request: Request, rule: AlertRule, sent: Mapping[str, Any]) -> AlertRule:
        by, at = user_of(request), timezone.now()
        return alert_rules.change_rule(rule, sent, version=rule.version, by=by, at=at)

    def _told(self, rule: AlertRule, status: int = HTTPStatus.OK) -> HttpResponseBase:
        told, etag = self.answer_about(rule.uuid)
        headers = {"ETag": etag}
        if status == HTTPStatus.CREATED:
            address = reverse("api:alert-rules-detail", kwargs={ID: rule.uuid})
            headers["Location"] = self.request.build_absolute_uri(address)
        return Response(told, status=status, headers=headers)
