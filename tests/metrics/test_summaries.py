"""What is counted of a run once, and read ever after."""

from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from metrics.models import MetricTarget, RunSummary
from metrics.selectors import dashboard, late_readings, runs, summaries
from metrics.services.summaries import keep_summaries
from people.models import system_user
from tests.metrics.scene import compute, customer, learn, read

pytestmark = pytest.mark.django_db


def forget():
    summaries._kept.cache_clear()
    for kept in (
        dashboard._cells,
        dashboard.nearest,
        dashboard.count_cells,
        late_readings._late_of,
    ):
        kept.cache_clear()


def all_counts(run, zone):
    return (
        dashboard.cells_of(run),
        dashboard.cells_by_tam(run),
        dashboard.nearest(run, 0),
        late_readings.count_of(run, zone),
        late_readings.by_source_of(run, zone),
    )


def test_what_is_kept_says_what_counting_says_and_needs_one_statement():
    learn("03-01T10:00")
    account = customer(90, region="EMEA")
    customer(78, region="APAC")
    customer(region="APAC")
    compute("03-02")
    learn("03-03T10:00")
    read(account, 40, "03-03T09:00")
    run = compute("03-03").run
    forget()
    zone = ZoneInfo(runs.company().time_zone)
    counted = all_counts(run, zone)

    assert keep_summaries() > 0
    assert keep_summaries() == 0
    forget()
    with CaptureQueriesContext(connection) as asked:
        kept = all_counts(run, zone)

    assert kept == counted
    assert len(asked) == 1
    forget()


def test_without_it_everything_is_counted():
    learn("03-01T10:00")
    customer(90)
    run = compute("03-02").run
    forget()

    assert not RunSummary.objects.exists()
    assert sum(cell.accounts for cell in dashboard.cells_of(run)) == 1
    # What came later is found: that there was nothing is not remembered.
    keep_summaries()
    assert summaries.told_of(run, dashboard.cells_name(dashboard.BY_TAM)) is not None
    forget()


def test_what_a_target_asks_for_is_counted_too():
    learn("03-01T10:00")
    customer(90)
    customer(40)
    run = compute("03-02").run
    MetricTarget.objects.create(slug=runs.SEATS_DEPLOYED, value="1", set_by=system_user())
    forget()

    keep_summaries()

    assert dashboard.upto_of(run) == 1
    assert summaries.told_of(run, dashboard.nearest_name(1)) is not None
    forget()
