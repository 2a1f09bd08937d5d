"""What customers answered, to be read. No answer comes in here: see docs/requests-sign-off.md."""

import uuid
from collections.abc import Iterable, Sequence
from typing import NoReturn

from django.core.exceptions import PermissionDenied
from django.db.models import BooleanField, QuerySet, Value
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request

from accounts.selectors import today
from config.lib import fields, filters
from config.lib.rows import RowSerializer
from config.lib.views import Row
from engagements import permissions, selectors
from engagements.api.talk import OfRequest
from engagements.models import ServiceRequest, SignOff
from people.http import user_of
from people.models import ApiToken, Scope
from people.rows import WriterRow

NOT_LIVE = Value(value=False, output_field=BooleanField())
PERSONAL = ("party_name", "party_title", "party_email", "note", "objection", "ip", "user_agent")
NEVER = (
    "A sign-off is given by the customer, or recorded and confirmed by people on the pages of "
    "Keel, never through the API."
)


class SignOffRow(RowSerializer):
    """Evidence of a customer's answer to one version. Personal values are null for most."""

    id = fields.UuidField(source="uuid")
    purpose = fields.ChoiceField(SignOff.Purpose.values)
    state = fields.ChoiceField(SignOff.State.values)
    way = fields.ChoiceField(SignOff.Way.values)
    sow = fields.IntegerField(source="sow.number", allow_null=True)
    delivery = fields.IntegerField(source="delivery.number", allow_null=True)
    digest = fields.PlainField()
    # Whether it is the agreement on which work may stand now.
    is_live = fields.BooleanField(source="live")
    answered_at = fields.DateTimeField(allow_null=True)
    recorded_at = fields.DateTimeField()
    recorded_by = WriterRow(allow_null=True)
    confirmed_by = WriterRow(allow_null=True)
    confirmed_at = fields.DateTimeField(allow_null=True)
    objected_at = fields.DateTimeField(allow_null=True)
    rating = fields.IntegerField(allow_null=True)
    receipt = fields.PlainField(allow_null=True)
    event = fields.IntegerField(source="event_id", allow_null=True)
    party_name = fields.PlainField(allow_null=True)
    party_title = fields.PlainField(allow_null=True)
    party_email = fields.PlainField(allow_null=True)
    note = fields.LinesField(allow_null=True)
    objection = fields.LinesField(allow_null=True)
    ip = fields.PlainField(allow_null=True)
    user_agent = fields.PlainField(allow_null=True)
    version = fields.IntegerField()


class SignOffViewSet(OfRequest):
    """What the customer answered to the versions and deliveries of a request, newest first.

    The customer's people, their words and addresses are answered to those who may see them, and
    to tokens of theirs with `contact:read`; they are null for everybody else.
    """

    noun = "sign-off"
    serializer_class = SignOffRow
    filterset_class = filters.filter_set(
        "SignOffFilters",
        filters.word("state", choices=SignOff.State.values),
        filters.word("way", choices=SignOff.Way.values),
        filters.word("purpose", choices=SignOff.Purpose.values),
    )
    ordering = {"recorded_at": "recorded_at"}
    order_by = ("-recorded_at",)

    def get_queryset(self) -> QuerySet[SignOff]:
        if "request_id" not in self.kwargs:
            return SignOff.objects.none()
        rows = SignOff.objects.filter(request=self.service_request())
        return rows.annotate(live=NOT_LIVE)

    def further_paths(self) -> Sequence[str]:
        return ("pk",)

    def completed(self, rows: Sequence[Row]) -> Iterable[Row]:
        request = self.service_request()
        live = selectors.live_sign_off(request, on=today(timezone.now()))
        closed = not self._sees_parties(request)
        for row in rows:
            row["live"] = live is not None and row["pk"] == live.pk
            if closed:
                row.update(dict.fromkeys(PERSONAL))
        return rows

    @extend_schema(exclude=True)
    def create(self, request: Request, **_found: uuid.UUID) -> NoReturn:
        """Refused to everybody, so that whoever tries is told why."""
        raise PermissionDenied(NEVER)

    def _sees_parties(self, request: ServiceRequest) -> bool:
        token = self.request.auth
        if isinstance(token, ApiToken) and Scope.CONTACT_READ not in token.scopes:
            return False
        return permissions.sees_parties(user_of(self.request), request)
