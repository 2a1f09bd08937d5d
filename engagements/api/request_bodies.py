"""What requests look like over the API, in and out."""

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from config.lib import fields
from config.lib.bodies import WriteBody
from config.lib.rows import RowSerializer
from engagements.models import (
    Confidence,
    Effort,
    Impact,
    Owner,
    RequestState,
    RequestType,
    ServiceRequest,
)
from engagements.move_bodies import MoveBlock, MoveField, Told
from engagements.rules.answers import TEXT_MAX, TITLE_MAX
from engagements.rules.links import LINK, LINK_MAX, MOST_LINKS
from people.rows import PersonRow


class ImpactField(fields.IntegerField):
    """1 is the best: Highest, High, Medium, Low."""


extend_schema_field({"type": "integer", "enum": Impact.values})(ImpactField)


class ServiceRequestRow(RowSerializer):
    """What a TAM or CSM asks of Deployment Engineering. `contact` only for who may see it."""

    id = fields.UuidField(source="uuid")
    number = fields.PlainField(source="shown_number")
    state = fields.ChoiceField(RequestState.values)
    account = fields.UuidField(source="account.uuid", allow_null=True)
    filed_by = PersonRow()
    came_by = fields.ChoiceField(ServiceRequest.Came.values)
    title = fields.NameField()
    type = fields.ChoiceField(["", *RequestType.values])
    standard_environment = fields.BooleanField(allow_null=True)
    inside_product = fields.BooleanField(allow_null=True)
    licence_matter = fields.BooleanField(allow_null=True)
    critical = fields.BooleanField(allow_null=True)
    over_one_day = fields.BooleanField(allow_null=True)
    escalated = fields.BooleanField(allow_null=True)
    escalation_reason = fields.LinesField(max_length=TEXT_MAX)
    product_approval = fields.LinesField(max_length=TEXT_MAX)
    problem = fields.LinesField(max_length=TEXT_MAX)
    outcome = fields.LinesField(max_length=TEXT_MAX)
    if_not = fields.LinesField(max_length=TEXT_MAX)
    needed_by = fields.DateField(allow_null=True)
    time_reason = fields.LinesField(max_length=TEXT_MAX)
    contact = fields.UuidField(source="contact.uuid", allow_null=True)
    links = fields.JsonListField(LINK)
    seats_low = fields.SeatsField(allow_null=True)
    seats_likely = fields.SeatsField(allow_null=True)
    seats_high = fields.SeatsField(allow_null=True)
    owner = fields.ChoiceField(["", *Owner.values])
    owner_user = PersonRow(allow_null=True)
    fast_path = fields.BooleanField()
    impact = ImpactField(allow_null=True)
    effort = fields.ChoiceField(["", *Effort.values])
    confidence = fields.ChoiceField(["", *Confidence.values])
    lead = PersonRow(allow_null=True)
    start = fields.DateField(allow_null=True)
    end = fields.DateField(allow_null=True)
    waits_for = PersonRow(allow_null=True)
    hold_code = fields.PlainField()
    end_code = fields.PlainField()
    alternative = fields.LinesField()
    successor_of = fields.UuidField(source="successor_of.uuid", allow_null=True)
    rating = fields.IntegerField(allow_null=True)
    submitted_at = fields.DateTimeField(allow_null=True)
    routed_at = fields.DateTimeField(allow_null=True)
    sent_at = fields.DateTimeField(allow_null=True)
    signed_off_at = fields.DateTimeField(allow_null=True)
    triaged_at = fields.DateTimeField(allow_null=True)
    scheduled_at = fields.DateTimeField(allow_null=True)
    started_at = fields.DateTimeField(allow_null=True)
    delivered_at = fields.DateTimeField(allow_null=True)
    accepted_at = fields.DateTimeField(allow_null=True)
    closed_at = fields.DateTimeField(allow_null=True)
    moved_at = fields.DateTimeField(allow_null=True)
    created_at = fields.DateTimeField()
    updated_at = fields.DateTimeField()
    version = fields.IntegerField()


class ServiceRequestBody(WriteBody):
    """Answers to a draft; what is not sent stays as it is, and null takes an answer back."""

    row = ServiceRequestRow
    shown = frozenset(ServiceRequestRow().fields)
    account = fields.ReferenceField(required=False, allow_null=True)
    type = fields.ChoiceField(RequestType.values, required=False)
    standard_environment = fields.BooleanField(required=False, allow_null=True)
    inside_product = fields.BooleanField(required=False, allow_null=True)
    licence_matter = fields.BooleanField(required=False, allow_null=True)
    critical = fields.BooleanField(required=False, allow_null=True)
    over_one_day = fields.BooleanField(required=False, allow_null=True)
    escalated = fields.BooleanField(required=False, allow_null=True)
    escalation_reason = fields.LinesField(max_length=TEXT_MAX, blank=True, required=False)
    product_approval = fields.LinesField(max_length=TEXT_MAX, blank=True, required=False)
    title = fields.NameField(max_length=TITLE_MAX, blank=True, required=False)
    problem = fields.LinesField(max_length=TEXT_MAX, blank=True, required=False)
    outcome = fields.LinesField(max_length=TEXT_MAX, blank=True, required=False)
    if_not = fields.LinesField(max_length=TEXT_MAX, blank=True, required=False)
    needed_by = fields.DateField(required=False, allow_null=True)
    time_reason = fields.LinesField(max_length=TEXT_MAX, blank=True, required=False)
    contact = fields.UuidField(required=False, allow_null=True)
    links = fields.WordsField(most=MOST_LINKS, max_length=LINK_MAX, required=False)
    seats_low = fields.SeatsField(required=False, allow_null=True)
    seats_likely = fields.SeatsField(required=False, allow_null=True)
    seats_high = fields.SeatsField(required=False, allow_null=True)


class ServiceRequestCreate(ServiceRequestBody):
    """A draft; with `submit` it is sent at once, and needs every answer that intake asks for."""

    title = fields.NameField(max_length=TITLE_MAX)
    submit = fields.BooleanField(required=False)


class TransitionOption(Told):
    """A move from the state it has. It is possible where it is `allowed` and nothing blocks."""

    id = fields.PlainField()
    label = fields.PlainField()
    leads_to = serializers.ListField(child=fields.ChoiceField(RequestState.values))
    allowed = fields.BooleanField()
    who_may = fields.PlainField()
    blocked = MoveBlock(many=True)
    can_ask = fields.BooleanField()
    needs_reason = fields.BooleanField()
    warns = fields.PlainField()
    fields = MoveField(many=True)


class TransitionOptions(Told):
    """What may happen next, what is blocked, and why."""

    state = fields.ChoiceField(RequestState.values)
    version = fields.IntegerField()
    transitions = TransitionOption(many=True)
