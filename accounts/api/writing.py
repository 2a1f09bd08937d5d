"""How facts are written over the API: bodies in, calls of services, answers with versions out."""

import uuid
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, ClassVar

from django.http import HttpResponseBase
from django.urls import reverse
from drf_spectacular.utils import OpenApiParameter
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.exceptions import ErrorDetail, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import permissions
from accounts.services.changes import EXISTS, MUST_BE_NEW, STALE, Problem, Refused
from accounts.services.upserts import (
    CREATED,
    UNCHANGED,
    UPDATED,
    Wanted,
    Written,
    default_of,
    write_facts,
)
from config.lib import etags, fields
from config.lib.authz import require
from config.lib.bodies import ITEMS, Forms, checked, checked_items
from config.lib.errors import Conflict, Missing, StaleWrite
from config.lib.parameters import ETAG, IF_MATCH, IF_MATCH_MAYBE, LOCATION
from config.lib.parsers import BulkJSONParser
from config.lib.problems import FieldError
from config.lib.retries import tried_again
from config.lib.values import BadValue, parse_external_id, parse_source
from config.lib.views import ListViewSet, ReadViewSet
from people.http import user_of
from people.models import User
from people.writing import Keyed

READS = frozenset({"list", "retrieve"})
OUTER_ID = ("source", "external_id")
WRITES = frozenset({"post", "put", "patch"})
OUTCOMES = (CREATED, UPDATED, UNCHANGED)


class BulkResult(serializers.Serializer[Any]):
    """What became of one item; results are in the order of the items."""

    id = fields.UuidField()
    external_id = fields.ExternalIdField(allow_null=True)
    version = fields.IntegerField()
    outcome = fields.ChoiceField(OUTCOMES)


class BulkAnswer(serializers.Serializer[Any]):
    """How many items had which outcome, and each one's."""

    created = fields.IntegerField()
    updated = fields.IntegerField()
    unchanged = fields.IntegerField()
    results = BulkResult(many=True)


class Writing(Keyed, ListViewSet):
    """A list whose rows can be written; a bulk call needs an Idempotency-Key."""

    write_scope: ClassVar[str]
    forms: ClassVar[Forms]
    key_needed = frozenset({"bulk"})
    rates = {"bulk": "bulk"}
    bulk_answer: ClassVar[type[serializers.Serializer[Any]]] = BulkAnswer

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        method = (request.method or "").lower()
        if method in WRITES and hasattr(self, method):
            self.check_may(user_of(request))
            # Outside of every transaction, so that each try begins anew.
            setattr(self, method, partial(_again, getattr(self, method)))

    def check_may(self, user: User) -> None:
        """Refuse whom the action is not for, before anything of what was sent is read."""
        require(permissions.can_write_facts, user)

    def taken(self) -> Sequence[OpenApiParameter]:
        return super().taken() if self.action in READS else ()

    def bodies(self) -> Mapping[str, type[serializers.Serializer[Any]]]:
        """Return the body of each action, for the OpenAPI document."""
        return {"create": self.forms.create, "bulk": self.forms.bulk}

    def headers_told(self) -> Sequence[OpenApiParameter]:
        """Return the headers sent and answered, for the OpenAPI document."""
        return ()

    def answers_told(self) -> Mapping[int, type[serializers.Serializer[Any]]] | None:
        """Return what a write answers by status, for the OpenAPI document."""
        if self.action == "bulk":
            return {200: self.bulk_answer}
        if self.action in {"create", "by_external_id"}:
            return {200: self.serializer_class, 201: self.serializer_class}
        return None


class FactViewSet(Writing, ReadViewSet):
    """Facts of one kind, written by id, in bulk and, where another system owns them, by its id."""

    kind: ClassVar[str]

    def create(self, request: Request) -> HttpResponseBase:
        """Create one. Where there is one of this identity already, nothing is changed: 409."""
        values = checked(self.forms.create, request.data)
        written = self._write([Wanted(0, values, MUST_BE_NEW)])[0]
        return self._answer(written)

    def update(self, request: Request, **found: uuid.UUID) -> HttpResponseBase:
        """Replace one: what is not sent gets its default. If-Match says from which version."""
        values = checked(self.forms.replace, request.data)
        return self._change(request, found[self.lookup_url_kwarg], {**self._empty(), **values})

    def partial_update(self, request: Request, **found: uuid.UUID) -> HttpResponseBase:
        """Change only what is sent. If-Match says from which version."""
        values = checked(self.forms.patch, request.data)
        return self._change(request, found[self.lookup_url_kwarg], values)

    @action(detail=False, methods=["post"], parser_classes=[BulkJSONParser])
    def bulk(self, request: Request) -> HttpResponseBase:
        """Create or update up to 5,000, all or nothing; what is not sent of one stays as it is.

        An item's `version` is the one it was made from; 0 says that there must be none yet.
        """
        items = checked_items(self.forms.item, request.data)
        wanted = [Wanted(row, item, item.pop("version", None)) for row, item in enumerate(items)]
        return Response(bulk_answer(self._write(wanted, prefix=f"{ITEMS}.")))

    def bodies(self) -> Mapping[str, type[serializers.Serializer[Any]]]:
        forms = self.forms
        by_id = {"update": forms.replace, "partial_update": forms.patch}
        return {**super().bodies(), **by_id, "by_external_id": forms.upsert}

    def headers_told(self) -> Sequence[OpenApiParameter]:
        match self.action:
            case "create":
                return (ETAG, LOCATION)
            case "update" | "partial_update":
                return (IF_MATCH, ETAG)
            case "by_external_id":
                return (IF_MATCH_MAYBE, ETAG, LOCATION)
        return ()

    def answers_told(self) -> Mapping[int, type[serializers.Serializer[Any]]] | None:
        return {201: self.serializer_class} if self.action == "create" else super().answers_told()

    def identity_of(self, public_id: uuid.UUID) -> tuple[dict[str, Any], int]:
        """Return what names the fact in a write, and its version."""
        row = self.get_queryset().filter(uuid=public_id).values("version", *self.forms.identity)
        if not (found := row.first()):
            raise Missing(f"No such {self.noun}.")
        return {name: found[name] for name in self.forms.identity}, found["version"]

    def is_same(self, name: str, sent: Any, identity: Mapping[str, Any]) -> bool:
        """Tell whether a part of the identity is sent as it is."""
        return bool(sent == identity[name])

    def _change(
        self, request: Request, public_id: uuid.UUID, values: Mapping[str, Any]
    ) -> HttpResponseBase:
        identity, version = self.identity_of(public_id)
        etags.require_match(request, etags.etag_of(public_id, version))
        for name in self.forms.identity:
            if name in values and not self.is_same(name, values[name], identity):
                sentence = "This never changes. Leave it out, or make another one."
                raise ValidationError({name: [ErrorDetail(sentence, code="immutable")]})
        # The service finds out under the lock whether it still is this version.
        return self._answer(self._write([Wanted(0, {**values, **identity}, version)])[0])

    def _empty(self) -> dict[str, Any]:
        """Return what a record has of which nothing is said."""
        names = self.forms.replace().fields.keys() - set(self.forms.identity)
        return {name: default_of(self.kind, name) for name in names}

    def _write(self, wanted: Sequence[Wanted], *, prefix: str = "") -> list[Written]:
        try:
            return write_facts(self.kind, wanted, by=user_of(self.request))
        except Refused as refused:
            raise self._refusal(refused.problems, prefix) from refused

    def _refusal(self, problems: Sequence[Problem], prefix: str) -> Exception:
        codes = {problem.code for problem in problems}
        if EXISTS in codes and self.action == "create":
            called = " and ".join(self.forms.identity)
            sentence = f"This {called} names another {self.noun} already. Change that one."
            return Conflict(sentence, code=EXISTS)
        return refusal(problems, prefix=prefix, etag=self._etag_now() if STALE in codes else "")

    def _etag_now(self) -> str:
        if self.lookup_url_kwarg not in self.kwargs:
            return ""
        public_id: uuid.UUID = self.kwargs[self.lookup_url_kwarg]
        return etags.etag_of(public_id, self.identity_of(public_id)[1])

    def _answer(self, written: Written) -> HttpResponseBase:
        body, etag = self.answer_about(written.id)
        headers = {"ETag": etag}
        if written.outcome != CREATED:
            return Response(body, headers=headers)
        address = reverse(f"api:{self.basename}-detail", kwargs={"id": written.id})
        headers["Location"] = self.request.build_absolute_uri(address)
        return Response(body, status=201, headers=headers)


class SourcedFactViewSet(FactViewSet):
    """Facts that another system owns and names."""

    @action(
        detail=False,
        methods=["put"],
        url_path="by-external-id/<str:source>/<path:external_id>",
        url_name="by-external-id",
    )
    def by_external_id(self, request: Request, source: str, external_id: str) -> HttpResponseBase:
        """Create or update the one that a system knows by this id; what is not sent stays.

        `version` or If-Match say which version it was made from, if that matters.
        """
        identity = {
            "source": _parsed("source", parse_source, source),
            "external_id": _parsed("external_id", parse_external_id, external_id),
        }
        values = checked(self.forms.upsert, request.data)
        version = values.pop("version", None)
        if "If-Match" in request.headers:
            version = self._matched(request, identity)
        return self._answer(self._write([Wanted(0, {**values, **identity}, version)])[0])

    def _matched(self, request: Request, identity: Mapping[str, str]) -> int:
        """Return the version that If-Match names; where nothing is stored, it names none."""
        stored = self.get_queryset().filter(**identity).values("uuid", "version").first()
        if stored is None:
            raise StaleWrite("There is none yet, so there is nothing for If-Match to name.")
        etags.require_match(request, etags.etag_of(stored["uuid"], stored["version"]))
        version: int = stored["version"]
        return version


def bulk_answer(written: Sequence[Written]) -> dict[str, Any]:
    outcomes = [one.outcome for one in written]
    return {
        **{outcome: outcomes.count(outcome) for outcome in OUTCOMES},
        "results": [
            {
                "id": str(one.id),
                "external_id": one.external_id,
                "version": one.version,
                "outcome": one.outcome,
            }
            for one in written
        ],
    }


def refusal(problems: Sequence[Problem], *, prefix: str = "", etag: str = "") -> Exception:
    """Return what tells the sender of these problems: 412 where somebody wrote in between."""
    errors = [
        FieldError(_field(problem, prefix), problem.code, problem.detail) for problem in problems
    ]
    if any(problem.code in {STALE, EXISTS} for problem in problems):
        return StaleWrite(etag=etag, details={"errors": [error._asdict() for error in errors]})
    by_field: dict[str, list[ErrorDetail]] = {}
    for error in errors:
        detail = ErrorDetail(error.detail, code=error.code)
        by_field.setdefault(error.field or "non_field_errors", []).append(detail)
    return ValidationError(by_field)


def _field(problem: Problem, prefix: str) -> str:
    return f"{prefix}{problem.row}.{problem.column}" if prefix else problem.column


def _parsed(name: str, parse: Callable[[str], str], text: str) -> str:
    try:
        return parse(text)
    except BadValue as bad:
        raise ValidationError({name: [ErrorDetail(bad.detail, code=bad.code)]}) from bad


def _again(handler: Callable[..., HttpResponseBase], *args: Any, **kwargs: Any) -> HttpResponseBase:
    return tried_again(lambda: handler(*args, **kwargs))
