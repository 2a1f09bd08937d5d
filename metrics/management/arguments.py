"""How the commands of this app read what is typed."""

import datetime as dt
from argparse import ArgumentTypeError

from django.core.management.base import CommandError

from config.lib.values import BadValue, echo, parse_date
from metrics.selectors import runs


def a_day(text: str) -> dt.date:
    try:
        return parse_date(text)
    except BadValue as bad:
        raise ArgumentTypeError(f"“{echo(text)}” is no day: {bad.detail}") from bad


def a_metric(slug: str) -> str:
    known = runs.slugs()
    if slug not in known:
        raise CommandError(f"There is no metric “{echo(slug)}”, only: {', '.join(known)}.")
    return slug
