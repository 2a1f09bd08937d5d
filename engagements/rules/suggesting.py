"""What a pasted e-mail or chat may say of a request: a title, links and days. Pure."""

import datetime as dt
import re
import unicodedata
from dataclasses import dataclass

from config.lib.values import BadValue, check_date, parse_text
from engagements.rules.answers import TITLE_MAX
from engagements.rules.links import MOST_LINKS, Link, parse_link

SOURCE_MAX = 50_000
MOST_DAYS = 5
TITLE_WORDS = 90
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_SUBJECT = re.compile(r"^[ \t>*]*(?:subject|betreff|asunto|objet)[*]?[ \t]*:(.*)$", re.I | re.M)
_REPLY = re.compile(r"^(?:(?:re|fwd?|aw|wg|antw|tr)[ \t]*(?:\[\d+\])?[ \t]*:[ \t]*)+", re.I)
_HEADER = re.compile(
    r"^[ \t>*]*(?:from|to|cc|date|sent|subject|von|an|gesendet|betreff)[*]?[ \t]*:", re.I
)
_GREETING = re.compile(r"^(?:hi|hello|hey|dear|good (?:morning|afternoon|evening))\b[^.!?]*$", re.I)
# Who says it and when, as chats write it: "[09:12] Ada:", "Ada Byron  9:12 AM".
_SPEAKER = re.compile(
    r"^(?:\[[^\]]{1,40}\][ \t]*)?(?:[\w.'@ -]{1,40}:[ \t]+|[\w.'@ -]{1,40}[ \t]+\d{1,2}:\d{2}"
    r"(?:[ \t]?[AP]M)?$)",
    re.I,
)
_URL = re.compile(r"https://[^\s<>\"'\u2018-\u201f`|{}\\^]+")
_MONTHS = (
    "january", "february", "march", "april", "may", "june",
    "july", "august", "september", "october", "november", "december",
)  # fmt: skip
_MONTH = "|".join(name[:3] + f"(?:{name[3:]})?" for name in _MONTHS) + "|sept"
_DAYS = (
    re.compile(r"\b(?P<year>\d{4})-(?P<number>\d{2})-(?P<day>\d{2})\b"),
    re.compile(
        rf"\b(?P<day>\d{{1,2}})(?:st|nd|rd|th|[.])?\s+(?P<month>{_MONTH})\b[.,]?"
        r"(?:\s+(?P<year>\d{4})\b)?",
        re.I,
    ),
    re.compile(
        rf"\b(?P<month>{_MONTH})[.]?\s+(?P<day>\d{{1,2}})(?:st|nd|rd|th)?\b(?:,?\s+(?P<year>\d{{4}})\b)?",
        re.I,
    ),
)


@dataclass(frozen=True)
class Suggestions:
    """Guesses, to be looked at by a person before they count."""

    title: str = ""
    links: tuple[Link, ...] = ()
    # Days to come that the text names, soonest first.
    days: tuple[dt.date, ...] = ()

    @property
    def day(self) -> dt.date | None:
        """The one day it can only be."""
        return self.days[0] if len(self.days) == 1 else None


def source_of(text: str) -> str:
    """Return a pasted text as it is kept: line ends made plain, control characters out."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    return _CONTROL.sub("", unicodedata.normalize("NFC", text)).strip()


def suggestions_from(text: str, *, today: dt.date) -> Suggestions:
    return Suggestions(title=_title(text), links=_links(text), days=_days(text, today))


def _title(text: str) -> str:
    """Return the subject of the mail, or else how its first sentence begins."""
    subject = _SUBJECT.search(text)
    found = _REPLY.sub("", subject[1].strip()) if subject else ""
    title = _clean(found) or _clean(_first_sentence(text))
    return title[:1].upper() + title[1:]


def _first_sentence(text: str) -> str:
    for line in text.split("\n"):
        stripped = _SPEAKER.sub("", line.strip().lstrip(">* \t"))
        said = re.sub(r"^(?:hi|hello|hey)\b[^,.!?]{0,40}[,.!]\s*", "", stripped, flags=re.I).strip()
        if not said or _HEADER.match(line) or _GREETING.match(said) or _URL.fullmatch(said):
            continue
        sentence = re.split(r"(?<=[.!?])\s", said, maxsplit=1)[0].rstrip(".!")
        return sentence if len(sentence) <= TITLE_WORDS else _shortened(sentence)
    return ""


def _shortened(sentence: str) -> str:
    return sentence[:TITLE_WORDS].rsplit(" ", 1)[0].rstrip(",;:") + "…"


def _clean(text: str) -> str:
    """Return what is a valid title, or ""."""
    visible = "".join(
        " " if unicodedata.category(char) in {"Cc", "Cf", "Zl", "Zp"} else char for char in text
    )
    try:
        return parse_text(" ".join(visible.split())[:TITLE_MAX], max_length=TITLE_MAX)
    except BadValue:
        return ""


def _links(text: str) -> tuple[Link, ...]:
    found: dict[str, Link] = {}
    for match in _URL.finditer(text):
        url = match[0].rstrip(".,;:!?*_~")
        while url.endswith((")", "]")) and url.count(url[-1]) > url.count("(["[url[-1] == "]"]):
            url = url[:-1]
        try:
            link = parse_link(url)
        except BadValue:
            continue
        found.setdefault(link["url"], link)
        if len(found) == MOST_LINKS:
            break
    return tuple(found.values())


def _days(text: str, today: dt.date) -> tuple[dt.date, ...]:
    # A link or the head of a mail names days that nobody waits for.
    body = "\n".join(line for line in _URL.sub(" ", text).split("\n") if not _HEADER.match(line))
    found = {
        day
        for pattern in _DAYS
        for match in pattern.finditer(body)
        if (day := _day(match.groupdict(), today)) is not None and day >= today
    }
    return tuple(sorted(found)[:MOST_DAYS])


def _day(parts: dict[str, str | None], today: dt.date) -> dt.date | None:
    """Return the day; without a year the next one of that name."""
    day = int(parts["day"] or 0)
    month = _month(parts.get("month") or "") or int(parts.get("number") or 0)
    years = [int(parts["year"])] if parts["year"] else [today.year, today.year + 1]
    for year in years:
        try:
            found = check_date(dt.date(year, month, day))
        except (ValueError, BadValue):
            continue
        if found >= today:
            return found
    return None


def _month(word: str) -> int:
    start = word.lower()[:3]
    return next((number for number, name in enumerate(_MONTHS, 1) if name[:3] == start), 0)
