"""Service requests: filed, changed while they are drafts, moved from state to state."""

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from django.db.models import CharField, QuerySet, Value
from django.db.models.functions import Cast, Concat
from django.http import HttpResponseBase
from django.urls import reverse
from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import selectors as accounts
from config.lib import etags, filters
from config.lib.authz import require
from config.lib.bodies import checked
from config.lib.errors import Missing
from config.lib.parameters import ETAG, IF_MATCH, IF_MATCH_MAYBE, LOCATION
from config.lib.views import ReadViewSet, Row
from engagements import move_bodies, selectors
from engagements.api import request_bodies as bodies
from engagements.models import Effort, Owner, RequestState, RequestType, ServiceRequest
from engagements.permissions import can_file_requests, sees_all_parties
from engagements.services import move, options
from engagements.services.asking import ask_move
from engagements.services.requests import file_request, save_draft
from people.http import user_of
from people.models import Scope, User
from people.permissions import reaches
from people.writing import Keyed

ID = "id"
FORMER_ACCOUNT = "successor_of__account__uuid"


class ServiceRequestViewSet(Keyed, ReadViewSet):
    """Requests you may know of: all but the drafts of others."""

    noun = "service request"
    scope, write_scope = Scope.REQUEST_READ, Scope.REQUEST_WRITE
    for_limited_tokens = True
    serializer_class = bodies.ServiceRequestRow
    # Names, and who sees the contact, change without the request.
    answers_304 = False
    filterset_class = filters.filter_set(
        "ServiceRequestFilters",
        filters.word("state", choices=RequestState.values),
        filters.word("type", choices=RequestType.values),
        filters.word("owner", choices=Owner.values),
        filters.uuid("account", path="account__uuid"),
        filters.uuid("filed_by", path="filed_by__uuid"),
        filters.uuid("lead", path="lead__uuid"),
        filters.integer("impact"),
        filters.word("effort", choices=Effort.values),
        filters.boolean("fast_path"),
        filters.day("needed_by", lookups="gte lte isnull"),
        filters.day("start", lookups="gte lte isnull"),
        filters.moment("submitted_at", lookups="gte lte isnull"),
        filters.moment("delivered_at", lookups="gte lte isnull"),
        filters.moment("moved_at"),
        filters.moment("updated_at"),
    )
    ordering = {
        "number": "id",
        "title": "title",
        "impact": "impact",
        "needed_by": "needed_by",
        "submitted_at": "submitted_at",
        "moved_at": "moved_at",
        "updated_at": "updated_at",
    }
    order_by = ("-id",)
    search_fields = ("title",)
    updated_since = "updated_at"

    def get_queryset(self) -> QuerySet[ServiceRequest]:
        number = Concat(Value("REQ-"), Cast("pk", CharField()), output_field=CharField())
        visible = selectors.requests_visible_to(user_of(self.request))
        return visible.order_by().select_related(None).annotate(shown_number=number)

    def further_paths(self) -> Sequence[str]:
        return ("account_id", "filed_by_id", FORMER_ACCOUNT)

    def completed(self, rows: Sequence[Row]) -> Iterable[Row]:
        user = user_of(self.request)
        sees = _Sight.of(user)
        for row in rows:
            if not sees.parties_of(row):
                row["contact__uuid"] = None
            former = row[FORMER_ACCOUNT]
            if former is not None and not reaches(user, former):
                row["successor_of__uuid"] = None
        return rows

    def create(self, request: Request) -> HttpResponseBase:
        """File one: a draft that only you see or, with `submit`, sent and routed at once."""
        require(can_file_requests, user_of(request))
        answers = checked(bodies.ServiceRequestCreate, request.data)
        submit = answers.pop("submit", False)
        filed = file_request(answers, by=user_of(request), at=timezone.now(), submit=submit)
        return self._told(filed, HTTPStatus.CREATED)

    def partial_update(self, request: Request, **found: uuid.UUID) -> HttpResponseBase:
        """Change answers of a draft. If-Match says from which version."""
        draft = self.one(found)
        etags.require_match(request, etags.etag_of(draft.uuid, draft.version))
        answers = checked(bodies.ServiceRequestBody, request.data)
        # The service finds out under the lock whether it still is this version.
        by, at = user_of(request), timezone.now()
        return self._told(save_draft(draft, answers, by=by, at=at, version=draft.version))

    @extend_schema(responses=bodies.TransitionOptions, summary="List what may happen next")
    @action(detail=True)
    def transitions(self, request: Request, **found: uuid.UUID) -> HttpResponseBase:
        """Every move from its state: for whom it is, what blocks it, what it asks for."""
        one = self.one(found)
        offered = options(one, user_of(request), at=timezone.now())
        return move_bodies.options_told(one, offered)

    @extend_schema(
        request={"application/json": move_bodies.MOVE_BODY},
        responses={200: bodies.ServiceRequestRow},
        summary="Make a move",
    )
    @transitions.mapping.post
    def make_move(self, request: Request, **found: uuid.UUID) -> HttpResponseBase:
        """409 names what blocks it; 403 says who may; 400 names what is missing or wrong."""
        one = self.one(found)
        name, given = move_bodies.move_asked(request, one)
        move(one, name, by=user_of(request), at=timezone.now(), given=given)
        return self._told(one)

    @extend_schema(
        request=move_bodies.AskBody,
        responses={201: move_bodies.AskedMove},
        summary="Ask for a move",
    )
    @action(detail=True, methods=["post"], url_path="transitions/ask", url_name="ask")
    def ask(self, request: Request, **found: uuid.UUID) -> HttpResponseBase:
        """Ask those who may for a move that you may not make; they are told."""
        one = self.one(found)
        name, note = move_bodies.wish_sent(request.data)
        asked = ask_move(one, name, by=user_of(request), at=timezone.now(), note=note)
        return Response(move_bodies.told_asked(asked), status=HTTPStatus.CREATED)

    def bodies(self) -> Mapping[str, type[serializers.Serializer[Any]]]:
        return {"create": bodies.ServiceRequestCreate, "partial_update": bodies.ServiceRequestBody}

    def headers_told(self) -> Sequence[OpenApiParameter]:
        match self.action:
            case "create":
                return (ETAG, LOCATION)
            case "partial_update":
                return (IF_MATCH, ETAG)
            case "make_move":
                return (IF_MATCH_MAYBE, ETAG)
        return ()

    def answers_told(self) -> Mapping[int, type[serializers.Serializer[Any]]] | None:
        return {201: self.serializer_class} if self.action == "create" else None

    def one(self, found: Mapping[str, uuid.UUID]) -> ServiceRequest:
        visible = selectors.requests_visible_to(user_of(self.request))
        one = visible.select_related("contact").filter(uuid=found[ID]).first()
        if one is None:
            raise Missing(f"No such {self.noun}.")
        return one

    def _told(self, request: ServiceRequest, status: int = HTTPStatus.OK) -> HttpResponseBase:
        body, etag = self.answer_about(request.uuid)
        headers = {"ETag": etag}
        if status == HTTPStatus.CREATED:
            address = reverse("api:service-requests-detail", kwargs={ID: request.uuid})
            headers["Location"] = self.request.build_absolute_uri(address)
        return Response(body, status=status, headers=headers)


@dataclass(frozen=True)
class _Sight:
    """Of which requests somebody sees the customer's people: permissions.sees_parties, of many."""

    user: User
    sees_all: bool
    own_accounts: frozenset[int]

    @classmethod
    def of(cls, user: User) -> "_Sight":
        own: frozenset[int] = frozenset()
        if can_file_requests(user):
            today = accounts.today(timezone.now())
            own = frozenset(accounts.own_account_ids(user, on=today))
        return cls(user, sees_all_parties(user), own)

    def parties_of(self, row: Row) -> bool:
        if self.sees_all:
            return True
        is_own = row["account_id"] in self.own_accounts or row["filed_by_id"] == self.user.pk
        return is_own and can_file_requests(self.user)
