"""Importing each kind of fact: made, changed, left alone, refused."""

import datetime as dt
from decimal import Decimal

import pytest
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.imports.running import safe_filename
from accounts.models import (
    Account,
    AccountVersion,
    Assignment,
    Contact,
    ExchangeRate,
    Import,
    Instance,
    Subscription,
)
from accounts.tabular import UnusableFile
from events.models import Event
from people.models import Role
from tests.accounts.imports import apply, bad, counts, preview
from tests.factories import (
    AccountFactory,
    AssignmentFactory,
    ContactFactory,
    InstanceFactory,
    SubscriptionFactory,
    UserFactory,
)

pytestmark = pytest.mark.django_db
ACCOUNTS = "external_id,name,status,region\nA,Acme,customer,EMEA\nB,Beta,prospect,\n"


def traces():
    return Event.objects.count(), Import.objects.count(), AccountVersion.objects.count()


def test_accounts_are_made_with_their_lineage_and_events():
    report = apply("accounts", ACCOUNTS, source="crm")

    acme = Account.objects.get(source="crm", external_id="A")
    assert counts(report) == (2, 0, 0, 0)
    assert (acme.name, acme.status, acme.region, acme.currency) == (
        "Acme",
        "customer",
        "EMEA",
        "USD",
    )
    assert acme.last_import == report.applied
    assert (report.applied.rows, report.applied.creates, report.applied.filename) == (
        2,
        2,
        "facts.csv",
    )
    event = Event.objects.get(object_id=acme.uuid)
    assert (event.verb, event.account_id) == ("account.created", acme.pk)
    assert event.after["name"] == "Acme"
    assert event.reason == "Imported from facts.csv"


def test_a_preview_writes_nothing():
    before = traces()

    report = preview("accounts", ACCOUNTS)

    assert counts(report) == (2, 0, 0, 0)
    assert traces() == before


def test_e12_the_same_file_again_changes_nothing_and_says_when_it_was_applied():
    apply("accounts", ACCOUNTS)
    before = traces()

    report = apply("accounts", ACCOUNTS)

    assert counts(report) == (0, 0, 2, 0)
    assert report.applied_before is not None
    assert report.applied is None
    assert traces() == before


def test_an_update_changes_only_what_the_file_carries():
    account = AccountFactory(external_id="A", name="Acme", region="EMEA", segment="Bank")
    AccountFactory(external_id="B", name="Beta")

    report = apply("accounts", "external_id,name,region\nA,Acme Corp,\nB,Beta,EMEA\n")

    account.refresh_from_db()
    assert counts(report) == (0, 1, 1, 0)
    assert (account.name, account.region, account.segment) == ("Acme Corp", "", "Bank")
    assert (account.version, account.last_import) == (2, report.applied)
    assert account.updated_at > account.created_at
    event = Event.objects.get(object_id=account.uuid)
    assert event.before == {"name": "Acme", "region": "EMEA"}
    assert event.after == {"name": "Acme Corp", "region": ""}
    (change,) = report.updated
    assert (change.row, change.label) == (2, "Acme Corp")


def test_an_update_keeps_the_version_before():
    account = AccountFactory(external_id="A", name="Acme")

    apply("accounts", "external_id,name\nA,Acme Corp\n")

    versions = AccountVersion.objects.filter(fact=account)
    assert versions.get(known_to=None).name == "Acme Corp"


def test_a_new_fact_needs_its_columns_and_an_old_one_does_not():
    AccountFactory(external_id="A")

    report = apply("accounts", "external_id,region\nA,APAC\nB,APAC\n")

    assert bad(report) == (
        [(3, "name")],
        (
            "The source “import” has no account “B” yet, and a new one needs “name”. "
            "Add the column, or name the right source."
        ),
    )
    assert Account.objects.get().region == "EMEA"


def test_all_or_nothing():
    report = apply("accounts", "external_id,name,status\nA,Acme,customer\nB,,gone\n")

    problems, sentences = bad(report)
    assert problems == [(3, "name"), (3, "status")]
    assert "“gone” is none of: prospect, customer, churned" in sentences
    assert not Account.objects.exists()
    assert not Import.objects.exists()


def test_an_emptied_cell_clears_a_value_and_keeps_a_default():
    account = AccountFactory(
        external_id="A", churned_on=dt.date(2026, 1, 1), internal=True, status="customer"
    )

    apply("accounts", "external_id,churned_on,internal,status\nA,,,\n")

    account.refresh_from_db()
    assert (account.churned_on, account.internal, account.status) == (None, True, "customer")


def test_a_churned_account_needs_its_day_also_after_the_merge():
    AccountFactory(external_id="A", status="churned", churned_on=dt.date(2026, 1, 1))

    report = apply(
        "accounts",
        "external_id,name,status,churned_on\nA,Acme,,\nB,Beta,churned,\nC,Cee,churned,2026-01-02\n",
    )

    assert bad(report)[0] == [(2, "churned_on"), (3, "churned_on")]


def test_e04_all_rows_of_one_key_are_bad():
    report = apply("accounts", "external_id,name\nA,One\nB,Two\nA,Three\n")

    problems, sentences = bad(report)
    assert problems == [(2, "external_id"), (4, "external_id")]
    assert "Rows 2, 4 are the same account" in sentences


def test_two_accounts_may_share_a_name_and_ids_differ_in_case():
    report = apply("accounts", "external_id,name\na,Acme\nA,Acme\n")

    assert counts(report) == (2, 0, 0, 0)


def test_parents_stand_in_the_file_or_are_known():
    known = AccountFactory(external_id="K")

    apply("accounts", "external_id,name,parent_external_id\nC,Child,P\nP,Parent,K\nX,Alone,\n")

    assert Account.objects.get(external_id="P").parent == known
    assert Account.objects.get(external_id="C").parent.external_id == "P"
    report = apply("accounts", "external_id,parent_external_id\nC,\n")
    assert report.updated[0].before == {"parent_external_id": "P"}
    assert Account.objects.get(external_id="C").parent is None


def test_e17_rings_of_parents_are_refused():
    top = AccountFactory(external_id="T")
    AccountFactory(external_id="M", parent=top)

    report = apply(
        "accounts",
        "external_id,name,parent_external_id\nT,Top,M\nS,Self,S\nA,A,B\nB,B,A\nU,U,nobody\nO,O,\n",
    )

    problems, sentences = bad(report)
    assert problems == [(row, "parent_external_id") for row in (2, 3, 4, 5, 6)]
    assert "form a ring" in sentences
    assert "with the id “nobody”" in sentences


def test_e17_chains_of_parents_are_at_most_ten_long():
    rows = "".join(f"A{n},Name,A{n - 1}\n" for n in range(1, 1000))

    assert bad(apply("accounts", f"external_id,name,parent_external_id\nA0,Top,\n{rows}"))[0]
    rows = "".join(f"A{n},Name,A{n - 1}\n" for n in range(1, 11))
    report = apply("accounts", f"external_id,name,parent_external_id\nA0,Top,\n{rows}")
    assert counts(report) == (11, 0, 0, 0)
    report = apply("accounts", "external_id,name,parent_external_id\nNew,New,\nA0,Top,New\n")
    assert bad(report)[0] == [(3, "parent_external_id")]


def test_e10_e11_formulas_and_html_are_stored_as_they_are():
    apply("accounts", "external_id,name\nA,\"=cmd|' /C calc'!A0\"\nB,<script>alert(1)</script>\n")

    names = set(Account.objects.values_list("name", flat=True))
    assert names == {"=cmd|' /C calc'!A0", "<script>alert(1)</script>"}


def test_the_mapping_translates_columns_words_and_constants():
    report = apply(
        "accounts",
        "Id;Company;Type;Extra\n0014W00002578rV;Acme;Customer - Direct;x\n",
        mapping="""
            source = "salesforce"
            delimiter = ";"
            salesforce_ids = true
            [columns]
            external_id = "ID"
            name = "Company"
            status = "Type"
            [constants]
            strategic = true
            [values.status]
            "Customer - Direct" = "customer"
        """,
    )

    account = Account.objects.get()
    assert (account.source, account.external_id) == ("salesforce", "0014W00002578rVQAQ")
    assert account.strategic
    assert report.ignored == ["Extra"]
    assert report.theirs["status"] == "Type"
    assert report.applied.mapping["columns"]["name"] == "Company"


@pytest.mark.parametrize(
    ("content", "how", "words"),
    [
        ("external_id,name,colour\nA,B,red\n", {}, "Unknown columns: colour"),
        ("name\nA\n", {}, "lacks “external_id”"),
        ("external_id\nA\n", {"mapping": "[columns]\nexternal_id='Id'"}, "no column “Id”"),
        (
            "external_id\nA\n",
            {"mapping": "[values.status]\na='customer'"},
            "translates a column that is not read",
        ),
        ("external_id,name\nA,B\n", {"source": "keel"}, "kept for what is made in Keel"),
        ("external_id,name\nA,B\n", {"date_format": "%d"}, "must name year"),
    ],
)
def test_unusable_files(content, how, words):
    with pytest.raises(UnusableFile) as caught:
        preview("accounts", content, **how)

    assert words in caught.value.message


def test_only_metric_owners_import(person):
    with pytest.raises(PermissionDenied, match="Only metric owners"):
        apply("accounts", ACCOUNTS, by=person(Role.TAM))
    apply("accounts", ACCOUNTS, by=person(Role.METRIC_OWNER))

    assert Account.objects.count() == 2


def test_arr_and_seats_of_one_subscription_come_from_two_files():
    account = AccountFactory(external_id="A", source="crm")

    apply(
        "subscriptions",
        "account,arr_value,begin,renewal\nA,60000.50,2026-01-01,2027-01-01\n",
        mapping="""
            source = "crm"
            [columns]
            external_id = "account"
            account_external_id = "account"
            arr = "arr_value"
            start = "begin"
            end = "renewal"
        """,
    )
    report = apply(
        "subscriptions",
        "account,total_seats,utilization\nA,100,0.83\n",
        mapping='source="crm"\n[columns]\nexternal_id="account"\nseats="total_seats"',
    )

    found = Subscription.objects.get()
    assert counts(report) == (0, 1, 0, 0)
    assert (found.account, found.arr, found.seats, found.kind, found.currency) == (
        account, Decimal("60000.50"), 100, "paid", "USD",
    )  # fmt: skip
    assert report.ignored == ["utilization"]


def test_a_subscription_takes_the_currency_of_its_account():
    AccountFactory(external_id="A", currency="EUR")

    apply("subscriptions", "external_id,account_external_id,start\nS,A,2026-01-01\n")

    assert Subscription.objects.get().currency == "EUR"


def test_what_must_hold_of_a_subscription_is_checked_after_the_merge():
    account = AccountFactory(external_id="A")
    for name in ("1", "2", "3", "4"):
        SubscriptionFactory(
            external_id=name, account=account, start=dt.date(2026, 1, 1), end=dt.date(2027, 1, 1)
        )

    report = apply(
        "subscriptions",
        "external_id,tcv,arr,end\n1,100,,2027-01-01\n2,100,100,2027-01-01\n3,100,,\n4,,7,2026-01-01\n",
    )

    problems, sentences = bad(report)
    assert problems == [(3, "tcv"), (4, "tcv"), (5, "end")]
    assert "both ARR 100 and TCV 100" in sentences
    assert "needs an end" in sentences
    assert "not after its start on 2026-01-01" in sentences
    report = apply("subscriptions", "external_id,tcv\n1,100\n")
    assert bad(report)[0] == [(2, "tcv")]


def test_a_subscription_of_an_unknown_account():
    AccountFactory(external_id="A", source="crm")
    content = "external_id,account_external_id,start\nS,A,2026-01-01\n"

    problems, sentences = bad(apply("subscriptions", content, source="billing"))
    report = apply("subscriptions", content, source="billing", account_source="crm")

    assert problems == [(2, "account_external_id")]
    assert "No account has the id “A” in the source “billing”" in sentences
    assert counts(report) == (1, 0, 0, 0)


def test_a_subscription_that_moves_tells_both_accounts(monkeypatch):
    told = set()
    monkeypatch.setattr("accounts.imports.effects.facts_changed", told.update)
    found = SubscriptionFactory(external_id="S")
    other = AccountFactory(external_id="other")

    apply("subscriptions", "external_id,account_external_id\nS,other\n")

    assert told == {found.account_id, other.pk}
    found.refresh_from_db()
    assert found.account == other


def test_instances():
    account = AccountFactory(external_id="A")
    InstanceFactory(external_id="I", account=account, name="Old", counted=True)

    report = apply(
        "instances", "external_id,account_external_id,counted\nI,A,no\nJ,A,\nK,nobody,yes\n"
    )
    assert bad(report)[0] == [(4, "account_external_id")]
    report = apply("instances", "external_id,account_external_id,counted\nI,A,no\nJ,A,\n")

    assert counts(report) == (1, 1, 0, 0)
    assert not Instance.objects.get(external_id="I").counted
    made = Instance.objects.get(external_id="J")
    assert (made.name, made.environment, made.counted, made.is_default) == (
        "J", "production", True, False,
    )  # fmt: skip


def test_contacts_are_sealed_in_the_log():
    account = AccountFactory(external_id="A")
    ContactFactory(
        external_id="C", account=account, name="Ann", email="ann@x.example", roles=["Buyer"]
    )

    report = apply(
        "contacts",
        "external_id,account_external_id,name,email,roles\n"
        "C,A,Ann,ann@y.example,Buyer\n"
        "D,A,Bob,bob@x.example,Admin; Champion;Admin\n",
    )

    assert counts(report) == (1, 1, 0, 0)
    assert Contact.objects.get(external_id="D").roles == ["Admin", "Champion"]
    for event in Event.objects.filter(object_type="accounts.contact"):
        assert "example" not in str(event.after)
        assert event.object_label == ""
        assert "sealed" in event.after["email"]
    report = apply("contacts", "external_id,roles\nC,\nD,Admin;Champion\n")
    assert counts(report) == (0, 1, 1, 0)
    assert Contact.objects.get(external_id="C").roles == []
    assert bad(apply("contacts", "external_id,email\nC,nobody\n"))[0] == [(2, "email")]


def test_assignments_by_account_person_role_and_start():
    account = AccountFactory(external_id="A")
    user = UserFactory(email="Tam@keel.example")
    content = "account_external_id,user_email,role,start,end\nA,tam@keel.example,tam,2026-01-01,\n"

    report = apply("assignments", content)
    assert counts(report) == (1, 0, 0, 0)
    assert Assignment.objects.get().primary
    assert counts(apply("assignments", content)) == (0, 0, 1, 0)
    report = apply("assignments", content.replace("01-01,", "01-01,2026-02-01"))

    found = Assignment.objects.get()
    assert counts(report) == (0, 1, 0, 0)
    assert (found.account, found.user, found.end) == (account, user, dt.date(2026, 2, 1))
    event = Event.objects.filter(object_id=found.uuid).first()
    assert event.after["user"] == str(user.uuid)
    assert "keel.example" not in f"{event.after}{event.object_label}"


def test_unknown_people_and_overlapping_primaries():
    account = AccountFactory(external_id="A")
    AssignmentFactory(account=account, user__email="old@keel.example", start=dt.date(2026, 1, 1))
    for name in ("new", "third"):
        UserFactory(email=f"{name}@keel.example")
    head = "account_external_id,user_email,role,primary,start,end\n"

    report = apply(
        "assignments",
        f"{head}A,new@keel.example,TAM,yes,2026-03-01,\n"
        "A,ghost@keel.example,TAM,no,2026-03-01,\n"
        "A,new@keel.example,CSM,yes,2026-03-01,2026-05-01\n"
        "A,third@keel.example,CSM,yes,2026-04-30,\n"
        "A,third@keel.example,TAM,no,2026-03-01,2026-03-01\n",
    )

    problems, sentences = bad(report)
    assert problems == [
        (2, "primary"),
        (3, "user_email"),
        (4, "primary"),
        (5, "primary"),
        (6, "end"),
    ]
    assert "old@keel.example is the primary TAM from 2026-01-01." in sentences
    assert "Nobody here has the address “ghost@keel.example”" in sentences


def test_one_file_ends_a_primary_and_names_the_next():
    account = AccountFactory(external_id="A")
    AssignmentFactory(account=account, user__email="old@keel.example", start=dt.date(2026, 1, 1))
    UserFactory(email="new@keel.example")

    report = apply(
        "assignments",
        "account_external_id,user_email,role,start,end\n"
        "A,new@keel.example,TAM,2026-03-01,\n"
        "A,old@keel.example,TAM,2026-01-01,2026-03-01\n",
    )

    assert counts(report) == (1, 1, 0, 0)


def test_two_primaries_change_their_border():
    account = AccountFactory(external_id="A")
    first, second = (
        AssignmentFactory(
            account=account,
            user__email=f"{name}@keel.example",
            start=dt.date(2026, month, 1),
            end=dt.date(2026, month + 2, 1),
            primary=is_primary,
        )
        for name, month, is_primary in (("first", 1, True), ("second", 2, False))
    )

    report = apply(
        "assignments",
        "account_external_id,user_email,role,primary,start\n"
        "A,first@keel.example,TAM,no,2026-01-01\n"
        "A,second@keel.example,TAM,yes,2026-02-01\n",
    )

    first.refresh_from_db()
    second.refresh_from_db()
    assert counts(report) == (0, 2, 0, 0)
    assert (first.primary, second.primary) == (False, True)


def test_exchange_rates():
    head = "currency,on,rate\n"
    apply("exchange-rates", f"{head}EUR,2026-01-01,1.1\nGBP,2026-01-01,1.3\n")

    report = apply(
        "exchange-rates", f"{head}EUR,2026-01-01,1.1\nGBP,2026-01-01,1.25\nUSD,2026-01-01,1\n"
    )
    assert bad(report)[0] == [(4, "currency")]
    report = apply("exchange-rates", f"{head}EUR,2026-01-01,1.1\nGBP,2026-01-01,1.25\n")

    assert counts(report) == (0, 1, 1, 0)
    assert ExchangeRate.objects.get(currency="GBP").rate == Decimal("1.25")
    problems, _ = bad(
        apply(
            "exchange-rates",
            f"{head}EUR,2026-01-02,0\nEUR,2026-01-03,-1\neur,2026-01-04,1\n,,\nEUR,,1\n",
        )
    )
    assert problems == [(2, "rate"), (3, "rate"), (4, "currency"), (6, "on")]


def test_a_rate_touches_the_accounts_that_are_paid_in_it(monkeypatch):
    told = set()
    monkeypatch.setattr("accounts.imports.effects.facts_changed", told.update)
    euro = SubscriptionFactory(currency="EUR")
    SubscriptionFactory()

    apply("exchange-rates", "currency,on,rate\nEUR,2026-01-01,1.1\n")

    assert told == {euro.account_id}


def test_e13_a_failure_in_the_middle_leaves_nothing(monkeypatch):
    AccountFactory(external_id="A", name="Old")
    before = traces()

    def fail(account_ids):
        assert Account.objects.count() == 2
        raise RuntimeError("the machine stumbles")

    monkeypatch.setattr("accounts.imports.effects.facts_changed", fail)
    with pytest.raises(RuntimeError):
        apply("accounts", ACCOUNTS)

    assert Account.objects.get().name == "Old"
    assert traces() == before


def test_statements_do_not_depend_on_rows():
    def statements(count, word):
        rows = "".join(f"{word}{n},Name {n}\n" for n in range(count))
        with CaptureQueriesContext(
            connection,
        ) as queries:
            apply("accounts", f"external_id,name\n{rows}")
        return len(queries)

    apply("accounts", ACCOUNTS)

    assert statements(300, "many") == statements(2, "few")


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("../../x.csv", "x.csv"),
        ("C:\\temp\\a.csv", "a.csv"),
        ("a.csv\r\nSet-Cookie: b", "a.csv__Set-Cookie: b"),
        ("a" * 5000, "a" * 200),
        ("\u202etxt.csv", "_txt.csv"),
        ("", "file"),
    ],
)
def test_e18_names_of_files_are_harmless(name, kept):
    assert safe_filename(name) == kept
