"""How many requests of a kind somebody may send: `read=600/m,bulk=1/s` and the like."""

import re
from collections.abc import Mapping
from typing import NamedTuple

from django.core.exceptions import ImproperlyConfigured

SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
WORDS = {1: "second", 60: "minute", 3600: "hour", 86_400: "day"}
_RATE = re.compile(r"\s*(?P<name>\w+)\s*=\s*(?P<most>[1-9][0-9]{0,8})/(?P<unit>[smhd])\s*")


class Rate(NamedTuple):
    """At most so many in any stretch of so many seconds."""

    most: int
    seconds: int

    def __str__(self) -> str:
        return f"{self.most} a {WORDS[self.seconds]}"


def parse_rates(text: str, defaults: Mapping[str, Rate]) -> dict[str, Rate]:
    """Return the defaults with what the text says instead. Raises ImproperlyConfigured."""
    rates = dict(defaults)
    for part in filter(str.strip, text.split(",")):
        match = _RATE.fullmatch(part)
        if match is None:
            raise ImproperlyConfigured(
                f"API_RATES: {part.strip()!r} is no rate. Write it like read=600/m."
            )
        if match["name"] not in defaults:
            kinds = ", ".join(defaults)
            raise ImproperlyConfigured(
                f"API_RATES: there is no {match['name']!r}. The rates are {kinds}."
            )
        rates[match["name"]] = Rate(int(match["most"]), SECONDS[match["unit"]])
    return rates
