import datetime as dt
import json
from argparse import ArgumentParser
from collections.abc import Sequence
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from config.lib.errors import Invalid
from metrics.management.arguments import a_day, a_metric
from metrics.models import MetricRun
from metrics.selectors import answers, derived, families, figures, runs


class Command(BaseCommand):
    help = "Print a number as the API gives it."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("slug", metavar="SLUG", help="for example seats-deployed")
        parser.add_argument(
            "--as-of", type=a_day, metavar="DATE", help="that day, or the last one before it"
        )
        parser.add_argument(
            "--by", choices=sorted({*derived.SEGMENTS, *figures.BY}), help="each segment too"
        )
        parser.add_argument("--rows", action="store_true", help="each account too")
        parser.add_argument("--json", action="store_true", help="as the API answers")

    def handle(
        self,
        *,
        slug: str,
        as_of: dt.date | None,
        by: str | None,
        json: bool,
        **options: Any,
    ) -> None:
        run = runs.run_on(a_metric(slug), as_of)
        if run is None:
            when = f"on {as_of} or before" if as_of else "yet"
            raise CommandError(f"{slug} has no run {when}. `recompute_metrics` makes one.")
        answer = answers.with_target(run, known_at=None)
        if by:
            answer["segments"] = _segments(run, by)
        if options["rows"]:
            if families.family_of(slug) is families.FIGURES:
                raise CommandError(f"{slug} is made from requests; it has no rows of accounts.")
            answer["rows"] = answers.rows_as_json(run)
        if json:
            self.stdout.write(_as_text(answer))
        else:
            self._print(run, answer)

    def _print(self, run: MetricRun, answer: answers.Answer) -> None:
        self.stdout.write(f"{run.definition.title} on {run.day}: {answers.fraction_text(run)}")
        for name, value in answer.items():
            if name not in ("segments", "rows"):
                self.stdout.write(f"  {name:<18} {_cell(value)}")
        for name, columns in (
            ("segments", ("label", "numerator", "denominator", "value", "high", "unknown")),
            ("rows", ("external_id", "name", "arr", "licensed", "deployed", "share", "reason")),
        ):
            if name in answer:
                self.stdout.write("")
                self._table(
                    [[_cell(item[column]) for column in columns] for item in answer[name]], columns
                )

    def _table(self, lines: Sequence[Sequence[str]], columns: Sequence[str]) -> None:
        widths = [max(map(len, column)) for column in zip(columns, *lines, strict=True)]
        for line in (columns, *lines):
            cells = (cell.ljust(width) for cell, width in zip(line, widths, strict=True))
            self.stdout.write("  ".join(cells).rstrip())


def _segments(run: MetricRun, by: str) -> list[answers.Answer]:
    slug = run.definition.slug
    is_figure = families.family_of(run.definition) is families.FIGURES
    if not is_figure and by not in derived.segmentations(run.definition.rule):
        known = ", ".join(derived.segmentations(run.definition.rule))
        raise CommandError(f"{slug} has no parts by {by}. Ask by one of: {known}.")
    try:
        return answers.segments_as_json(run, by)
    except Invalid as refusal:
        raise CommandError(str(refusal)) from refusal


def _cell(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} {count}" for name, count in value.items()) or "none"
    return "-" if value is None else str(value)


def _as_text(answer: answers.Answer) -> str:
    return json.dumps(answer, indent=2, ensure_ascii=False)
