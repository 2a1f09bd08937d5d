import datetime as dt
import json as json_module
from argparse import ArgumentParser
from collections.abc import Iterator
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from config.lib.ui.formats import money_short_text, share_text
from metrics.management.arguments import a_day, a_metric
from metrics.models import MetricRun
from metrics.selectors import changes, families, movements, runs
from metrics.selectors.answers import fraction_text
from metrics.selectors.waterfall import Group, Waterfall, waterfall_of

Columns = tuple[str, str, str]


class Command(BaseCommand):
    help = "Print why a number moved between two days: each account, its cause and its points."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("slug", metavar="SLUG", help="for example seats-deployed")
        parser.add_argument(
            "--from", dest="first", type=a_day, metavar="DATE", required=True, help="the old day"
        )
        parser.add_argument(
            "--to", dest="last", type=a_day, metavar="DATE", required=True, help="the new day"
        )
        parser.add_argument("--json", action="store_true", help="as the API answers")

    def handle(self, *, slug: str, first: dt.date, last: dt.date, json: bool, **_: Any) -> None:
        if first > last:
            raise CommandError("--from lies after --to.")
        if families.family_of(a_metric(slug)) is families.FIGURES:
            raise CommandError(f"{slug} is made from requests; only accounts explain a change.")
        before, after = changes.runs_of(a_metric(slug), first, last)
        if before is None or after is None:
            early = first if before is None else last
            raise CommandError(
                f"{slug} has no run on {early} or before. `recompute_metrics` makes one."
            )
        is_share = families.family_of(after.definition) is families.SEATS
        if json:
            found = (changes if is_share else movements).as_json(before, after)
            self.stdout.write(json_module.dumps(found, indent=2, ensure_ascii=False))
        elif is_share:
            self._print(before, after)
        else:
            self._print_movement(before, after)

    def _print_movement(self, before: MetricRun, after: MetricRun) -> None:
        currency = runs.company().reporting_currency
        change = movements.movement_of(before, after, currency=currency, is_whole=True)
        title = f"{after.definition.title} from {before.day} to {after.day}"
        self.stdout.write(f"{title}: {change.old} → {change.new}")
        for group in change.groups:
            self.stdout.write(f"{group.title}  {group.count:,}  {group.step.text}")
            for line in group.lines:
                name = line.account.name if line.account else "an account no longer on record"
                cause = line.contribution.cause
                self.stdout.write(f"  {name}  {line.step.text}  {line.why} ({cause})")
        if change.has_number:
            self.stdout.write(
                f"Together {change.delta}: {change.earned} earned by seats gained or lost,"
                f" {change.unearned} not earned."
            )

    def _print(self, before: MetricRun, after: MetricRun) -> None:
        currency = runs.company().reporting_currency
        change = waterfall_of(before, after, currency=currency, is_whole=True)
        title = f"{after.definition.title} from {before.day} to {after.day}"
        self.stdout.write(f"{title}: {fraction_text(before)} → {fraction_text(after)}")
        if not change.has_number:
            self.stdout.write("No account was in the ratio on one of the days: nothing to explain.")
            return
        lines = [*_lines(change)]
        widths = [max(len(line[column]) for line in lines) for column in range(3)]
        self.stdout.write("")
        for name, why, points in lines:
            cells = (name.ljust(widths[0]), points.rjust(widths[2]), why)
            self.stdout.write("  ".join(cells).rstrip())
        self.stdout.write("")
        for sentence in _sentences(change, currency):
            self.stdout.write(sentence)


def _lines(change: Waterfall) -> Iterator[Columns]:
    """Yield (name, why, points), a line each."""
    before, after = change.before, change.after
    yield str(before.day), _of(before), share_text(change.explained.before.share)
    for group in change.groups:
        yield from _lines_of(group)
    yield str(after.day), _of(after), share_text(change.explained.after.share)


def _lines_of(group: Group) -> Iterator[Columns]:
    accounts = f"{group.count:,} account{'' if group.count == 1 else 's'}"
    yield group.title, accounts, group.step.points
    for line in group.lines:
        name = line.account.name if line.account else "an account no longer on record"
        yield f"  {name}", f"{line.why} ({line.contribution.cause})", line.step.points


def _of(run: MetricRun) -> str:
    return f"{run.numerator:,} of {run.denominator:,} accounts"


def _sentences(change: Waterfall, currency: str) -> Iterator[str]:
    stayed = change.explained.stayed
    yield f"{stayed:,} account{'' if stayed == 1 else 's'} did not change side."
    yield (
        f"The points, rounded here, add up exactly to {change.delta}: {change.earned} earned by "
        f"seats gained or lost, {change.unearned} not earned."
    )
    if lost := change.contraction:
        more = f" and {lost.more:,} more" if lost.more else ""
        yield (
            f"Contraction: {lost.points} points because {lost.count:,} "
            f"customer{'' if lost.count == 1 else 's'} gave up licences: {', '.join(lost.names)}"
            f"{more}, ARR {money_short_text(lost.arr_before, currency)} → "
            f"{money_short_text(lost.arr_after, currency)}."
        )
