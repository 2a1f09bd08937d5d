import json

import pytest
from django.core.exceptions import (
    PermissionDenied,
    RequestDataTooBig,
    SuspiciousOperation,
    ValidationError,
)
from django.db import DataError, IntegrityError, OperationalError
from django.http import Http404
from rest_framework import exceptions, serializers
from rest_framework.permissions import AllowAny
from rest_framework.test import APIRequestFactory
from rest_framework.views import APIView

from config.lib import errors, fields, problems
from config.lib.values import BadValue


class Full(errors.DomainError):
    """The increment has no capacity left."""

    code = "increment_full"
    default_message = "The increment is full."


def answer_to(error, method="get"):
    class View(APIView):
        authentication_classes = ()
        permission_classes = (AllowAny,)

        def get(self, request):
            raise error

    request = getattr(APIRequestFactory(), method)("/api/v1/things/")
    return View.as_view()(request)


def body_of(response):
    assert response["Content-Type"] == "application/problem+json"
    assert response["Cache-Control"] == "no-store"
    body = json.loads(response.content)
    assert body["status"] == response.status_code
    assert body.keys() >= {"type", "title", "status", "detail", "code", "request_id"}
    assert body["type"] == f"urn:keel:problem:{body['code']}"
    assert body["detail"].count(". ") <= 1, "at most two sentences"
    return body


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (Http404("secret/path.py"), 404, "not_found"),
        (exceptions.NotFound(), 404, "not_found"),
        (exceptions.MethodNotAllowed("PATCH"), 405, "method_not_allowed"),
        (exceptions.NotAcceptable(), 406, "not_acceptable"),
        (exceptions.UnsupportedMediaType("text/plain"), 415, "unsupported_media_type"),
        (exceptions.ParseError(), 400, "bad_request"),
        (exceptions.PermissionDenied(), 403, "forbidden"),
        (PermissionDenied(), 403, "forbidden"),
        (RequestDataTooBig("x"), 413, "too_large"),
        (SuspiciousOperation("x"), 400, "bad_request"),
        (IntegrityError("DETAIL: Key (name)=(Ann)"), 409, "conflict"),
        (DataError("numeric field overflow"), 400, "bad_request"),
        (OperationalError("canceling statement due to lock timeout"), 503, "unavailable"),
        (Full(), 409, "increment_full"),
        (errors.Conflict(), 409, "conflict"),
        (errors.Missing("No such account."), 404, "not_found"),
        (errors.Gone(), 410, "gone"),
        (errors.StaleWrite(), 412, "stale"),
        (errors.PreconditionRequired(), 428, "precondition_required"),
        (errors.TooMany(), 429, "too_many_requests"),
        (errors.Unavailable(), 503, "unavailable"),
    ],
)
def test_every_refusal_has_its_status_and_code(error, status, code):
    response = answer_to(error)
    body = body_of(response)
    assert (response.status_code, body["code"]) == (status, code)
    for secret in ("path.py", "DETAIL", "Ann", "overflow", "statement"):
        assert secret not in response.content.decode()


def test_our_own_words_are_told():
    assert body_of(answer_to(PermissionDenied("Only leads can.")))["detail"] == "Only leads can."
    assert body_of(answer_to(Full("Week 12 is full.")))["detail"] == "Week 12 is full."
    parse_error = exceptions.ParseError("A key stands twice.", code="duplicate_key")
    assert body_of(answer_to(parse_error))["code"] == "duplicate_key"


def test_details_of_a_refusal_become_members_but_replace_none():
    error = errors.DomainError("Blocked.", details={"guards": ["no_sow"], "status": 200})
    body = body_of(answer_to(error))
    assert body["guards"] == ["no_sow"]


@pytest.mark.parametrize(
    "error",
    [
        exceptions.NotAuthenticated(),
        exceptions.AuthenticationFailed("Token expired on 2 May."),
        exceptions.AuthenticationFailed("Unknown token."),
    ],
)
def test_unknown_expired_and_revoked_read_the_same(error):
    response = answer_to(error)
    body = body_of(response)
    assert response.status_code == 401
    assert response["WWW-Authenticate"] == "Bearer"
    assert body["detail"] == "Sign in or send a valid token."


def test_when_to_come_back():
    assert answer_to(exceptions.Throttled(wait=2.2))["Retry-After"] == "3"
    assert answer_to(errors.TooMany(retry_after=30))["Retry-After"] == "30"
    assert answer_to(OperationalError("down"))["Retry-After"] == "5"
    assert answer_to(errors.StaleWrite(etag='"a.3"'))["ETag"] == '"a.3"'


def test_405_says_what_is_allowed():
    assert "GET" in answer_to(Http404(), "delete")["Allow"]


def test_what_nobody_foresaw_is_not_hidden():
    with pytest.raises(ZeroDivisionError):
        answer_to(ZeroDivisionError())


class TestFieldErrors:
    def errors_of(self, error):
        return [tuple(item.values()) for item in body_of(answer_to(error))["errors"]]

    def test_one_value(self):
        body = body_of(answer_to(BadValue("not_a_date", "“x” is not a day.")))
        assert body["errors"] == [
            {"field": None, "code": "not_a_date", "detail": "“x” is not a day."}
        ]

    def test_named_by_a_service(self):
        error = errors.Invalid("Ends before it starts.", field="end", code="ends_early")
        assert self.errors_of(error) == [("end", "ends_early", "Ends before it starts.")]

    def test_of_a_serializer_nested_and_in_lists(self):
        class Item(serializers.Serializer):
            seats = fields.SeatsField()

        class Order(fields.StrictSerializer):
            name = fields.NameField()
            items = Item(many=True)

        serializer = Order(data={"items": [{"seats": 1}, {"seats": -1}], "role": "x"})
        with pytest.raises(exceptions.ValidationError) as caught:
            serializer.is_valid(raise_exception=True)
        assert self.errors_of(caught.value) == [("role", "unknown", "There is no such field.")]
        serializer = Order(data={"items": [{"seats": 1}, {"seats": -1}, "x"]})
        with pytest.raises(exceptions.ValidationError) as caught:
            serializer.is_valid(raise_exception=True)
        assert [(field, code) for field, code, _ in self.errors_of(caught.value)] == [
            ("name", "required"),
            ("items.1.seats", "negative"),
            ("items.2", "invalid"),
        ]

    def test_of_a_list_by_index(self):
        class Item(serializers.Serializer):
            seats = fields.SeatsField()

        serializer = Item(data=[{"seats": 1}, {}], many=True)
        with pytest.raises(exceptions.ValidationError) as caught:
            serializer.is_valid(raise_exception=True)
        assert [item[:2] for item in self.errors_of(caught.value)] == [("1.seats", "required")]

    def test_of_a_model(self):
        error = ValidationError(
            {"name": ValidationError("Too %(n)s.", code="long", params={"n": "long"})}
        )
        assert self.errors_of(error) == [("name", "long", "Too long.")]

    def test_of_a_model_as_a_whole(self):
        assert self.errors_of(ValidationError("No.")) == [(None, "invalid", "No.")]
        assert self.errors_of(ValidationError(["No.", "Not this."])) == [
            (None, "invalid", "No."),
            (None, "invalid", "Not this."),
        ]
        assert self.errors_of(ValidationError({"__all__": ["No."]})) == [(None, "invalid", "No.")]

    def test_the_detail_names_a_single_field(self):
        error = exceptions.ValidationError({"seats": ["This may not be negative."]})
        assert body_of(answer_to(error))["detail"] == "seats: This may not be negative."

    def test_names_from_outside_are_cut(self):
        error = exceptions.ValidationError({"x" * 500: ["Unknown."]})
        assert len(self.errors_of(error)[0][0]) == 80


def test_for_djangos_own_handlers(rf):
    assert problems.is_api(rf.get("/api/v1/nothing/"))
    assert not problems.is_api(rf.get("/accounts/"))
    for status in problems.STANDARD:
        assert body_of(problems.problem_response(status))["title"]
