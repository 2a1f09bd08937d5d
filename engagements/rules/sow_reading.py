"""Reads a statement of work from JSON or from a form, strictly. Pure.

What is empty is not an error: a draft may be incomplete. What is there has to be right, or it
is named by its path, such as `deliverables.2.by_when`, and kept as it was typed.
"""

import datetime as dt
import itertools
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from config.lib import values
from config.lib.values import BadValue
from engagements.rules import sow

TITLE_MAX = 200
WHAT_MAX = 300
PERSON_MAX = 200
ITEM_MAX = 500
TEXT_MAX = 4_000
ROWS_MAX = 50
ITEMS_MAX = 50
DEEMED_MAX = 60
OFFSET_MAX = 730
TYPED_MAX = 20_000
NAMES_MAX = 100
ROW_FIELDS = ("key", "what", "detail", "by_whom", "by_when")
_BULLET = re.compile(r"^(?:[-*\u2022\u2013]|[0-9]{1,2}[.)])\s+")
# PostgreSQL keeps neither in JSON.
_NOT_KEPT = re.compile("[\x00\ud800-\udfff]")


@dataclass(frozen=True, kw_only=True)
class Read:
    """A content, what was wrong with what was sent, and that text as it came."""

    content: sow.Content
    errors: dict[str, BadValue] = field(default_factory=dict)
    typed: dict[str, str] = field(default_factory=dict)
    # The highest number of a deliverable's key that was ever given.
    keys_used: int = 0


def read(
    data: Any,
    *,
    used: int = 0,
    as_text: bool = False,
    in_days: bool = False,
) -> Read:
    """Read a content. `as_text`: all values are texts and lists one item a line, as forms send.

    `used` is the highest number of a key given so far in this request: no key beyond it is
    known, and new ones follow it. `in_days`: dates are days after the start, as in templates.
    """
    return _Reader(used=used, as_text=as_text, in_days=in_days).whole(data)


class _Reader:
    def __init__(self, *, used: int, as_text: bool, in_days: bool) -> None:
        self.as_text = as_text
        self.in_days = in_days
        self.known = self.used = used
        self.errors: dict[str, BadValue] = {}
        self.typed: dict[str, str] = {}

    def whole(self, data: Any) -> Read:
        content = sow.empty()
        if self.is_object("", data, content.keys()):
            content["title"] = self.line("title", data.get("title"), TITLE_MAX)
            content["deliverables"] = self.rows(data.get("deliverables"))
            for name in sow.LISTS:
                content[name] = self.items(name, data.get(name))
            content["customer_owner"] = self.line(
                "customer_owner", data.get("customer_owner"), PERSON_MAX
            )
            content["timeframe"] = self.timeframe(data.get("timeframe"))
            content["maintenance"] = self.maintenance(data.get("maintenance"))
            content["deemed_acceptance_days"] = self.take(
                "deemed_acceptance_days", data.get("deemed_acceptance_days"), self.deemed, None
            )
            content["amount"] = self.take("amount", data.get("amount"), _amount, "0.00")
            content["currency"] = self.take(
                "currency", data.get("currency"), values.parse_currency, "USD"
            )
        return Read(content=content, errors=self.errors, typed=self.typed, keys_used=self.used)

    def take(self, path: str, value: Any, parse: Callable[[Any], Any], nothing: Any) -> Any:
        if self.as_text and isinstance(value, str) and parse is not _words:
            value = value.strip()
        if value is None or value == "":
            return nothing
        try:
            return parse(value)
        except BadValue as bad:
            if bad.code == "blank":
                return nothing
            self.refuse(path, bad, value)
            return nothing

    def refuse(self, path: str, bad: BadValue, value: Any) -> None:
        self.errors[path] = bad
        if isinstance(value, str):
            self.typed[path] = _NOT_KEPT.sub("\N{REPLACEMENT CHARACTER}", value[:TYPED_MAX])

    def is_object(self, path: str, value: Any, known: Any) -> bool:
        if not isinstance(value, Mapping):
            self.errors[path or "content"] = BadValue("not_an_object", "Write this as an object.")
            return False
        for name in itertools.islice(value, NAMES_MAX):
            if name not in known:
                where = f"{path}.{values.echo(name)}" if path else values.echo(name)
                self.errors[where] = BadValue("unknown", "There is no such field.")
        return True

    def line(self, path: str, value: Any, longest: int) -> str:
        text: str = self.take(path, value, lambda v: _line(v, longest), "")
        return text

    def lines(self, path: str, value: Any) -> str:
        text: str = self.take(path, value, _words, "")
        return text

    def rows(self, value: Any) -> list[dict[str, Any]]:
        if value is None:
            return []
        if not isinstance(value, list):
            self.errors["deliverables"] = BadValue("not_a_list", "Write this as a list.")
            return []
        if len(value) > ROWS_MAX:
            self.errors["deliverables"] = BadValue(
                "too_many", f"At most {ROWS_MAX} deliverables, and these are {len(value)}."
            )
            return []
        seen: set[str] = set()
        return [self.row(f"deliverables.{place}", row, seen) for place, row in enumerate(value)]

    def row(self, path: str, value: Any, seen: set[str]) -> dict[str, Any]:
        if not self.is_object(path, value, ROW_FIELDS):
            value = {}
        return {
            "key": self.key(f"{path}.key", value.get("key"), seen),
            "what": self.line(f"{path}.what", value.get("what"), WHAT_MAX),
            "detail": self.lines(f"{path}.detail", value.get("detail")),
            "by_whom": self.line(f"{path}.by_whom", value.get("by_whom"), PERSON_MAX),
            "by_when": self.date(f"{path}.by_when", value.get("by_when")),
        }

    def key(self, path: str, value: Any, seen: set[str]) -> str:
        """Return the row's own key, or the next new one where there is none or a wrong one."""
        if value not in (None, ""):
            number = sow.key_number(value) if isinstance(value, str) else 0
            if not 0 < number <= self.known or value != f"{sow.KEY_PREFIX}{number}":
                self.errors[path] = BadValue(
                    "unknown_key",
                    f"“{values.echo(value)}” is no key of this statement of work. Leave it out "
                    "for a new deliverable.",
                )
            elif value in seen:
                self.errors[path] = BadValue("key_twice", f"{value} is there twice.")
            else:
                seen.add(value)
                return str(value)
        self.used += 1
        return f"{sow.KEY_PREFIX}{self.used}"

    def items(self, path: str, value: Any) -> list[str]:
        if value is None:
            return []
        if self.as_text and isinstance(value, str):
            return self.typed_items(path, value)
        if not isinstance(value, list):
            self.errors[path] = BadValue("not_a_list", "Write this as a list of texts.")
            return []
        if len(value) > ITEMS_MAX:
            self.errors[path] = _too_many_items(len(value))
            return []
        found = [self.line(f"{path}.{place}", item, ITEM_MAX) for place, item in enumerate(value)]
        return [item for item in found if item]

    def typed_items(self, path: str, text: str) -> list[str]:
        """Read one item a line; a wrong one brings all of the text back."""
        found = []
        for number, raw in enumerate(text.splitlines(), 1):
            line = _BULLET.sub("", raw.strip())
            if not line:
                continue
            try:
                found.append(_line(line, ITEM_MAX))
            except BadValue as bad:
                self.refuse(path, BadValue(bad.code, f"Line {number}: {bad.detail}"), text)
                return []
        if len(found) > ITEMS_MAX:
            self.refuse(path, _too_many_items(len(found)), text)
            return []
        return found

    def timeframe(self, value: Any) -> dict[str, Any]:
        known = ("start", "end")
        if value is None or not self.is_object("timeframe", value, known):
            return {"start": "", "end": ""}
        start, end = (self.date(f"timeframe.{name}", value.get(name)) for name in known)
        if start != "" and end != "" and end < start:
            self.refuse(
                "timeframe.end",
                BadValue("ends_before_start", "The last day is before the first."),
                str(value.get("end")),
            )
            end = ""
        return {"start": start, "end": end}

    def maintenance(self, value: Any) -> dict[str, Any]:
        known = ("owner", "depends_on_server_version", "text")
        if value is None or not self.is_object("maintenance", value, known):
            value = {}
        boolean = values.parse_boolean_text if self.as_text else values.parse_boolean
        depends = "depends_on_server_version"
        return {
            "owner": self.take(
                "maintenance.owner",
                value.get("owner"),
                lambda v: values.parse_choice(v, sow.MAINTENANCE_OWNERS),
                "",
            ),
            depends: self.take(f"maintenance.{depends}", value.get(depends), boolean, None),
            "text": self.lines("maintenance.text", value.get("text")),
        }

    def date(self, path: str, value: Any) -> Any:
        return self.take(path, value, self.day, "")

    def day(self, value: Any) -> str | int:
        if not self.in_days:
            return values.parse_date(value).isoformat()
        parse = values.parse_integer_text if isinstance(value, str) else values.parse_integer
        return parse(value, low=0, high=OFFSET_MAX)

    def deemed(self, value: Any) -> int:
        parse = values.parse_integer_text if self.as_text else values.parse_integer
        return parse(value, low=1, high=DEEMED_MAX)


def dated(content: Mapping[str, Any], *, start: dt.date) -> sow.Content:
    """Return a template's content with its days after the start as dates."""

    def date(days: Any) -> str:
        if not isinstance(days, int):
            return ""
        return (start + dt.timedelta(days=days)).isoformat()

    rows = [{**row, "by_when": date(row["by_when"])} for row in content["deliverables"]]
    frame = {name: date(days) for name, days in content["timeframe"].items()}
    return {**content, "deliverables": rows, "timeframe": frame}


def _line(value: Any, longest: int) -> str:
    return " ".join(values.parse_text(value, max_length=longest).split())


def _words(value: Any) -> str:
    text = values.parse_text(value, max_length=TEXT_MAX, lines=True)
    return "\n".join(line.rstrip() for line in text.split("\n"))


def _amount(value: Any) -> str:
    amount: Decimal = values.parse_money(value)
    return values.money_text(amount)


def _too_many_items(count: int) -> BadValue:
    return BadValue("too_many", f"At most {ITEMS_MAX} items, and these are {count}.")
