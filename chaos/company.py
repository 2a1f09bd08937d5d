"""A company whose last five weeks of nights are missing: work to be disturbed."""

import datetime as dt
import os

from bench.generate import company_of, fill
from chaos.box import Box

NIGHTS_MISSING = 34


def settle(box: Box, accounts: int) -> None:
    """Fill the box's database; its ledger ends five weeks ago."""
    last = dt.datetime.now(dt.UTC).date() - dt.timedelta(days=NIGHTS_MISSING + 1)
    company = company_of(accounts, 8, nights=1, until=last.isoformat())
    os.environ.update(box.environment(by_owner=True))
    fill(box.urls.owner, company, say=lambda _line: None)


def nights_left(box: Box) -> int:
    """How many nights up to yesterday have no run that everybody may see."""
    return int(
        box.value(
            """
            SELECT count(*) FROM generate_series(
                (SELECT min(day) FROM metrics_metricrun),
                (now() AT TIME ZONE 'UTC')::date - 1, '1 day') night
            WHERE NOT EXISTS (
                SELECT FROM metrics_metricrun run JOIN metrics_metricdefinition d
                    ON d.id = run.definition_id
                WHERE d.slug = 'seats-deployed' AND run.day = night::date)"""
        )
    )
