"""Files that bring facts in, from upload to undo."""

import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict
from http import HTTPStatus
from typing import Any, TypeVar

from django.core.exceptions import PermissionDenied
from django.db.models import (
    F,
    Func,
    IntegerField,
    JSONField,
    OuterRef,
    QuerySet,
    Subquery,
    TextField,
    Value,
)
from django.db.models.functions import Cast, Concat
from django.http import HttpResponseBase
from django.urls import reverse
from django.utils import timezone
from drf_spectacular.utils import OpenApiResponse, extend_schema, extend_schema_view
from rest_framework.decorators import action
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import permissions
from accounts.api import import_bodies as bodies
from accounts.imports import lifecycle
from accounts.imports.moves import AT_WORK
from accounts.imports.running import PlanChanged
from accounts.models import Account, Import
from accounts.models import ImportRow as Found
from accounts.selectors.imports import applied_before, imports_visible_to, rows_of
from config.lib import filters
from config.lib.authz import require
from config.lib.errors import Missing
from config.lib.fields import StrictSerializer
from config.lib.parsers import StrictJSONParser
from config.lib.problems import MEDIA_TYPE
from config.lib.uploads import form_of
from config.lib.values import moment_text
from config.lib.views import ListViewSet, ReadViewSet, Row
from people.http import user_of
from people.models import ApiToken, Scope
from people.writing import Keyed

Method = TypeVar("Method", bound=Callable[..., HttpResponseBase])
ERRORS_SHOWN = 100
HIDDEN = "(personal)"
GOING_ON = OpenApiResponse(bodies.ImportRow, "A worker goes on with it: see `Location`.")
ANSWERS = {200: bodies.ImportRow, 202: GOING_ON}
OUTDATED = {
    (412, MEDIA_TYPE): OpenApiResponse(
        {"$ref": "#/components/schemas/Problem"},
        "The facts changed since the preview, or it was another one; look at the plan again.",
    )
}
# What no column gives; filled in for the answer about one.
MADE_UP = ("errors", "applied_before", "progress")
NOTHING_YET = Value(None, output_field=JSONField())


def _act(
    body: Any, summary: str, refusals: Mapping[Any, Any] | None = None
) -> Callable[[Method], Method]:
    """Make an address of its own for what is done with an import."""

    def decorated(method: Method) -> Method:
        made: Any = action(detail=True, methods=["post"], parser_classes=[StrictJSONParser])(method)
        responses = {**ANSWERS, **(refusals or {})}
        described: Method = extend_schema(request=body, responses=responses, summary=summary)(made)
        return described

    return decorated


@extend_schema_view(
    list=extend_schema(responses=bodies.ImportSummaryRow(many=True)),
    create=extend_schema(
        request={"multipart/form-data": bodies.UploadBody},
        responses={201: bodies.ImportRow, 202: GOING_ON},
        summary="Upload a file, and check it",
    ),
)
class ImportViewSet(Keyed, ReadViewSet):
    """Imports: upload a file, look at what it would change, apply it, undo it.

    A file with our own column names, or with a mapping named, is checked at once. Any other is
    `uploaded` until its mapping is posted.
    """

    noun = "import"
    scope = write_scope = Scope.IMPORT_RUN
    rate = "import"
    key_needed = frozenset({"create"})
    parser_classes = (MultiPartParser,)
    serializer_class = bodies.ImportRow
    # Progress, and whether the file was applied before, change without the import.
    answers_304 = False
    filterset_class = filters.filter_set(
        "ImportFilters",
        filters.word("kind", choices=Import.Kind.values),
        filters.word("status", choices=Import.Status.values),
        filters.word("source"),
        filters.moment("created_at"),
        filters.moment("applied_at", lookups="gte lte isnull"),
    )
    ordering = {"created_at": "created_at", "applied_at": "applied_at"}
    order_by = ("-created_at",)
    search_fields = ("filename",)
    updated_since = "moved_at"

    def get_queryset(self) -> QuerySet[Import]:
        user = user_of(self.request)
        require(permissions.can_see_imports, user)
        made_up = {} if self.is_list() else dict.fromkeys(MADE_UP, NOTHING_YET)
        number = Concat(Value("IMP-"), Cast("pk", TextField()), output_field=TextField())
        left_out = Func(F("excluded"), function="jsonb_array_length", output_field=IntegerField())
        imports = imports_visible_to(user).order_by().select_related(None)
        return imports.annotate(shown_number=number, left_out=left_out, **made_up)

    def get_serializer_class(self) -> Any:
        return bodies.ImportSummaryRow if self.is_list() else bodies.ImportRow

    def answer_about(self, public_id: uuid.UUID) -> tuple[dict[str, Any], str]:
        found, etag = super().answer_about(public_id)
        import_ = Import.objects.get(uuid=public_id)
        progress = lifecycle.progress_of(import_)
        before = applied_before(import_)
        found |= {
            "errors": _errors(import_, may_see=_may_see_rows(self.request, import_)),
            "applied_before": before and moment_text(before),
            "progress": progress and asdict(progress),
            "undone": _undone(import_),
        }
        return found, etag

    def create(self, request: Request, **_found: uuid.UUID) -> HttpResponseBase:
        body = bodies.UploadBody(data=form_of(request.data))
        body.is_valid(raise_exception=True)
        given = body.validated_data
        sent = given.pop("file")
        import_ = lifecycle.upload(file=sent.file, filename=sent.name, **given, **self.by_whom())
        return self.told(import_, HTTPStatus.CREATED)

    @extend_schema(responses=bodies.SheetRow, summary="Get the head of a file, and ideas")
    @action(detail=True, url_path="mapping", url_name="mapping", parser_classes=[StrictJSONParser])
    def sheet(self, request: Request, **found: uuid.UUID) -> HttpResponseBase:
        """Its header, its first rows, and which columns may be ours; `how` says where from."""
        import_ = self.one(found)
        if not _may_see_rows(request, import_):
            raise PermissionDenied(f"This token has no scope {Scope.CONTACT_READ}.")
        return Response(bodies.sheet_answer(lifecycle.sheet_of(import_)))

    @extend_schema(
        request=bodies.MappingBody, responses=ANSWERS, summary="Choose a mapping, and check"
    )
    @sheet.mapping.post
    def choose_mapping(self, request: Request, **found: uuid.UUID) -> HttpResponseBase:
        """Read the file so. The mapping is all there is to it, but for the source."""
        import_ = self.one(found)
        given = _given(bodies.MappingBody, request)
        raw = given["mapping"]
        if isinstance(raw, str):
            raw = lifecycle.mapping_named(raw, import_.kind).raw
        return self.told(
            lifecycle.choose_mapping(
                import_, raw, save_as=given.get("save_as", ""), **self.by_whom()
            )
        )

    @_act(bodies.ExcludeBody, "Leave rows out, and check again")
    def exclude(self, request: Request, **found: uuid.UUID) -> HttpResponseBase:
        """Makes a new plan, in which these rows do not take part."""
        import_ = self.one(found)
        rows = _given(bodies.ExcludeBody, request)["rows"]
        if rows == bodies.NONE:
            return self.told(lifecycle.include_all(import_, **self.by_whom()))
        chosen = None if rows == bodies.BAD else rows
        return self.told(lifecycle.exclude(import_, chosen, **self.by_whom()))

    @_act(bodies.ApplyBody, "Apply an import", OUTDATED)
    def apply(self, request: Request, **found: uuid.UUID) -> HttpResponseBase:
        """Whole, or not at all. 412: the plan is another one by now; look at it again."""
        import_ = self.one(found)
        plan_hash = _given(bodies.ApplyBody, request)["plan_hash"]
        return self.told(lifecycle.request_apply(import_, plan_hash=plan_hash, **self.by_whom()))

    @_act(bodies.ApplyBody, "Approve a mass change", OUTDATED)
    def approve(self, request: Request, **found: uuid.UUID) -> HttpResponseBase:
        """For another person than the one who uploaded it; applies it."""
        import_ = self.one(found)
        plan_hash = _given(bodies.ApplyBody, request)["plan_hash"]
        return self.told(lifecycle.approve(import_, plan_hash=plan_hash, **self.by_whom()))

    @_act(None, "Undo an import")
    def undo(self, request: Request, **found: uuid.UUID) -> HttpResponseBase:
        """Within 24 hours; facts that were changed since stay, and are told in `undone`."""
        return self.told(lifecycle.undo(self.one(found), **self.by_whom()))

    @_act(None, "Discard an import")
    def discard(self, request: Request, **found: uuid.UUID) -> HttpResponseBase:
        """Of what is not applied."""
        return self.told(lifecycle.discard(self.one(found), **self.by_whom()))

    def handle_exception(self, exc: Exception) -> Any:
        if isinstance(exc, PlanChanged):
            # A request with a key is rolled back, and with it the fresh plan that was made.
            outdated = _given(bodies.ApplyBody, self.request)["plan_hash"]
            lifecycle.renew_plan(self.one(self.kwargs), outdated=outdated, **self.by_whom())
        return super().handle_exception(exc)

    def one(self, found: Mapping[str, uuid.UUID]) -> Import:
        user = user_of(self.request)
        require(permissions.can_see_imports, user)
        import_ = imports_visible_to(user).filter(uuid=found["id"]).first()
        if import_ is None:
            raise Missing("No such import.")
        return import_

    def by_whom(self) -> dict[str, Any]:
        return {"by": user_of(self.request), "at": timezone.now()}

    def told(self, import_: Import, status: int = HTTPStatus.OK) -> HttpResponseBase:
        """Answer with the import as it is now; 202 where a worker goes on with it."""
        answer, etag = self.answer_about(import_.uuid)
        headers = {"ETag": etag}
        if import_.status in AT_WORK:
            status = HTTPStatus.ACCEPTED
        if status != HTTPStatus.OK:
            headers["Location"] = reverse("api:imports-detail", args=[import_.uuid])
        return Response(answer, status=status, headers=headers)


class ImportLineViewSet(ListViewSet):
    """What the last check says of the rows of a file, but for the unchanged ones."""

    noun = "import row"
    scope = Scope.IMPORT_RUN
    serializer_class = bodies.LineRow
    filterset_class = filters.filter_set(
        "ImportLineFilters", filters.word("outcome", choices=Found.Outcome.values)
    )
    ordering = {"row": "row"}
    order_by = ("row",)

    def get_queryset(self) -> QuerySet[Found]:
        if "import_id" not in self.kwargs:
            return Found.objects.none()
        user = user_of(self.request)
        require(permissions.can_see_imports, user)
        import_ = imports_visible_to(user).filter(uuid=self.kwargs["import_id"]).first()
        if import_ is None:
            raise Missing("No such import.")
        if not _may_see_rows(self.request, import_):
            raise PermissionDenied(f"This token has no scope {Scope.CONTACT_READ}.")
        accounts = Account.objects.filter(pk=OuterRef("account_id"))
        return rows_of(import_).order_by().annotate(account_uuid=Subquery(accounts.values("uuid")))

    def completed(self, rows: Sequence[Row]) -> Iterable[Row]:
        for row in rows:
            row["changes"] = [
                {"column": column, "before": before, "after": after}
                for column, before, after in row["changes"]
            ]
            row["problems"] = [_problem(row["row"], problem) for problem in row["problems"]]
        return rows


def _given(body: type[StrictSerializer], request: Request) -> dict[str, Any]:
    found = body(data=request.data)
    found.is_valid(raise_exception=True)
    given: dict[str, Any] = found.validated_data
    return given


def _errors(import_: Import, *, may_see: bool) -> list[dict[str, Any]]:
    bad = rows_of(import_, Found.Outcome.ERROR).values_list("row", "problems")[:ERRORS_SHOWN]
    found = [_problem(row, problem) for row, problems in bad for problem in problems]
    if not may_see:
        found = [{**each, "value": HIDDEN, "detail": HIDDEN} for each in found]
    return found[:ERRORS_SHOWN]


def _undone(import_: Import) -> dict[str, Any] | None:
    if import_.undone is None:
        return None
    skipped = [{"label": label, "reason": reason} for label, reason in import_.undone["skipped"]]
    return {**import_.undone, "skipped": skipped}


def _problem(row: int, problem: Sequence[str]) -> dict[str, Any]:
    column, value, detail, code = problem
    return {"row": row, "column": column, "value": value, "detail": detail, "code": code}


def _may_see_rows(request: Request, import_: Import) -> bool:
    """Whether what stands in the rows is shown; of contacts only by a token for contacts."""
    token = request.auth
    if import_.kind != Import.Kind.CONTACTS or not isinstance(token, ApiToken):
        return True
    return Scope.CONTACT_READ in token.scopes
