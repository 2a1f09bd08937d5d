"""What a check of a file keeps and tells: outcomes, plan, effect on the number, mass changes."""

import datetime as dt
from decimal import Decimal

import pytest
from django.db import connection
from django.db.models import F
from django.utils import timezone

from accounts.imports.effects import Effect, Mover, Side
from accounts.imports.running import PlanChanged, apply_import, preview_import
from accounts.measure import facts_changed
from accounts.models import Account, AccountFacts, Assignment, Import, ImportRow, Subscription
from events.models import Event
from events.selectors import events_of_account
from people.models import system_user
from tests.accounts.imports import apply, bad, counts, order, preview
from tests.factories import (
    AccountFactory,
    AssignmentFactory,
    ImportFactory,
    InstanceFactory,
    SeatReadingFactory,
    SubscriptionFactory,
    UserFactory,
)

pytestmark = pytest.mark.django_db
TODAY = timezone.now()
TEAM = "account_external_id,user_email,role,start\n"


def checked(kind, content, *, keep=None, now=TODAY, **how):
    return preview_import(order(kind, content, **how), by=system_user(), now=now, keep=keep)


def applied(kind, content, *, now=TODAY, keep=None, expected="", **how):
    return apply_import(
        order(kind, content, **how), by=system_user(), now=now, keep=keep, expected=expected
    )


@pytest.fixture
def passing():
    """Return an account in the number: 90 of 100 seats, ARR above the line."""
    account = AccountFactory(external_id="A", name="Acme")
    SubscriptionFactory(
        account=account, external_id="S", seats=100, arr=Decimal(60_000), start=dt.date(2020, 1, 1),
        end=None,
    )  # fmt: skip
    SeatReadingFactory(
        instance=InstanceFactory(account=account, external_id="I"),
        seats=90,
        observed_at=timezone.now() - dt.timedelta(days=1),
        source="import",
    )
    facts_changed([account.pk])
    return account


class TestOutcomes:
    def test_each_row_that_changes_something_or_is_bad_is_kept(self):
        account = AccountFactory(external_id="A", name="Acme", region="EMEA", strategic=False)
        AccountFactory(external_id="U", name="Same")
        keep = ImportFactory()

        report = checked(
            "accounts",
            "external_id,name,region,strategic\nA,Acme,,yes\nU,Same,EMEA,no\nN,New,APAC,\n"
            "B,,x,maybe\nE,Left out,,\nshort\n",
            keep=keep,
            excluded=frozenset({6}),
        )

        assert counts(report) == (1, 1, 1, 2)
        assert (report.rows, report.excluded) == (6, 1)
        rows = {row.row: row for row in ImportRow.objects.filter(file=keep)}
        assert {number: row.outcome for number, row in rows.items()} == {
            2: "update", 4: "create", 5: "error", 6: "excluded", 7: "error",
        }  # fmt: skip
        assert (rows[2].label, rows[2].account_id) == ("Acme", account.pk)
        assert rows[2].changes == [["region", "EMEA", ""], ["strategic", "no", "yes"]]
        assert rows[4].account_id is None
        assert ["region", None, "APAC"] in rows[4].changes
        assert [problem[0] for problem in rows[5].problems] == ["name", "strategic"]
        assert rows[5].cells == ["B", "", "x", "maybe"]
        assert rows[6].cells == ["E", "Left out", "", ""]
        assert rows[7].cells == ["short"]

    def test_a_second_check_replaces_the_first(self):
        keep = ImportFactory()
        checked("accounts", "external_id,name\nA,Acme\nB,\n", keep=keep)

        checked("accounts", "external_id,name\nA,Acme\n", keep=keep)

        assert [row.row for row in ImportRow.objects.all()] == [2]

    def test_problems_with_what_is_stored_come_with_the_cells_too(self):
        keep = ImportFactory()

        checked("subscriptions", "external_id,account_external_id,start\nS,?,2026-01-01\n",
                keep=keep)  # fmt: skip

        row = ImportRow.objects.get()
        assert row.problems[0][:2] == ["account_external_id", "?"]
        assert row.problems[0][3] == "unknown_account"
        assert row.cells == ["S", "?", "2026-01-01"]

    def test_readings(self):
        account = AccountFactory(external_id="A", name="Acme")
        head = "account_external_id,observed_at,seats,monthly_active\n"
        applied("seat-readings", f"{head}A,2026-01-01,5,2\nA,2026-01-02,6,\n")
        keep = ImportFactory(kind="seat-readings")

        report = checked(
            "seat-readings",
            f"{head}A,2026-01-01,5,\nA,2026-01-02,6,\nA,2026-01-03,7,3\nX,2026-01-03,7,3\n"
            "A,2026-01-04,1,1\nA,2026-01-04,2,1\n",
            keep=keep,
        )

        assert counts(report) == (1, 1, 1, 3)
        rows = {row.row: row for row in ImportRow.objects.filter(file=keep)}
        assert rows[2].changes == [["monthly_active", "2", ""]]
        assert (rows[2].label, rows[2].account_id) == ("Acme 2026-01-01 00:00 UTC", account.pk)
        assert rows[4].changes == [["seats", None, "7"], ["monthly_active", None, "3"]]
        assert rows[5].problems[0][0] == "account_external_id"
        assert "Rows 6, 7 are readings" in rows[6].problems[0][2]
        assert rows[7].outcome == "error"

    def test_the_report_holds_the_first_problems_and_the_caller_hears_of_all(self):
        content = "external_id,name\n" + "".join(f"B{n},\n" for n in range(1_200))
        heard = []

        report = preview_import(
            order("accounts", content), by=system_user(), now=TODAY, on_problem=heard.append
        )

        assert report.bad_rows == 1_200
        assert len(report.problems) == 1_000
        assert [problem.row for problem in heard] == list(range(2, 1_202))

    def test_how_far_it_is_is_told(self):
        told = []
        apply_import(
            order("accounts", "external_id,name\nA,Acme\n"),
            by=system_user(),
            now=TODAY,
            tell=lambda *step: told.append(step),
        )

        assert [phase for phase, _, _ in told] == ["Checking", "Writing", "Writing", "Numbers"]
        assert all(done <= total for _, done, total in told)


class TestExcluded:
    CONTENT = "external_id,name\nA,Acme\nB,\nA2,Other\n"

    def test_the_rest_is_applied_as_a_whole(self):
        report = applied("accounts", self.CONTENT, excluded=frozenset({3}))

        assert counts(report) == (2, 0, 0, 0)
        assert report.applied.excluded == [3]
        assert Account.objects.count() == 2

    def test_what_relies_on_a_row_left_out_is_bad(self):
        content = "external_id,name,parent_external_id\nP,Parent,\nC,Child,P\n"

        report = checked("accounts", content, excluded=frozenset({2}))

        assert bad(report)[0] == [(3, "parent_external_id")]

    def test_one_of_two_twins_can_stay(self):
        content = "external_id,name\nA,One\nA,Two\n"

        assert checked("accounts", content).bad_rows == 2
        assert counts(applied("accounts", content, excluded=frozenset({2}))) == (1, 0, 0, 0)
        assert Account.objects.get().name == "Two"

    def test_all_left_out_changes_nothing(self):
        report = applied("accounts", self.CONTENT, excluded=frozenset({2, 3, 4}))

        assert counts(report) == (0, 0, 0, 0)
        assert (report.rows, report.excluded, report.applied) == (3, 3, None)


class TestPlan:
    CONTENT = "external_id,name,region\nA,Acme,EMEA\nB,Beta,APAC\n"

    def test_the_plan_that_was_shown_is_applied_under_its_import(self):
        keep = ImportFactory(applied_at=None)
        shown = checked("accounts", self.CONTENT, keep=keep)

        report = applied("accounts", self.CONTENT, keep=keep, expected=shown.plan_hash)

        assert report.applied == keep
        assert set(Account.objects.values_list("last_import", flat=True)) == {keep.pk}
        assert Import.objects.count() == 1

    @pytest.mark.parametrize("kind", ["accounts", "seat-readings"])
    def test_e14_what_changed_since_is_noticed_and_nothing_is_written(self, kind):
        account = AccountFactory(external_id="A", name="Acme", region="LATAM")
        content = {
            "accounts": self.CONTENT,
            "seat-readings": "account_external_id,observed_at,seats\nA,2026-01-01,5\n",
        }[kind]
        shown = checked(kind, content)
        if kind == "accounts":
            Account.objects.filter(pk=account.pk).update(region="AMER")
        else:
            applied(kind, content.replace(",5", ",6"))
        events = Event.objects.count()

        with pytest.raises(PlanChanged) as caught:
            applied(kind, content, expected=shown.plan_hash)

        assert (caught.value.status, caught.value.message) == (
            412,
            "Data changed since the preview.",
        )
        assert Event.objects.count() == events

    def test_what_does_not_matter_to_it_is_not_noticed(self):
        AccountFactory(external_id="A", segment="Bank")
        shown = checked("accounts", self.CONTENT)
        Account.objects.update(segment="Insurance")

        assert applied("accounts", self.CONTENT, expected=shown.plan_hash).applied

    def test_each_difference_makes_another_plan(self):
        AccountFactory(external_id="A")
        hashes = [
            checked("accounts", self.CONTENT).plan_hash,
            checked("accounts", self.CONTENT.replace("APAC", "AMER")).plan_hash,
            checked("accounts", self.CONTENT, source="crm").plan_hash,
            checked("accounts", self.CONTENT, excluded=frozenset({3})).plan_hash,
            checked("accounts", self.CONTENT + "\nC,Gamma,\n").plan_hash,
        ]

        assert len(set(hashes)) == len(hashes)
        assert checked("accounts", self.CONTENT).plan_hash == hashes[0]

    def test_a_bad_row_stops_it_and_is_told(self):
        AccountFactory(external_id="A")
        report = applied("accounts", "external_id,name\nA,Acme\nB,\n")

        assert report.applied is None
        assert bad(report)[0] == [(3, "name")]


class TestEffect:
    def test_an_account_that_leaves_the_number(self, passing):
        SubscriptionFactory(external_id="T", account=passing, arr=Decimal(1))

        report = checked("subscriptions", "external_id,arr\nS,49999\nT,1\n")

        mover = Mover(passing.number, "Acme", "passes", "left the number: ARR not above $50K")
        assert report.effect == Effect(Side(1, 1), Side(0, 0), [mover], more=0, left=1)
        assert Effect.from_json(report.effect.as_json()) == report.effect

    def test_the_number_itself_stays_as_it_was(self, passing):
        before = AccountFacts.objects.values().get(), Subscription.objects.values().get()
        events = Event.objects.count()

        checked("subscriptions", "external_id,arr\nS,1\n", keep=ImportFactory())

        assert (AccountFacts.objects.values().get(), Subscription.objects.values().get()) == before
        assert Event.objects.count() == events

    @pytest.mark.parametrize(
        ("kind", "content", "becomes"),
        [
            ("accounts", "external_id,archived\nA,yes\n", "left the number: archived"),
            ("accounts", "external_id,status\nA,prospect\n", "left the number: prospect"),
            (
                "subscriptions",
                "external_id,unlimited\nS,yes\n",
                "left the number: unlimited licence",
            ),
            ("subscriptions", "external_id,seats\nS,\n", "unknown: no licensed seats"),
            ("subscriptions", "external_id,seats\nS,200\n", "does not pass"),
            ("instances", "external_id,counted\nI,no\n", "unknown: no counted instance"),
            (
                "seat-readings",
                f"instance_external_id,observed_at,seats\nI,{TODAY:%Y-%m-%d},10\n",
                "does not pass",
            ),
        ],
    )
    def test_each_kind_that_can_move_it(self, passing, kind, content, becomes):
        report = checked(kind, content, now=TODAY + dt.timedelta(hours=24))

        assert [mover.becomes for mover in report.effect.movers] == [becomes]

    def test_rates_move_accounts_that_are_paid_in_them(self, passing):
        Subscription.objects.update(currency="EUR")
        facts_changed([passing.pk])

        report = checked("exchange-rates", "currency,on,rate\nEUR,2020-01-01,1.5\n")

        (mover,) = report.effect.movers
        assert (mover.was, mover.becomes) == ("not in the number", "passes")
        assert (report.effect.before, report.effect.after) == (Side(0, 0), Side(1, 1))

    def test_good_rows_beside_bad_ones_tell_their_effect(self, passing):
        report = checked("subscriptions", "external_id,seats\nS,1000\nnone,5\n")

        assert report.bad_rows == 1
        assert report.effect.after == Side(0, 1)

    @pytest.mark.parametrize(
        ("kind", "content"),
        [
            ("contacts", "external_id,account_external_id,name\nC,A,Ada\n"),
            ("assignments", f"{TEAM}A,t@k.example,TAM,2026-01-01\n"),
            ("accounts", "external_id,name\nA,Other\nN,New\n"),
            ("subscriptions", "external_id,product\nS,Gold\n"),
            ("subscriptions", "external_id,seats\nS,100\n"),
        ],
    )  # fmt: skip
    def test_there_is_none_where_nothing_can_move(self, passing, kind, content):
        UserFactory(email="t@k.example")

        assert checked(kind, content).effect is None

    def test_new_contracts_with_keys_of_their_own(self):
        for number in range(30):
            AccountFactory(external_id=f"A{number}")
        rows = "".join(f"S{n},A{n},2020-01-01,60000,10\n" for n in range(30))

        report = checked(
            "subscriptions", f"external_id,account_external_id,start,arr,seats\n{rows}"
        )

        assert report.effect.after == Side(0, 30)
        assert not Subscription.objects.exists()


class TestMass:
    def accounts(self, count):
        return [AccountFactory(external_id=f"A{number}") for number in range(count)]

    def test_many_customers_that_would_be_none(self):
        self.accounts(20)
        rows = "".join(f"A{number},yes\n" for number in range(3))

        assert checked("accounts", f"external_id,archived\n{rows}").mass == [
            (
                "3 of 20 customers would no longer be customers; one person may do this to 10%, "
                "and to 50 at once."
            )
        ]
        assert checked("accounts", "external_id,archived\nA0,yes\nA1,yes\n").mass == []

    def test_more_than_fifty_whatever_their_share(self):
        self.accounts(520)
        rows = "".join(f"A{number},prospect\n" for number in range(51))

        assert checked("accounts", f"external_id,status\n{rows}").mass
        assert not checked("accounts", f"external_id,status\n{rows.partition('A50')[0]}").mass

    def test_new_facts_are_no_mass_change(self):
        rows = "".join(f"A{number},Name,yes\n" for number in range(80))

        assert checked("accounts", f"external_id,name,archived\n{rows}").mass == []

    @pytest.mark.parametrize(
        ("count", "arr", "word"), [(10, 60, "fall by 40%"), (10, 71, ""), (9, 1, ""),
                                   (10, 140, "rise by 40%")],
    )  # fmt: skip
    def test_arr_that_changes_much(self, count, arr, word):
        for number, account in enumerate(self.accounts(count)):
            SubscriptionFactory(
                external_id=f"S{number}", account=account, arr=100, start=dt.date(2020, 1, 1),
                end=None,
            )  # fmt: skip
        rows = "".join(f"S{number},{arr}\n" for number in range(count))

        mass = checked("subscriptions", f"external_id,arr\n{rows}").mass

        assert [word in sentence for sentence in mass] == ([True] if word else [])

    def test_contracts_that_end_lose_their_arr(self):
        for number, account in enumerate(self.accounts(10)):
            SubscriptionFactory(
                external_id=f"S{number}", account=account, arr=100, start=dt.date(2020, 1, 1),
                end=None,
            )  # fmt: skip
        rows = "".join(f"S{number},2021-01-01\n" for number in range(10))

        assert "fall by 100%" in checked("subscriptions", f"external_id,end\n{rows}").mass[0]

    def members(self, count):
        for number, account in enumerate(self.accounts(count)):
            SubscriptionFactory(
                external_id=f"S{number}", account=account, arr=60_000, currency="USD",
                start=dt.date(2020, 1, 1), end=None,
            )  # fmt: skip
        facts_changed(Account.objects.values_list("pk", flat=True))

    @pytest.mark.parametrize(
        ("kind", "header", "value"),
        [
            ("subscriptions", "external_id,account_external_id", "A0"),
            ("subscriptions", "external_id,currency", "XOF"),
            ("subscriptions", "external_id,unlimited", "yes"),
        ],
    )
    def test_accounts_that_leave_the_number_in_another_way(self, kind, header, value):
        self.members(9)
        rows = [f"S{number},{value}\n" for number in range(1, 9)]

        (told,) = checked(kind, f"{header}\n{''.join(rows)}").mass
        assert told.startswith("8 of 9 accounts would leave the number; one person may")
        assert checked(kind, f"{header}\n{''.join(rows[:2])}").mass == []

    def test_accounts_that_leave_behind_one_that_gains_their_arr(self):
        self.members(12)
        rows = "".join(f"S{number},1\n" for number in range(1, 12))

        report = checked("subscriptions", f"external_id,arr\nS0,720000\n{rows}")

        assert (report.effect.left, len(report.mass)) == (11, 1)

    def test_accounts_that_leave_by_a_rate(self):
        self.members(4)
        Subscription.objects.update(currency="EUR")
        applied("exchange-rates", "currency,on,rate\nEUR,2020-01-01,1\n")

        assert checked("exchange-rates", "currency,on,rate\nEUR,2020-01-01,0.5\n").mass


class TestWholeFile:
    """What shows only when all rows are seen, though they are planned some at a time."""

    @pytest.fixture(autouse=True)
    def _small_chunks(self, monkeypatch):
        monkeypatch.setattr("accounts.imports.staging_facts.CHUNK", 3)
        monkeypatch.setattr("accounts.imports.staging_facts.WRITTEN_AT_ONCE", 4)

    def test_parents_stand_anywhere_in_the_file(self):
        AccountFactory(external_id="C0", parent=AccountFactory(external_id="old"))
        rows = "".join(f"C{n},Child {n},P{n % 3}\n" for n in range(12))
        content = f"external_id,name,parent_external_id\n{rows}P2,P2,P1\nP1,P1,P0\nP0,P0,\n"

        assert checked("accounts", content).bad_rows == 0
        report = applied("accounts", content)

        assert counts(report) == (14, 1, 0, 0)
        parents = dict(Account.objects.values_list("external_id", "parent__external_id"))
        assert {name: parents[name] for name in ("C0", "C5", "P2", "P1", "P0")} == {
            "C0": "P0", "C5": "P2", "P2": "P1", "P1": "P0", "P0": None,
        }  # fmt: skip
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")

    def test_rings_over_many_chunks(self):
        rows = "".join(f"A{n},A,A{(n + 1) % 8}\n" for n in range(8))

        report = checked("accounts", f"external_id,name,parent_external_id\n{rows}B,B,A1\nC,C,\n")

        assert report.bad_rows == 9
        assert {problem.code for problem in report.problems} == {"bad_parent"}

    def test_e17_depth_of_a_thousand(self):
        rows = "".join(f"A{n},A,A{n - 1}\n" for n in range(1, 1_000))

        report = checked("accounts", f"external_id,name,parent_external_id\nA0,A,\n{rows}")

        assert report.bad_rows == 999
        assert "at most 10 parents" in report.problems[0].detail

    def test_teams_stay_together(self):
        accounts = [AccountFactory(external_id=f"A{n}") for n in range(3)]
        people = [UserFactory(email=f"p{n}@keel.example") for n in range(6)]
        for account in accounts:
            AssignmentFactory(account=account, user=people[0], start=dt.date(2026, 1, 1))
        head = "account_external_id,user_email,role,start,end\n"
        # Who follows comes long before who leaves.
        later = [f"A{n},p{m}@keel.example,TAM,2026-0{m + 1}-01,2026-0{m + 2}-01\n"
                 for m in range(5, 0, -1) for n in range(3)]  # fmt: skip
        first = [f"A{n},p0@keel.example,TAM,2026-01-01,2026-02-01\n" for n in range(3)]

        report = applied("assignments", head + "".join(later + first))

        assert counts(report) == (15, 3, 0, 0)
        assert Assignment.objects.count() == 18

    def test_overlaps_of_rows_far_apart(self):
        AccountFactory(external_id="A")
        for n in range(9):
            AccountFactory(external_id=f"B{n}")
        for name in ("one", "two"):
            UserFactory(email=f"{name}@keel.example")
        others = "".join(f"B{n},one@keel.example,TAM,2026-01-01\n" for n in range(9))

        report = checked(
            "assignments",
            "account_external_id,user_email,role,start\nA,one@keel.example,TAM,2026-01-01\n"
            f"{others}A,two@keel.example,TAM,2026-05-01\n",
        )

        assert bad(report)[0] == [(2, "primary"), (12, "primary")]

    def test_a_team_that_is_too_large(self, monkeypatch):
        monkeypatch.setattr("accounts.imports.whole_files.MOST_IN_TEAM", 5)
        AccountFactory(external_id="A")
        UserFactory(email="one@keel.example")
        rows = "".join(f"A,one@keel.example,TAM,2026-01-{n + 1:02},no\n" for n in range(6))

        report = checked(
            "assignments", f"account_external_id,user_email,role,start,primary\n{rows}"
        )

        assert report.bad_rows == 6
        assert "more than 5 assignments" in report.problems[0].detail

    def test_twins_far_apart(self):
        rows = "".join(f"A{n},Name\n" for n in range(9))

        report = checked("accounts", f"external_id,name\n{rows}A0,Again\n")

        assert [problem.detail for problem in report.problems] == [
            "Rows 2, 11 are the same account. Keep one of them."
        ] * 2

    def test_samples_are_the_first_rows(self):
        rows = "".join(f"A{n},Name\n" for n in range(30))

        report = checked("accounts", f"external_id,name\n{rows}")

        assert [change.row for change in report.created] == list(range(2, 22))

    def test_all_of_it_is_written_in_parts(self):
        rows = "".join(f"A{n},Name {n}\n" for n in range(11))
        applied("accounts", f"external_id,name\n{rows}")
        applied("accounts", f"external_id,name\n{rows.replace('Name', 'Other')}N,New\n")

        assert Account.objects.filter(name__startswith="Other").count() == 11
        assert Account.objects.filter(version=F("version")).count() == 12
        assert Event.objects.filter(verb="account.updated").count() == 11
        assert AccountFacts.objects.count() == 12


def test_an_undone_file_does_not_count_as_applied():
    content = "external_id,name\nA,Acme\n"
    made = apply("accounts", content).applied
    assert preview("accounts", content).applied_before is not None
    Import.objects.filter(pk=made.pk).update(undone_at=TODAY)

    assert preview("accounts", content).applied_before is None


@pytest.mark.django_db
def test_an_account_is_told_of_the_contract_that_leaves_it():
    old, new = AccountFactory(external_id="OLD"), AccountFactory(external_id="NEW")
    SubscriptionFactory(account=old, external_id="S")

    apply("subscriptions", "external_id,account_external_id\nS,NEW\n")

    told = [events_of_account(account.pk).get() for account in (old, new)]
    assert {event.verb for event in told} == {"subscription.updated"}
    assert told[0].before == told[1].before == {"account_external_id": "OLD"}
    assert told[0].after == told[1].after == {"account_external_id": "NEW"}
