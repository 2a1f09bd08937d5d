"""What projects look like over the API."""

from typing import Any

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import CharField, OuterRef, QuerySet, Value
from django.db.models.functions import Cast, Coalesce, Concat, JSONObject
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from config.lib import fields
from config.lib.rows import RowSerializer
from engagements.models import Confidence, Effort, Impact
from engagements.move_bodies import MoveBlock, MoveField, Told
from engagements.rules.links import LINK
from people.rows import PersonRow
from projects.models import (
    Project,
    ProjectAccount,
    ProjectRequest,
    ProjectState,
    ProjectType,
    Stakeholder,
)

UUID = {"type": "string", "format": "uuid"}
SEATS = {"type": ["integer", "null"], "minimum": 0}


def _object(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "required": list(properties), "properties": properties}


PERSON = _object(id=UUID, name={"type": "string"}, email={"type": "string"})
ACCOUNT = _object(
    account=UUID, number={"type": "string"}, name={"type": "string"},
    seats_low=SEATS, seats_likely=SEATS, seats_high=SEATS,
)  # fmt: skip
REQUEST = _object(
    request=UUID, number={"type": "string"}, title={"type": "string"}, state={"type": "string"}
)
STAKEHOLDER = _object(
    kind={"type": "string", "enum": Stakeholder.Kind.values},
    person={"type": ["string", "null"], "format": "uuid"},
    name={"type": "string"},
)


class ImpactField(fields.IntegerField):
    """1 is the best: Highest, High, Medium, Low."""


extend_schema_field({"type": "integer", "enum": [*Impact.values, None]})(ImpactField)


class ProjectRow(RowSerializer):
    """A unit of Deployment Engineering's work, with its charter.

    `days`, `score` and the lift in points are decimal strings; the lift is what the number is
    expected to gain, between `lift_low` and `lift_high`.
    """

    id = fields.UuidField(source="uuid")
    number = fields.PlainField(source="shown_number")
    state = fields.ChoiceField(ProjectState.values)
    kind = fields.ChoiceField(Project.Kind.values)
    type = fields.ChoiceField(ProjectType.values)
    title = fields.NameField()
    proposed_by = PersonRow()
    objectives = fields.LinesField()
    outcomes = fields.LinesField()
    in_scope = fields.LinesField()
    out_of_scope = fields.LinesField()
    if_not = fields.LinesField()
    owner = PersonRow(allow_null=True)
    leads = fields.JsonListField(PERSON, source="lead_rows")
    accounts = fields.JsonListField(ACCOUNT, source="account_rows")
    requests = fields.JsonListField(REQUEST, source="request_rows")
    stakeholders = fields.JsonListField(STAKEHOLDER, source="stakeholder_rows")
    roll_out_where = fields.LinesField()
    roll_out_told = fields.LinesField()
    roll_out_on = fields.DateField(allow_null=True)
    links = fields.JsonListField(LINK)
    builds_code = fields.BooleanField(allow_null=True)
    inside_product = fields.BooleanField()
    approved_at = fields.DateTimeField(allow_null=True)
    impact = ImpactField(allow_null=True)
    effort = fields.ChoiceField(["", *Effort.values])
    days = fields.RatioField(allow_null=True)
    confidence = fields.ChoiceField(["", *Confidence.values])
    score = fields.RatioField(allow_null=True)
    lift = fields.RatioField(allow_null=True)
    lift_low = fields.RatioField(allow_null=True)
    lift_high = fields.RatioField(allow_null=True)
    lift_seats = fields.SeatsField(allow_null=True)
    lifted_at = fields.DateTimeField(allow_null=True)
    increment = fields.UuidField(source="increment.uuid", allow_null=True)
    blocked_by = fields.LinesField()
    blocked_at = fields.DateTimeField(allow_null=True)
    hold_code = fields.PlainField()
    preempted_by = fields.UuidField(source="preempted_by.uuid", allow_null=True)
    end_code = fields.PlainField()
    alternative = fields.LinesField()
    part_of = fields.UuidField(source="part_of.uuid", allow_null=True)
    part = fields.IntegerField()
    summary = fields.LinesField()
    days_used = fields.RatioField(allow_null=True)
    rolled_out_on = fields.DateField(allow_null=True)
    ready_at = fields.DateTimeField(allow_null=True)
    scheduled_at = fields.DateTimeField(allow_null=True)
    started_at = fields.DateTimeField(allow_null=True)
    delivered_at = fields.DateTimeField(allow_null=True)
    closed_at = fields.DateTimeField(allow_null=True)
    moved_at = fields.DateTimeField(allow_null=True)
    proposed_at = fields.DateTimeField()
    created_at = fields.DateTimeField()
    updated_at = fields.DateTimeField()
    version = fields.IntegerField()


class ProjectTransitionOption(Told):
    """A move from the state it has. It is possible where it is `allowed` and nothing blocks."""

    id = fields.PlainField()
    label = fields.PlainField()
    leads_to = serializers.ListField(child=fields.ChoiceField(ProjectState.values))
    allowed = fields.BooleanField()
    who_may = fields.PlainField()
    blocked = MoveBlock(many=True)
    can_ask = fields.BooleanField()
    needs_reason = fields.BooleanField()
    warns = fields.PlainField()
    fields = MoveField(many=True)


class ProjectTransitionOptions(Told):
    """What may happen next, what is blocked, and why."""

    state = fields.ChoiceField(ProjectState.values)
    version = fields.IntegerField()
    transitions = ProjectTransitionOption(many=True)


def with_lists(projects: QuerySet[Project]) -> QuerySet[Project]:
    """Add what the rows show beside the columns of a project, in the same statement."""
    mine = OuterRef("pk")
    leads = (
        Project.leads.through.objects.filter(project=mine)
        .order_by("user__name", "user_id")
        .values(entry=JSONObject(id="user__uuid", name="user__name", email="user__email"))
    )
    accounts = (
        ProjectAccount.objects.filter(project=mine)
        .order_by("account__name", "account_id")
        .values(
            entry=JSONObject(
                account="account__uuid",
                number=_number("ACC-", "account_id"),
                name="account__name",
                seats_low="seats_low",
                seats_likely="seats_likely",
                seats_high="seats_high",
            )
        )
    )
    requests = (
        ProjectRequest.objects.filter(project=mine)
        .order_by("request_id")
        .values(
            entry=JSONObject(
                request="request__uuid",
                number=_number("REQ-", "request_id"),
                title="request__title",
                state="request__state",
            )
        )
    )
    stakeholders = (
        Stakeholder.objects.filter(project=mine)
        .order_by("kind", "pk")
        .values(
            entry=JSONObject(
                kind="kind",
                person="person__uuid",
                name=Coalesce("person__name", "name"),
            )
        )
    )
    return projects.annotate(
        shown_number=_number("PRJ-", "pk"),
        lead_rows=ArraySubquery(leads),
        account_rows=ArraySubquery(accounts),
        request_rows=ArraySubquery(requests),
        stakeholder_rows=ArraySubquery(stakeholders),
    )


def _number(prefix: str, column: str) -> Concat:
    return Concat(Value(prefix), Cast(column, CharField()), output_field=CharField())
