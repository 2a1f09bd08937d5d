"""Work at Risk of a request: read, asked for, ended. Decided by people in Keel only."""

import uuid
from decimal import Decimal
from http import HTTPStatus
from typing import Any

from django.db.models import QuerySet
from django.http import HttpResponseBase
from django.utils import timezone
from drf_spectacular.utils import extend_schema, extend_schema_field, extend_schema_view
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from config.lib import etags, fields, filters, values
from config.lib.errors import Missing
from config.lib.parameters import ETAG, IF_MATCH_MAYBE
from config.lib.rows import RowSerializer
from config.lib.views import ReadViewSet
from engagements.api.talk import OfRequest
from engagements.models import WorkAtRisk
from engagements.selectors.risks import risks_visible_to
from engagements.services import move
from engagements.services.risks import ask_for_risk
from events.workflow import REASON_MAX, Given
from people.http import user_of
from people.rows import WriterRow
from people.writing import Keyed


@extend_schema_field({"type": "string", "pattern": r"^\d{1,4}(\.\d)?$", "examples": ["4.5"]})
class DaysField(fields.StrictField):
    """Days of work as a decimal string, to the tenth."""

    def parse(self, data: Any) -> Decimal:
        days = values.parse_decimal(data, places=1, whole_digits=4)
        if not days:
            raise values.BadValue("too_small", "Send more than 0 days.")
        return days

    @staticmethod
    def write(value: Any) -> str:
        return values.plain_text(value)


class RiskRow(RowSerializer):
    """A leader's permission, until a day, to start before the customer has signed."""

    id = fields.UuidField(source="uuid")
    state = fields.ChoiceField(WorkAtRisk.State.values)
    reason = fields.LinesField(max_length=REASON_MAX)
    exposure = fields.LinesField(max_length=REASON_MAX)
    exposure_days = DaysField()
    expires_on = fields.DateField()
    asked_by = WriterRow()
    asked_at = fields.DateTimeField()
    decided_by = WriterRow(allow_null=True)
    decided_at = fields.DateTimeField(allow_null=True)
    answer = fields.LinesField()
    ended_at = fields.DateTimeField(allow_null=True)
    end_code = fields.PlainField()
    version = fields.IntegerField()


class RiskBody(fields.StrictSerializer):
    """Why, what is lost if the customer does not agree, and until when."""

    reason = fields.LinesField(max_length=REASON_MAX)
    exposure = fields.LinesField(max_length=REASON_MAX)
    exposure_days = DaysField()
    expires_on = fields.DateField()


class RiskMoveBody(fields.StrictSerializer):
    """`withdraw` ends it, with a reason. Who decides, `approve` or `refuse`, is signed in."""

    transition = fields.NameField(max_length=40)
    reason = fields.LinesField(max_length=REASON_MAX, blank=True, required=False)


@extend_schema_view(
    create=extend_schema(request=RiskBody, responses={201: RiskRow}, summary="Ask for Work at Risk")
)
class RiskViewSet(Keyed, OfRequest, ReadViewSet):
    """Work at Risk of a request, the newest first."""

    noun = "Work at Risk"
    serializer_class = RiskRow
    # The names of people change without it.
    answers_304 = False
    lookup_url_kwarg = "risk_id"
    filterset_class = filters.filter_set(
        "RiskFilters",
        filters.word("state", choices=WorkAtRisk.State.values),
        filters.day("expires_on"),
        filters.moment("asked_at"),
    )
    ordering = {"asked_at": "asked_at", "expires_on": "expires_on"}
    order_by = ("-asked_at",)

    def get_queryset(self) -> QuerySet[WorkAtRisk]:
        if "request_id" not in self.kwargs:
            return WorkAtRisk.objects.none()
        visible = risks_visible_to(user_of(self.request)).filter(request=self.service_request())
        return visible.order_by().select_related(None)

    def create(self, request: Request, **_found: uuid.UUID) -> HttpResponseBase:
        """Leadership is told and decides; who asks never does."""
        body = RiskBody(data=request.data)
        body.is_valid(raise_exception=True)
        risk = ask_for_risk(
            self.service_request(), **body.validated_data, by=user_of(request), at=timezone.now()
        )
        return self._told(risk, HTTPStatus.CREATED)

    @extend_schema(
        request=RiskMoveBody,
        responses={200: RiskRow},
        parameters=[IF_MATCH_MAYBE, ETAG],
        summary="End Work at Risk, or decide on it",
    )
    @action(detail=True, methods=["post"])
    def transitions(self, request: Request, **found: uuid.UUID) -> HttpResponseBase:
        """409 names what blocks it; 403 says who may."""
        risk = self.get_queryset().filter(uuid=found["risk_id"]).first()
        if risk is None:
            raise Missing(f"No such {self.noun}.")
        version = etags.version_asked(request, risk)
        body = RiskMoveBody(data=request.data)
        body.is_valid(raise_exception=True)
        sent = body.validated_data
        given = Given(reason=sent.get("reason", ""), version=version)
        move(risk, sent["transition"], by=user_of(request), at=timezone.now(), given=given)
        return self._told(risk)

    def _told(self, risk: WorkAtRisk, status: int = HTTPStatus.OK) -> HttpResponseBase:
        told, etag = self.answer_about(risk.uuid)
        return Response(told, status=status, headers={"ETag": etag})
