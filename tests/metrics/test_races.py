"""Runs beside each other and beside who writes facts, and runs that are killed."""

import os
import signal
import subprocess
import sys
import threading
import time

import pytest
from django.conf import settings
from django.db import connection, transaction

from events.models import Event
from metrics.models import MetricRow
from metrics.selectors import rows
from metrics.services import ledger, staging
from metrics.services import runs as services
from metrics.services.runs import (
    AlreadyRunning,
    recompute,
)
from people.models import system_user
from tests.metrics.scene import (
    LATER,
    SLUG,
    customer,
    day,
    seats_runs,
)


def results(run):
    """Return what the run saw: (passes, reason) by account."""
    return {row.account_id: (row.passes, row.reason) for row in rows.rows_of(run)}


@pytest.mark.django_db(transaction=True)
class TestAtOnce:
    def test_two_recomputes_make_one_run(self):
        for _ in range(5):
            customer(80)
        barrier = threading.Barrier(2)
        found = []

        def work():
            barrier.wait(5)
            try:
                found.append(recompute(SLUG, day("03-10"), by=system_user(), now=LATER).is_new)
            except AlreadyRunning:
                found.append(False)
            finally:
                connection.close()

        for _ in range(6):
            threads = [threading.Thread(target=work) for _ in range(2)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join(20)
        assert sorted(found) == [False] * 11 + [True]
        assert seats_runs().count() == 1
        assert MetricRow.objects.count() == 5

    def test_a_second_one_is_refused_while_the_first_is_at_work(self, monkeypatch):
        customer(80)
        at_work, go_on = threading.Event(), threading.Event()
        write_rows = ledger.write_rows

        def slowly(run, **more):
            at_work.set()
            assert go_on.wait(10)
            write_rows(run, **more)

        monkeypatch.setattr(ledger, "write_rows", slowly)

        def first():
            recompute(SLUG, day("03-10"), by=system_user(), now=LATER)
            connection.close()

        thread = threading.Thread(target=first)
        thread.start()
        assert at_work.wait(10)
        with pytest.raises(AlreadyRunning):
            recompute(SLUG, day("03-11"), by=system_user(), now=LATER)
        # Whole or not at all: nothing of it is visible yet, not even its rows.
        assert (seats_runs().count(), MetricRow.objects.count()) == (0, 0)
        go_on.set()
        thread.join(10)
        assert (seats_runs().count(), MetricRow.objects.count()) == (1, 1)

    def test_facts_written_meanwhile_are_all_in_or_all_out(self):
        """Each writer makes an account that passes in one transaction, its reading last."""
        stop = threading.Event()

        def write():
            while not stop.is_set():
                with transaction.atomic():
                    customer(80, at="03-01T12:00")
            connection.close()

        writers = [threading.Thread(target=write) for _ in range(2)]
        for writer in writers:
            writer.start()
        try:
            for _ in range(6):
                time.sleep(0.05)
                recompute(SLUG, day("03-10"), by=system_user(), now=LATER)
        finally:
            stop.set()
            for writer in writers:
                writer.join(10)
        made = list(seats_runs().order_by("revision"))
        assert len(made) > 2
        for run in made:
            assert run.numerator == run.denominator == len(results(run))
            assert run.excluded == {}


KILLED = """
import datetime as dt, os, sys, time
import django
django.setup()
from metrics.services import ledger, runs, staging
from people.models import system_user
module, step = sys.argv[1].split(".")
module = {"ledger": ledger, "runs": runs, "staging": staging}[module]
original = getattr(module, step)

def stopped(*args, **kwargs):
    result = original(*args, **kwargs)
    print("here", flush=True)
    time.sleep(60)
    return result

setattr(module, step, stopped)
runs.recompute("seats-deployed", dt.date(2026, 3, 10), by=system_user(),
               now=dt.datetime(2027, 1, 1, tzinfo=dt.UTC))
"""


@pytest.mark.django_db(transaction=True)
class TestKilled:
    @pytest.mark.parametrize("step", ["staging.stage", "ledger.write_rows", "runs._record"])
    def test_leaves_nothing_and_the_next_one_is_whole(self, step):
        for seats in (80, 70, None):
            customer(seats)
        url = "postgres://{USER}:{PASSWORD}@{HOST}:{PORT}/{NAME}".format(**connection.settings_dict)
        process = subprocess.Popen(
            [sys.executable, "-c", KILLED, step],
            env={**os.environ, "DATABASE_URL": url, "DJANGO_SETTINGS_MODULE": "config.settings"},
            cwd=settings.BASE_DIR,
            stdout=subprocess.PIPE,
            text=True,
        )
        try:
            assert process.stdout.readline() == "here\n"
            process.send_signal(signal.SIGKILL)
        finally:
            process.kill()
            process.wait()
            process.stdout.close()
        assert (seats_runs().count(), MetricRow.objects.count()) == (0, 0)
        assert not Event.objects.filter(verb="metric.computed").exists()
        run = _as_soon_as_free(
            lambda: recompute(SLUG, day("03-10"), by=system_user(), now=LATER).run
        )
        assert (run.revision, run.numerator, run.denominator) == (1, 1, 3)
        assert MetricRow.objects.count() == 3

    @pytest.mark.parametrize(
        ("module", "step"),
        [
            (services, "_lock"),
            (staging, "stage"),
            (staging, "_counted"),
            (ledger, "write_rows"),
            (services, "_record"),
        ],
    )
    def test_an_exception_at_any_step_leaves_nothing(self, module, step, monkeypatch):
        learn_all = [customer(seats) for seats in (80, 70)]
        original = getattr(module, step)

        def fail(*args, **kwargs):
            original(*args, **kwargs)
            raise ZeroDivisionError

        with monkeypatch.context() as patched:
            patched.setattr(module, step, fail)
            with pytest.raises(ZeroDivisionError):
                recompute(SLUG, day("03-10"), by=system_user(), now=LATER)
        assert (seats_runs().count(), MetricRow.objects.count()) == (0, 0)
        whole = recompute(SLUG, day("03-10"), by=system_user(), now=LATER).run
        assert results(whole).keys() == {account.pk for account in learn_all}
        assert (whole.revision, whole.numerator) == (1, 1)


def _as_soon_as_free(work):
    """The server notices a killed client when it next reads from it."""
    for _ in range(50):
        try:
            return work()
        except AlreadyRunning:
            time.sleep(0.1)
    return work()
