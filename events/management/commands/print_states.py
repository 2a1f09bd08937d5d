"""`print_states`: docs/states.md from the tables of the workflow engine."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from events import workflow
from events.printing import markdown_of, table_of

FILE = Path("docs") / "states.md"


class Command(BaseCommand):
    help = f"Write {FILE} from the tables of the workflow engine."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--check", action="store_true", help="write nothing; fail where the file is stale"
        )

    def handle(self, *_args: Any, **options: Any) -> None:
        text = markdown_of(table_of(each) for each in workflow.workflows())
        path = settings.BASE_DIR / FILE
        if not options["check"]:
            path.write_text(text)
            self.stdout.write(f"Wrote {FILE}.")
        elif not path.exists() or path.read_text() != text:
            raise CommandError(f'{FILE} is stale. Run: make manage ARGS="print_states"')
