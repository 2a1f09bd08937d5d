"""JSON as strict as the fields it carries."""

import codecs
import hashlib
import json
import math
import re
from collections.abc import Mapping
from typing import IO, Any, ClassVar

from rest_framework.exceptions import APIException, ParseError, UnsupportedMediaType
from rest_framework.parsers import BaseParser

BYTES_MAX = 2 * 1024 * 1024
# 2 KB for each of 5,000 items.
BULK_BYTES_MAX = 10 * 1024 * 1024
DEPTH_MAX = 64
KEYS_MAX = 1_000
DIGITS_MAX = 20
_UNSAFE = re.compile("[\x00\ud800-\udfff]")


class TooLarge(APIException):
    status_code = 413
    default_detail = "The JSON body is too large."
    default_code = "too_large"

    def __init__(self, most: int) -> None:
        super().__init__(f"A JSON body is at most {most // 2**20} MB here.")


class StrictJSONParser(BaseParser):
    """UTF-8, one object, nothing ambiguous.

    Refused: duplicate keys, NaN and Infinity, numbers of more than 20 digits, NUL and
    lone surrogates in any text, nesting below 64 levels, more than 2 MB.
    """

    media_type = "application/json"
    bytes_max: ClassVar[int] = BYTES_MAX
    kinds: ClassVar[tuple[type, ...]] = (dict,)

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        _check_charset(media_type or "")
        raw = stream.read(self.bytes_max + 1)
        if len(raw) > self.bytes_max:
            raise TooLarge(self.bytes_max)
        data = loads(raw)
        if isinstance(parser_context, dict):
            # For whoever must know whether the same was sent before: people.writing.
            parser_context["body_digest"] = hashlib.sha256(raw).hexdigest()
        if not isinstance(data, self.kinds):
            either = "a JSON list or an object with “items”" if list in self.kinds else "an object"
            raise ParseError(f"Send {either}.", code="not_an_object")
        return data


class BulkJSONParser(StrictJSONParser):
    """Many items at once: a list, or an object that holds it, of up to 10 MB."""

    bytes_max = BULK_BYTES_MAX
    kinds = (dict, list)


def loads(raw: bytes) -> Any:
    """Return the JSON document, or raise ParseError with what is wrong with it."""
    try:
        text = raw.decode("utf-8")
        data = json.loads(
            text,
            object_pairs_hook=_object,
            parse_constant=_constant,
            parse_int=_integer,
            parse_float=_float,
        )
    except UnicodeDecodeError as error:
        raise ParseError("JSON is written in UTF-8.", code="not_utf8") from error
    except RecursionError as error:
        raise _too_deep() from error
    except ValueError as error:
        raise ParseError(_where(error), code="not_json") from error
    _check(data)
    return data


def _where(error: ValueError) -> str:
    if isinstance(error, json.JSONDecodeError):
        return f"This is not JSON: line {error.lineno}, column {error.colno}."
    return str(error)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        raise ParseError("A key stands twice in one object.", code="duplicate_key")
    if len(result) > KEYS_MAX:
        raise ParseError(f"An object has at most {KEYS_MAX} keys.", code="too_many_keys")
    return result


def _constant(name: str) -> Any:
    raise ParseError(f"{name} is not a number.", code="not_a_number")


def _integer(digits: str) -> int:
    if len(digits) > DIGITS_MAX:
        raise ParseError(f"A number has at most {DIGITS_MAX} digits.", code="too_large_number")
    return int(digits)


def _float(digits: str) -> float:
    number = float(digits)
    if math.isinf(number):
        raise ParseError("A number is too large.", code="too_large_number")
    return number


def _check(data: Any) -> None:
    """Walk the document without recursion: depth and every text in it."""
    level: list[Any] = [data]
    for _ in range(DEPTH_MAX + 1):
        below: list[Any] = []
        for item in level:
            if isinstance(item, str):
                _check_text(item)
            elif isinstance(item, dict):
                for key in item:
                    _check_text(key)
                below.extend(item.values())
            elif isinstance(item, list):
                below.extend(item)
        if not below:
            return
        level = below
    raise _too_deep()


def _check_text(text: str) -> None:
    if _UNSAFE.search(text):
        raise ParseError(
            "A text holds a NUL or half a character (a lone surrogate).",
            code="unsafe_character",
        )


def _too_deep() -> ParseError:
    return ParseError(f"JSON is nested at most {DEPTH_MAX} levels deep.", code="too_deep")


def _check_charset(media_type: str) -> None:
    match = re.search(r"charset\s*=\s*\"?([^\s;\"]+)", media_type, re.IGNORECASE)
    if match is None:
        return
    try:
        known = codecs.lookup(match[1]).name in {"utf-8", "ascii"}
    except LookupError:
        known = False
    if not known:
        raise UnsupportedMediaType(media_type)
