"""What moves ask for, each said once. Values are parsed strictly, typed or as texts."""

import datetime as dt
from collections.abc import Sequence
from typing import Any

from django.db.models import TextChoices

from config.lib.values import (
    parse_boolean,
    parse_boolean_text,
    parse_choice,
    parse_date,
    parse_integer,
    parse_integer_text,
    parse_text,
)
from events.workflow import Case, Field

TEXT_MAX = 4000


def lines(name: str, label: str, **more: Any) -> Field:
    def parse(value: Any, _case: Case) -> str:
        return parse_text(value, max_length=TEXT_MAX, lines=True)

    return Field(name=name, label=label, parse=parse, kind="lines", **more)


def text(name: str, label: str, *, longest: int = 200, **more: Any) -> Field:
    def parse(value: Any, _case: Case) -> str:
        return parse_text(value, max_length=longest)

    return Field(name=name, label=label, parse=parse, **more)


def day(name: str, label: str, **more: Any) -> Field:
    def parse(value: Any, _case: Case) -> dt.date:
        return parse_date(value)

    return Field(name=name, label=label, parse=parse, kind="date", **more)


def whole(name: str, label: str, low: int, high: int, **more: Any) -> Field:
    def parse(value: Any, case: Case) -> int:
        read = parse_integer_text if case.as_text else parse_integer
        return read(value, low=low, high=high)

    return Field(name=name, label=label, parse=parse, kind=more.pop("kind", "number"), **more)


def yes(name: str, label: str, **more: Any) -> Field:
    def parse(value: Any, case: Case) -> bool:
        if case.as_text and value == "on":
            return True
        return parse_boolean_text(value) if case.as_text else parse_boolean(value)

    return Field(name=name, label=label, parse=parse, kind="yes", **more)


def choice(name: str, label: str, words: type[TextChoices], **more: Any) -> Field:
    def parse(value: Any, _case: Case) -> str:
        return parse_choice(value, words.values)

    def choices(_case: Case) -> Sequence[tuple[str, str]]:
        return words.choices

    return Field(name=name, label=label, parse=parse, kind="choice", choices=choices, **more)
