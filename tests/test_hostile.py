"""What strangers, scanners and stale tabs send: refused with a sentence, never a 500."""

import json
import logging
from http.cookies import SimpleCookie
from urllib.parse import unquote_to_bytes

import pytest
from django.http import QueryDict
from django.test import Client, RequestFactory
from django.urls import resolve, reverse
from django.utils import timezone

from config.lib.logging import clean
from config.lib.utf8 import Utf8Handler
from people import selectors, services
from people.models import Role, User
from tests import factories
from tests.addresses import ROUTES, World

# Percent-encoded, as they stand in an address.
HOSTILE = [
    "",
    "%00",
    "a%00b",
    "%ff%fe",
    "%ed%a0%80",
    "%E2%80%AEevil",
    "a" + "%CC%81" * 50,
    "%F0%9F%92%A9",
    "'%22%3E%3Cscript%3Ealert(1)%3C/script%3E",
    "{{7*7}}",
    "%25_%5C",
    "-1",
    "0",
    "1e9",
    "99999999999999999999",
    "%EF%BC%91",
    "1_000",
    "NaN",
    "true",
    "0001-01-01",
    "9999-12-31",
    "2026-02-30",
    "1990-01-01",
    "2100-12-31",
    "9999-12-31T23:59:59-14:00",
    "0001-01-01T00:00:00%2B14:00",
    "2100-12-31T23:59:59Z",
    "00000000-0000-0000-0000-000000000000",
    "../../etc/passwd",
    "%0d%0aSet-Cookie:%20a=b",
    "//evil.example",
    "http://%5B",
    "a,,b",
    "-name,-name",
    "name__class",
    "A" * 3000,
]
ON_PAGES = [
    "q", "page", "cursor", "tier", "region", "tam", "status", "standing", "state", "view", "sort",
    "as_of", "known_at", "vs", "band", "reason", "show", "like", "next", "theme",
]  # fmt: skip
# Beside the filters of a list.
ON_LISTS = [
    "cursor", "page_size", "count", "ordering", "search", "updated_since", "format", "as_of",
    "known_at", "version", "from", "to", "by",
]  # fmt: skip
PIECES = ["%00", "ACC-0", "ACC-%D9%A1", "..%2f", "%ff", "'", "1.json", "x" * 300, "%E2%80%AE"]
LEAVES = {"account_logout"}


NAMES = sorted(ROUTES.keys() - LEAVES)


@pytest.fixture
def world(db):
    return World()


def parameters(path):
    view = getattr(resolve(path).func, "cls", None)
    filters = getattr(view, "filterset_class", None)
    return [*ON_LISTS, *(filters.base_filters if filters else ())]


def addresses(path):
    """Each hostile value once: on a page in all its parameters, in the API in one by turns."""
    names = parameters(path) if path.startswith("/api/") else ON_PAGES
    for index, value in enumerate(HOSTILE):
        if path.startswith("/api/"):
            yield f"{path}?{names[index % len(names)]}={value}"
        else:
            few = names if len(value) < 100 else names[:1]
            yield f"{path}?{'&'.join(f'{name}={value}' for name in few)}"


def assert_well_refused(answer, path):
    assert answer.status_code < 500, path
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"], path
    assert answer.headers["X-Content-Type-Options"] == "nosniff", path
    assert "no-store" in answer.headers["Cache-Control"], path
    assert "a=b" not in str(answer.cookies), path
    if path.startswith("/api/") and answer.status_code >= 400:
        assert answer.headers["Content-Type"] == "application/problem+json", path
    if "html" in answer.headers.get("Content-Type", ""):
        assert b"<script>alert" not in answer.content, path


@pytest.mark.parametrize("name", sorted(ROUTES))
def test_no_address_ends_in_a_500(name, world, client, login, administrator):
    path = world(name)
    signed_in = login(administrator)
    step = 1 if path.startswith("/api/") else 2
    for address in [*addresses(path)][::step]:
        assert_well_refused(signed_in.get(address), address)
    for address in [*addresses(path)][::6]:
        assert_well_refused(client.get(address), address)


@pytest.mark.parametrize("piece", PIECES)
def test_no_path_ends_in_a_500(piece, client, login, administrator):
    signed_in = login(administrator)
    for start in (
        "/",
        "/accounts/",
        "/settings/tiers/",
        "/api/v1/accounts/",
        "/api/v1/",
        "/static/",
    ):
        for browser in (signed_in, client):
            assert_well_refused(browser.get(f"{start}{piece}"), f"{start}{piece}")
            assert_well_refused(browser.get(f"{start}{piece}/"), f"{start}{piece}/")


WRITTEN = [*HOSTILE[1:9:2], *HOSTILE[9:-1:3], "A" * 20_000]
FORMS = {
    "people:person-create": (
        Role.ADMINISTRATOR,
        {"name": "Ada", "email": "ada@keel.example", "roles": "tam"},
    ),
    "people:person-edit": (Role.ADMINISTRATOR, {"roles": "tam", "seen": "-"}),
    "people:token-create": (Role.TAM, {"name": "CRM", "scopes": "account:read", "days": "30"}),
    "people:theme": (Role.TAM, {"theme": "dark", "next": "/"}),
    "settings:company": (
        Role.ADMINISTRATOR,
        {"name": "Keel", "time_zone": "UTC", "reporting_currency": "USD", "version": "1"},
    ),
    "settings:tier-create": (
        Role.ADMINISTRATOR,
        {"name": "Onyx", "arr_from": "1", "start": "2031-01-01", "cadence_days": "3"},
    ),
    "settings:tier-end": (Role.ADMINISTRATOR, {"end": "2031-01-01"}),
    "metrics:target": (Role.LEADERSHIP, {"percent": "80", "by_day": "2031-01-01"}),
    "accounts:reading-create": (
        Role.TAM,
        {"instance": "1", "seats": "5", "observed_at": "2026-03-02T10:00", "note": "Counted"},
    ),
}


@pytest.mark.parametrize("name", sorted(FORMS))
def test_no_form_ends_in_a_500(name, world, login, person):
    role, fields = FORMS[name]
    user = person(role)
    if name == "accounts:reading-create":
        factories.AssignmentFactory(account=world.account, user=user, role="TAM", primary=False)
    browser = login(user)
    for field in fields:
        for value in WRITTEN:
            decoded = QueryDict(f"x={value}").get("x", "")
            answer = browser.post(world(name), fields | {field: decoded})
            assert_well_refused(answer, f"{name} {field} {value[:60]}")


JUNK = [
    None,
    True,
    0,
    -1,
    2**31,
    10**19,
    1.5,
    1e300,
    "",
    " ",
    "x",
    "A" * 3000,
    "\u202eevil",
    "a" + "\u0301" * 50,
    "2026-02-30",
    "9999-12-31",
    "0001-01-01T00:00:00+14:00",
    "1e5",
    "NaN",
    "-0.00001",
    "99999999999999999999.99",
    "00000000-0000-0000-0000-000000000000",
    [],
    [[]],
    ["x"] * 100,
    {},
    {"source": None, "external_id": []},
    {"source": "import", "external_id": "A" * 500},
    {"email": 5},
    {"a": {"b": {"c": []}}},
]
RAW = [b"", b"{", b"null", b"[]", b"[null]", b"\xff", b'{"a": 1, "a": 2}', b'"x"', b"5", b"{}",
       b'{"items": null}', b'{"items": [[]]}', b'[{"version": -1}]', b"[" * 2000]  # fmt: skip
OUTER = {"source": "import", "external_id": "hostile"}
START = {"start": "2026-01-01"}
# A good body of each kind; every field of it is replaced by junk in turn.
FACTS = {
    "accounts": OUTER | {"name": "Acme", "status": "customer", "churned_on": None, "region": "EMEA",
        "currency": "USD", "internal": False, "parent": None},
    "subscriptions": OUTER | START | {"account": "{account}", "kind": "paid", "seats": 5,
        "arr": "5.00", "tcv": None, "end": "2027-01-01", "currency": "USD"},
    "instances": OUTER | {"account": "{account}", "name": "Main", "counted": True},
    "contacts": OUTER | {"account": "{account}", "name": "Ann", "email": "ann@acme.example",
        "roles": ["sponsor"]},
    "assignments": START | {"account": "{account}", "user": "{user}", "role": "CSM",
        "primary": False, "end": None},
    "exchange-rates": {"currency": "EUR", "on": "2026-01-01", "rate": "1.1"},
    "seat-readings": {"account": "{account}", "instance": None, "source": "import", "seats": 5,
        "observed_at": "2026-01-01T00:00:00Z", "monthly_active": None},
}  # fmt: skip


def written_to(world, kind):
    """Every way to write facts of the kind, and what wraps the body there."""
    yield "post", world(f"api:{kind}-list"), lambda body: body
    yield "post", world(f"api:{kind}-bulk"), lambda body: [body]
    yield "post", world(f"api:{kind}-bulk"), lambda body: {"items": [body, body]}
    if kind != "seat-readings":
        for method in ("put", "patch"):
            yield method, world(f"api:{kind}-detail"), lambda body: body
    if f"api:{kind}-by-external-id" in ROUTES:
        yield "put", world(f"api:{kind}-by-external-id"), lambda body: body


@pytest.mark.parametrize("kind", FACTS)
def test_no_body_ends_in_a_500(kind, world, api_client, administrator):
    client = api_client(administrator)
    names = {"{account}": str(world.account.uuid), "{user}": str(world.other.uuid)}
    good = {
        field: names.get(value, value) if isinstance(value, str) else value
        for field, value in FACTS[kind].items()
    }
    number = 0
    for method, path, wrapped in written_to(world, kind):

        def send(raw, method=method, path=path, **headers):
            nonlocal number
            number += 1
            key = {"idempotency_key": str(number)} if path.endswith("/bulk/") else {}
            headers = {"if_match": "*", **key, **headers}
            answer = getattr(client, method)(
                path, raw, content_type="application/json", headers=headers
            )
            assert_well_refused(answer, f"{method} {path} {raw[:200]}")

        for field in [*good, "version", "id", "\u202e"]:
            for value in JUNK[number % 9 :: 9]:
                send(json.dumps(wrapped(good | {field: value})).encode())
        for raw in RAW:
            send(raw)
        for value in HOSTILE[: 12 * (method != "post") : 2]:
            send(b"{}", if_match=unquote_to_bytes(value).decode("latin-1").replace("\r\n", " "))
        answer = getattr(client, method)(path, b"x", content_type="text/plain")
        assert_well_refused(answer, path)


@pytest.mark.parametrize("address", ["/api/v1/schema/", "/api/v1/docs/", "/api/v1/docs/?script="])
@pytest.mark.parametrize("name", ["version", "lang", "format", "urlconf"])
@pytest.mark.parametrize("value", ["%00", "x%0d%0aSet-Cookie:%20a=b", "../..", "%22);alert(1)//"])
def test_the_api_document_takes_no_orders(name, value, address, login, administrator):
    address = f"{address}{'&' if '?' in address else '?'}{name}={value}"

    answer = login(administrator).get(address)

    assert_well_refused(answer, address)
    if answer.status_code == 200:
        assert b'");alert(1)' not in answer.content


def serve(request):
    """As the web server does: Django makes the request before any middleware sees it."""
    seen = {}

    def start_response(status, headers, _exc_info=None):
        seen.update(status=int(status.split()[0]), headers=dict(headers))

    handler = Utf8Handler()
    seen["body"] = b"".join(handler(request.environ, start_response))
    return seen


@pytest.mark.parametrize(
    "charset", ["hex", "idna", "undefined", "utf-7", "utf-16", "unicode_escape", "nonsense"]
)
def test_nobody_chooses_the_codec_of_an_address(charset, db):
    content_type = f"text/plain; charset={charset}"
    path = "/account/login/?next=/%5Cud800%2B2AA-%ff"

    answer = serve(RequestFactory().generic("GET", path, content_type=content_type))

    assert answer["status"] == 200
    assert "Content-Security-Policy" in answer["headers"]


@pytest.mark.parametrize("path", ["/account/login/", "/api/v1/me/"])
def test_too_many_parameters_are_refused_whatever_the_charset(path, db):
    query = "&".join(["a=1"] * 600)
    content_type = "application/json; charset=utf-8"

    answer = serve(RequestFactory().generic("GET", f"{path}?{query}", content_type=content_type))

    assert answer["status"] in {200, 400, 401}


@pytest.mark.parametrize("goal", ["http://[", "[", "\\", "a b", "//evil.example", "people:theme"])
def test_where_to_go_next_is_a_path_of_ours_or_nothing(goal, person, client):
    tam = person(Role.TAM, password="every-seat-deployed")
    credentials = {"login": tam.email, "password": "every-seat-deployed"}

    assert client.post("/account/login/", credentials | {"next": goal}).url == "/"
    assert client.post("/me/preferences/theme", {"theme": "dark", "next": goal}).url == "/"
    assert client.post("/account/logout/", {"next": goal}).url == "/account/login/"


def test_a_page_htmx_cannot_name_is_left_out(client):
    headers = {"HX-Request": "true", "HX-Current-URL": "http://["}

    assert client.get("/accounts/", headers=headers).headers["HX-Redirect"] == "/account/login/"


def test_a_missing_file_is_not_kept_by_caches(login, tam):
    """The page that says so names who is signed in."""
    answer = login(tam).get("/static/nothing.css")

    assert answer.status_code == 404
    assert answer.headers["Cache-Control"] == "no-store"


def test_a_form_that_is_too_large_is_called_so(login, administrator):
    answer = login(administrator).post("/settings/company/", {"name": "x" * 3_000_000})

    assert answer.status_code == 413


def test_a_reset_link_without_its_slash_is_not_logged(tam, client, caplog):
    link = selectors.password_link(tam).removesuffix("/")
    key = link.rpartition("/")[2].partition("-")[2]
    caplog.set_level(logging.INFO)

    client.get(link.partition("8000")[2])

    lines = [clean(str(record.getMessage())) for record in caplog.records]
    assert any("/account/password/reset/key/" in line for line in lines)
    assert not any(key in line for line in lines)


def test_a_session_does_not_come_back_with_its_person(login, tam, administrator):
    browser = login(tam)
    assert browser.get("/accounts/").status_code == 200

    services.deactivate(tam, by=administrator, at=timezone.now())
    services.reactivate(tam, by=administrator)

    assert browser.get("/accounts/").status_code == 302
    assert login(administrator).get("/accounts/").status_code == 200


def test_roles_changed_meanwhile_are_not_overwritten(login, administrator, tam):
    browser = login(administrator)
    url = reverse("people:person-edit", args=[tam.uuid])
    seen = browser.get(url).context["form"].initial["seen"]
    services.change_roles(tam, roles=[Role.CSM], by=administrator)

    answer = browser.post(url, {"roles": ["tam", "administrator"], "seen": seen})

    assert answer.status_code == 422
    assert b"Someone changed this" in answer.content
    assert User.objects.get(pk=tam.pk).roles == {Role.CSM}


@pytest.mark.parametrize("cookie", ["\x00", "x" * 3000, "é"])
def test_broken_cookies_are_ignored(cookie, db):
    client = Client()
    client.cookies = SimpleCookie(
        dict.fromkeys(["sessionid", "csrftoken", "messages", "theme"], cookie)
    )

    assert client.get("/account/login/").status_code == 200
