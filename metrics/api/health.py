"""How an account fares, the policy behind it, and its owner's word."""

import datetime as dt
import uuid
from collections.abc import Iterable, Sequence
from http import HTTPStatus
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import QuerySet
from django.http import HttpResponseBase
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts import selectors as accounts
from accounts.models import Account
from config.lib import fields, filters, parameters, values
from config.lib.authz import require
from config.lib.errors import Invalid, Missing
from config.lib.rows import RowSerializer
from config.lib.views import ListViewSet
from metrics import permissions
from metrics.models import HealthOverride, HealthPolicy, HealthRow
from metrics.rules.health import KNOWN
from metrics.selectors import health, rows
from metrics.selectors.health import Standing
from metrics.selectors.health_words import SEAT_COUNTS, SOURCES, unknown_text
from metrics.services.health_overrides import REASON_MAX, end_override, override_health
from people.http import user_of
from people.models import Scope, User
from people.rows import WriterRow
from people.writing import Keyed

NO_STORE = {"Cache-Control": "no-store"}
BAND = {
    "type": "object",
    "properties": {"name": {"type": "string"}, "from": {"type": "integer"}},
}
MOMENTS = (parameters.AS_OF, parameters.KNOWN_AT)


class HealthPartRow(RowSerializer):
    """`points` of `share`, which is what of `weight` it has once what is not known is shared out.

    `state` is `known`, or why it is not; `value` depends on the part. `oldest` is the observation
    furthest back in it, and `age_days` its age on the day.
    """

    code = fields.PlainField()
    weight = fields.IntegerField()
    state = fields.PlainField()
    value = fields.PlainField(allow_null=True)
    points = fields.RatioField()
    share = fields.RatioField()
    why = fields.PlainField(allow_null=True)
    source = fields.PlainField()
    oldest = fields.DateTimeField(allow_null=True)
    age_days = fields.IntegerField(allow_null=True)


class HealthOverrideRow(serializers.Serializer[Any]):
    """What an owner says beside the score, and the last day it stands."""

    id = fields.UuidField()
    band = fields.PlainField()
    reason = fields.LinesField()
    until = fields.DateField()
    by = WriterRow()
    at = fields.DateTimeField()


class HealthAnswerRow(serializers.Serializer[Any]):
    """`score` is null where nothing is known; `known` is the share of the weights that is.

    Points of the parts add up to the score. `as_of` is the day it was worked out for, `since` the
    day from which on the account is in its band, `change` the difference to 30 days before.
    """

    account = fields.UuidField()
    as_of = fields.DateField(allow_null=True)
    computed_at = fields.DateTimeField(allow_null=True)
    policy = fields.IntegerField(allow_null=True)
    score = fields.RatioField(allow_null=True)
    band = fields.PlainField(allow_null=True)
    since = fields.DateField(allow_null=True)
    change = fields.RatioField(allow_null=True)
    known = fields.RatioField(allow_null=True)
    parts = HealthPartRow(many=True)
    override = HealthOverrideRow(allow_null=True)


class HealthOverrideBody(fields.StrictSerializer):
    """One of the bands of the policy, why, and the last day it stands."""

    band = fields.TextField(max_length=20)
    reason = fields.LinesField(max_length=REASON_MAX)
    until = fields.DateField()


class HealthPolicyRow(RowSerializer):
    """Points of each part with its parameters, and where bands begin, from `start` on."""

    id = fields.UuidField(source="uuid")
    number = fields.IntegerField()
    start = fields.DateField()
    parts = fields.JsonListField({"type": "object", "additionalProperties": True})
    bands = fields.JsonListField(BAND)
    owner = fields.PlainField()
    note = fields.LinesField()


class _OfAccount(APIView):
    """Something of one account, which the reader may know of."""

    scope = Scope.METRICS_READ
    write_scope = Scope.METRICS_WRITE
    for_limited_tokens = True

    def account(self, account_id: uuid.UUID, *known: str) -> Account:
        parameters.check(self.request, known)
        user = user_of(self.request)
        require(permissions.can_see_metrics, user)
        found = accounts.accounts_visible_to(user).filter(uuid=account_id).first()
        if found is None:
            raise Missing("No such account.")
        return found


class AccountHealthView(_OfAccount):
    """How an account fares."""

    noun = "health"
    serializer_class = HealthAnswerRow

    @extend_schema(summary="Get the health of an account", parameters=list(MOMENTS))
    def get(self, request: Request, account_id: uuid.UUID) -> HttpResponseBase:
        """By the newest night, or by that of a day. Each point is explained."""
        account = self.account(account_id, "as_of", "known_at")
        today = accounts.today(timezone.now())
        day = parameters.read(request, "as_of", values.parse_date, today)
        if day > today:
            raise Invalid("This day has not come yet.", field="as_of", code="future_day")
        known_at = parameters.read(request, "known_at", values.parse_datetime, None)
        standing = health.standing_of(account, day=day, known_at=known_at)
        return Response(told(account, standing), headers=NO_STORE)


class AccountHealthOverrideView(Keyed, _OfAccount):
    """An owner's word beside the score."""

    noun = "health by hand"
    serializer_class = HealthOverrideRow

    @extend_schema(
        request=HealthOverrideBody,
        responses={201: HealthOverrideRow},
        summary="Set the health of an account by hand",
    )
    def post(self, request: Request, account_id: uuid.UUID) -> HttpResponseBase:
        """Its primary TAM or CSM, a DE lead and leadership do, for 180 days at most.

        One that stood before ends with it. The score stays beside it.
        """
        account = self.account(account_id)
        form = HealthOverrideBody(data=request.data)
        form.is_valid(raise_exception=True)
        found = override_health(
            account, **form.validated_data, by=user_of(request), at=timezone.now()
        )
        return Response(_override(found), status=HTTPStatus.CREATED)

    @extend_schema(responses={204: None}, summary="End the health set by hand")
    def delete(self, request: Request, account_id: uuid.UUID) -> HttpResponseBase:
        """Let the score speak alone again."""
        end_override(self.account(account_id), by=user_of(request), at=timezone.now())
        return Response(status=HTTPStatus.NO_CONTENT)


class HealthPolicyViewSet(ListViewSet):
    """How health is worked out, by date. The one in force is the last that has begun."""

    noun = "health policy"
    scope = Scope.METRICS_READ
    serializer_class = HealthPolicyRow
    filterset_class = filters.filter_set(
        "HealthPolicyFilters", filters.day("start", lookups="lte gte")
    )
    ordering = {"start": "start", "number": "number"}
    order_by = ("-start",)

    def get_queryset(self) -> QuerySet[HealthPolicy]:
        policies = HealthPolicy.objects.all()
        seen = permissions.can_see_metrics(user_of(self.request))
        return policies if seen else policies.none()

    def as_rows(self, queryset: QuerySet[Any, Any]) -> QuerySet[Any, Any]:
        return queryset

    def answers(self, found: Sequence[Any]) -> Iterable[dict[str, Any]]:
        for row in found:
            yield {
                "id": str(row.uuid),
                "number": row.number,
                "start": fields.DateField.write(row.start),
                "parts": row.parts,
                "bands": row.bands,
                "owner": row.owner,
                "note": row.note,
            }


def told(account: Account, standing: Standing) -> dict[str, Any]:
    row, night, override = standing.row, standing.night, standing.override
    return {
        "account": str(account.uuid),
        "as_of": fields.DateField.write(night.day) if night else None,
        "computed_at": fields.DateTimeField.write(night.computed_at) if night else None,
        "policy": row.policy.number if row else None,
        "score": _text(row.score) if row else None,
        "band": (row.band or None) if row else None,
        "since": fields.DateField.write(standing.since) if standing.since else None,
        "change": _text(standing.change),
        "known": _text(row.known) if row else None,
        "parts": _parts(row, standing) if row else [],
        "override": _override(override) if override else None,
    }


def _parts(row: HealthRow, standing: Standing) -> list[dict[str, Any]]:
    assert standing.night is not None  # noqa: S101 it has a row
    oldest = rows.oldest_readings(standing.night.run, [row.account_id]).get(row.account_id)
    return [
        _part(part.code, part.weight, row, oldest, standing.night.day)
        for part in health.read(row.policy).parts
    ]


def _part(
    code: str, weight: int, row: HealthRow, oldest: dt.datetime | None, day: dt.date
) -> dict[str, Any]:
    said = row.parts.get(code, {})
    is_known = said.get("state") == KNOWN
    has_age = oldest is not None and is_known and SOURCES[code] == SEAT_COUNTS
    value = said.get("value")
    return {
        "code": code,
        "weight": weight,
        "state": said.get("state", ""),
        "value": None if value is None else str(value),
        "points": said.get("points", "0.0"),
        "share": said.get("share", "0.0"),
        "why": None if is_known else unknown_text(said.get("state", ""), weight, row),
        "source": SOURCES[code].lower().replace(" ", "_"),
        "oldest": fields.DateTimeField.write(oldest) if has_age and oldest else None,
        "age_days": _age(oldest, day) if has_age and oldest else None,
    }


def _age(moment: dt.datetime, day: dt.date) -> int:
    return (day - moment.astimezone(ZoneInfo(accounts.company().time_zone)).date()).days


def _override(found: HealthOverride) -> dict[str, Any]:
    return {
        "id": str(found.uuid),
        "band": found.band,
        "reason": found.reason,
        "until": fields.DateField.write(found.until),
        "by": _person(found.by),
        "at": fields.DateTimeField.write(found.at),
    }


def _person(user: User) -> dict[str, str]:
    return {"id": str(user.uuid), "name": user.name}


def _text(value: Any) -> str | None:
    return None if value is None else f"{value}"
