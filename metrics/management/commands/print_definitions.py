"""`print_definitions`: docs/definitions.md from the definitions in force."""

import datetime as dt
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from accounts.selectors import today
from config.lib.values import BadValue, parse_date
from metrics.selectors.handbook import printed

FILE = Path("docs") / "definitions.md"


class Command(BaseCommand):
    help = f"Write {FILE} from the definitions in force."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--day", type=_day, help="the day on which they are in force")
        parser.add_argument(
            "--check", action="store_true", help="write nothing; fail where the file is stale"
        )

    def handle(self, *_args: Any, **options: Any) -> None:
        text = printed(options["day"] or today(timezone.now()))
        path = settings.BASE_DIR / FILE
        if not options["check"]:
            path.write_text(text)
            self.stdout.write(f"Wrote {FILE}.")
        elif not path.exists() or path.read_text() != text:
            raise CommandError(f'{FILE} is stale. Run: make manage ARGS="print_definitions"')


def _day(text: str) -> dt.date:
    try:
        return parse_date(text)
    except BadValue as bad:
        raise CommandError(bad.detail) from bad
