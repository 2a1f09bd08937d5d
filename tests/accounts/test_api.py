import csv
import datetime as dt
import io
from decimal import Decimal

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from accounts.models import Account, AccountFacts, Tier
from config.lib.versions import pretend_known_at
from events import services as events
from tests.factories import (
    AccountFactory,
    AssignmentFactory,
    ContactFactory,
    ExchangeRateFactory,
    InstanceFactory,
    SeatReadingFactory,
    SubscriptionFactory,
    UserFactory,
)

API = "/api/v1"
LISTS = [
    "accounts",
    "subscriptions",
    "instances",
    "contacts",
    "assignments",
    "tiers",
    "exchange-rates",
    "seat-readings",
]
READ = ["GET", "HEAD", "OPTIONS"]
WRITTEN = set(LISTS) - {"tiers"}
DETAILS = [name for name in LISTS if name != "seat-readings"]
UNKNOWN = "8f14e45f-ceea-467f-a9f5-2e1b1c1d1e1f"


def facts_of(account, **values):
    return AccountFacts.objects.update_or_create(
        account=account,
        defaults={
            "arr": Decimal(100_000),
            "licensed": 100,
            "deployed": 80,
            "share": Decimal("0.8"),
            "seats_to_go": 0,
            "data_state": "complete",
            "eligible": True,
            "passes": True,
            **values,
        },
    )[0]


@pytest.fixture
def halden(db, tam):
    account = AccountFactory(name="Halden", external_id="001Zp", region="EMEA", segment="Bank")
    tier = Tier.objects.order_by("-arr_from").first()
    facts_of(account, renewal_on=dt.date(2027, 1, 31), tier=tier, tam=tam)
    AssignmentFactory(account=account, user=tam)
    SubscriptionFactory(account=account, external_id="S1", arr=Decimal("16807.4"))
    instance = InstanceFactory(account=account, external_id="I1")
    SeatReadingFactory(instance=instance, seats=80)
    ContactFactory(account=account, name="Ann Lee", email="ann@halden.example")
    ExchangeRateFactory()
    return account


@pytest.fixture
def reader(api_client, tam):
    return api_client(tam)


def one(client, path):
    response = client.get(f"{API}/{path}/")
    assert response.status_code == 200, response.content
    (row,) = response.json()["results"]
    return row


class TestAccounts:
    def test_what_is_answered(self, reader, halden, tam):
        row = one(reader, "accounts")
        assert row["id"] == str(halden.uuid)
        assert row["number"] == f"ACC-{halden.pk}"
        assert row["arr"] == "100000.00"
        assert row["arr_currency"] == "USD"
        assert (row["seats_licensed"], row["seats_deployed"]) == (100, 80)
        assert Decimal(row["seats_share"]) == Decimal("0.8")
        assert (row["eligible"], row["passes"], row["data_state"]) == (True, True, "complete")
        assert row["tier"] == Tier.objects.order_by("-arr_from").first().name
        assert row["renewal_on"] == "2027-01-31"
        assert row["parent"] is None
        assert row["version"] == 1
        assert row["assignments"] == [
            {
                "user": str(tam.uuid),
                "name": tam.name,
                "email": tam.email,
                "role": "TAM",
                "primary": True,
                "start": "2025-01-01",
                "end": None,
            }
        ]

    def test_an_account_without_facts_has_nulls_not_zeros(self, reader):
        AccountFactory()
        row = one(reader, "accounts")
        assert {row[name] for name in ("arr", "seats_licensed", "passes", "tier")} == {None}
        assert row["assignments"] == []

    def test_who_is_no_longer_assigned_is_left_out(self, reader, halden):
        AssignmentFactory(
            account=halden, role="CSM", start=dt.date(2020, 1, 1), end=dt.date(2021, 1, 1)
        )
        assert [item["role"] for item in one(reader, "accounts")["assignments"]] == ["TAM"]

    @pytest.mark.parametrize(
        ("query", "names"),
        [
            ("", ["Acme", "Halden", "Zeta"]),
            ("?status=customer", ["Halden", "Zeta"]),
            ("?status__in=customer,prospect", ["Acme", "Halden", "Zeta"]),
            ("?region=EMEA", ["Halden"]),
            ("?segment=Bank", ["Halden"]),
            ("?source=import&external_id=001Zp", ["Halden"]),
            ("?external_id=001ZP", []),
            ("?arr__gte=100000", ["Halden"]),
            ("?arr__gt=100000", []),
            ("?arr__isnull=true", ["Acme", "Zeta"]),
            ("?passes=true", ["Halden"]),
            ("?passes=false", []),
            ("?passes__isnull=true", ["Acme", "Zeta"]),
            ("?eligible=true", ["Halden"]),
            ("?seats_share__lte=0.8&seats_share__gte=0.8", ["Halden"]),
            ("?renewal_on__lte=2027-01-31", ["Halden"]),
            ("?data_state=complete", ["Halden"]),
            ("?search=hald", ["Halden"]),
            ("?search=001z", ["Halden"]),
            ("?ordering=-arr", ["Halden", "Zeta", "Acme"]),
            ("?ordering=arr,-name", ["Halden", "Zeta", "Acme"]),
            ("?ordering=-number", ["Zeta", "Acme", "Halden"]),
            ("?updated_since=2099-01-01T00:00:00Z", []),
        ],
    )
    def test_can_be_narrowed_and_ordered(self, reader, halden, query, names):
        AccountFactory(name="Acme", status="prospect", region="AMER")
        AccountFactory(name="Zeta", region="APAC")
        response = reader.get(f"{API}/accounts/{query}")
        assert response.status_code == 200, response.content
        assert [row["name"] for row in response.json()["results"]] == names

    def test_by_tam_and_parent(self, reader, halden, tam):
        child = AccountFactory(name="Child", parent=halden)
        response = reader.get(f"{API}/accounts/?tam={tam.uuid}")
        assert [row["name"] for row in response.json()["results"]] == ["Halden"]
        (row,) = reader.get(f"{API}/accounts/?parent={halden.uuid}").json()["results"]
        assert (row["id"], row["parent"]) == (str(child.uuid), str(halden.uuid))

    def test_the_version_is_in_the_etag_but_304_is_never_the_answer(self, reader, halden):
        response = reader.get(f"{API}/accounts/{halden.uuid}/")
        assert response["ETag"] == f'"{halden.uuid}.1"'
        again = reader.get(f"{API}/accounts/{halden.uuid}/", headers={"if-none-match": "*"})
        assert again.status_code == 200, "ARR and seats change without a new version"

    def test_pages_show_every_account_once(self, reader):
        AccountFactory.create_batch(7, name="Same name")
        found, url = [], f"{API}/accounts/?page_size=3&ordering=-arr,name"
        while url:
            page = reader.get(url).json()
            found += [row["id"] for row in page["results"]]
            url = page["next"]
        assert len(found) == len(set(found)) == 7


@pytest.mark.parametrize("name", LISTS)
class TestEveryList:
    def ask(self, client, name):
        with CaptureQueriesContext(connection) as statements:
            response = client.get(f"{API}/{name}/")
        assert response.status_code == 200, response.content
        return len(statements), len(response.json()["results"])

    def test_takes_few_statements_however_many_rows(self, api_client, metric_owner, halden, name):
        client = api_client(metric_owner)
        self.ask(client, name)  # notes the use of the token
        few, rows = self.ask(client, name)
        for _ in range(2):
            account = AccountFactory()
            facts_of(account)
            AssignmentFactory(account=account)
            SubscriptionFactory(account=account)
            ContactFactory(account=account)
            ExchangeRateFactory()
            SeatReadingFactory(instance=InstanceFactory(account=account))
        many, more_rows = self.ask(client, name)
        assert few == many <= 4
        assert more_rows > rows or name == "tiers"

    def test_as_csv(self, reader, halden, name):
        response = reader.get(f"{API}/{name}/?format=csv")
        assert response.status_code == 200
        text = b"".join(response.streaming_content).decode()
        header, *rows = csv.reader(io.StringIO(text, newline=""))
        results = reader.get(f"{API}/{name}/").json()["results"]
        assert len(rows) == len(results) >= 1
        assert all(len(row) == len(header) for row in rows)
        assert f"{name}-" in response["Content-Disposition"]

    def test_wants_somebody_signed_in(self, client, name):
        response = client.get(f"{API}/{name}/")
        assert response.status_code == 401
        assert response["WWW-Authenticate"] == "Bearer"
        assert response.json()["detail"] == "Sign in or send a valid token."

    def test_wants_the_scope(self, api_client, administrator, halden, name):
        response = api_client(administrator, "metrics:read").get(f"{API}/{name}/")
        assert response.status_code == 403
        assert "scope" in response.json()["detail"]

    def test_shows_nothing_to_people_without_a_role(self, login, without_role, halden, name):
        response = login(without_role).get(f"{API}/{name}/")
        assert response.status_code == 403

    def test_is_not_written_as_a_whole(self, reader, name):
        writes = ["put", "patch", "delete", "trace"] + ["post"] * (name not in WRITTEN)
        for method in writes:
            response = getattr(reader, method)(f"{API}/{name}/")
            assert response.status_code == 405, method
            assert response.json()["code"] == "method_not_allowed"

    def test_a_method_override_is_ignored(self, reader, halden, name):
        response = reader.get(f"{API}/{name}/", headers={"X-HTTP-Method-Override": "DELETE"})
        assert response.status_code == 200

    def test_head_and_options(self, reader, name):
        head = reader.head(f"{API}/{name}/")
        assert (head.status_code, head.content) == (200, b"")
        methods = ["GET", "POST", "HEAD", "OPTIONS"] if name in WRITTEN else READ
        assert reader.options(f"{API}/{name}/").json()["methods"] == methods


@pytest.mark.parametrize("name", DETAILS)
class TestEveryDetail:
    def test_is_the_row_of_the_list(self, reader, halden, name):
        row = reader.get(f"{API}/{name}/").json()["results"][0]
        response = reader.get(f"{API}/{name}/{row['id']}/")
        assert response.json() == row
        assert response["ETag"] == f'"{row["id"]}.{row["version"]}"'
        assert response["Cache-Control"] == "no-store"

    def test_unknown_is_404(self, reader, name):
        response = reader.get(f"{API}/{name}/{UNKNOWN}/")
        assert response.status_code == 404
        assert response.json()["detail"] == f"No such {name.removesuffix('s').replace('-', ' ')}."

    @pytest.mark.parametrize("found", ["1", "ACC-1", "x" * 300, "..%2f", "%00"])
    def test_what_is_no_id_is_404(self, reader, name, found):
        response = reader.get(f"{API}/{name}/{found}/")
        assert response.status_code == 404
        assert response["Content-Type"] == "application/problem+json"


class TestOthers:
    def test_subscription(self, reader, halden):
        row = one(reader, "subscriptions")
        assert row["account"] == str(halden.uuid)
        assert (row["arr"], row["tcv"], row["seats"]) == ("16807.40", None, 100)
        assert (row["start"], row["end"], row["kind"]) == ("2025-01-01", None, "paid")

    def test_seat_reading(self, reader, halden):
        row = one(reader, "seat-readings")
        assert row.keys() >= {"account", "instance", "observed_at", "seats", "monthly_active"}
        assert (row["account"], row["seats"]) == (str(halden.uuid), 80)
        assert row["observed_at"] == "2026-01-15T12:00:00Z"

    def test_a_corrected_reading_is_answered_as_it_stands(self, reader, halden):
        instance = halden.instances.get()
        reading = instance.readings.get()
        later = reading.known_from + dt.timedelta(hours=1)
        instance.readings.update(known_to=later)
        SeatReadingFactory(instance=instance, seats=81, known_from=later)
        assert one(reader, "seat-readings")["seats"] == 81

    @pytest.mark.parametrize("name", ["subscriptions", "instances", "contacts", "assignments"])
    def test_of_one_account(self, api_client, metric_owner, halden, name):
        other = AccountFactory()
        SubscriptionFactory(account=other)
        InstanceFactory(account=other)
        ContactFactory(account=other)
        AssignmentFactory(account=other)
        client = api_client(metric_owner)
        assert len(client.get(f"{API}/{name}/").json()["results"]) == 2
        assert one_of(client, name, f"?account={halden.uuid}")["account"] == str(halden.uuid)
        assert client.get(f"{API}/{name}/?account=1").status_code == 400


def one_of(client, name, query):
    (row,) = client.get(f"{API}/{name}/{query}").json()["results"]
    return row


class TestContacts:
    def test_requesters_see_those_of_their_own_accounts(self, reader, halden):
        other = ContactFactory(name="Bo Other")
        assert one(reader, "contacts")["name"] == "Ann Lee"
        response = reader.get(f"{API}/contacts/{other.uuid}/")
        unknown = reader.get(f"{API}/contacts/{UNKNOWN}/")
        assert response.status_code == 404
        assert (response.json() | {"request_id": ""}) == (unknown.json() | {"request_id": ""})

    @pytest.mark.parametrize("role", ["de_lead", "leadership", "metric_owner", "administrator"])
    def test_some_roles_see_all(self, api_client, person, halden, role):
        ContactFactory()
        response = api_client(person(role)).get(f"{API}/contacts/")
        assert len(response.json()["results"]) == 2

    @pytest.mark.parametrize("role", ["de_engineer", "product_leadership", "csm"])
    def test_others_see_none_in_lists_counts_and_files(self, api_client, person, halden, role):
        client = api_client(person(role))
        body = client.get(f"{API}/contacts/?count=true").json()
        assert (body["results"], body["count"]) == ([], 0)
        assert b"Ann" not in b"".join(client.get(f"{API}/contacts/?format=csv").streaming_content)

    def test_formulas_in_names_are_neutralised_in_files(self, api_client, metric_owner, halden):
        ContactFactory(name="=cmd|' /c calc'!A1")
        response = api_client(metric_owner).get(f"{API}/contacts/?format=csv")
        assert b"'=cmd|" in b"".join(response.streaming_content)


class TestTimeline:
    @pytest.fixture
    def changed(self, halden, tam):
        contact = halden.contacts.get()
        with transaction.atomic():
            events.record(
                "account.renamed",
                halden,
                by=tam,
                before={"name": "Old"},
                after={"name": "Halden"},
                account_id=halden.pk,
            )
            events.record(
                "contact.changed",
                contact,
                by=tam,
                after={"name": "Ann Lee", "roles": ["buyer"]},
                account_id=halden.pk,
            )
        return halden

    def url(self, account):
        return f"{API}/accounts/{account.uuid}/timeline/"

    def test_newest_first(self, reader, changed, tam):
        contact, account = reader.get(self.url(changed)).json()["results"]
        assert account["verb"] == "account.renamed"
        assert account["actor"] == {"id": str(tam.uuid), "name": tam.name}
        assert (account["before"], account["after"]) == ({"name": "Old"}, {"name": "Halden"})
        assert account["object_id"] == str(changed.uuid)
        assert contact["object_id"] == str(changed.contacts.get().uuid)

    def test_values_of_persons_are_for_those_who_may_see_contacts(
        self, api_client, changed, tam, de_engineer, metric_owner
    ):
        def name_seen_by(client):
            row = client.get(self.url(changed)).json()["results"][0]
            assert row["after"]["roles"] == ["buyer"]
            return row["after"]["name"]

        assert name_seen_by(api_client(tam)) == "Ann Lee"
        assert name_seen_by(api_client(metric_owner)) == "Ann Lee"
        assert name_seen_by(api_client(de_engineer)) == "(personal)"
        assert name_seen_by(api_client(tam, "account:read")) == "(personal)"

    def test_of_one_account_only(self, reader, changed):
        other = AccountFactory()
        assert reader.get(self.url(other)).json()["results"] == []
        response = reader.get(f"{API}/accounts/{UNKNOWN}/timeline/")
        assert response.status_code == 404
        assert response.json()["detail"] == "No such account."

    def test_pages_filters_and_file(self, reader, changed):
        page = reader.get(self.url(changed) + "?page_size=1").json()
        assert page["results"][0]["verb"] == "contact.changed"
        (row,) = reader.get(page["next"]).json()["results"]
        assert row["verb"] == "account.renamed"
        response = reader.get(self.url(changed) + "?verb=account.renamed&format=csv")
        assert b"account.renamed" in b"".join(response.streaming_content)

    def test_few_statements(self, reader, changed, tam):
        reader.get(self.url(changed))
        with CaptureQueriesContext(connection) as few:
            reader.get(self.url(changed))
        with transaction.atomic():
            for _ in range(3):
                events.record("account.seen", changed, by=UserFactory(), account_id=changed.pk)
        with CaptureQueriesContext(connection) as many:
            reader.get(self.url(changed))
        assert len(few) == len(many) <= 6


@pytest.mark.django_db
class TestAnotherDay:
    """Halden: a prospect with 50 seats known in March; since June a customer with 90."""

    MARCH = dt.datetime(2026, 3, 1, tzinfo=dt.UTC)
    JUNE = dt.datetime(2026, 6, 1, tzinfo=dt.UTC)

    @pytest.fixture
    def account(self, tam):
        pretend_known_at(self.MARCH)
        account = AccountFactory(name="Halden", status="prospect", region="AMER")
        SubscriptionFactory(account=account, seats=100, arr=Decimal(60_000))
        instance = InstanceFactory(account=account)
        SeatReadingFactory(instance=instance, observed_at=self.MARCH, seats=50)
        AssignmentFactory(account=account, user=tam, start=dt.date(2026, 4, 1))
        pretend_known_at(self.JUNE)
        Account.objects.filter(pk=account.pk).update(status="customer", region="EMEA", version=2)
        SeatReadingFactory(instance=instance, observed_at=self.JUNE, seats=90)
        return account

    def at(self, client, account, query):
        response = client.get(f"{API}/accounts/{account.uuid}/{query}")
        assert response.status_code == 200, response.content
        assert "ETag" not in response
        (row,) = client.get(f"{API}/accounts/{query}").json()["results"]
        assert row == response.json()
        return row

    def test_as_it_was_on_the_day(self, reader, account):
        row = self.at(reader, account, "?as_of=2026-03-31")
        assert (row["status"], row["region"], row["version"]) == ("prospect", "AMER", 1)
        assert (row["seats_deployed"], row["seats_licensed"]) == (50, 100)
        assert (row["eligible"], row["passes"]) == (False, None)
        assert row["assignments"] == []
        row = self.at(reader, account, "?as_of=2026-06-02")
        assert (row["status"], row["region"], row["version"]) == ("customer", "EMEA", 2)
        assert (row["seats_deployed"], row["passes"]) == (90, True)
        assert [item["role"] for item in row["assignments"]] == ["TAM"]

    def test_by_what_was_known_then(self, reader, account):
        row = self.at(reader, account, "?as_of=2026-06-02&known_at=2026-05-31T00:00:00Z")
        assert row["status"] == "prospect"
        assert row["seats_deployed"] is None, "the reading of March is stale, June's not known"

    def test_before_it_was_known_of_there_is_no_account(self, reader, account):
        query = "?known_at=2026-02-01T00:00:00%2B01:00"
        assert reader.get(f"{API}/accounts/{account.uuid}/{query}").status_code == 404
        assert reader.get(f"{API}/accounts/{query}&count=true").json()["count"] == 0
        assert len(reader.get(f"{API}/accounts/?as_of=2026-01-01").json()["results"]) == 1

    @pytest.mark.parametrize("name", ["region=EMEA", "ordering=name", "search=x", "passes=true"])
    def test_what_changes_cannot_narrow_it(self, reader, account, name):
        response = reader.get(f"{API}/accounts/?as_of=2026-03-31&{name}")
        assert response.status_code == 400
        assert response.json()["errors"][0]["code"] == "not_with_as_of"
        assert reader.get(f"{API}/accounts/?as_of=2026-03-31&source=import").status_code == 200

    @pytest.mark.parametrize(
        "query", ["as_of=yesterday", "known_at=2026-03-31", "as_of=1900-01-01"]
    )
    def test_malformed(self, reader, account, query):
        response = reader.get(f"{API}/accounts/?{query}")
        assert response.status_code == 400
        assert response.json()["errors"][0]["field"] == query.partition("=")[0]

    def test_only_where_it_is_offered(self, reader, account):
        assert reader.get(f"{API}/subscriptions/?as_of=2026-03-31").status_code == 400

    def test_as_a_file(self, reader, account):
        response = reader.get(f"{API}/accounts/?as_of=2026-03-31&format=csv")
        assert b",prospect," in b"".join(response.streaming_content)
