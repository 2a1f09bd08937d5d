import contextlib
import json
import tempfile
from argparse import ArgumentParser
from collections.abc import Iterator
from dataclasses import astuple
from pathlib import Path
from typing import IO, Any, BinaryIO

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from accounts.imports.columns import KINDS
from accounts.imports.mappings import Mapping, load_mapping, shipped_names
from accounts.imports.running import Order, Report, apply_import, preview_import
from accounts.imports.text import told
from accounts.services.changes import Problem
from accounts.tabular import UnusableFile
from config.lib.values import echo
from people.models import system_user

BAD_ROWS, UNUSABLE = 1, 2


class Command(BaseCommand):
    help = (
        "Bring in facts from a CSV or XLSX file. Prints what would change and every bad row; "
        "writes only with --apply, and then all or nothing. Exit code 0: clean, 1: bad rows, "
        "2: the file or its mapping cannot be used. See docs/imports.md."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("kind", metavar="KIND", help=", ".join(KINDS))
        parser.add_argument("file", metavar="FILE")
        parser.add_argument("--source", default="", help="which system the facts come from")
        parser.add_argument(
            "--account-source", default="", help="which system the accounts named come from"
        )
        parser.add_argument(
            "--mapping",
            default="",
            metavar="NAME|FILE.toml",
            help=f"how to read another system's file; shipped: {', '.join(shipped_names())}",
        )
        parser.add_argument(
            "--date-format", default="", help="how days are written, such as %%d/%%m/%%Y"
        )
        parser.add_argument("--encoding", default="", help="such as cp1252; default: utf-8")
        parser.add_argument("--apply", action="store_true", help="write it")

    def handle(self, *, file: str, apply: bool, **options: Any) -> None:
        with tempfile.TemporaryFile() as spool:
            try:
                with _opened(Path(file)) as opened:
                    report = self._run(
                        opened, Path(file).name, spool=spool, apply=apply, options=options
                    )
            except UnusableFile as error:
                raise CommandError(error.message, returncode=UNUSABLE) from None
            for line in told(report, _problems_in(spool) if report.bad_rows else ()):
                self.stdout.write(line)
        self.stdout.write("")
        if report.bad_rows:
            count = f"{report.bad_rows:,} bad row{'s' if report.bad_rows > 1 else ''}"
            raise CommandError(f"{count}. Nothing was written.", returncode=BAD_ROWS)
        self.stdout.write(_outcome(report, apply=apply))

    def _run(
        self, file: BinaryIO, filename: str, *, spool: IO[bytes], apply: bool, options: Any
    ) -> Report:
        kind = options["kind"]
        if kind not in KINDS:
            raise UnusableFile(f"“{echo(kind)}” is none of: {', '.join(KINDS)}.")
        mapping = load_mapping(options["mapping"], kind) if options["mapping"] else Mapping()
        order = Order(
            kind=kind,
            file=file,
            filename=filename,
            mapping=mapping,
            source=options["source"],
            account_source=options["account_source"],
            date_format=options["date_format"],
            encoding=options["encoding"],
        )
        run = apply_import if apply else preview_import
        return run(
            order,
            by=system_user(),
            now=timezone.now(),
            on_problem=lambda problem: _put_aside(spool, problem),
        )


def _put_aside(spool: IO[bytes], problem: Problem) -> None:
    spool.write(json.dumps(astuple(problem)).encode() + b"\n")


def _problems_in(spool: IO[bytes]) -> Iterator[Problem]:
    """Yield what was put aside, since there may be more than memory should hold."""
    spool.seek(0)
    return (Problem(*json.loads(line)) for line in spool)


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[BinaryIO]:
    try:
        file = path.open("rb")
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "bad name"
        raise UnusableFile(f"{echo(path)} cannot be read: {reason}.") from None
    with file:
        yield file


def _outcome(report: Report, *, apply: bool) -> str:
    if not report.creates and not report.updates:
        return "Nothing to change."
    if apply:
        return "Applied."
    return "Nothing was written. Run it again with --apply to write it."
