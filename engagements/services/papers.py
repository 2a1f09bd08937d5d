"""Papers: a statement of work, and the certificate of an answer to one, as PDF.

Typeset from what is stored, offline; what people wrote goes in as data and is never read as
markup. The same version gives the same bytes.
"""

import datetime as dt
import json
import re
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import typst
from django.conf import settings
from django.urls import reverse

from accounts import selectors as accounts
from config.lib.outline import outline
from config.lib.ui.formats import day_text
from engagements.models import SignOff, SowVersion
from engagements.rules import sow_words
from engagements.rules.diff import Text
from engagements.selectors.links import Document, document_of, document_of_sow
from engagements.services.customer_mails import ANSWERS, DISCLAIMER, thing_named, title_of

PAPERS = Path(__file__).parent.parent / "papers"
# What is no text to be read, by its name.
VERBATIM = frozenset({"href", "svg"})
_LONG_WORD = re.compile(r"\S{32,}")
# What the typesetter's own fonts do not have; those of the machine are asked only then.
_OTHER_SCRIPTS = re.compile("[\u0590-\u1dff\u2e80-\uffef\U00010000-\U0010ffff]")


def sow_pdf(sow: SowVersion) -> bytes:
    """Return the version as the customer reads it, with its hash on every page."""
    request, shown = sow.request, document_of_sow(sow)
    words = sow_words.document(shown.content, public=True)
    day = _day(sow.frozen_at) if sow.frozen_at else ""
    return _typeset(
        "sow",
        {
            "kind": ", ".join(filter(None, (f"Statement of work {sow}", day))),
            "title": title_of(sow, request),
            "mark": f"{request.number}, statement of work {sow}",
            "intro": f"For {shown.account}. Prepared by {request.filed_by.name}, "
            f"{accounts.company().name}.",
            "state": "" if sow.is_frozen else "This is a draft. It was not sent and can change.",
            "disclaimer": DISCLAIMER,
            "heading": words.heading,
            "rows": [
                {
                    "what": row.cells["what"].now,
                    "detail": outline(row.cells["detail"].now),
                    "by_whom": row.cells["by_whom"].now,
                    "by_when": row.cells["by_when"].now,
                }
                for row in words.rows
            ],
            "parts": [_part(part) for part in words.parts],
            "digest": f"SHA-256 {shown.digest}",
            "footer": f"Statement of work {sow}, {request.number}",
        },
        at=sow.frozen_at or sow.created_at,
    )


def certificate_pdf(sign_off: SignOff) -> bytes:
    """Return who answered what, how and when, as it stands on the record now."""
    request = sign_off.request
    thing = sign_off.delivery or sign_off.sow
    document = document_of(sign_off)
    named = thing_named(thing)
    check = f"{settings.BASE_URL}{reverse('public:receipt-check', args=[sign_off.receipt or '-'])}"
    return _typeset(
        "certificate",
        {
            "kind": "Certificate",
            "title": f"{_answer(sign_off)}: {title_of(thing, request)}",
            "mark": request.number,
            "intro": f"What {document.account} answered to the {named}, as it stands on the "
            f"record of {accounts.company().name}.",
            "parts": [
                {"heading": "The answer", "rows": _answer_rows(sign_off)},
                {"heading": "The document", "rows": _document_rows(sign_off, document)},
            ],
            "receipt": sign_off.receipt or "none yet",
            "check": f"Whoever has the code can check it: {check}" if sign_off.receipt else "",
            "disclaimer": DISCLAIMER,
            "digest": f"SHA-256 {sign_off.digest}",
            "footer": f"Certificate, {request.number}, {named}",
        },
        at=sign_off.answered_at or sign_off.recorded_at,
    )


def _part(part: sow_words.Part) -> dict[str, Any]:
    words = " ".join(text.now for text in part.texts if text.now)
    if part.name == "timeframe":
        start, end = part.texts
        words = f"From {_or(start)} to {_or(end)}."
    return {
        "heading": part.heading,
        "items": [item.text.now for item in part.items],
        "words": words,
        "prose": outline(part.prose.now) if part.prose else [],
    }


def _or(text: Text) -> str:
    return text.now or "a day to be agreed"


def _answer_rows(sign_off: SignOff) -> list[tuple[str, list[str]]]:
    who = [sign_off.party_name, sign_off.party_title, sign_off.party_email]
    rows = [
        ("Answer", [_answer(sign_off)]),
        ("By", [each for each in who if each] or ["No name is on the record."]),
        ("How", [sign_off.get_way_display(), *_proof(sign_off)]),
        ("When", _moments(sign_off.answered_at or sign_off.recorded_at)),
    ]
    if sign_off.recorded_by:
        rows.append(("Recorded by", [_person(sign_off.recorded_by, sign_off.recorded_at)]))
    if sign_off.confirmed_by and sign_off.confirmed_at:
        rows.append(("Confirmed by", [_person(sign_off.confirmed_by, sign_off.confirmed_at)]))
    if sign_off.ip:
        rows.append(("From", [sign_off.ip]))
    if sign_off.objected_at:
        rows.append(("Objected", _moments(sign_off.objected_at)))
    return rows


def _document_rows(sign_off: SignOff, document: Document) -> list[tuple[str, list[str]]]:
    named = thing_named(sign_off.delivery or sign_off.sow)
    standing = "Unchanged since it was shown." if document.fits else "Not what was shown."
    return [
        ("What", [f"{named[0].upper()}{named[1:]}, {sign_off.request.number}"]),
        ("For", [document.account]),
        ("SHA-256", [sign_off.digest[:32], sign_off.digest[32:]]),
        ("Checked", [standing]),
    ]


def _proof(sign_off: SignOff) -> list[str]:
    if sign_off.code_checked:
        return ["With a code that was sent to the mailbox."]
    return []


def _answer(sign_off: SignOff) -> str:
    words = ANSWERS.get((sign_off.purpose, sign_off.state))
    return words or str(sign_off.get_state_display())


def _person(person: Any, moment: dt.datetime) -> str:
    return f"{person.name}, {_moments(moment)[0]}"


def _moments(moment: dt.datetime) -> list[str]:
    """Return the moment in UTC and, where that reads differently, on the company's clocks."""
    zone = ZoneInfo(accounts.company().time_zone)
    both = [f"{each:%d %b %Y, %H:%M:%S} {each.tzname()}"
            for each in (moment.astimezone(dt.UTC), moment.astimezone(zone))]  # fmt: skip
    return list(dict.fromkeys(both))


def _day(moment: dt.datetime) -> str:
    return day_text(moment.astimezone(ZoneInfo(accounts.company().time_zone)).date(), None)


def _typeset(name: str, data: dict[str, Any], *, at: dt.datetime) -> bytes:
    return typeset(PAPERS / f"{name}.typ", data | {"company": accounts.company().name}, at=at)


def typeset(paper: Path, data: dict[str, Any], *, at: dt.datetime) -> bytes:
    """Return the paper made from the data; `at` is the day and time it says of itself."""
    data = _breakable(data)
    pdf: bytes = typst.compile(
        str(paper),
        root=str(settings.BASE_DIR),
        ignore_system_fonts=not _OTHER_SCRIPTS.search(json.dumps(data, ensure_ascii=False)),
        format="pdf",
        sys_inputs={"data": json.dumps(data)},
        timestamp=int(at.timestamp()),
    )
    return pdf


def _breakable(value: Any) -> Any:
    """Let words that are wider than a line break."""
    if isinstance(value, str):
        return _LONG_WORD.sub(lambda word: "\u200b".join(word[0]), value)
    if isinstance(value, dict):
        return {
            name: item if name in VERBATIM else _breakable(item) for name, item in value.items()
        }
    return [_breakable(item) for item in value] if isinstance(value, list | tuple) else value
