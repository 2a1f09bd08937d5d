"""A run that starts from the one before it judges few accounts and says what a full one says."""

import datetime as dt
import json

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import (
    Account,
    Assignment,
    Company,
    Instance,
    SeatReading,
    Subscription,
    Tier,
)
from config.lib import crypto
from events.models import OutboxMessage
from metrics import tasks
from metrics.models import MetricDefinition, MetricRow
from metrics.selectors import families, touched
from metrics.services import continuing
from metrics.services import runs as services
from people.models import system_user
from tests.factories import (
    AssignmentFactory,
    ExchangeRateFactory,
    InstanceFactory,
    SubscriptionFactory,
)
from tests.metrics.scene import (
    assert_same_by_every_way,
    compute,
    customer,
    day,
    learn,
    moment,
    read,
    seats_runs,
    settle,
)

pytestmark = pytest.mark.django_db
MANY = 10


@pytest.fixture
def customers():
    learn("02-01")
    return [customer(80, at="03-01T12:00") for _ in range(MANY)]


def next_night(on="03-11"):
    """Compute it, hold it against the full one, and return how many accounts were judged."""
    run = compute(on).run
    assert_same_by_every_way(run)
    return run.judged


class TestWhoIsJudgedAnew:
    """After the run of 10 March, which knew what was known at one in the next morning."""

    def test_everybody_for_the_first_run_of_all(self, customers):
        assert compute("03-10").run.judged == MANY

    def test_nobody_where_nothing_happened(self, customers):
        compute("03-10")
        assert next_night() == 0

    @pytest.mark.parametrize(
        "tell",
        [
            lambda account: SubscriptionFactory(account=account, start=day("03-11"), seats=50),
            lambda account: Subscription.objects.filter(account=account).update(end=day("03-11")),
            lambda account: Account.objects.filter(pk=account.pk).update(churned_on=day("03-11")),
            lambda account: read(account, 70, "03-11T00:30"),
            lambda account: read(account, 70, "03-11T23:59"),
        ],
    )
    def test_where_a_date_passes_that_was_known_before(self, customers, tell):
        tell(customers[3])
        compute("03-10")
        assert next_night() == 1

    def test_where_a_tam_begins_or_ends(self, customers, tam):
        AssignmentFactory(account=customers[0], user=tam, start=day("03-11"))
        AssignmentFactory(account=customers[1], user=tam, end=day("03-11"))
        AssignmentFactory(account=customers[2], user=tam, end=day("03-12"))
        compute("03-10")
        assert next_night() == 2
        assert next_night("03-12") == 1

    def test_where_a_reading_grows_stale(self, customers):
        old = customer(80, at="01-10T23:59")
        both = customer(80, at="01-10T23:59")
        read(both, 81, "02-20T12:00")
        compute("03-10")
        assert next_night("03-11") == 0
        assert next_night("03-12") == 1
        assert MetricRow.objects.filter(account=old).latest("from_day").data_state == "stale"

    @pytest.mark.parametrize(
        "tell",
        [
            lambda account: Account.objects.filter(pk=account.pk).update(internal=True),
            lambda account: Instance.objects.filter(account=account).update(counted=False),
            lambda account: InstanceFactory(account=account),
        ],
    )
    def test_where_an_attribute_counts_from_the_next_day_on(self, customers, tell):
        """It was learned after the day and before the cut."""
        learn("03-11T00:30")
        tell(customers[3])
        compute("03-10")
        assert next_night() == 1

    @pytest.mark.parametrize(
        "tell",
        [
            lambda account: Subscription.objects.filter(account=account).update(seats=500),
            lambda account: Subscription.objects.filter(account=account).delete(),
            lambda account: Account.objects.filter(pk=account.pk).update(region="APAC"),
            lambda account: Account.objects.filter(pk=account.pk).update(churned_on=day("03-01")),
            lambda account: Instance.objects.filter(account=account).delete(),
            lambda account: read(account, 70, "03-05T12:00"),
            lambda account: SeatReading.objects.filter(instance__account=account).update(
                known_to=moment("03-11T12:00")
            ),
            lambda account: customer(80),
        ],
    )
    def test_where_something_was_learned(self, customers, tell):
        compute("03-10")
        learn("03-11T12:00")
        tell(customers[3])
        assert next_night() == 1

    def test_both_sides_of_an_instance_that_moved(self, customers):
        compute("03-10")
        learn("03-11T12:00")
        Instance.objects.filter(account=customers[0]).update(account=customers[1])
        assert next_night() == 2

    def test_where_a_tam_was_learned_of_or_taken_back(self, customers, tam):
        AssignmentFactory(account=customers[0], user=tam)
        compute("03-10")
        learn("03-11T12:00")
        AssignmentFactory(account=customers[1], user=tam)
        Assignment.objects.filter(account=customers[0]).delete()
        assert next_night() == 2

    def test_who_has_contracts_in_a_currency_that_got_another_rate(self, customers):
        Subscription.objects.filter(account=customers[0]).update(currency="EUR")
        Subscription.objects.filter(account=customers[1]).update(currency="GBP")
        ExchangeRateFactory(currency="EUR", on=day("01-01"))
        ExchangeRateFactory(currency="EUR", on=day("03-11"), rate=2)
        compute("03-10")
        assert next_night() == 1
        learn("03-12T12:00")
        ExchangeRateFactory(currency="GBP", on=day("03-01"))
        assert next_night("03-12") == 1

    @pytest.mark.parametrize(
        "change",
        [
            lambda: Tier.objects.create(name="Opal", arr_from=70_000, start=day("03-11")),
            lambda: Company.objects.update(time_zone="Asia/Kathmandu"),
            lambda: Company.objects.update(reporting_currency="EUR"),
        ],
    )
    def test_everybody_where_the_terms_changed(self, customers, change):
        settle("UTC")
        compute("03-10")
        learn("03-11T12:00")
        change()
        assert next_night() == MANY

    def test_everybody_under_another_version_of_the_definition(self, customers):
        compute("03-10")
        first = MetricDefinition.objects.get(slug="seats-deployed")
        MetricDefinition.objects.create(
            slug=first.slug, number=2, title=first.title, unit=first.unit, text=first.text,
            policy=first.policy | {"share_percent": 90}, valid_from=day("03-11"),
        )  # fmt: skip
        assert next_night() == MANY
        assert next_night("03-12") == 0

    def test_everybody_where_more_than_a_third_changed(self, customers):
        compute("03-10")
        learn("03-11T12:00")
        for account in customers[:4]:
            read(account, 70, "03-11T11:00")
        assert next_night() == MANY

    def test_everybody_where_it_is_asked_for(self, customers):
        compute("03-10")
        outcome = services.recompute(
            "seats-deployed", day("03-11"), by=system_user(), now=moment("03-12"),
            known_at=moment("03-12"), full=True,
        )  # fmt: skip
        assert (outcome.run.judged, outcome.is_full) == (MANY, True)

    def test_everybody_where_the_run_before_has_no_sum(self, customers):
        compute("03-10")
        connection.cursor().execute("RESET ROLE; UPDATE metrics_metricrun SET inputs_sum = ''")
        assert next_night() == MANY


class TestLayers:
    def test_a_night_after_a_day_was_revised(self, customers):
        """The run of the next day is of the first layer again, and sees other rows."""
        compute("03-10")
        learn("03-12T08:00")
        read(customers[0], 70, "03-09T12:00")
        assert compute("03-10", "03-12T09:00").run.revision == 2
        run = compute("03-11", "03-12T10:00").run
        assert (run.revision, run.judged) == (1, 1)
        assert_same_by_every_way(run)

    def test_days_computed_out_of_order(self, customers):
        for number, on in enumerate(("03-10", "03-16", "03-14", "03-12", "03-13", "03-15")):
            learn(f"04-{number + 1:02}")
            read(customers[number], 10 * number, f"{on}T12:00")
            assert_same_by_every_way(compute(on, f"04-{number + 1:02}T12:00").run)

    def test_a_revision_of_a_day_judges_what_was_learned_since(self, customers):
        compute("03-10")
        learn("03-12T08:00")
        read(customers[0], 70, "03-09T12:00")
        run = compute("03-10", "03-12T09:00").run
        assert (run.revision, run.judged) == (2, 1)
        assert_same_by_every_way(run)


class TestTheOldestReading:
    @pytest.mark.parametrize("several", [3, 0])
    def test_moves_on_when_its_account_was_read_again(self, customers, several, monkeypatch):
        """In stretches, or by asking everybody."""
        monkeypatch.setattr(continuing, "FEW_READINGS", several)
        monkeypatch.setattr(continuing, "SEVERAL", several)
        oldest = customer(80, at="02-05T12:00")
        customer(80, at="02-20T12:00")
        assert compute("03-10").run.oldest_reading == moment("02-05T12:00")
        learn("03-11T12:00")
        read(oldest, 81, "03-11T11:00")
        assert next_night() == 1
        assert seats_runs().latest("pk").oldest_reading == moment("02-20T12:00")

    def test_is_that_of_an_account_in_the_number(self, customers):
        oldest = customer(80, at="02-05T12:00")
        customer(80, at="02-06T12:00", status="prospect")
        compute("03-10")
        learn("03-11T12:00")
        Account.objects.filter(pk=oldest.pk).update(archived=True)
        assert next_night() == 1
        assert seats_runs().latest("pk").oldest_reading == moment("03-01T12:00")

    def test_may_be_an_older_one(self, customers):
        late = customer(None)
        compute("03-10")
        learn("03-11T12:00")
        read(late, 80, "02-03T12:00")
        assert next_night() == 1
        assert seats_runs().latest("pk").oldest_reading == moment("02-03T12:00")

    def test_is_none_when_the_last_one_is_gone(self):
        learn("02-01")
        customer(80, at="03-01T12:00")
        for _ in range(3):
            customer(None)
        compute("03-10")
        learn("03-11T12:00")
        SeatReading.objects.update(known_to=moment("03-11T12:00"))
        assert next_night() == 1
        assert seats_runs().latest("pk").oldest_reading is None


class TestWhatItCosts:
    def written(self):
        """Return the rows this transaction has written, by table."""
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT relname, n_tup_ins + n_tup_upd + n_tup_del FROM pg_stat_xact_user_tables"
                " WHERE n_tup_ins + n_tup_upd + n_tup_del > 0"
            )
            return dict(cursor.fetchall())

    def test_a_night_without_change_writes_the_run_and_its_event(self, customers):
        compute("03-10")
        before = self.written()
        compute("03-11")
        after = self.written()
        grown = {name: rows - before.get(name, 0) for name, rows in after.items()}
        assert {name: rows for name, rows in grown.items() if rows} == {
            # And of each number that is worked out from it.
            "metrics_metricrun": 1 + len(families.slugs_of(families.DERIVED)), "events_event": 1,
        }  # fmt: skip

    @pytest.mark.parametrize("full", [True, False])
    def test_as_many_statements_for_20_accounts_as_for_300(self, full):
        counts = []
        for number, on in ((20, "03-12"), (280, "03-13")):
            learn(f"{on}T00:30")
            changing = [customer(80) for _ in range(number)][: number // 4]
            compute("03-10", f"{on}T01:00")
            learn(f"{on}T12:00")
            for account in changing:
                read(account, 70, "03-09T12:00")
            at = moment(f"{on}T13:00")
            with CaptureQueriesContext(connection) as queries:
                run = services.recompute(
                    "seats-deployed", day("03-10"), by=system_user(), now=at, known_at=at,
                    full=full,
                ).run  # fmt: skip
            assert (run.judged > len(changing)) is full
            counts.append(len(queries))
        assert counts[0] == counts[1] <= (20 if full else 30)

    def test_looks_up_what_changed_by_index(self, customers):
        """With so few rows a scan is cheaper; forbidden, none is left."""
        plans = []
        sources = [
            touched.ACCOUNTS, touched.CONTRACTS, touched.ASSIGNMENTS, touched.INSTANCES,
            touched.RATED, touched.ROWS,
        ]  # fmt: skip
        now = moment("03-12")
        parameters = {
            "day": day("03-11"), "day_before": day("03-10"), "day_end": now,
            "end_before": moment("03-11"), "known_at": now, "cut_before": moment("03-11"),
            "currencies": ["EUR"], "definition": 1, "lower": 1, "upper": 2,
        }  # fmt: skip
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL enable_seqscan = off")
            for source in sources:
                cursor.execute(f"EXPLAIN {source}", parameters)
                plans += [line for (line,) in cursor.fetchall()]
        assert not [line for line in plans if "Seq Scan" in line]


class TestTheFullCheck:
    @pytest.fixture
    def tick(self, monkeypatch):
        def at(text):
            now = moment(text)
            monkeypatch.setattr(tasks.timezone, "now", lambda: now)
            monkeypatch.setattr("metrics.services.runs.take_cut", lambda: now)
            monkeypatch.setattr("metrics.selectors.late.inputs.FAR_FUTURE", now)
            return tasks.nightly()

        return at

    @pytest.fixture
    def _overlooked(self, monkeypatch):
        """Let the incremental run overlook every contract that changed."""
        nobody = "SELECT NULL::bigint WHERE false"
        monkeypatch.setattr(touched, "CONTRACTS", nobody)

    def test_says_nothing_where_both_agree(self, customers, tick, caplog):
        tick("03-11T01:00")
        learn("03-11T12:00")
        read(customers[0], 70, "03-11T11:00")
        assert tick("03-12T01:00") == 1
        assert seats_runs().latest("pk").judged == 1
        assert "differs" not in caplog.text

    @pytest.mark.usefixtures("_overlooked")
    def test_a_difference_is_an_alarm_and_the_full_result_stands(
        self, customers, tick, caplog, metric_owner
    ):
        tick("03-11T01:00")
        learn("03-11T12:00")
        Subscription.objects.filter(account=customers[0]).update(seats=1000)
        tick("03-12T01:00")
        wrong, right = seats_runs().filter(day=day("03-11")).order_by("revision")
        assert (wrong.judged, wrong.numerator) == (0, MANY)
        assert (right.judged, right.numerator) == (MANY, MANY - 1)
        assert right.known_at == wrong.known_at
        assert_same_by_every_way(right)
        assert "differs from the full one" in caplog.text
        (message,) = OutboxMessage.objects.filter(dedupe_key__startswith="audit")
        mail = json.loads(crypto.decrypt(bytes(message.payload)))
        assert mail["to"] == metric_owner.email
        assert f"ACC-{customers[0].pk}" in mail["body"]

    @pytest.mark.usefixtures("_overlooked")
    @pytest.mark.parametrize(("policy", "revisions"), [("off", 1), ("newest", 2), ("all", 2)])
    def test_is_made_as_the_setting_says(self, customers, tick, settings, policy, revisions):
        settings.CHECK_RUNS = policy
        tick("03-11T01:00")
        learn("03-11T12:00")
        Subscription.objects.filter(account=customers[0]).update(seats=1000)
        tick("03-12T01:00")
        assert seats_runs().filter(day=day("03-11")).count() == revisions

    def test_a_full_run_by_hand_mends_rows_that_are_wrong(self, customers, caplog):
        compute("03-10")
        connection.cursor().execute(
            "RESET ROLE; UPDATE metrics_metricrow SET passes = false, reason = 'below'"
        )
        at = moment("03-12")
        outcome = services.recompute(
            "seats-deployed", day("03-10"), by=system_user(), now=at, known_at=at, full=True
        )
        assert (outcome.is_new, outcome.run.revision) == (True, 2)
        assert "accounts are judged otherwise" in caplog.text
        assert_same_by_every_way(outcome.run)


def test_goes_on_over_several_weeks_of_ordinary_life(customers):
    """Something happens to one account or another each day."""
    for number in range(20):
        night = dt.date(2026, 3, 10) + dt.timedelta(days=number)
        text = f"{night:%m-%d}"
        learn(f"{text}T12:00")
        account = customers[number % MANY]
        if number % 3 == 0:
            read(account, 60 + number, f"{text}T11:00")
        elif number % 3 == 1:
            Subscription.objects.filter(account=account).update(seats=90 + number)
        else:
            Account.objects.filter(pk=account.pk).update(archived=number % 2 == 0)
        assert next_night(text) <= (MANY if number == 0 else 2)
