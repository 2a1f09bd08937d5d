"""Error pages: for people, for htmx, for programs, and when nothing works any more."""

import pytest
from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.db import OperationalError
from django.http import Http404, HttpRequest
from django.test import Client
from django.urls import path

from config import errors, urls
from config.lib.errors import Conflict, StaleWrite, TooMany

FAILURES = {
    400: SuspiciousOperation("secret detail"),
    403: PermissionDenied("Only metric owners can publish a run."),
    404: Http404("secret detail"),
    409: Conflict("Priya changed this 2 minutes ago."),
    412: StaleWrite(),
    429: TooMany(retry_after=17),
    500: RuntimeError("secret detail"),
    503: OperationalError("secret detail"),
}
POLICY = {
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self'",
    "font-src 'self'",
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'self'",
    "frame-ancestors 'none'",
}


def fail(_request: HttpRequest, status: int):
    raise FAILURES[status]


fail.login_required = False
handler400 = urls.handler400
handler403 = urls.handler403
handler404 = urls.handler404
handler500 = urls.handler500
urlpatterns = [
    *urls.urlpatterns,
    path("fail/<int:status>/", fail),
    path("api/fail/<int:status>/", fail),
]
pytestmark = [pytest.mark.urls(__name__), pytest.mark.django_db]


@pytest.fixture
def stranger():
    return Client(raise_request_exception=False)


@pytest.fixture
def colleague(tam):
    client = Client(raise_request_exception=False)
    client.force_login(tam)
    return client


def test_every_error_has_a_page_that_helps(stranger):
    for status in FAILURES:
        response = stranger.get(f"/fail/{status}/")
        assert response.status_code == status
        text = response.content.decode()
        assert "<h1" in text
        assert 'href="/"' in text
        assert "secret detail" not in text


def test_every_answer_has_the_policy_and_the_other_headers(stranger):
    for address in ("/account/login/", *(f"/fail/{status}/" for status in FAILURES)):
        response = stranger.get(address)
        assert set(response["Content-Security-Policy"].split("; ")) == POLICY
        assert response["X-Content-Type-Options"] == "nosniff"
        assert response["X-Frame-Options"] == "DENY"
        assert response["Referrer-Policy"] == "same-origin"
        assert response["Cross-Origin-Opener-Policy"] == "same-origin"
        assert "camera=()" in response["Permissions-Policy"]
        assert "no-store" in response["Cache-Control"]


def test_a_refusal_says_who_may(stranger):
    assert "Only metric owners can publish a run." in stranger.get("/fail/403/").content.decode()


def test_a_conflict_says_what_happened(stranger):
    assert "Priya changed this 2 minutes ago." in stranger.get("/fail/409/").content.decode()


def test_too_many_says_when_to_come_back(stranger):
    response = stranger.get("/fail/429/")
    assert response["Retry-After"] == "17"
    assert "Wait 17 seconds" in response.content.decode()
    assert stranger.get("/fail/503/")["Retry-After"] == "60"


def test_a_signed_in_person_stays_inside_the_application(colleague):
    text = colleague.get("/fail/404/").content.decode()
    assert 'aria-label="Main navigation"' in text
    assert 'aria-label="Main navigation"' not in Client().get("/fail/404/").content.decode()


def test_a_fault_names_its_reference_and_asks_nothing_of_the_database(
    colleague, django_assert_num_queries
):
    response = colleague.get("/fail/500/", headers={"x-request-id": "ref-12345678"})
    assert "ref-12345678" in response.content.decode()
    with django_assert_num_queries(0):
        errors.answer(response.wsgi_request, 500)


def test_a_fault_can_be_said_even_when_templates_are_broken(rf, monkeypatch):
    monkeypatch.setattr(errors, "render_to_string", lambda *_: 1 / 0)
    response = errors.answer(rf.get("/"), 500)
    assert response.status_code == 500
    assert "Something went wrong" in response.content.decode()


def test_htmx_gets_a_sentence_for_the_live_region_and_swaps_nothing(stranger):
    for status in FAILURES:
        response = stranger.get(f"/fail/{status}/", headers={"hx-request": "true"})
        assert response.status_code == status
        assert response["Content-Type"].startswith("text/plain")
        assert response["HX-Reswap"] == "none"
        assert "<" not in response.content.decode()


def test_programs_get_a_problem(stranger):
    for status in (400, 403, 404, 500):
        response = stranger.get(f"/api/fail/{status}/")
        assert response.status_code == status
        assert response["Content-Type"] == "application/problem+json"


def test_a_form_from_another_session_is_refused_with_what_to_do():
    response = Client(enforce_csrf_checks=True).post("/account/login/", {})
    assert response.status_code == 403
    assert "This form was open too long" in response.content.decode()


def test_sign_in_answers_too_many_with_the_same_page(rf):
    response = errors.too_many_requests(rf.post("/account/login/"))
    assert response.status_code == 429
    assert response["Retry-After"] == "60"
