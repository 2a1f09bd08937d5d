"""Runs: whole, never edited, and nothing written twice."""

import datetime as dt
from decimal import Decimal
from itertools import pairwise

import pytest
from django.core.exceptions import PermissionDenied
from django.db import DatabaseError, IntegrityError, connection, transaction

from accounts.models import Account, Subscription
from events.models import Event
from metrics import rules
from metrics.models import MetricDefinition, MetricRow, MetricRun
from metrics.selectors import answers, judging, rows, runs
from metrics.services.runs import (
    NotYet,
    recompute,
    set_target,
)
from people.models import system_user
from tests.factories import (
    AssignmentFactory,
    ExchangeRateFactory,
    SubscriptionFactory,
)
from tests.metrics.scene import (
    LATER,
    SLUG,
    compute,
    customer,
    day,
    learn,
    moment,
    number_on,
    read,
    seats_runs,
    settle,
)


def results(run):
    """Return what the run saw: (passes, reason) by account."""
    return {row.account_id: (row.passes, row.reason) for row in rows.rows_of(run)}


def ranges(account, layer=1):
    found = MetricRow.objects.filter(account=account, layer=layer).order_by("from_day")
    return [
        (row.deployed, f"{row.from_day:%m-%d}", row.to_day and f"{row.to_day:%m-%d}")
        for row in found
    ]


@pytest.mark.django_db
class TestARun:
    def test_keeps_the_number_and_what_it_knew(self):
        learn("03-01")
        customer(80), customer(79), customer(None), customer(90, status="prospect")
        outcome = compute("03-10")
        run = seats_runs().get()
        assert outcome.is_new
        assert (run.numerator, run.denominator, run.unknown, run.covered) == (1, 3, 1, 2)
        assert (run.day, run.revision, run.status) == (day("03-10"), 1, "published")
        assert run.known_at == moment("03-11T01:00")
        assert run.oldest_reading == moment("03-01T12:00")
        assert run.excluded == {"prospect": 1}
        assert MetricRow.objects.count() == 4

    def test_of_nobody_has_no_number(self):
        compute("03-10")
        run = seats_runs().get()
        assert (run.numerator, run.denominator) == (0, 0)
        answer = answers.as_json(run)
        assert [answer[name] for name in ("value", "low", "high", "coverage")] == [None] * 4

    def test_answers_with_shares_that_are_cut(self):
        learn("03-01")
        customer(80), customer(80), customer(None)
        answer = answers.as_json(compute("03-10").run)
        assert (answer["value"], answer["low"], answer["high"]) == (
            "0.666666",
            "0.666666",
            "1.000000",
        )
        assert answer["coverage"] == "0.666666"

    def test_is_recorded_once(self, django_user_model):
        learn("03-01")
        compute("03-10")
        compute("03-10", "03-12")
        (event,) = Event.objects.filter(verb="metric.computed")
        assert event.after["day"] == "2026-03-10"
        assert event.actor_id == system_user().pk

    def test_is_computed_when_it_is_written(self):
        before = _clock()
        run = recompute(SLUG, day("03-10"), by=system_user(), now=LATER, known_at=before).run
        assert before < run.computed_at < _clock()

    def test_a_day_that_has_not_begun_is_refused(self):
        with pytest.raises(NotYet):
            compute("03-10", now=moment("03-09T23:59"))
        compute("03-10", "03-10T00:00", now=moment("03-10T00:00"))

    def test_a_day_begins_in_the_company_zone(self):
        settle("Pacific/Auckland")
        now = moment("03-09T11:00")  # midnight there
        with pytest.raises(NotYet):
            compute("03-10", now=now - dt.timedelta(seconds=1))
        compute("03-10", now=now)

    def test_only_metric_owners_compute(self, tam, metric_owner):
        with pytest.raises(PermissionDenied):
            recompute(SLUG, day("03-10"), by=tam, now=LATER)
        assert recompute(SLUG, day("03-10"), by=metric_owner, now=LATER).is_new

    def test_needs_a_metric(self):
        with pytest.raises(MetricDefinition.DoesNotExist):
            recompute("nothing", day("03-10"), by=system_user(), now=LATER)

    @pytest.mark.parametrize(
        "change",
        [
            lambda: seats_runs().update(numerator=0),
            lambda: MetricRun.objects.exclude(base=None).delete(),
            lambda: MetricRow.objects.update(passes=False),
            lambda: MetricRow.objects.all().delete(),
            lambda: MetricDefinition.objects.update(text="Easier"),
        ],
    )
    def test_is_never_edited(self, change):
        learn("03-01")
        customer(80)
        compute("03-10")
        with pytest.raises(DatabaseError, match="permission denied"), transaction.atomic():
            change()

    def test_is_one_per_definition_day_and_revision(self):
        run = compute("03-10").run
        run.pk = run.uuid = None
        with pytest.raises(IntegrityError), transaction.atomic():
            MetricRun.objects.create(
                definition=run.definition, day=run.day, revision=1, known_at=run.known_at
            )


@pytest.mark.django_db
class TestRevisions:
    def test_the_same_inputs_give_none(self):
        learn("03-01")
        customer(80)
        first = compute("03-10")
        for known_at in ("03-11T02:00", "03-15", "06-01"):
            again = compute("03-10", known_at)
            assert (again.is_new, again.run) == (False, first.run)
        assert seats_runs().count() == 1

    def test_late_facts_give_one(self):
        learn("03-01")
        account = customer(79)
        compute("03-10")
        learn("03-12")
        read(account, 80, "03-09T12:00")
        revised = compute("03-10", "03-12T01:00")
        assert (revised.is_new, revised.run.revision) == (True, 2)
        assert number_on("03-10") == (1, 1)
        first = seats_runs().get(revision=1)
        assert (first.numerator, results(first)) == (0, {account.pk: (False, "below")})

    def test_an_unfinished_day_is_superseded_once_it_is_over(self):
        learn("03-01")
        customer(80)
        compute("03-10", "03-10T08:00")
        assert not compute("03-10", "03-10T20:00").is_new
        assert compute("03-10", "03-11T00:00").run.revision == 2

    def test_one_that_knew_more_is_not_superseded_by_one_that_knew_less(self):
        learn("03-01")
        account = customer(79)
        learn("03-12")
        read(account, 80, "03-09T12:00")
        newest = compute("03-10", "03-13")
        late = compute("03-10", "03-11")
        assert (late.is_new, late.run) == (False, newest.run)

    def test_what_each_saw_stays_as_it_was(self):
        learn("03-01")
        a, b = customer(79, name="A"), customer(90, name="B")
        first = compute("03-10").run
        learn("03-12")
        Subscription.objects.filter(account=b).update(seats=1000)
        second = compute("03-10", "03-12T01:00").run
        learn("03-14")
        c = customer(85, name="C")
        read(a, 85, "03-10T12:00")
        third = compute("03-10", "03-14T01:00").run
        assert results(first) == {a.pk: (False, "below"), b.pk: (True, "passes")}
        assert results(second) == {a.pk: (False, "below"), b.pk: (False, "below")}
        assert results(third) == {
            a.pk: (True, "passes"), b.pk: (False, "below"), c.pk: (True, "passes"),
        }  # fmt: skip
        assert [run.revision for run in (first, second, third)] == [1, 2, 3]

    def test_going_back_to_what_it_was_is_one_too(self):
        learn("03-01")
        account = customer(90)
        compute("03-10")
        for at, seats in (("03-12", 1000), ("03-14", 100)):
            learn(at)
            Subscription.objects.update(seats=seats)
            compute("03-10", f"{at}T01:00")
        assert [results(run)[account.pk][0] for run in seats_runs().order_by("revision")] == [
            True,
            False,
            True,
        ]

    def test_an_account_deleted_since_is_seen_no_more(self):
        learn("03-01")
        gone, stays = customer(80), customer(80)
        first = compute("03-10").run
        learn("03-12")
        pk = gone.pk
        with connection.cursor() as cursor:
            cursor.execute("DELETE FROM accounts_subscription WHERE account_id = %s", [pk])
            cursor.execute("DELETE FROM accounts_instance WHERE account_id = %s", [pk])
            cursor.execute("DELETE FROM accounts_account WHERE id = %s", [pk])
        second = compute("03-10", "03-12T01:00").run
        next_day = compute("03-12").run
        assert (second.numerator, next_day.numerator) == (1, 1)
        assert results(second).keys() == results(next_day).keys() == {stays.pk}
        assert set(MetricRow.objects.filter(account=pk).values_list("reason", flat=True)) == {
            "passes", "gone",
        }  # fmt: skip
        assert first.numerator == 2


@pytest.mark.django_db
class TestRows:
    def test_are_written_only_where_something_changed(self):
        learn("03-01")
        accounts = [customer(80) for _ in range(5)]
        compute("03-10")
        compute("03-11")
        assert MetricRow.objects.count() == 5
        learn("03-12")
        read(accounts[0], 85, "03-12T12:00")
        compute("03-12")
        assert MetricRow.objects.count() == 6
        assert ranges(accounts[0]) == [(80, "03-10", "03-12"), (85, "03-12", None)]
        assert ranges(accounts[1]) == [(80, "03-10", None)]

    def test_a_night_without_change_writes_one_run_and_no_row(self):
        learn("03-01")
        customer(80)
        compute("03-10")
        before = MetricRow.objects.values_list("pk", "to_day")[:]
        assert compute("03-11").is_new
        assert list(MetricRow.objects.values_list("pk", "to_day")) == list(before)

    def test_a_revision_writes_only_what_differs_from_the_layer_below(self):
        learn("03-01")
        accounts = [customer(80) for _ in range(5)]
        compute("03-10")
        learn("03-12")
        read(accounts[0], 85, "03-09T12:00")
        compute("03-10", "03-12T01:00")
        assert ranges(accounts[0], 2) == [(85, "03-10", None)]
        assert MetricRow.objects.count() == 6

    def test_days_computed_out_of_order_split_the_range(self):
        learn("03-01")
        account = customer(80)
        read(account, 81, "03-12T12:00")
        read(account, 82, "03-14T12:00")
        for on in ("03-10", "03-16", "03-14", "03-12", "03-13", "03-09", "03-15"):
            compute(on, "03-20")
        assert _joined(ranges(account)) == [
            (80, "03-09", "03-12"), (81, "03-12", "03-14"), (82, "03-14", None),
        ]  # fmt: skip
        for run in seats_runs():
            expected = 80 if run.day < day("03-12") else 81 if run.day < day("03-14") else 82
            assert rows.rows_of(run).get().deployed == expected

    def test_a_later_run_keeps_what_it_saw_when_one_before_it_is_computed(self):
        learn("03-01")
        account = customer(80)
        compute("03-10")
        compute("03-20")
        learn("03-25")
        read(account, 50, "03-14T12:00")
        read(account, 80, "03-16T12:00")
        compute("03-15", "03-25T01:00")
        assert ranges(account) == [
            (80, "03-10", "03-15"), (50, "03-15", "03-20"), (80, "03-20", None),
        ]  # fmt: skip
        assert [results(r)[account.pk][0] for r in seats_runs().order_by("day")] == [
            True,
            False,
            True,
        ]

    def test_no_account_has_two_rows_on_a_day_in_a_layer(self):
        learn("03-01")
        account = customer(80)
        for at, seats, on in (
            ("03-12", 70, "03-08"),
            ("03-13", 85, "03-09"),
            ("03-14", 60, "03-07"),
        ):
            compute("03-10", f"{at}T00:30")
            compute("03-11", f"{at}T00:30")
            learn(at)
            read(account, seats, f"{on}T12:00", source=f"s{seats}")
        for layer in set(MetricRow.objects.values_list("layer", flat=True)):
            found = [r[1:] for r in ranges(account, layer)]
            for (_, end), (start, _) in pairwise(found):
                assert end is not None
                assert end <= start


def _joined(found):
    """Join neighbours that say the same."""
    joined = []
    for seats, start, end in found:
        if joined and joined[-1][0] == seats and joined[-1][2] == start:
            joined[-1] = (seats, joined[-1][1], end)
        else:
            joined.append((seats, start, end))
    return joined


@pytest.mark.django_db
class TestPoison:
    def test_an_account_that_cannot_be_judged_stands_as_unknown(self, monkeypatch, caplog):
        learn("03-01")
        bad, good = customer(80), customer(80)
        # More contracts with a total value than the statement decides.
        for _ in range(judging.MOST_QUOTIENTS + 1):
            SubscriptionFactory(account=bad, arr=None, tcv=9000, end=day("12-31"))
        judge = rules.judge

        def explode(account, *args):
            if account.id == bad.pk:
                raise ZeroDivisionError
            return judge(account, *args)

        monkeypatch.setattr(rules, "judge", explode)
        run = compute("03-10").run
        assert results(run) == {bad.pk: (None, "error"), good.pk: (True, "passes")}
        assert (run.numerator, run.denominator, run.unknown) == (1, 2, 1)
        assert f"Account {bad.pk} could not be judged" in caplog.text

    def test_an_arr_that_no_column_holds_stops_nobody_else(self, caplog):
        learn("03-01")
        most = Decimal("999999999999.9999")
        bad, good = customer(80), customer(80)
        Subscription.objects.filter(account=bad).update(arr=most, currency="EUR")
        ExchangeRateFactory(on=day("01-01"), rate=Decimal("999999999.9999999999"))
        run = compute("03-10").run
        assert results(run) == {bad.pk: (None, "error"), good.pk: (True, "passes")}

    def test_text_with_every_separator_comes_through(self):
        learn("03-01")
        region = "a\tb\\c\nd\\N"
        account = customer(80, region=region)
        assert rows.rows_of(compute("03-10").run).get().region == region
        Account.objects.filter(pk=account.pk).update(region="\\N")
        learn("03-12")
        assert rows.rows_of(compute("03-12").run).get().account_id == account.pk


@pytest.mark.django_db
class TestSegments:
    def test_add_up_to_the_whole(self, tam):
        learn("03-01")
        first = customer(80, region="EMEA")
        customer(10, region="EMEA"), customer(None, region="APAC"), customer(90, region="")
        customer(90, region="EMEA", status="prospect")
        AssignmentFactory(account=first, user=tam)
        run = compute("03-10").run
        for by in rows.SEGMENTS:
            found = answers.segments_as_json(run, by)
            assert sum(s["numerator"] for s in found) == run.numerator == 2
            assert sum(s["denominator"] for s in found) == run.denominator == 4
            assert sum(s["unknown"] for s in found) == run.unknown == 1
        by_region = {s["label"]: s for s in answers.segments_as_json(run, "region")}
        assert (by_region["EMEA"]["numerator"], by_region["EMEA"]["denominator"]) == (1, 2)
        assert by_region["EMEA"]["excluded"] == {"prospect": 1}
        assert by_region["EMEA"]["oldest_reading"] == "2026-03-01T12:00:00Z"
        assert by_region["APAC"]["oldest_reading"] is None

    def test_are_as_they_were_on_the_day(self, person):
        learn("03-01")
        first, second = person("tam", name="Ada"), person("tam", name="Bo")
        account = customer(80, region="EMEA")
        AssignmentFactory(account=account, user=first, end=day("03-15"))
        before = compute("03-10").run
        learn("03-14")
        Account.objects.update(region="APAC")
        AssignmentFactory(account=account, user=second, start=day("03-15"))
        after = compute("03-15").run
        assert [s.label for s in rows.segments_of(before, "region")] == ["EMEA"]
        assert [s.label for s in rows.segments_of(after, "region")] == ["APAC"]
        assert [s.label for s in rows.segments_of(before, "tam")] == ["Ada"]
        assert [s.label for s in rows.segments_of(after, "tam")] == ["Bo"]


@pytest.mark.django_db
class TestTargets:
    def test_the_newest_stands(self, leadership):
        for value in ("0.6", "0.75"):
            set_target(SLUG, Decimal(value), day("12-31"), by=leadership)
        assert runs.target_of(SLUG).value == Decimal("0.75")
        event = Event.objects.filter(verb="metric.target_set").latest("pk")
        assert (event.before["value"][:3], event.after["value"]) == ("0.6", "0.75")

    def test_leadership_sets_it(self, metric_owner):
        with pytest.raises(PermissionDenied):
            set_target(SLUG, Decimal("0.6"), None, by=metric_owner)


def _clock():
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        return cursor.fetchone()[0]
