"""Reviews over the API: which there are, their agenda, what was decided, and deciding."""

import uuid
from collections.abc import Iterable, Mapping, Sequence
from http import HTTPStatus
from typing import Any

from django.db.models import CharField, QuerySet, Value
from django.db.models.functions import Cast, Concat
from django.http import HttpResponseBase
from django.urls import reverse
from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_view
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from config.lib import etags, fields, filters
from config.lib.authz import require
from config.lib.errors import Invalid, Missing
from config.lib.parameters import ETAG, IF_MATCH_MAYBE, LOCATION
from config.lib.rows import RowSerializer
from config.lib.values import echo
from config.lib.views import ListViewSet, ReadViewSet, Row
from events.workflow import REASON_MAX, Given
from people.http import user_of
from people.models import Scope, User
from people.writing import Keyed
from projects import permissions, selectors
from projects.models import Project, Review, ReviewItem
from projects.selectors import reviews as reading
from projects.services import deciding, moving
from projects.services import reviews as services

D = ReviewItem.Decision
TAKE_BACK = "take_back"


class ReviewPersonRow(RowSerializer):
    """One of our people."""

    id = fields.UuidField(source="uuid")
    name = fields.NameField()


class ReviewRow(RowSerializer):
    """A review: planned, under way, held or cancelled."""

    id = fields.UuidField(source="uuid")
    number = fields.PlainField(source="shown_number")
    state = fields.ChoiceField(Review.State.values)
    meets_at = fields.DateTimeField()
    chair = ReviewPersonRow()
    note = fields.LinesField()
    opened_at = fields.DateTimeField(allow_null=True)
    held_at = fields.DateTimeField(allow_null=True)
    minutes = fields.LinesField()
    minutes_at = fields.DateTimeField(allow_null=True)
    version = fields.IntegerField()
    created_at = fields.DateTimeField()
    updated_at = fields.DateTimeField()


class ReviewProjectRow(RowSerializer):
    """A project on an agenda."""

    id = fields.UuidField(source="uuid")
    title = fields.NameField()
    state = fields.PlainField()


class ReviewItemRow(RowSerializer):
    """A project on the agenda, why, and what was decided."""

    id = fields.UuidField(source="uuid")
    position = fields.IntegerField()
    project = ReviewProjectRow()
    project_number = fields.PlainField(source="shown_number")
    why = fields.ChoiceField(ReviewItem.Why.values)
    words = fields.TextField()
    decision = fields.PlainField()
    outcome = fields.LinesField()
    note = fields.LinesField()
    decided_by = ReviewPersonRow(allow_null=True)
    decided_at = fields.DateTimeField(allow_null=True)
    version = fields.IntegerField()


class ReviewBody(fields.StrictSerializer):
    """When it meets; who has the chair, else you; who is invited, else the usual."""

    meets_at = fields.DateTimeField()
    chair = fields.UuidField(required=False)
    invited = serializers.ListField(
        child=fields.UuidField(), max_length=services.MOST_INVITED, required=False
    )
    note = fields.LinesField(max_length=services.NOTE_MAX, blank=True, required=False)


class ReviewMoveBody(fields.StrictSerializer):
    """`open`, `finish`, or `cancel` with a reason."""

    transition = fields.NameField(max_length=40)
    reason = fields.LinesField(max_length=REASON_MAX, blank=True, required=False)


class ItemBody(fields.StrictSerializer):
    """A project by number (PRJ-12) or id."""

    project = fields.NameField(max_length=60)


DECISION_BODY = {
    "type": "object",
    "description": "The decision, and what its move asks for: `increment` to schedule, with "
    "`stops` and `cost_days` where running work stops for it; `code` and `alternative` to "
    "decline. `take_back` makes it undecided.",
    "required": ["decision"],
    "properties": {
        "decision": {"type": "string", "enum": [*D.values, TAKE_BACK]},
        "note": {"type": "string", "maxLength": services.NOTE_MAX},
        "reason": {"type": "string", "maxLength": REASON_MAX},
        "version": {"type": "integer"},
    },
    "additionalProperties": True,
}


class AgendaLine(serializers.Serializer[Any]):
    """A project that would stand on the agenda now."""

    project = serializers.UUIDField()
    project_number = serializers.CharField()
    title = serializers.CharField()
    why = serializers.ChoiceField(choices=ReviewItem.Why.values)
    words = serializers.CharField()


class Agenda(serializers.Serializer[Any]):
    """All of them: an agenda has no pages."""

    results = AgendaLine(many=True)


def _numbered(queryset: QuerySet[Any], prefix: str, column: str) -> QuerySet[Any]:
    number = Concat(Value(prefix), Cast(column, CharField()), output_field=CharField())
    numbered: QuerySet[Any] = queryset.annotate(shown_number=number)
    return numbered


@extend_schema_view(
    create=extend_schema(request=ReviewBody, responses={201: ReviewRow}, summary="Plan a review")
)
class ReviewViewSet(Keyed, ReadViewSet):
    """The weekly reviews. Whoever may see projects may read them; DE leads run them."""

    noun = "review"
    scope, write_scope = Scope.PROJECT_READ, Scope.PROJECT_WRITE
    serializer_class = ReviewRow
    # The names of people change without it.
    answers_304 = False
    filterset_class = filters.filter_set(
        "ReviewFilters",
        filters.word("state", choices=Review.State.values),
        filters.moment("meets_at"),
        filters.moment("held_at", lookups="gte lte isnull"),
    )
    ordering = {"meets_at": "meets_at", "number": "id", "updated_at": "updated_at"}
    order_by = ("-meets_at",)
    updated_since = "updated_at"

    def get_queryset(self) -> QuerySet[Review]:
        visible = reading.reviews_visible_to(user_of(self.request))
        return _numbered(visible.order_by().select_related(None), "REV-", "pk")

    def headers_told(self) -> Sequence[OpenApiParameter]:
        match self.action:
            case "create":
                return (ETAG, LOCATION)
            case "make_move":
                return (IF_MATCH_MAYBE, ETAG)
        return ()

    def create(self, request: Request) -> HttpResponseBase:
        """Plan one; `invited` left out invites those who were invited to the last."""
        user = user_of(request)
        body = ReviewBody(data=request.data)
        body.is_valid(raise_exception=True)
        require(permissions.can_run_reviews, user)
        sent = body.validated_data
        chair = _people([sent["chair"]], "chair")[0] if "chair" in sent else None
        invited = _people(sent["invited"], "invited") if "invited" in sent else None
        review = services.plan_review(
            meets_at=sent["meets_at"],
            chair=chair,
            invited=invited,
            note=sent.get("note", ""),
            by=user,
            at=timezone.now(),
        )
        return self._told(review, HTTPStatus.CREATED)

    @extend_schema(
        request=ReviewMoveBody, responses={200: ReviewRow}, summary="Begin, finish or cancel it"
    )
    @action(detail=True, methods=["post"], url_path="transitions", url_name="transitions")
    def make_move(self, request: Request, **found: uuid.UUID) -> HttpResponseBase:
        """409 names what blocks it, such as an item that is not decided; 403 says who may."""
        review = self.one(found)
        version = etags.version_asked(request, review)
        body = ReviewMoveBody(data=request.data)
        body.is_valid(raise_exception=True)
        sent = body.validated_data
        given = Given(reason=sent.get("reason", ""), version=version)
        by, at = user_of(request), timezone.now()
        moving.move(review, sent["transition"], by=by, at=at, given=given)
        return self._told(review)

    @extend_schema(responses=Agenda, summary="What would stand on the agenda now")
    @action(detail=True)
    def agenda(self, request: Request, **found: uuid.UUID) -> HttpResponseBase:
        """In the order it would have, each project with its strongest reason."""
        lines = reading.agenda_preview(self.one(found), at=timezone.now())
        projects = Project.objects.in_bulk([line.id for line in lines])
        told = [
            {
                "project": projects[line.id].uuid,
                "project_number": projects[line.id].number,
                "title": projects[line.id].title,
                "why": line.why,
                "words": line.words,
            }
            for line in lines
        ]
        return Response(Agenda({"results": told}).data)

    def one(self, found: Mapping[str, uuid.UUID]) -> Review:
        rows = reading.reviews_visible_to(user_of(self.request))
        one = rows.filter(uuid=found[self.lookup_url_kwarg]).first()
        if one is None:
            raise Missing(f"No such {self.noun}.")
        return one

    def _told(self, review: Review, status: int = HTTPStatus.OK) -> HttpResponseBase:
        body, etag = self.answer_about(review.uuid)
        headers = {"ETag": etag}
        if status == HTTPStatus.CREATED:
            address = reverse("api:reviews-detail", kwargs={"id": review.uuid})
            headers["Location"] = self.request.build_absolute_uri(address)
        return Response(body, status=status, headers=headers)


@extend_schema_view(
    create=extend_schema(
        request=ItemBody, responses={201: ReviewItemRow}, summary="Put a project on the agenda"
    )
)
class ReviewItemViewSet(Keyed, ListViewSet):
    """The agenda of a review, with what was decided; as CSV too."""

    noun = "item of the agenda"
    scope, write_scope = Scope.PROJECT_READ, Scope.PROJECT_WRITE
    serializer_class = ReviewItemRow
    filterset_class = filters.filter_set(
        "ReviewItemFilters",
        filters.word("why", choices=ReviewItem.Why.values),
        filters.word("decision", choices=D.values),
        filters.uuid("project", path="project__uuid"),
    )
    ordering = {"position": "position", "decided_at": "decided_at"}
    order_by = ("position",)

    def get_queryset(self) -> QuerySet[ReviewItem]:
        if "review_id" not in self.kwargs:
            return ReviewItem.objects.none()
        return _numbered(ReviewItem.objects.filter(review=self.review()), "PRJ-", "project_id")

    def create(self, request: Request, **_found: uuid.UUID) -> HttpResponseBase:
        """Last, until the review is over."""
        user = user_of(request)
        body = ItemBody(data=request.data)
        body.is_valid(raise_exception=True)
        require(permissions.can_run_reviews, user)
        project = selectors.project_called(body.validated_data["project"], by=user)
        if project is None:
            raise Invalid("There is no such project.", field="project", code="unknown")
        item = services.add_item(self.review(), project, by=user, at=timezone.now())
        return self._told(item, HTTPStatus.CREATED)

    @extend_schema(
        request={"application/json": DECISION_BODY},
        responses={200: ReviewItemRow},
        summary="Decide, at once",
    )
    @action(
        detail=False,
        methods=["post"],
        url_path="<uuid:item_id>/transitions",
        url_name="transitions",
    )
    def decide(self, request: Request, **found: uuid.UUID) -> HttpResponseBase:
        """The move of the project is made with it, or nothing. 409 `decided`: who was first."""
        user, at = user_of(request), timezone.now()
        values = dict(request.data)
        decision, version = _text(values, "decision"), _version(values)
        note, reason = _text(values, "note"), _text(values, "reason")
        if decision not in {*D.values, TAKE_BACK}:
            known = ", ".join([*D.values, TAKE_BACK])
            raise Invalid(f"“{echo(decision)}” is none of: {known}.", field="decision")
        require(permissions.can_run_reviews, user)
        item = self.review().items.select_related("review").filter(uuid=found["item_id"]).first()
        if item is None:
            raise Missing(f"No such {self.noun}.")
        if decision == TAKE_BACK:
            deciding.take_back(item, reason=reason, version=version, by=user, at=at)
        else:
            wish = deciding.Wish(
                decision=decision, note=note, reason=reason, values=values, version=version
            )
            deciding.decide(item, wish, by=user, at=at)
        return self._told(item)

    def review(self) -> Review:
        rows = reading.reviews_visible_to(user_of(self.request))
        found = rows.filter(uuid=self.kwargs["review_id"]).first()
        if found is None:
            raise Missing("No such review.")
        return found

    def _told(self, item: ReviewItem, status: int = HTTPStatus.OK) -> HttpResponseBase:
        rows: Iterable[Row] = self.as_rows(self.get_queryset().filter(pk=item.pk))
        (told,) = self.answers(list(rows))
        return Response(told, status=status)


def _people(ids: Sequence[uuid.UUID], field: str) -> list[User]:
    found = {each.uuid: each for each in User.objects.filter(uuid__in=ids, is_active=True)}
    missing = [each for each in ids if each not in found]
    if missing:
        raise Invalid(f"There is no active person “{missing[0]}”.", field=field, code="unknown")
    return [found[each] for each in dict.fromkeys(ids)]


def _text(values: dict[str, Any], name: str) -> str:
    value = values.pop(name, "")
    if not isinstance(value, str):
        raise Invalid("Send a text.", field=name, code="not_a_text")
    return value


def _version(values: dict[str, Any]) -> int | None:
    value = values.pop("version", None)
    if value is not None and (isinstance(value, bool) or not isinstance(value, int)):
        raise Invalid("Send the version as a whole number.", field="version", code="not_a_number")
    return value
