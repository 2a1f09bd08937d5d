"""The hourly tick."""

import pytest
from django.db import connection

from accounts.models import AccountFacts, Company
from events.models import Event
from metrics import tasks
from metrics.models import MetricRow, MetricRun
from metrics.services.runs import AlreadyRunning
from tests.metrics.scene import compute, customer, learn, moment, read, seats_runs

pytestmark = pytest.mark.django_db


@pytest.fixture
def tick(monkeypatch):
    """Let the task tick at a moment and know what was known by then."""

    def at(text):
        now = moment(text)
        monkeypatch.setattr(tasks.timezone, "now", lambda: now)
        monkeypatch.setattr("metrics.services.runs.take_cut", lambda: now)
        monkeypatch.setattr("metrics.selectors.late.inputs.FAR_FUTURE", now)
        return tasks.nightly()

    return at


@pytest.fixture(autouse=True)
def account():
    learn("02-01")
    return customer(80, at="03-01T12:00")


def days():
    return [f"{run.day:%m-%d} r{run.revision}" for run in seats_runs().order_by("pk")]


def test_computes_yesterday_once_a_night(tick):
    assert tick("03-10T00:07") == 1
    for hour in range(1, 24, 5):
        assert tick(f"03-10T{hour:02}:07") == 0
    assert tick("03-11T00:07") == 1
    assert days() == ["03-09 r1", "03-10 r1"]


def test_lost_nights_are_made_up_oldest_first(tick):
    tick("03-10T00:07")
    assert tick("03-13T05:07") == 3
    assert days() == ["03-09 r1", "03-10 r1", "03-11 r1", "03-12 r1"]


def test_late_facts_wait_for_the_next_night(tick, account):
    tick("03-10T00:07")
    learn("03-10T09:00")
    read(account, 70, "03-09T12:00")
    assert tick("03-10T10:07") == 0
    assert tick("03-11T00:07") == 2
    assert days() == ["03-09 r1", "03-09 r2", "03-10 r1"]


def test_brings_the_current_facts_up_to_date_with_the_night(tick):
    tick("03-10T00:07")
    assert AccountFacts.objects.get().data_state == "complete"
    tick("05-01T00:07")
    assert AccountFacts.objects.get().data_state == "stale"


def test_an_hour_with_nothing_to_do_writes_nothing(tick):
    tick("03-10T00:07")
    counts = [MetricRun, MetricRow, Event, AccountFacts]
    before = [model.objects.count() for model in counts]
    tick("03-10T01:07")
    assert [model.objects.count() for model in counts] == before


def test_makes_months_for_readings_ahead(tick):
    tick("03-10T00:07")
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT to_regclass('accounts_seatreading_y2026m03'),"
            " to_regclass('accounts_seatreading_y2026m06')"
        )
        assert all(cursor.fetchone())


def test_beside_another_recompute_it_does_nothing_and_says_so(tick, monkeypatch):
    def busy(*args, **kwargs):
        raise AlreadyRunning

    monkeypatch.setattr(tasks, "catch_up", busy)
    assert tick("03-10T00:07") == 0


def test_computes_a_whole_day_of_the_company(tick):
    Company.objects.all().delete()
    learn("01-01")
    Company.objects.create(time_zone="Asia/Kathmandu")
    assert tick("03-10T18:07") == 1  # 23:52 there
    assert tick("03-10T19:07") == 1
    assert days() == ["03-09 r1", "03-10 r1"]


def test_what_was_computed_by_hand_in_the_day_is_made_final(tick):
    compute("03-09", "03-09T15:00")
    assert tick("03-10T00:07") == 1
    assert days() == ["03-09 r1", "03-09 r2"]
    assert seats_runs().latest("pk").known_at == moment("03-10T00:07")


def test_is_what_beat_rings_for_every_hour(settings):
    entry = settings.CELERY_BEAT_SCHEDULE["metrics.nightly"]
    assert entry["task"] == tasks.nightly.name
    assert entry["schedule"].hour == set(range(24))
    assert len(entry["schedule"].minute) == 1
    assert settings.CELERY_TIMEZONE == "UTC"
