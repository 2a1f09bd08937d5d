"""What the apps below ask of this one; registered at start-up.

See accounts/measure.py and projects/measure.py.
"""

import datetime as dt
from collections.abc import Collection

from django.utils import timezone

from accounts.models import AccountFacts
from metrics import rules
from metrics.selectors import inputs, runs
from metrics.services import current, lifts


class SeatsMeasure:
    def refresh(self, account_ids: Collection[int]) -> None:
        if account_ids:
            current.refresh_current_facts(now=timezone.now(), only=account_ids)

    def facts_on(
        self, account_ids: Collection[int], *, day: dt.date, known_at: dt.datetime | None
    ) -> dict[int, AccountFacts]:
        return current.facts_on(account_ids, day=day, known_at=known_at or inputs.FAR_FUTURE)

    def terms_on(self, day: dt.date) -> rules.Policy:
        return runs.policy_of(runs.definition_on(runs.SEATS_DEPLOYED, day))


class LiftMeasure:
    def refresh(self, project_ids: Collection[int]) -> None:
        lifts.refresh_lifts(at=timezone.now(), only=project_ids)

    def lifted_by(self) -> dt.date | None:
        run = runs.run_on(runs.SEATS_DEPLOYED)
        return run.day if run else None
