"""Support plans to be read, artefacts, and looks at outcomes."""

import uuid
from collections.abc import Iterable, Sequence
from http import HTTPStatus
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import BigIntegerField, BooleanField, Case, F, Func, QuerySet, Value, When
from django.http import HttpResponseBase
from django.urls import reverse
from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from config.lib import etags, fields, filters, parameters
from config.lib.errors import Invalid, Missing
from config.lib.parameters import ETAG, IF_MATCH, LOCATION
from config.lib.views import ListViewSet, ReadViewSet, Row
from engagements.models import Artefact, MaintenanceOwner
from engagements.services.keeping import look_after
from people.http import user_of
from people.models import ApiToken, Scope, User
from people.writing import Keyed
from projects import selectors
from projects.api.keeping_rows import (
    ArtefactBody,
    ArtefactRow,
    CareBody,
    CheckBody,
    CheckRow,
    SupportPlanRow,
)
from projects.api.project_bodies import resolved
from projects.models import KeptArtefact, Project, ProjectArtefact, ProjectCheck
from projects.rules.outcomes import Outcome
from projects.selectors.artefacts import IS_ORPHAN
from projects.selectors.support import SideState
from projects.services import artefacts, outcomes
from projects.services.locking import locked_project

DAYS = OpenApiParameter(
    "days",
    {"type": "integer", "enum": [30, 60, 90]},
    OpenApiParameter.PATH,
    description="Days after the close.",
)
NO_STORE = {"Cache-Control": "no-store"}
# Of both kinds of artefact: when somebody last changed it, in millionths of a second.
CHANGED = Func(
    F("at"),
    template="(extract(epoch from %(expressions)s) * 1000000)::bigint",
    output_field=BigIntegerField(),
)


def project_of(user: User, public_id: uuid.UUID) -> Project:
    found = selectors.projects_visible_to(user).filter(uuid=public_id).first()
    if found is None:
        raise Missing("No such project.")
    return found


class SupportPlanView(APIView):
    """The support plan of a project, to be read. People write and sign it in Keel."""

    noun = "support plan"
    scope = Scope.PROJECT_READ
    for_limited_tokens = True
    serializer_class = SupportPlanRow

    @extend_schema(summary="Get the support plan")
    def get(self, request: Request, project_id: uuid.UUID) -> HttpResponseBase:
        parameters.check(request, ())
        project = project_of(user_of(request), project_id)
        return Response(_told_plan(project), headers=NO_STORE)


class ArtefactViewSet(Keyed, ReadViewSet):
    """All that stays, of requests and of projects.

    What a request leaves behind is noted on its page; here it is said who looks after it.
    """

    noun = "artefact"
    scope, write_scope = Scope.PROJECT_READ, Scope.PROJECT_WRITE
    for_limited_tokens = True
    serializer_class = ArtefactRow
    # Whether it is an orphan changes with people, not with the row.
    answers_304 = False
    filterset_class = filters.filter_set(
        "ArtefactFilters",
        filters.uuid("project", path="project__uuid", lookups="exact isnull"),
        filters.uuid("request", path="request__uuid", lookups="exact isnull"),
        filters.uuid("keeper", path="keeper__uuid", lookups="exact isnull"),
        filters.word("maintained_by", choices=MaintenanceOwner.values),
        filters.boolean("depends_on_server_version"),
        filters.boolean("is_orphan"),
        filters.day("review_on", lookups="gte lte isnull"),
        filters.day("retired_on", lookups="gte lte isnull"),
    )
    ordering = {"name": "name", "review_on": "review_on", "changed_at": "at"}
    order_by = ("name",)
    search_fields = ("name",)
    updated_since = "at"

    def get_queryset(self) -> QuerySet[KeptArtefact]:
        rows = selectors.artefacts_visible_to(user_of(self.request))
        if not self.may(Scope.REQUEST_READ):
            rows = rows.filter(request=None)
        found: QuerySet[KeptArtefact] = rows.select_related(None).annotate(
            is_orphan=_is(IS_ORPHAN), version=CHANGED
        )
        return found

    def may(self, scope: Scope) -> bool:
        """What requests leave behind is for tokens that may read, or write, requests."""
        token = self.request.auth
        return not isinstance(token, ApiToken) or scope in token.scopes

    def further_paths(self) -> Sequence[str]:
        return ("version",)

    def completed(self, rows: Sequence[Row]) -> Iterable[Row]:
        for row in rows:
            row["maintained_by"] = row["maintained_by"] or None
        return rows

    @extend_schema(request=ArtefactBody, responses={201: ArtefactRow})
    def create(self, request: Request) -> HttpResponseBase:
        """Note something that stays after a project."""
        sent = _sent(ArtefactBody, request)
        user, public_id = user_of(request), sent.pop("project")
        project = selectors.projects_visible_to(user).filter(uuid=public_id).first()
        if project is None:
            raise Invalid(f"There is no project “{public_id}”.", field="project", code="unknown")
        made = artefacts.add_artefact(project, **sent, by=user, at=timezone.now())
        answer = self._told(made.uuid, HTTPStatus.CREATED)
        address = reverse("api:artefacts-detail", kwargs={"id": made.uuid})
        answer["Location"] = request.build_absolute_uri(address)
        return answer

    @extend_schema(request=CareBody, responses={200: ArtefactRow})
    @transaction.atomic
    def partial_update(self, request: Request, **found: uuid.UUID) -> HttpResponseBase:
        """Say who looks after it, until when. If-Match says from which version."""
        public_id = found["id"]
        rows: Any = self.get_queryset().filter(uuid=public_id)
        row = rows.select_related("project").first()
        if row is None:
            raise Missing(f"No such {self.noun}.")
        if row.project:
            # First, as everybody does who changes what hangs on it.
            locked_project(row.project)
        model: Any = ProjectArtefact if row.project else Artefact
        artefact = model.objects.select_for_update().get(uuid=public_id)
        etags.require_match(request, etags.etag_of(public_id, rows.get().version))
        sent, user, at = _sent(CareBody, request), user_of(request), timezone.now()
        if isinstance(artefact, Artefact):
            if not self.may(Scope.REQUEST_WRITE):
                raise PermissionDenied(f"This token has no scope {Scope.REQUEST_WRITE}.")
            look_after(artefact, **sent, by=user, at=at)
        else:
            artefacts.change_artefact(artefact, **sent, by=user, at=at)
        return self._told(public_id)

    def headers_told(self) -> Sequence[OpenApiParameter]:
        match self.action:
            case "create":
                return (ETAG, LOCATION)
            case "partial_update":
                return (IF_MATCH, ETAG)
        return ()

    def _told(self, public_id: uuid.UUID, status: int = HTTPStatus.OK) -> Response:
        body, etag = self.answer_about(public_id)
        return Response(body, status=status, headers={"ETag": etag})


class ProjectCheckViewSet(Keyed, ListViewSet):
    """Looks at whether the seats came, 30, 60 and 90 days after a project was closed."""

    noun = "look at the outcome"
    scope, write_scope = Scope.PROJECT_READ, Scope.PROJECT_WRITE
    for_limited_tokens = True
    serializer_class = CheckRow
    ordering = {"days": "days"}
    order_by = ("days",)
    lookup_field = "days"
    lookup_url_kwarg = "days"
    lookup_value_converter = "int"

    def get_queryset(self) -> QuerySet[ProjectCheck]:
        if "project_id" not in self.kwargs:
            return _with_realised(ProjectCheck.objects.none())
        project = project_of(user_of(self.request), self.kwargs["project_id"])
        return _with_realised(ProjectCheck.objects.filter(project=project))

    def completed(self, rows: Sequence[Row]) -> Iterable[Row]:
        for row in rows:
            row["verdict"] = row["verdict"] or None
            row["realised"] = Outcome(
                promised=row["seats_promised"],
                before=row["seats_before"],
                found=row["seats_found"],
            ).realised
        return rows

    @extend_schema(
        request=CheckBody,
        responses={200: CheckRow},
        parameters=[DAYS],
        summary="Record what came of it",
    )
    @action(detail=True, methods=["post"])
    def record(self, request: Request, **found: Any) -> HttpResponseBase:
        """Once it is due, by its owner, its leads or a DE lead. The verdict follows from it."""
        check = self.get_queryset().filter(days=min(found["days"], 366)).first()
        if check is None:
            raise Missing(f"No such {self.noun}.")
        body = CheckBody(data=request.data)
        body.is_valid(raise_exception=True)
        sent = body.validated_data
        outcomes.record_check(
            check,
            seats_found=sent["seats_found"],
            note=sent.get("note") or "",
            by=user_of(request),
            at=timezone.now(),
        )
        (told,) = self.answers(list(self.as_rows(self.get_queryset().filter(pk=check.pk))))
        return Response(told)


def _with_realised(rows: QuerySet[ProjectCheck]) -> QuerySet[ProjectCheck]:
    """Leave room for what `completed` works out."""
    found: QuerySet[ProjectCheck] = rows.annotate(
        realised=Value(None, output_field=BigIntegerField())
    )
    return found


def _is(condition: Any) -> Any:
    yes, no = Value(value=True), Value(value=False)
    return Case(When(condition, then=yes), default=no, output_field=BooleanField())


def _sent(form: type[fields.StrictSerializer], request: Request) -> dict[str, Any]:
    body = form(data=request.data)
    body.is_valid(raise_exception=True)
    sent = dict(body.validated_data)
    if "maintained_by" in sent:
        sent["maintained_by"] = sent["maintained_by"] or ""
    return resolved(sent, by=user_of(request))


def _told_plan(project: Project) -> dict[str, Any]:
    signatures = selectors.signatures_of(project)
    told: dict[str, Any] = {
        "project": str(project.uuid),
        "number": project.number,
        "is_needed": bool(project.builds_code),
        "is_signed": signatures is not None and not selectors.why_not_signed(project),
    }
    if signatures is None:
        nothing = dict.fromkeys(SupportPlanRow().fields.keys() - told.keys())
        return {**told, **nothing, "sides": []}
    plan = signatures.plan
    return {
        **told,
        "mode": plan.mode,
        "maintained_by": plan.maintained_by,
        "depends_on_server_version": plan.depends_on_server_version,
        "text": plan.text,
        "digest": signatures.digest,
        "is_official": selectors.is_official(plan, project),
        "written_by": _person(plan.written_by),
        "written_at": fields.DateTimeField.write(plan.written_at),
        "version": plan.version,
        "sides": [_side(each) for each in signatures.sides],
    }


def _side(state: SideState) -> dict[str, Any]:
    answer = state.answer
    told = answer and {
        "agrees": answer.agrees,
        "note": answer.note,
        "digest": answer.digest,
        "by": _person(answer.by),
        "at": fields.DateTimeField.write(answer.at),
    }
    return {
        "side": state.side,
        "answer": told,
        "waits_for": [_person(each) for each in state.waits_for],
    }


def _person(person: User) -> dict[str, str]:
    return {"id": str(person.uuid), "name": person.name}
