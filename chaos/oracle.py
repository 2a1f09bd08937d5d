"""Whether the ledger says what an undisturbed computation says: `python -m chaos.oracle`.

Prints one line for each thing that is wrong; nothing where all is well.
"""

import os
import sys

# What must not be there, and how a line of it reads.
INVARIANTS = {
    "a day with two newest runs": """
        SELECT definition_id, day FROM metrics_metricrun
        GROUP BY definition_id, day HAVING count(*) <> count(DISTINCT revision)
           OR max(revision) <> count(*)""",
    "a run without its event": """
        SELECT run.uuid FROM metrics_metricrun run WHERE run.base_id IS NULL AND 1 <> (
            SELECT count(*) FROM events_event e
            WHERE e.verb = 'metric.computed' AND e.object_id = run.uuid)""",
    "a mail that nobody carried": """
        SELECT id FROM events_outboxmessage WHERE done_at IS NULL""",
    "a lock that is left": """
        SELECT objid FROM pg_locks WHERE locktype = 'advisory' AND pid <> pg_backend_pid()""",
    "an amount that is no number": """
        SELECT account_id FROM metrics_metricrow WHERE arr = 'NaN' OR deployed < 0""",
}


def main() -> int:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    import django

    django.setup()
    found = [*broken_invariants(), *wrong_runs()]
    print("\n".join(found))
    return 1 if found else 0


def broken_invariants() -> list[str]:
    from django.db import connection

    found = []
    for name, sql in INVARIANTS.items():
        with connection.cursor() as cursor:
            cursor.execute(sql)
            rows = cursor.fetchall()
        found += [f"{name}: {row}" for row in rows[:5]]
    return found


def wrong_runs() -> list[str]:
    """Judge everybody again for each run, by what it knew, in a transaction that is rolled back."""
    from django.db import transaction

    from metrics.models import MetricRun
    from metrics.selectors import inputs, runs
    from metrics.services import staging
    from metrics.services.auditing import differences

    found = []
    for run in MetricRun.objects.filter(base=None).exclude(inputs_sum="").order_by("day"):
        with transaction.atomic():
            at = inputs.moment(run.day, run.known_at)
            staged = staging.stage(at, runs.policy_of(run.definition))
            found += [f"{run.day}: {line}" for line in differences(run, staged)]
            transaction.set_rollback(True)
    return found


if __name__ == "__main__":
    sys.exit(main())
