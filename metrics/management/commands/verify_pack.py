from argparse import ArgumentParser, ArgumentTypeError
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from config.lib.values import echo
from metrics.models import BoardPack
from metrics.rules.packs import Month
from metrics.selectors import packs


def a_month(text: str) -> Month:
    try:
        return Month.parse(text)
    except ValueError as bad:
        raise ArgumentTypeError(f"“{echo(text)}” is no month. Write it as 2026-10.") from bad


class Command(BaseCommand):
    help = (
        "Hold a kept board pack against the ledger: whether its digest and its numbers come out "
        "the same, and which of its runs were revised since."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("month", type=a_month, metavar="MONTH", help="for example 2026-10")
        parser.add_argument("--edition", type=int, metavar="N", help="the newest one when left out")

    def handle(self, *, month: Month, edition: int | None, **_: Any) -> None:
        found = BoardPack.objects.filter(month=month.first).select_related("run")
        if edition is not None:
            found = found.filter(edition=edition)
        pack = found.order_by("-edition").first()
        if pack is None:
            named = f"edition {edition} of " if edition is not None else "board pack of "
            raise CommandError(f"There is no {named}{month}.")
        verdict = packs.verified(pack)
        say = self.stdout.write
        say(f"Board pack of {month}, edition {pack.edition}, as known at {pack.known_at:%F %T %Z}")
        say(f"  kept digest   {pack.digest}")
        say(f"  digest now    {verdict.digest}")
        for words in verdict.amiss:
            say(f"  amiss         {words}")
        for name in verdict.differs:
            say(f"  differs       “{name}”, when the ledger is asked again for that moment")
        for words in verdict.revised:
            say(f"  revised       {words}")
        if not verdict.holds:
            raise CommandError("The ledger does not give what this pack says.")
        shown = len(pack.told["runs"])
        revised = len(verdict.revised)
        say(f"The ledger gives the same: {shown} runs, {revised} of them revised since.")
