"""The night of the last day counted, and what may come after it. Runs in a worker."""

import datetime as dt
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock

from django.db import transaction

from bench.actions.history import morning_after
from bench.actions.measuring import Sample, execute, measured, undone, vacuum
from bench.databases import Company, parts_of
from metrics.models import MetricRun
from metrics.selectors import inputs, runs
from metrics.selectors.runs import SEATS_DEPLOYED
from metrics.services import derived, staging
from metrics.services.current import refresh_current_facts
from metrics.services.health import compute_health
from metrics.services.runs import recompute
from people.models import system_user

# As many as instances whose number ends so; seven seats more than the night before.
NEW_READINGS = """
    INSERT INTO accounts_seatreading (instance_id, observed_at, source, known_from, seats)
    SELECT r.instance_id, r.observed_at + interval '1 day', r.source,
           r.known_from + interval '1 day', r.seats + 7
    FROM accounts_seatreading r
    WHERE r.observed_at >= %(day)s::date AND r.observed_at < %(day)s::date + 1
      AND r.instance_id %% %(each)s = 0
"""
ROW_FOR_EACH = """
    CREATE TABLE IF NOT EXISTS bench_night (LIKE metrics_metricrow);
    ALTER TABLE bench_night DROP COLUMN id, DROP COLUMN layer, DROP COLUMN to_day,
        ADD PRIMARY KEY (definition_id, from_day, account_id);
    CREATE INDEX ON bench_night (account_id)
"""
WRITE_ROW_FOR_EACH = f"""
    INSERT INTO bench_night (definition_id, from_day, {staging.LISTED})
    SELECT %(definition)s, %(day)s, {staging.LISTED} FROM seen
"""
# Whatever looked odd in a made-up night.
PUBLISHED = """
    UPDATE metrics_metricrun SET status = 'published', published_at = computed_at
    WHERE status = 'held' AND day = %s
"""
SIZE = "SELECT pg_total_relation_size(%s)"
VISIBLE = f"""
    SELECT DISTINCT ON (account_id) {staging.LISTED} FROM metrics_metricrow
    WHERE definition_id = %(definition)s AND layer <= %(revision)s AND from_day <= %(day)s
      AND (to_day IS NULL OR to_day > %(day)s)
    ORDER BY account_id, layer DESC
"""
DIFFERENCES = f"""
    WITH visible AS MATERIALIZED (SELECT * FROM ({VISIBLE}) rows WHERE reason <> 'gone'),
        judged AS (SELECT {staging.LISTED} FROM seen)
    SELECT (SELECT count(*) FROM (TABLE visible EXCEPT TABLE judged) too_many)
         + (SELECT count(*) FROM (TABLE judged EXCEPT TABLE visible) lacking)
"""


TABLES = ("metrics_metricrow", "metrics_metricrun", "accounts_seatreading")


def by_hand(company: Company) -> dict[str, Sample]:
    """Do the night of the last day with the statements of sql/nightly.sql."""
    statements = parts_of("nightly")
    day = dt.date.fromisoformat(company.until)
    at = inputs.moment(day, morning_after(day))
    definition = runs.definition_on(SEATS_DEPLOYED, day)
    policy = runs.policy_of(definition)
    values = {
        **at.parameters,
        "definition": definition.pk,
        "usable_from": at.usable_from(policy),
        "min_arr": policy.min_arr,
        "share": policy.share_percent,
    }

    def night() -> None:
        for statement in statements.values():
            execute(statement, values)

    with undone():
        sample = measured(night, with_wal=True)
        sample.more = {"rows": execute("SELECT count(*) FROM bare_changed")[0][0]}
    vacuum(*TABLES)
    return {"all": sample}


def nights(company: Company) -> dict[str, Sample]:
    """Do the night of the last day, and after it others in which much or little is new."""
    with undone():
        found = Nights(company).measure()
    vacuum(*TABLES)
    return found


class Nights:
    def __init__(self, company: Company) -> None:
        self.day = dt.date.fromisoformat(company.until)
        self.next = self.day + dt.timedelta(days=1)

    def measure(self) -> dict[str, Sample]:
        found = {"full": self._night(self.day, full=True)}
        found["full"].more["bytes"] = found["full"].more["rows"] * _bytes_a_row("metrics_metricrow")
        found["row for each"] = self._row_for_each()
        found["current facts"] = self._current_facts()
        found["health of everybody"] = self._health(self.day)
        with _taken_back():
            found["nothing new"] = self._night(self.next)
        with _taken_back():
            self._readings(each=100)
            found["one in a hundred"] = some = self._night(self.next)
            found["again"] = self._night(self.next, later=dt.timedelta(minutes=5))
            some.more["differences"] = self._differences()
            found["health of few"] = self._health(self.next)
        with _taken_back():
            self._readings(each=1)
            found["everybody"] = self._night(self.next)
        return found

    def _night(
        self, day: dt.date, *, full: bool = False, later: dt.timedelta = dt.timedelta()
    ) -> Sample:
        at = morning_after(day) + later
        ((before,),) = execute("SELECT coalesce(max(id), 0) FROM metrics_metricrow")
        keel = system_user()
        numbers = Timed(derived.write)
        with mock.patch.object(derived, "write", numbers):
            sample = measured(
                lambda: recompute(
                    SEATS_DEPLOYED,
                    day,
                    by=keel,
                    now=at,
                    known_at=at,
                    computed_at=at,
                    full=full,
                ),
                with_wal=True,
            )
        rows = execute("SELECT count(*) FROM metrics_metricrow WHERE id > %s", [before])[0][0]
        outcome = sample.more.pop("result")
        sample.more = {
            "rows": rows,
            "judged": outcome.run.judged,
            "is_new": outcome.is_new,
            "numbers": numbers.seconds,
        }
        return sample

    def _current_facts(self) -> Sample:
        """Work out what is true now of everybody; nothing of it is new."""
        at = morning_after(self.day)
        found = measured(lambda: refresh_current_facts(now=at), with_wal=True)
        found.more = {"rows": found.more["result"]}
        return found

    def _health(self, day: dt.date) -> Sample:
        """Say how every customer fares on a day that was computed; the first time says all."""
        execute(PUBLISHED, [day])
        at = morning_after(day)
        keel = system_user()
        found = measured(lambda: compute_health(day=day, at=at, by=keel), with_wal=True)
        outcome = found.more.pop("result")
        found.more = {"rows": outcome.night.changed}
        return found

    def _readings(self, *, each: int) -> None:
        execute("SELECT keel_make_reading_month(%s)", [self.next])
        execute(NEW_READINGS, {"day": self.day, "each": each})

    def _row_for_each(self) -> Sample:
        """Write what the run saw the simple way, from the table that the run has left."""
        execute(ROW_FOR_EACH)
        definition = runs.definition_on(SEATS_DEPLOYED, self.day).pk
        values = {"definition": definition, "day": self.day}
        sample = measured(lambda: execute(WRITE_ROW_FOR_EACH, values), with_wal=True)
        sample.more = {"bytes": execute(SIZE, ["bench_night"])[0][0]}
        return sample

    def _differences(self) -> int:
        """Judge everybody anew, and compare each row and count with what the night said."""
        run = MetricRun.objects.filter(day=self.next).order_by("-revision").first()
        assert run is not None
        at = inputs.moment(run.day, run.known_at)
        staged = staging.stage(at, runs.policy_of(run.definition))
        number = staged.number
        values = {"definition": run.definition_id, "revision": run.revision, "day": run.day}
        rows: int = execute(DIFFERENCES, values)[0][0]
        told: list[Any] = [
            run.numerator, run.denominator, run.unknown, run.covered, run.excluded,
            run.oldest_reading, run.inputs_sum,
        ]  # fmt: skip
        seen: list[Any] = [
            number.numerator, number.denominator, number.unknown, number.covered,
            dict(number.excluded), number.oldest_reading, staged.inputs_sum.hex,
        ]  # fmt: skip
        return rows + sum(one != other for one, other in zip(told, seen, strict=True))


class Timed:
    """A function, and how long its calls took."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self.function, self.seconds = function, 0.0

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        started = time.perf_counter()
        result = self.function(*arguments, **named)
        self.seconds += time.perf_counter() - started
        return result


def _bytes_a_row(table: str) -> float:
    ((size, count),) = execute(f"SELECT pg_total_relation_size('{table}'), count(*) FROM {table}")
    return size / count


@contextmanager
def _taken_back() -> Iterator[None]:
    """Undo a part of the transaction."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)
