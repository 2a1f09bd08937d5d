"""Facts written over the API: created, changed from a version, sent by another system's id."""

import datetime as dt
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import Account, Assignment, Contact, ExchangeRate, Instance, Subscription
from events.models import Event
from tests.factories import (
    AccountFactory,
    AssignmentFactory,
    ContactFactory,
    ExchangeRateFactory,
    InstanceFactory,
    SubscriptionFactory,
    UserFactory,
)

API = "/api/v1"
UNKNOWN = "8f14e45f-ceea-467f-a9f5-2e1b1c1d1e1f"


@pytest.fixture
def writer(api_client, metric_owner):
    return api_client(metric_owner)


@pytest.fixture
def acme(db):
    return AccountFactory(source="crm", external_id="A-1", name="Acme")


def send(client, method, path, body, **headers):
    return getattr(client, method)(f"{API}/{path}", body, format="json", headers=headers)


def errors_of(answer):
    assert answer.headers["Content-Type"] == "application/problem+json"
    return {error["field"]: error["code"] for error in answer.json().get("errors", [])}


# The least that a new one needs, what else can be said of it, and a change.
KINDS = {
    "accounts": (
        {"source": "crm", "external_id": "N-1", "name": "New"},
        {
            "status": "churned",
            "churned_on": "2026-03-31",
            "internal": True,
            "archived": True,
            "region": "EMEA",
            "segment": "Bank",
            "currency": "EUR",
            "strategic": True,
            "parent": {"source": "crm", "external_id": "A-1"},
        },
        {"name": "Renamed"},
    ),
    "subscriptions": (
        {
            "account": {"source": "crm", "external_id": "A-1"},
            "source": "billing",
            "external_id": "N-1",
            "start": "2026-01-01",
        },
        {
            "product": "Enterprise",
            "kind": "trial",
            "seats": 120,
            "unlimited": True,
            "arr": "60000.00",
            "tcv": None,
            "currency": "EUR",
            "end": "2027-01-01",
        },
        {"seats": 7},
    ),
    "instances": (
        {
            "account": {"source": "crm", "external_id": "A-1"},
            "source": "licences",
            "external_id": "N-1",
        },
        {"name": "Main", "environment": "staging", "counted": False},
        {"name": "Renamed"},
    ),
    "contacts": (
        {
            "account": {"source": "crm", "external_id": "A-1"},
            "source": "crm",
            "external_id": "N-1",
            "name": "Ann Lee",
        },
        {"email": "ann@acme.example", "title": "CTO", "roles": ["sponsor", "billing"]},
        {"name": "Ann Low"},
    ),
    "assignments": (
        {
            "account": {"source": "crm", "external_id": "A-1"},
            "user": {"email": "tam@keel.example"},
            "role": "TAM",
            "start": "2026-01-01",
        },
        {"primary": False, "end": "2026-07-01"},
        {"end": "2026-12-31"},
    ),
    "exchange-rates": (
        {"currency": "EUR", "on": "2026-01-01", "rate": "1.0842"},
        {},
        {"rate": "1.1"},
    ),
}
SOURCED = [name for name in KINDS if "source" in KINDS[name][0]]
MODELS = {
    "accounts": Account,
    "subscriptions": Subscription,
    "instances": Instance,
    "contacts": Contact,
    "assignments": Assignment,
    "exchange-rates": ExchangeRate,
}
kinds = pytest.mark.parametrize("kind", KINDS)


def references(body):
    return {name for name in ("account", "parent", "user") if name in body}


def assert_holds(row, body):
    for name in body.keys() - references(body):
        assert row[name] == body[name], name


@kinds
class TestEveryKind:
    def test_is_created_with_the_least_and_with_everything(self, writer, acme, tam, kind):
        least, more, _ = KINDS[kind]
        another = {"external_id": "N-2"}
        if kind == "assignments":
            another = {"start": "2025-01-01", "end": "2025-06-01"}
        if kind == "exchange-rates":
            another = {"on": "2026-02-01"}
        for body in (least, {**least, **more, **another}):
            answer = send(writer, "post", f"{kind}/", body)

            assert answer.status_code == 201, answer.content
            row = answer.json()
            assert_holds(row, body)
            assert answer.headers["ETag"] == f'"{row["id"]}.1"'
            assert answer.headers["Location"].endswith(f"{API}/{kind}/{row['id']}/")
            assert writer.get(answer.headers["Location"]).json() == row
            event = Event.objects.get(object_id=row["id"])
            assert event.verb.endswith(".created")
            assert event.token_key

    def test_is_not_created_twice(self, writer, acme, tam, kind):
        body, _, change = KINDS[kind]
        send(writer, "post", f"{kind}/", body)

        answer = send(writer, "post", f"{kind}/", {**body, **change})

        assert (answer.status_code, answer.json()["code"]) == (409, "exists")
        assert MODELS[kind].objects.order_by("-pk").first().version == 1

    def test_is_changed_from_the_version_that_was_read(self, writer, acme, tam, kind):
        body, _, change = KINDS[kind]
        made = send(writer, "post", f"{kind}/", body)
        path = f"{kind}/{made.json()['id']}/"

        assert send(writer, "patch", path, change).status_code == 428
        answer = send(writer, "patch", path, change, if_match=made.headers["ETag"])
        assert answer.status_code == 200, answer.content
        assert_holds(answer.json(), change)
        assert answer.headers["ETag"] == f'"{made.json()["id"]}.2"'
        assert Event.objects.get(object_id=made.json()["id"], verb__endswith=".updated").before

        stale = send(writer, "patch", path, change, if_match=made.headers["ETag"])
        assert (stale.status_code, stale.json()["code"]) == (412, "stale")
        assert stale.headers["ETag"] == answer.headers["ETag"]

    def test_the_same_again_is_no_change(self, writer, acme, tam, kind):
        body, more, _ = KINDS[kind]
        made = send(writer, "post", f"{kind}/", {**body, **more})
        path = f"{kind}/{made.json()['id']}/"
        events = Event.objects.count()

        again = send(writer, "patch", path, {**body, **more}, if_match="*")
        assert (again.status_code, again.json()) == (200, made.json())
        assert again.headers["ETag"] == made.headers["ETag"]
        assert Event.objects.count() == events

    def test_put_replaces_what_is_not_sent_by_its_default(self, writer, acme, tam, kind):
        body, more, _ = KINDS[kind]
        least = send(writer, "post", f"{kind}/", body).json()
        model = MODELS[kind].objects.get(uuid=least["id"])
        filled = send(writer, "patch", f"{kind}/{model.uuid}/", more, if_match="*")

        answer = send(writer, "put", f"{kind}/{model.uuid}/", body, if_match=filled.headers["ETag"])

        assert answer.status_code == 200, answer.content
        changing = {"version", "updated_at"}
        assert {**answer.json(), **dict.fromkeys(changing)} == {**least, **dict.fromkeys(changing)}

    def test_its_identity_never_changes(self, writer, acme, tam, kind):
        body, _, _ = KINDS[kind]
        made = send(writer, "post", f"{kind}/", body)
        other = {
            "source": "other",
            "external_id": "other",
            "role": "CSM",
            "start": "2020-01-01",
            "on": "2020-01-01",
            "currency": "GBP",
        }
        if kind == "accounts":
            del other["currency"]
        for name in other.keys() & body.keys():
            if name in {"start", "currency"} and "external_id" in body:
                continue
            answer = send(
                writer, "patch", f"{kind}/{made.json()['id']}/", {name: other[name]}, if_match="*"
            )
            assert (answer.status_code, errors_of(answer)) == (400, {name: "immutable"})

    def test_what_is_computed_cannot_be_written(self, writer, acme, tam, kind):
        answer = send(
            writer, "post", f"{kind}/", {**KINDS[kind][0], "id": UNKNOWN, "colour": "red"}
        )
        assert answer.status_code == 400
        assert errors_of(answer) in ({"id": "read_only"}, {"id": "read_only", "colour": "unknown"})

    def test_every_field_at_fault_is_named(self, writer, acme, tam, kind):
        body = {name: [] for name in KINDS[kind][0]}
        answer = send(writer, "post", f"{kind}/", body)
        assert (answer.status_code, errors_of(answer).keys()) == (400, body.keys())

    def test_what_is_required_is_said(self, writer, db, kind):
        answer = send(writer, "post", f"{kind}/", {})
        required = dict.fromkeys(KINDS[kind][0], "required")
        assert (answer.status_code, errors_of(answer)) == (400, required)

    def test_nobody_knows_it(self, writer, db, kind):
        for method in ("patch", "put"):
            body = KINDS[kind][0] if method == "put" else {}
            answer = send(writer, method, f"{kind}/{UNKNOWN}/", body, if_match="*")
            assert answer.status_code == 404, answer.content

    @pytest.mark.parametrize("role", ["tam", "de_lead", "leadership"])
    def test_is_written_by_those_who_keep_the_facts_only(
        self, person, api_client, acme, kind, role
    ):
        client = api_client(person(role))
        key = {"idempotency_key": "k"}
        for method, path in [
            ("post", f"{kind}/"),
            ("patch", f"{kind}/{UNKNOWN}/"),
            ("put", f"{kind}/{UNKNOWN}/"),
            ("post", f"{kind}/bulk/"),
        ]:
            assert send(client, method, path, KINDS[kind][0], **key).status_code == 403, method

    def test_a_token_needs_the_scope(self, api_client, metric_owner, acme, kind):
        name = "contact" if kind == "contacts" else "account"
        for scope, status in [(f"{name}:read", 403), (f"{name}:write", 400)]:
            client = api_client(metric_owner, scope)
            assert send(client, "post", f"{kind}/", {}).status_code == status


@pytest.mark.parametrize("kind", SOURCED)
class TestByExternalId:
    def test_is_created_then_changed_then_left_alone(self, writer, acme, kind):
        body, _, change = KINDS[kind]
        path = f"{kind}/by-external-id/erp/id%2Fwith%20all%3F/"
        body = {name: body[name] for name in body if name not in {"source", "external_id"}}

        made = send(writer, "put", path, body)
        assert made.status_code == 201, made.content
        assert (made.json()["source"], made.json()["external_id"]) == ("erp", "id/with all?")
        assert made.headers["Location"]

        changed = send(writer, "put", path, change)
        assert (changed.status_code, changed.json()["version"]) == (200, 2)
        assert changed.json()["id"] == made.json()["id"]

        again = send(writer, "put", path, {**change, "version": 2})
        assert (again.status_code, again.json()) == (200, changed.json())
        assert Event.objects.filter(object_id=made.json()["id"]).count() == 2

    def test_can_name_the_version_it_was_made_from(self, writer, acme, kind):
        body, _, change = KINDS[kind]
        made = send(writer, "post", f"{kind}/", body)
        path = f"{kind}/by-external-id/{body['source']}/{body['external_id']}/"

        assert send(writer, "put", path, {**change, "version": 7}).status_code == 412
        assert send(writer, "put", path, {**change, "version": 0}).status_code == 412
        stale = send(writer, "put", path, change, if_match=f'"{UNKNOWN}.1"')
        assert (stale.status_code, stale.headers["ETag"]) == (412, made.headers["ETag"])
        fresh = send(writer, "put", path, change, if_match=made.headers["ETag"])
        assert fresh.status_code == 200
        missing = f"{kind}/by-external-id/{body['source']}/nothing/"
        assert send(writer, "put", missing, change, if_match="*").status_code == 412
        assert send(writer, "put", missing, {**change, "version": 1}).status_code == 412

    def test_a_new_one_needs_what_it_needs(self, writer, db, kind):
        body, _, _ = KINDS[kind]
        answer = send(writer, "put", f"{kind}/by-external-id/erp/new/", {})
        required = body.keys() - {"source", "external_id"}
        if kind == "instances":
            required = {"account"}
        assert (answer.status_code, errors_of(answer)) == (400, dict.fromkeys(required, "required"))

    def test_its_address_is_checked(self, writer, db, kind):
        for path, field in [("BAD!/x", "source"), ("erp/%20x", "external_id")]:
            answer = send(writer, "put", f"{kind}/by-external-id/{path}/", {})
            assert (answer.status_code, errors_of(answer).keys()) == (400, {field})


class TestReferences:
    def test_an_account_by_its_id_or_by_another_systems(self, writer, acme):
        body = KINDS["subscriptions"][0]
        for number, account in enumerate([str(acme.uuid), {"source": "crm", "external_id": "A-1"}]):
            answer = send(
                writer,
                "post",
                "subscriptions/",
                {**body, "account": account, "external_id": f"S-{number}"},
            )
            assert answer.json()["account"] == str(acme.uuid)

    @pytest.mark.parametrize(
        "account",
        [
            UNKNOWN,
            {"source": "crm", "external_id": "a-1"},
            {"source": "other", "external_id": "A-1"},
        ],
    )
    def test_an_account_nobody_knows(self, writer, acme, account):
        body = {**KINDS["subscriptions"][0], "account": account}
        answer = send(writer, "post", "subscriptions/", body)
        assert (answer.status_code, errors_of(answer)) == (400, {"account": "unknown_account"})
        assert "--" not in answer.json()["detail"]

    @pytest.mark.parametrize(
        "account", [None, 1, "x", {}, {"source": "crm"}, {"source": "!", "external_id": "A"}, []]
    )
    def test_what_names_nothing(self, writer, acme, account):
        body = {**KINDS["subscriptions"][0], "account": account}
        answer = send(writer, "post", "subscriptions/", body)
        assert (answer.status_code, errors_of(answer).keys()) == (400, {"account"})

    def test_a_person_by_id(self, writer, acme, tam):
        body = {**KINDS["assignments"][0], "user": str(tam.uuid)}
        answer = send(writer, "post", "assignments/", body)
        assert answer.json()["user"]["email"] == tam.email

    @pytest.mark.parametrize("user", [UNKNOWN, {"email": "nobody@keel.example"}])
    def test_a_person_nobody_knows(self, writer, acme, user):
        body = {**KINDS["assignments"][0], "user": user}
        answer = send(writer, "post", "assignments/", body)
        assert (answer.status_code, errors_of(answer).keys()) == (400, {"user"})
        assert "manage.py" not in answer.json()["detail"]

    def test_a_subscription_moves_to_another_account(self, writer, acme):
        other = AccountFactory()
        subscription = SubscriptionFactory(account=other)
        answer = send(
            writer,
            "patch",
            f"subscriptions/{subscription.uuid}/",
            {"account": str(acme.uuid)},
            if_match="*",
        )
        assert answer.json()["account"] == str(acme.uuid)

    def test_parents_must_not_form_a_ring(self, writer, acme):
        child = AccountFactory(parent=acme)
        body = {"parent": str(child.uuid)}
        answer = send(writer, "patch", f"accounts/{acme.uuid}/", body, if_match="*")
        assert (answer.status_code, errors_of(answer)) == (400, {"parent": "bad_parent"})
        alone = send(writer, "patch", f"accounts/{child.uuid}/", {"parent": None}, if_match="*")
        assert alone.json()["parent"] is None


class TestRules:
    @pytest.mark.parametrize(
        ("kind", "change", "field"),
        [
            ("accounts", {"status": "churned"}, "churned_on"),
            ("subscriptions", {"end": "2026-01-01"}, "end"),
            ("subscriptions", {"arr": "1", "tcv": "1"}, "tcv"),
            ("subscriptions", {"tcv": "1"}, "tcv"),
            ("assignments", {"end": "2026-01-01"}, "end"),
            ("exchange-rates", {"currency": "USD"}, "currency"),
            ("exchange-rates", {"rate": "0"}, "rate"),
            ("subscriptions", {"seats": -1}, "seats"),
            ("subscriptions", {"seats": "5"}, "seats"),
            ("subscriptions", {"arr": 5.5}, "arr"),
        ],
    )
    def test_are_those_of_imports_and_speak_to_programs(
        self, writer, acme, tam, kind, change, field
    ):
        answer = send(writer, "post", f"{kind}/", {**KINDS[kind][0], **change})
        assert (answer.status_code, errors_of(answer).keys()) == (400, {field})
        for word in ("row", "cell", "--", "manage.py"):
            assert word not in answer.json()["detail"].lower()

    def test_two_primaries_of_one_role_do_not_overlap(self, writer, acme, tam):
        AssignmentFactory(account=acme, role="TAM")
        answer = send(writer, "post", "assignments/", KINDS["assignments"][0])
        assert (answer.status_code, errors_of(answer)) == (400, {"primary": "overlap"})

    def test_a_person_on_two_accounts_of_one_external_id(self, writer, acme, tam):
        namesake = AccountFactory(source="erp", external_id="A-1")
        body = KINDS["assignments"][0]
        send(writer, "post", "assignments/", body)
        answer = send(writer, "post", "assignments/", {**body, "account": str(namesake.uuid)})
        assert answer.status_code == 201
        assert set(Assignment.objects.values_list("account", flat=True)) == {acme.pk, namesake.pk}

    def test_a_contact_is_sealed_in_the_log(self, writer, acme):
        made = send(writer, "post", "contacts/", KINDS["contacts"][0])
        event = Event.objects.get(object_id=made.json()["id"])
        assert "sealed" in event.after["name"]
        assert "Ann" not in str(event.after)


class TestTokensLimitedToAccounts:
    @pytest.fixture
    def limited(self, api_client, metric_owner, acme):
        client = api_client(metric_owner)
        metric_owner.tokens.update(account_ids=[acme.uuid])
        return client

    @pytest.mark.parametrize("kind", ["subscriptions", "instances", "contacts", "assignments"])
    def test_write_what_belongs_to_them(self, limited, acme, tam, kind):
        body, _, change = KINDS[kind]
        made = send(limited, "post", f"{kind}/", body)
        assert made.status_code == 201, made.content
        path = f"{kind}/{made.json()['id']}/"
        assert send(limited, "patch", path, change, if_match="*").status_code == 200

    def test_change_their_account_and_make_none(self, limited, acme):
        path = f"accounts/{acme.uuid}/"
        assert send(limited, "patch", path, {"name": "A"}, if_match="*").status_code == 200
        assert send(limited, "post", "accounts/", KINDS["accounts"][0]).status_code == 403
        new = "accounts/by-external-id/crm/new/"
        assert send(limited, "put", new, {"name": "A"}).status_code == 404
        assert not Account.objects.exclude(pk=acme.pk).exists()

    def test_know_nothing_of_others(self, limited, acme):
        other = AccountFactory(source="crm", external_id="B")
        things = {
            "accounts": other,
            "subscriptions": SubscriptionFactory(account=other, source="crm"),
            "instances": InstanceFactory(account=other, source="crm"),
            "contacts": ContactFactory(account=other, source="crm"),
        }
        for kind, thing in things.items():
            by_id = f"{kind}/{thing.uuid}/"
            answers = [send(limited, "patch", by_id, {}, if_match="*")]
            for external_id in (thing.external_id, "nothing"):
                path = f"{kind}/by-external-id/crm/{external_id}/"
                body = {"name": "x"} if kind == "accounts" else {"account": str(acme.uuid)}
                extra = {"start": "2026-01-01"} if kind == "subscriptions" else {"name": "x"}
                answers.append(send(limited, "put", path, {**body, **extra, "version": 1}))
                if kind != "accounts" and external_id == "nothing":
                    assert answers.pop().status_code == 412
            assert {answer.status_code for answer in answers} == {404}, kind

    def test_cannot_take_a_fact_in_or_give_one_away(self, limited, acme):
        other = AccountFactory()
        theirs = SubscriptionFactory(account=other, source="crm", external_id="S")
        ours = SubscriptionFactory(account=acme)
        taking = send(
            limited, "put", "subscriptions/by-external-id/crm/S/", {"account": str(acme.uuid)}
        )
        assert taking.status_code == 404
        for target in (str(other.uuid), UNKNOWN):
            giving = send(
                limited,
                "patch",
                f"subscriptions/{ours.uuid}/",
                {"account": target},
                if_match="*",
            )
            assert errors_of(giving) == {"account": "unknown_account"}
        theirs.refresh_from_db()
        assert theirs.account_id == other.pk

    def test_name_no_parent_outside(self, limited, acme):
        other = AccountFactory(source="crm", external_id="B")
        for parent in (str(other.uuid), {"source": "crm", "external_id": "B"}):
            answer = send(
                limited, "patch", f"accounts/{acme.uuid}/", {"parent": parent}, if_match="*"
            )
            assert errors_of(answer) == {"parent": "unknown_account"}

    def test_write_no_exchange_rates(self, limited, acme):
        answer = send(limited, "post", "exchange-rates/", KINDS["exchange-rates"][0])
        assert answer.status_code == 403


def statements(captured):
    return [
        query["sql"]
        for query in captured.captured_queries
        if not query["sql"].startswith(("SAVEPOINT", "RELEASE"))
    ]


class TestEffort:
    @pytest.mark.parametrize("kind", KINDS)
    def test_one_with_its_event_takes_at_most_eight_statements(
        self, writer, acme, tam, kind, monkeypatch
    ):
        # Current facts have a test of their own.
        monkeypatch.setattr("accounts.services.facts.facts_changed", lambda _ids: None)
        monkeypatch.setattr("accounts.services.rates.Rates.affected", lambda _rates, _plan: set())
        body = {**KINDS[kind][0]}
        if kind == "subscriptions":
            body["currency"] = "USD"
        send(writer, "get", "tiers/", None)  # notes the use of the token

        with CaptureQueriesContext(connection) as captured:
            assert send(writer, "post", f"{kind}/", body).status_code == 201

        # A contact's first event makes the key that seals it, an assignment asks for the team.
        most = {"contacts": 12, "assignments": 10}.get(kind, 8)
        assert len(statements(captured)) <= most, statements(captured)


class TestExchangeRates:
    def test_are_listed_and_read(self, writer):
        rate = ExchangeRateFactory(currency="EUR", on=dt.date(2026, 1, 1), rate=Decimal("1.0842"))
        ExchangeRateFactory(currency="GBP", on=dt.date(2026, 2, 1), rate=Decimal(2))
        rows = writer.get(f"{API}/exchange-rates/").json()["results"]
        assert [row["currency"] for row in rows] == ["GBP", "EUR"]
        assert [row["rate"] for row in rows] == ["2.0", "1.0842"]
        narrowed = writer.get(f"{API}/exchange-rates/?currency=EUR&on=2026-01-01").json()
        assert [row["id"] for row in narrowed["results"]] == [str(rate.uuid)]
        one = writer.get(f"{API}/exchange-rates/{rate.uuid}/")
        assert (one.json()["rate"], one.headers["ETag"]) == ("1.0842", f'"{rate.uuid}.1"')


def test_a_session_writes_with_its_csrf_token(metric_owner, acme):
    from django.test import Client  # noqa: PLC0415

    browser = Client(enforce_csrf_checks=True)
    browser.force_login(metric_owner)
    body = KINDS["accounts"][0]
    assert browser.post(f"{API}/accounts/", body, "application/json").status_code == 403
    browser.cookies["csrftoken"] = "x" * 32
    answer = browser.post(
        f"{API}/accounts/", body, "application/json", headers={"X-CSRFToken": "x" * 32}
    )
    assert answer.status_code == 201, answer.content


def test_a_key_makes_one_of_two(writer, acme):
    body = KINDS["accounts"][0]
    first = send(writer, "post", "accounts/", body, idempotency_key="once")
    again = send(writer, "post", "accounts/", body, idempotency_key="once")
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.json() == first.json()
    assert again.headers["ETag"] == first.headers["ETag"]


def test_who_is_assigned_need_not_be_a_person_that_can_sign_in(writer, acme):
    former = UserFactory(is_active=False)
    body = {**KINDS["assignments"][0], "user": {"email": former.email}}
    assert send(writer, "post", "assignments/", body).status_code == 201
