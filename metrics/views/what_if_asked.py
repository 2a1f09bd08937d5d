"""Reading what a what-if asks for, from an address or from what a form sends."""

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from typing import Any
from urllib.parse import urlencode

from django.http import QueryDict
from django.urls import reverse

from config.lib import values
from config.lib.values import BadValue

WORK, TARGET = "work", "target"
ADD = "add-"
MOST_CHOSEN = 200
KEY_DIGITS, DAYS_DIGITS, TEXT_MAX = 18, 4, 100


@dataclass(frozen=True)
class Asked:
    """What an address asks: work and seats, or a target. `notes` say what could not be read."""

    mode: str
    projects: frozenset[int]
    requests: frozenset[int]
    # By the number of the account; `seats_texts` as they were typed.
    seats: dict[int, int]
    seats_texts: dict[int, str]
    text: str
    # What was typed, as it was typed.
    target_text: str
    capacity_text: str
    target: Fraction | None = None
    capacity: Decimal | None = None
    errors: dict[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    @property
    def pairs(self) -> list[tuple[str, str]]:
        """Return it as an address has it, without what is searched for."""
        return [
            *(("ask", TARGET) for _ in range(self.mode == TARGET)),
            *(("project", f"PRJ-{key}") for key in sorted(self.projects)),
            *(("request", f"REQ-{key}") for key in sorted(self.requests)),
            *((f"{ADD}{key}", str(seats)) for key, seats in sorted(self.seats.items())),
            *(("target", self.target_text) for _ in range(bool(self.target_text))),
            *(("capacity", self.capacity_text) for _ in range(bool(self.capacity_text))),
        ]

    @property
    def url(self) -> str:
        return f"{reverse('metrics:what-if')}?{urlencode(self.pairs)}"


def read_asked(sent: QueryDict) -> Asked:
    """Read an address or what a form sends; what makes no sense is left out and noted."""
    notes: list[str] = []
    errors: dict[str, str] = {}
    typed = ((name.removeprefix(ADD), sent.get(name, "")) for name in sent if name.startswith(ADD))
    texts = {int(key): text.strip() for key, text in typed if is_key(key) and text.strip()}
    seats = {
        key: _parsed(values.parse_seats_text, text, errors, f"{ADD}{key}")
        for key, text in list(texts.items())[:MOST_CHOSEN]
    }
    percent = sent.get("target", "").strip()
    capacity = sent.get("capacity", "").strip()
    return Asked(
        mode=TARGET if sent.get("ask") == TARGET else WORK,
        projects=_keys(sent.getlist("project"), "PRJ-", notes),
        requests=_keys(sent.getlist("request"), "REQ-", notes),
        seats={key: found for key, found in seats.items() if found},
        seats_texts={key: values.echo(text) for key, text in texts.items()},
        text=values.echo(sent.get("q", "")[:TEXT_MAX]).strip(),
        target_text=values.echo(percent),
        capacity_text=values.echo(capacity),
        target=_parsed(_percent, percent, errors, "target") if percent else None,
        capacity=_parsed(_days, capacity, errors, "capacity") if capacity else None,
        errors=errors,
        notes=tuple(dict.fromkeys(notes)),
    )


def _parsed(parse: Callable[[str], Any], text: str, errors: dict[str, str], name: str) -> Any:
    try:
        return parse(text)
    except BadValue as bad:
        errors[name] = bad.detail
        return None


def _percent(text: str) -> Fraction:
    percent = values.parse_decimal(text.removesuffix("%").strip(), places=2, whole_digits=3)
    if not 0 < percent <= 100:  # noqa: PLR2004
        raise BadValue("out_of_range", f"“{values.echo(text)}” is not above 0 and at most 100.")
    return Fraction(percent) / 100


def _days(text: str) -> Decimal:
    return values.parse_decimal(text, places=1, whole_digits=DAYS_DIGITS)


def _keys(texts: Collection[str], prefix: str, notes: list[str]) -> frozenset[int]:
    keys = set()
    for text in texts:
        digits = text.strip().upper().removeprefix(prefix)
        if is_key(digits):
            keys.add(int(digits))
        else:
            notes.append(f"“{values.echo(text)}” is not a number like {prefix}12.")
    if len(keys) > MOST_CHOSEN:
        notes.append(f"These are the first {MOST_CHOSEN} that were chosen.")
    return frozenset(sorted(keys)[:MOST_CHOSEN])


def is_key(digits: str) -> bool:
    return digits.isascii() and digits.isdigit() and len(digits) <= KEY_DIGITS
