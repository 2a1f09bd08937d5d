"""What is handed over, as the customer is asked to accept it, and its hash. Pure."""

import datetime as dt
import hashlib
import json
import unicodedata
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

# Named in what is hashed: another way to write the same report is another format.
FORMAT = "delivery/1"


class Done(NamedTuple):
    """A deliverable, what shows that it is done, and the day."""

    key: str
    what: str
    evidence: str
    done_on: dt.date


class Stays(NamedTuple):
    """An artefact, and by its code who looks after it from now on."""

    name: str
    maintained_by: str


class Report(NamedTuple):
    """What the customer reads. `sow` is null on the fast path, which has none."""

    title: str
    summary: str
    sow: int | None
    done: Iterable[Done]
    stays: Iterable[Stays]
    rolled_out_on: dt.date
    deemed_on: dt.date | None


def content_of(report: Report) -> dict[str, Any]:
    """Return the report as JSON has it."""
    return {
        "title": _normal(report.title),
        "summary": _normal(report.summary),
        "sow": report.sow,
        "deliverables": [
            {
                "key": each.key,
                "what": _normal(each.what),
                "evidence": _normal(each.evidence),
                "done_on": each.done_on.isoformat(),
            }
            for each in report.done
        ],
        "artefacts": [
            {"name": _normal(each.name), "maintained_by": each.maintained_by}
            for each in report.stays
        ],
        "rolled_out_on": report.rolled_out_on.isoformat(),
        "deemed_on": report.deemed_on and report.deemed_on.isoformat(),
    }


def digest_of(content: Mapping[str, Any], *, request: str, account: str) -> str:
    """Return the SHA-256 of the canonical bytes, as hex."""
    whole = {"format": FORMAT, "request": request, "account": account, "content": content}
    text = json.dumps(whole, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()


def _normal(text: str) -> str:
    lines = unicodedata.normalize("NFC", text).replace("\r\n", "\n").split("\n")
    return "\n".join(line.rstrip() for line in lines).strip()
