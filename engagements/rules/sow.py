"""What a statement of work holds, what it still lacks, its canonical form and its hash. Pure.

`engagements.rules.sow_reading` makes a content of what people and programs send.
"""

import hashlib
import json
import unicodedata
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

Content = dict[str, Any]

# Named in what is hashed: another way to write the same content is another format.
FORMAT = "statement-of-work/1"
KEY_PREFIX = "d"
MAINTENANCE_OWNERS = {
    "de": "Deployment Engineering",
    "tam": "the TAM",
    "rd": "R&D",
    "vendor": "a vendor",
    "customer": "the customer",
}
LISTS = ("needs", "in_scope", "out_of_scope", "acceptance", "assumptions")
LABELS = {
    "title": "Title",
    "deliverables": "Deliverables",
    "what": "What",
    "detail": "Detail",
    "by_whom": "By whom",
    "by_when": "By when",
    "needs": "What we need from the customer",
    "in_scope": "In scope",
    "out_of_scope": "Not included",
    "acceptance": "Acceptance criteria",
    "assumptions": "Assumptions",
    "customer_owner": "Owner at the customer",
    "timeframe": "Timeframe",
    "timeframe.start": "First day",
    "timeframe.end": "Last day",
    "maintenance": "Afterwards",
    "maintenance.owner": "Who maintains it",
    "maintenance.depends_on_server_version": "Depends on the server version",
    "maintenance.text": "Maintenance in words",
    "deemed_acceptance_days": "Accepted by silence after",
    "amount": "Amount",
    "currency": "Currency",
}


class Missing(NamedTuple):
    """A part that is not there yet: where it goes, and what it is."""

    path: str
    words: str


def empty(*, title: str = "", customer_owner: str = "", currency: str = "USD") -> Content:
    return {
        "title": title,
        "deliverables": [],
        **{name: [] for name in LISTS},
        "customer_owner": customer_owner,
        "timeframe": {"start": "", "end": ""},
        "maintenance": {"owner": "", "depends_on_server_version": None, "text": ""},
        "deemed_acceptance_days": None,
        "amount": "0.00",
        "currency": currency,
    }


def label_of(path: str) -> str:
    """Name a part for people: `deliverables.2.by_when` is "Deliverable 3, by when"."""
    head, _, rest = path.partition(".")
    place, _, name = rest.partition(".")
    if head == "deliverables" and place.isdigit():
        row = f"Deliverable {int(place) + 1}"
        return f"{row}, {LABELS[name].lower()}" if name in LABELS else row
    if head in LISTS and place.isdigit():
        return f"{LABELS[head]}, item {int(place) + 1}"
    return LABELS.get(path) or LABELS.get(head) or path


def missing(content: Mapping[str, Any]) -> list[Missing]:
    """Return what has to be there before a customer is asked, in the order of the document."""
    return [Missing(path, words) for path, words in _missing(content)]


def missing_parts(content: Mapping[str, Any]) -> list[str]:
    return [each.words for each in missing(content)]


def _missing(content: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    if not content.get("title"):
        yield "title", "a title"
    yield from _missing_in_rows(content.get("deliverables") or [])
    yield from _missing_dates(content)
    for name, words in (
        ("in_scope", "what is in scope"),
        ("out_of_scope", "what is not included"),
        ("acceptance", "acceptance criteria"),
        ("assumptions", "assumptions"),
        ("customer_owner", "who owns it at the customer"),
    ):
        if not content.get(name):
            yield name, words
    maintenance = content.get("maintenance") or {}
    if not maintenance.get("owner"):
        yield "maintenance.owner", "who maintains it afterwards"
    if maintenance.get("depends_on_server_version") is None:
        yield "maintenance.depends_on_server_version", "whether it depends on the server version"


def _missing_in_rows(rows: list[Mapping[str, Any]]) -> Iterator[tuple[str, str]]:
    if not rows:
        yield "deliverables", "deliverables"
    for place, row in enumerate(rows):
        for name, words in (
            ("what", "what it is"),
            ("by_whom", "who delivers it"),
            ("by_when", "by when"),
        ):
            if row.get(name) in ("", None):
                yield f"deliverables.{place}.{name}", f"{words} (deliverable {place + 1})"


def _missing_dates(content: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    timeframe = content.get("timeframe") or {}
    for name, words in (("start", "the first day"), ("end", "the last day")):
        if timeframe.get(name) in ("", None):
            yield f"timeframe.{name}", f"{words} of the timeframe"
    end, due = timeframe.get("end"), last_due(content)
    if end not in ("", None) and due not in ("", None) and due > end:
        yield "timeframe.end", "a timeframe that reaches to the last deliverable"


def last_due(content: Mapping[str, Any]) -> Any:
    """Return the latest date of a deliverable, "" where none has one."""
    dates = [row.get("by_when") for row in content.get("deliverables") or []]
    return max((date for date in dates if date not in ("", None)), default="")


def key_number(key: str) -> int:
    """Return the number in a deliverable's key, 0 for what is none."""
    number = key.removeprefix(KEY_PREFIX)
    is_key = key.startswith(KEY_PREFIX) and number.isascii() and number.isdigit()
    return int(number) if is_key and len(number) < len("100000") else 0


def keys_used(content: Mapping[str, Any]) -> int:
    """Return the highest number among the keys of deliverables."""
    rows = content.get("deliverables") or []
    return max((key_number(row.get("key") or "") for row in rows), default=0)


def canonical(content: Mapping[str, Any]) -> Content:
    """Return the content with nothing in it that makes no difference to a reader."""
    normal: Content = _normal(content)
    return normal


def complete(content: Mapping[str, Any]) -> Content:
    """Return the canonical content with every part, empty where it is not there."""
    return {**empty(), **canonical(content)}


def canonical_bytes(content: Mapping[str, Any], *, request: str, account: str) -> bytes:
    """Return what is hashed: for whom, for which request, and everything that was shown."""
    whole = {
        "format": FORMAT,
        "request": request,
        "account": account,
        "content": canonical(content),
    }
    text = json.dumps(whole, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return text.encode(errors="surrogatepass")


def digest_of(content: Mapping[str, Any], *, request: str, account: str) -> str:
    """Return the SHA-256 of the canonical bytes, as hex."""
    return hashlib.sha256(canonical_bytes(content, request=request, account=account)).hexdigest()


def _normal(value: Any) -> Any:
    if isinstance(value, str):
        lines = unicodedata.normalize("NFC", value).replace("\r\n", "\n").split("\n")
        return "\n".join(line.rstrip() for line in lines).strip()
    if isinstance(value, Mapping):
        return {key: _normal(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_normal(item) for item in value]
    return value
