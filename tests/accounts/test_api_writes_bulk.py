"""Thousands of facts in one call: all or nothing, each item's outcome told."""

import datetime as dt

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import Account, Contact, Instance, SeatReading, Subscription
from events.models import Event
from tests.accounts.test_api_writes import API, errors_of, send, statements
from tests.factories import (
    AccountFactory,
    AssignmentFactory,
    InstanceFactory,
    SeatReadingFactory,
    SubscriptionFactory,
    UserFactory,
)

SEEN = "2026-01-15T12:00:00Z"


@pytest.fixture
def writer(api_client, metric_owner):
    return api_client(metric_owner)


@pytest.fixture
def acme(db):
    return AccountFactory(source="crm", external_id="A-1", name="Acme")


@pytest.fixture
def without_current_facts(monkeypatch):
    """Leave out what the metrics app does after facts have changed."""
    for module in ("facts", "reading_batches"):
        monkeypatch.setattr(f"accounts.services.{module}.facts_changed", lambda _ids: None)


def bulk(client, kind, items, key="key"):
    return send(client, "post", f"{kind}/bulk/", items, idempotency_key=key)


def account(number, **fields):
    return {"source": "crm", "external_id": f"B-{number}", "name": f"Account {number}", **fields}


def subscription(number, **fields):
    return {
        "account": {"source": "crm", "external_id": "A-1"},
        "source": "billing",
        "external_id": f"S-{number}",
        "start": "2026-01-01",
        **fields,
    }


def reading(**fields):
    return {
        "account": {"source": "crm", "external_id": "A-1"},
        "observed_at": SEEN,
        "source": "telemetry",
        "seats": 80,
        **fields,
    }


class TestBulk:
    def test_needs_a_key(self, writer, acme):
        answer = send(writer, "post", "accounts/bulk/", [account(1)])
        assert (answer.status_code, answer.json()["code"]) == (400, "idempotency_key_required")

    def test_tells_what_became_of_each(self, writer, acme):
        unchanged = SubscriptionFactory(account=acme, source="billing", external_id="S-1")
        changed = SubscriptionFactory(account=acme, source="billing", external_id="S-2")
        items = [
            subscription(3),
            {"source": "billing", "external_id": "S-2", "seats": 5},
            {"source": "billing", "external_id": "S-1", "seats": 100},
            subscription(1, source="other"),
        ]

        answer = bulk(writer, "subscriptions", {"items": items})

        assert answer.status_code == 200, answer.content
        told = answer.json()
        assert (told["created"], told["updated"], told["unchanged"]) == (2, 1, 1)
        outcomes = [(one["external_id"], one["version"], one["outcome"]) for one in told["results"]]
        assert outcomes == [
            ("S-3", 1, "created"),
            ("S-2", 2, "updated"),
            ("S-1", 1, "unchanged"),
            ("S-1", 1, "created"),
        ]
        ids = [one["id"] for one in told["results"]]
        assert ids[1:3] == [str(changed.uuid), str(unchanged.uuid)]
        assert Subscription.objects.get(uuid=ids[0]).external_id == "S-3"
        assert set(Event.objects.values_list("object_id", flat=True)) >= {changed.uuid}
        assert not Event.objects.filter(object_id=unchanged.uuid).exists()

    def test_takes_all_or_nothing_and_names_each_field_by_index(self, writer, acme):
        items = [
            subscription(1),
            subscription(2, end="2025-01-01"),
            subscription(3, account={"source": "crm", "external_id": "nobody"}),
            {"source": "billing", "external_id": "S-4"},
            subscription(5),
            subscription(5, seats=3),
        ]
        answer = bulk(writer, "subscriptions", items)
        assert answer.status_code == 400
        assert errors_of(answer) == {
            "items.1.end": "rule",
            "items.2.account": "unknown_account",
            "items.3.account": "required",
            "items.3.start": "required",
            "items.4.external_id": "duplicate",
            "items.5.external_id": "duplicate",
        }
        assert not Subscription.objects.exists()
        assert not Event.objects.filter(verb__startswith="subscription").exists()

    def test_names_every_field_that_is_not_written_right(self, writer, acme):
        items = [subscription(1), 7, {"source": "x", "seats": "5", "colour": "red", "id": "x"}, []]
        answer = bulk(writer, "subscriptions", items)
        assert answer.status_code == 400
        assert errors_of(answer).keys() == {
            "items.1",
            "items.2.colour",
            "items.2.id",
            "items.2.seats",
            "items.2.external_id",
            "items.3",
        }
        answer = bulk(writer, "subscriptions", [subscription(1, seats="5"), subscription(2, arr=5)])
        assert errors_of(answer).keys() == {"items.0.seats", "items.1.arr"}

    @pytest.mark.parametrize(
        "body", [{}, [], {"items": []}, {"items": {}}, {"items": [], "x": 1}, {"rows": []}]
    )
    def test_wants_items(self, writer, body):
        assert bulk(writer, "accounts", body).status_code == 400

    def test_a_version_says_what_an_item_was_made_from(self, writer, acme):
        stored = SubscriptionFactory(account=acme, source="billing", external_id="S-1")
        for version, status in [(2, 412), (0, 412), (1, 200)]:
            item = {
                "source": "billing",
                "external_id": "S-1",
                "seats": version + 4,
                "version": version,
            }
            answer = bulk(writer, "subscriptions", [subscription(9), item], key=f"k{version}")
            assert answer.status_code == status
            if status == 412:
                (field,) = errors_of(answer)
                assert field.startswith("items.1.")
        stored.refresh_from_db()
        assert (stored.seats, stored.version) == (5, 2)

    def test_parents_may_come_with_their_children(self, writer, db):
        items = [
            account(1, parent={"source": "crm", "external_id": "B-2"}),
            account(2),
            account(3, source="erp", parent={"source": "crm", "external_id": "B-2"}),
        ]
        answer = bulk(writer, "accounts", items)
        assert answer.status_code == 200, answer.content
        assert Account.objects.filter(parent__external_id="B-2").count() == 2

    def test_parents_of_one_call_form_no_ring(self, writer, db):
        items = [
            account(1, parent={"source": "crm", "external_id": "B-2"}),
            account(2, parent={"source": "crm", "external_id": "B-1"}),
        ]
        answer = bulk(writer, "accounts", items)
        assert errors_of(answer) == {
            "items.0.parent": "bad_parent",
            "items.1.parent": "bad_parent",
        }

    def test_assignments_and_rates_are_known_by_what_they_say(self, writer, acme, tam):
        assignment = {
            "account": str(acme.uuid),
            "user": str(tam.uuid),
            "role": "TAM",
            "start": "2026-01-01",
        }
        rate = {"currency": "EUR", "on": "2026-01-01", "rate": "1.1"}
        for kind, item, change in [
            ("assignments", assignment, {"end": "2026-12-31"}),
            ("exchange-rates", rate, {"rate": "1.2"}),
        ]:
            made = bulk(writer, kind, [item], key=f"{kind}1").json()
            assert made["results"][0]["external_id"] is None
            answer = bulk(writer, kind, [{**item, **change}], key=f"{kind}2").json()
            assert (answer["updated"], answer["results"][0]["version"]) == (1, 2)

    def test_a_limited_token_reaches_its_accounts_only(self, api_client, metric_owner, acme):
        client = api_client(metric_owner)
        metric_owner.tokens.update(account_ids=[acme.uuid])
        other = AccountFactory(source="crm", external_id="A-2")
        theirs = SubscriptionFactory(account=other, source="billing", external_id="T")

        assert bulk(client, "subscriptions", [subscription(1)]).status_code == 200
        taking = bulk(client, "subscriptions", [subscription(2), subscription("x"), {
            "source": "billing", "external_id": "T", "seats": 1}], key="2")  # fmt: skip
        assert taking.status_code == 404
        naming = bulk(client, "subscriptions", [subscription(2, account=str(other.uuid))], key="3")
        assert errors_of(naming) == {"items.0.account": "unknown_account"}
        assert bulk(client, "accounts", [account(1)], key="4").status_code == 404
        there = {"account": {"source": "crm", "external_id": "A-2"}}
        assert errors_of(bulk(client, "seat-readings", [reading(**there)], key="5")) == {
            "items.0.account": "unknown_account"
        }
        theirs.refresh_from_db()
        assert theirs.version == 1

    def test_takes_five_thousand_and_no_more(self, writer, db, without_current_facts):
        items = [account(number, region="EMEA", segment="x" * 60) for number in range(5_001)]
        assert errors_of(bulk(writer, "accounts", items)) == {"items": "too_many_items"}
        answer = bulk(writer, "accounts", items[:5_000])
        assert answer.json()["created"] == 5_000
        assert Account.objects.count() == 5_000


class TestEffort:
    """P9: statements do not depend on the number of items. Current facts are counted apart."""

    def effort(self, client, kind, items, key):
        client.get(f"{API}/tiers/")
        with CaptureQueriesContext(connection) as captured:
            answer = bulk(client, kind, items, key)
        assert answer.status_code == 200, answer.content
        return statements(captured)

    @pytest.mark.parametrize("kind", ["accounts", "subscriptions", "instances", "contacts"])
    def test_a_thousand_take_at_most_twenty_statements(
        self, writer, acme, kind, without_current_facts
    ):
        items = {
            "accounts": account,
            "subscriptions": subscription,
            "instances": lambda n: {
                "account": str(acme.uuid),
                "source": "crm",
                "external_id": f"I-{n}",
            },
            "contacts": lambda n: {
                "account": str(acme.uuid),
                "source": "crm",
                "external_id": f"C-{n}",
                "name": f"Person {n}",
            },
        }[kind]
        made = [items(number) for number in range(1_000)]
        changed = [{**item, "name": "Other"} if "name" in item else item for item in made]
        if kind in {"subscriptions", "instances"}:
            field = {"subscriptions": "product", "instances": "environment"}[kind]
            changed = [{**item, field: "Other"} for item in made]

        assert len(self.effort(writer, kind, made, "1")) <= 20
        assert len(self.effort(writer, kind, changed, "2")) <= 20
        model = {
            "accounts": Account,
            "subscriptions": Subscription,
            "instances": Instance,
            "contacts": Contact,
        }[kind]
        assert model.objects.filter(version=2).count() == 1_000
        assert Event.objects.filter(verb__endswith=".updated").count() == 1_000

    def test_a_thousand_readings_take_at_most_twenty(self, writer, acme, without_current_facts):
        places = [InstanceFactory(account=acme), InstanceFactory(account=acme)]
        start = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
        made = [
            reading(
                instance=str(places[n % 2].uuid),
                observed_at=(start + dt.timedelta(hours=n)).isoformat(),
            )
            for n in range(1_000)
        ]
        created = self.effort(writer, "seat-readings", made, "1")
        corrected = self.effort(
            writer, "seat-readings", [{**one, "seats": 81} for one in made], "2"
        )
        assert len(created) <= 20, created
        assert len(corrected) <= 20, corrected
        assert SeatReading.objects.filter(known_to=None, seats=81).count() == 1_000
        assert SeatReading.objects.count() == 2_000


class TestReadings:
    def test_one_is_told_then_left_alone_then_corrected(self, writer, acme):
        made = send(writer, "post", "seat-readings/", reading(monthly_active=70))
        assert made.status_code == 201, made.content
        row = made.json()
        assert (row["seats"], row["monthly_active"], row["source"]) == (80, 70, "telemetry")
        assert row["account"] == str(acme.uuid)
        assert Instance.objects.get(uuid=row["instance"]).is_default
        events = Event.objects.count()

        again = send(writer, "post", "seat-readings/", reading(monthly_active=70))
        assert (again.status_code, again.json()) == (200, row)
        assert Event.objects.count() == events

        corrected = send(writer, "post", "seat-readings/", reading(seats=75, monthly_active=70))
        assert (corrected.status_code, corrected.json()["seats"]) == (200, 75)
        assert list(SeatReading.objects.order_by("known_from").values_list("seats", flat=True)) == [
            80,
            75,
        ]
        assert SeatReading.objects.filter(known_to=None).count() == 1

    def test_goes_to_the_instance_named(self, writer, acme):
        one = InstanceFactory(account=acme, source="licences", external_id="I-1")
        InstanceFactory(account=acme, source="other", external_id="I-1")
        for instance in (str(one.uuid), {"source": "licences", "external_id": "I-1"}):
            answer = send(writer, "post", "seat-readings/", reading(instance=instance))
            assert answer.json()["instance"] == str(one.uuid)
        assert SeatReading.objects.count() == 1

    def test_the_default_instance_named_and_unnamed_is_one(self, writer, acme):
        default = InstanceFactory(account=acme, is_default=True)
        items = [reading(), reading(instance=str(default.uuid))]
        assert errors_of(bulk(writer, "seat-readings", items)) == {
            "items.0.observed_at": "duplicate",
            "items.1.observed_at": "duplicate",
        }

    def test_what_cannot_be_is_said_by_index(self, writer, acme):
        stranger = InstanceFactory()
        later = (timezone.now() + dt.timedelta(days=1)).isoformat()
        items = [
            reading(),
            reading(account={"source": "crm", "external_id": "x"}),
            reading(instance=str(stranger.uuid)),
            reading(observed_at=later),
            reading(source="other", note="Counted"),
        ]
        answer = bulk(writer, "seat-readings", items)
        assert answer.status_code == 400
        assert errors_of(answer) == {
            "items.1.account": "unknown_account",
            "items.2.instance": "unknown_instance",
            "items.3.observed_at": "in_future",
            "items.4.note": "not_kept",
        }
        assert not SeatReading.objects.exists()

    def test_many_tell_where_each_went(self, writer, acme):
        known = SeatReadingFactory(
            instance=InstanceFactory(account=acme, is_default=True), source="telemetry", seats=80
        )
        items = [
            reading(source="other"),
            reading(),
            reading(observed_at="2026-02-15T12:00:00+02:00"),
        ]
        told = bulk(writer, "seat-readings", items).json()
        assert (told["created"], told["updated"], told["unchanged"]) == (2, 0, 1)
        assert [(one["source"], one["outcome"]) for one in told["results"]] == [
            ("other", "created"),
            ("telemetry", "unchanged"),
            ("telemetry", "created"),
        ]
        assert told["results"][2]["observed_at"] == "2026-02-15T10:00:00Z"
        assert {one["instance"] for one in told["results"]} == {str(known.instance.uuid)}

    def test_own_people_enter_what_they_counted(self, api_client, tam, acme):
        AssignmentFactory(account=acme, user=tam)
        client = api_client(tam)
        body = reading(source="manual", note="Customer call")

        made = send(client, "post", "seat-readings/", body)
        assert (made.status_code, made.json()["note"]) == (201, "Customer call")
        assert send(client, "post", "seat-readings/", body).status_code == 200
        changed = send(client, "post", "seat-readings/", {**body, "seats": 5})
        assert (changed.status_code, changed.json()["seats"]) == (200, 5)
        for wrong, field in [
            ({"source": "telemetry"}, "source"),
            ({"note": ""}, "note"),
            ({"monthly_active": 5}, "monthly_active"),
            ({"instance": str(InstanceFactory().uuid)}, "instance"),
            ({"account": {"source": "crm", "external_id": "x"}}, "account"),
        ]:
            answer = send(client, "post", "seat-readings/", {**body, **wrong})
            assert errors_of(answer).keys() == {field}
        assert bulk(client, "seat-readings", [body]).status_code == 403

    def test_others_do_not(self, api_client, acme):
        client = api_client(UserFactory(roles=["tam"]))
        body = reading(source="manual", note="Customer call")
        assert send(client, "post", "seat-readings/", body).status_code == 403

    def test_a_token_needs_the_scope(self, api_client, metric_owner, acme):
        for scope, status in [("account:write", 403), ("seats:write", 201)]:
            client = api_client(metric_owner, scope)
            assert send(client, "post", "seat-readings/", reading()).status_code == status
