import datetime as dt
import time
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from config.lib.errors import DomainError
from metrics.demo import (
    alerts,
    health,
    imports,
    lab,
    load,
    nights,
    numbers,
    packs,
    people,
    requests,
)
from metrics.demo.story import LARGE

USUAL, FEWEST, MOST = 120, 30, 200_000
# What is told once the numbers are there, in this order.
PARTS = {
    "Targets": numbers,
    "Definitions proposed": lab,
    "Health": health,
    "Alerts": alerts,
    "Board packs": packs,
}


class Command(BaseCommand):
    help = (
        "Make a demo company with a year of history, or bring the one that is there up to "
        "today, and print one sign-in per role."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--accounts",
            type=int,
            default=USUAL,
            metavar="N",
            help=f"how many customers; {USUAL} when left out. Above {LARGE} the history has "
            "month ends and the last five weeks only.",
        )

    def handle(self, *, accounts: int, **_: Any) -> None:
        if settings.IN_PRODUCTION:
            raise CommandError(
                "The demo never goes into a real installation. It needs KEEL_MODE=demo."
            )
        if not FEWEST <= accounts <= MOST:
            raise CommandError(f"--accounts must be from {FEWEST} to {MOST:,}.")
        started, now = time.monotonic(), timezone.now()
        try:
            loaded = load.load(size=accounts, now=now)
            runs = nights.compute(loaded.story, now=now, say=self._say)
            if loaded.is_new and loaded.story.size <= LARGE:
                imports.bring(now=now)
                requests.bring(now=now)
                runs += nights.compute_figures(now=now)
                self._look_at_the_numbers(now)
        except DomainError as refusal:
            raise CommandError(str(refusal)) from refusal
        verb = "made" if loaded.is_new else "brought up to today"
        self._say(
            f"Demo company {verb}: {loaded.story.size:,} customers, {loaded.facts:,} facts and "
            f"{loaded.readings:,} readings added, {runs:,} runs computed, "
            f"in {time.monotonic() - started:.1f} s."
        )
        if accounts not in (loaded.story.size, USUAL):
            self._say("It keeps the size it was made with; an empty database takes another.")
        self.stdout.write(people.sign_ins())

    def _look_at_the_numbers(self, now: dt.datetime) -> None:
        """Tell what people make of the numbers, once those are there."""
        for title, part in PARTS.items():
            self._say(title)
            part.tell(now=now)

    def _say(self, text: str) -> None:
        """Progress goes beside the answer, which is the sign-ins."""
        self.stderr.write(text, style_func=lambda line: line)
