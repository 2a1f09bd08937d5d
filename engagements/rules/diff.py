"""What changed between two contents of a statement of work, word by word. Pure.

Deliverables are matched by their key, items of lists by likeness. Comparing a content with
itself gives the document without changes, so one reading shows both.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from engagements.rules import sow

SAME, ADDED, REMOVED, CHANGED, MOVED = "same", "added", "removed", "changed", "moved"
CELLS = ("what", "detail", "by_whom", "by_when")
# Single values of a content, in the order of the document, by their paths.
SINGLE = (
    "title",
    "customer_owner",
    "timeframe.start",
    "timeframe.end",
    "maintenance.owner",
    "maintenance.depends_on_server_version",
    "maintenance.text",
    "deemed_acceptance_days",
    "amount",
    "currency",
)
# Of which a part that changed reads best as a whole.
WHOLE = frozenset(SINGLE) - {"title", "customer_owner", "maintenance.text"} | {"by_when"}
# How alike two items must be to be one that changed: the share of words in common.
LIKE = 0.4
# Comparisons of words that one diff may take; beyond it a text is replaced as a whole.
EFFORT_MAX = 600_000
_WORDS = re.compile(r"\w+|\s+|[^\w\s]")

Show = Callable[[str, Any], str]


class Segment(NamedTuple):
    kind: str
    text: str


class Text(NamedTuple):
    """A text as it was and as it is, in segments."""

    segments: tuple[Segment, ...]

    @property
    def is_changed(self) -> bool:
        return any(segment.kind != SAME for segment in self.segments)

    @property
    def now(self) -> str:
        return "".join(text for kind, text in self.segments if kind != REMOVED)

    @property
    def was(self) -> str:
        return "".join(text for kind, text in self.segments if kind != ADDED)


class Item(NamedTuple):
    status: str
    text: Text


class Row(NamedTuple):
    key: str
    status: str
    cells: Mapping[str, Text]

    @property
    def changes(self) -> int:
        if self.status in (ADDED, REMOVED, MOVED):
            return 1
        return sum(cell.is_changed for cell in self.cells.values())


class Difference(NamedTuple):
    deliverables: tuple[Row, ...]
    lists: Mapping[str, tuple[Item, ...]]
    single: Mapping[str, Text]

    @property
    def changes(self) -> int:
        return (
            sum(row.changes for row in self.deliverables)
            + sum(item.status != SAME for items in self.lists.values() for item in items)
            + sum(text.is_changed for text in self.single.values())
        )


class _Effort:
    def __init__(self) -> None:
        self.left = EFFORT_MAX

    def take(self, much: int) -> bool:
        """Whether this much may still be spent."""
        if much > self.left:
            return False
        self.left -= much
        return True


def plain(_path: str, value: Any) -> str:
    """Write a value as the API does."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)


def difference(
    before: Mapping[str, Any], after: Mapping[str, Any], *, show: Show = plain
) -> Difference:
    """Return every part of both. `show(path, value)` writes a single value or cell."""
    was, now = sow.complete(before), sow.complete(after)
    effort = _Effort()
    return Difference(
        deliverables=tuple(_rows(was["deliverables"], now["deliverables"], show, effort)),
        lists={name: tuple(_items(was[name], now[name], effort)) for name in sow.LISTS},
        single={
            path: _text(show(path, _value(was, path)), show(path, _value(now, path)), path, effort)
            for path in SINGLE
        },
    )


def changed_parts(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """Return the paths of what differs: which parts, not how."""
    was, now = sow.complete(before), sow.complete(after)
    whole = [name for name in ("deliverables", *sow.LISTS) if was[name] != now[name]]
    return whole + [path for path in SINGLE if _value(was, path) != _value(now, path)]


def whole(before: str, after: str) -> Text:
    """Return one text compared with another, replaced as a whole where it changed."""
    if before == after:
        return Text((Segment(SAME, after),) if after else ())
    return Text(_replacement(before, after))


def _value(content: Mapping[str, Any], path: str) -> Any:
    head, _, name = path.partition(".")
    value = content.get(head)
    return value.get(name) if name and isinstance(value, Mapping) else value


def _rows(
    before: Sequence[Mapping[str, Any]],
    after: Sequence[Mapping[str, Any]],
    show: Show,
    effort: _Effort,
) -> Iterator[Row]:
    old = {row["key"]: row for row in before}
    new = {row["key"] for row in after}
    stayed = {old_key for old_key, _ in _common(list(old), [row["key"] for row in after])}
    gone = _followers([row["key"] for row in before], new)
    for key in gone[None]:
        yield _row(key, old[key], {}, REMOVED, show, effort)
    for row in after:
        key = row["key"]
        if key not in old:
            yield _row(key, {}, row, ADDED, show, effort)
        else:
            status = SAME if key in stayed else MOVED
            yield _row(key, old[key], row, status, show, effort)
        for follower in gone.get(key, ()):
            yield _row(follower, old[follower], {}, REMOVED, show, effort)


def _followers(keys: Sequence[str], kept: set[str]) -> dict[str | None, list[str]]:
    """Return what was removed by the kept row it stood behind."""
    found: dict[str | None, list[str]] = {None: []}
    anchor: str | None = None
    for key in keys:
        if key in kept:
            anchor = key
        else:
            found.setdefault(anchor, []).append(key)
    return found


def _row(
    key: str,
    was: Mapping[str, Any],
    now: Mapping[str, Any],
    status: str,
    show: Show,
    effort: _Effort,
) -> Row:
    cells = {
        name: _text(
            show(name, was[name]) if was else "", show(name, now[name]) if now else "", name, effort
        )
        for name in CELLS
    }
    if status == SAME and any(cell.is_changed for cell in cells.values()):
        status = CHANGED
    return Row(key, status, cells)


def _items(before: Sequence[str], after: Sequence[str], effort: _Effort) -> Iterator[Item]:
    left = iter([*_common(before, after), None])
    pair = next(left)
    i = j = 0
    while i < len(before) or j < len(after):
        old, new = [], []
        while i < len(before) and (pair is None or before[i] != pair[0]):
            old.append(before[i])
            i += 1
        while j < len(after) and (pair is None or after[j] != pair[1]):
            new.append(after[j])
            j += 1
        yield from _replaced(old, new, effort)
        if pair is not None:
            yield Item(SAME, Text((Segment(SAME, after[j]),)))
            i, j, pair = i + 1, j + 1, next(left)


def _replaced(old: list[str], new: list[str], effort: _Effort) -> Iterator[Item]:
    """Pair what is alike; the rest was removed and added."""
    waiting = list(old)
    for text in new:
        like = max(waiting, key=lambda each: _likeness(each, text), default=None)
        if like is None or _likeness(like, text) < LIKE:
            yield Item(ADDED, _text("", text, "", effort))
            continue
        for gone in waiting[: waiting.index(like)]:
            yield Item(REMOVED, _text(gone, "", "", effort))
        waiting = waiting[waiting.index(like) + 1 :]
        yield Item(CHANGED, _text(like, text, "", effort))
    for gone in waiting:
        yield Item(REMOVED, _text(gone, "", "", effort))


def _likeness(one: str, other: str) -> float:
    ones, others = Counter(one.casefold().split()), Counter(other.casefold().split())
    most = max(ones.total(), others.total())
    return (ones & others).total() / most if most else 0.0


def _text(before: str, after: str, path: str, effort: _Effort) -> Text:
    if before == after or not before or not after or path in WHOLE:
        return whole(before, after)
    return Text(tuple(_joined(_compared(_WORDS.findall(before), _WORDS.findall(after), effort))))


def _replacement(before: str, after: str) -> tuple[Segment, ...]:
    both = (Segment(REMOVED, before), Segment(ADDED, after))
    return tuple(segment for segment in both if segment.text)


def _compared(before: list[str], after: list[str], effort: _Effort) -> Iterator[Segment]:
    start = 0
    while start < min(len(before), len(after)) and before[start] == after[start]:
        start += 1
    end = 0
    while end < min(len(before), len(after)) - start and before[-1 - end] == after[-1 - end]:
        end += 1
    yield Segment(SAME, "".join(after[:start]))
    old, new = before[start : len(before) - end], after[start : len(after) - end]
    if old and new and effort.take(len(old) * len(new)):
        yield from _woven(old, new)
    else:
        yield from _replacement("".join(old), "".join(new))
    yield Segment(SAME, "".join(after[len(after) - end :]))


def _woven(old: list[str], new: list[str]) -> Iterator[Segment]:
    i = j = 0
    for at_old, at_new in [*_places(old, new), (len(old), len(new))]:
        yield Segment(REMOVED, "".join(old[i:at_old]))
        yield Segment(ADDED, "".join(new[j:at_new]))
        if at_old < len(old):
            yield Segment(SAME, new[at_new])
        i, j = at_old + 1, at_new + 1


def _common(before: Sequence[str], after: Sequence[str]) -> list[tuple[str, str]]:
    return [(before[i], after[j]) for i, j in _places(before, after)]


def _places(before: Sequence[str], after: Sequence[str]) -> list[tuple[int, int]]:
    """Return the places of a longest common subsequence, in time that is bounded."""
    width = len(after) + 1
    longest = [[0] * width for _ in range(len(before) + 1)]
    for i in range(len(before) - 1, -1, -1):
        row, below = longest[i], longest[i + 1]
        for j in range(len(after) - 1, -1, -1):
            row[j] = below[j + 1] + 1 if before[i] == after[j] else max(below[j], row[j + 1])
    found, i, j = [], 0, 0
    while i < len(before) and j < len(after):
        if before[i] == after[j]:
            found.append((i, j))
            i, j = i + 1, j + 1
        elif longest[i + 1][j] >= longest[i][j + 1]:
            i += 1
        else:
            j += 1
    return found


def _joined(segments: Iterator[Segment]) -> Iterator[Segment]:
    """Join neighbours, and words replaced one after another, so that they read as one change."""
    removed, added, space = "", "", ""
    for was, now, same in _triples(segments):
        if space and removed and added and was and now:
            removed, added = removed + space + was, added + space + now
        else:
            yield from _replacement(removed, added)
            if space:
                yield Segment(SAME, space)
            removed, added = was, now
        space = same if same.isspace() else ""
        if same and not space:
            yield from _replacement(removed, added)
            yield Segment(SAME, same)
            removed = added = ""
    yield from _replacement(removed, added)
    if space:
        yield Segment(SAME, space)


def _triples(segments: Iterator[Segment]) -> Iterator[tuple[str, str, str]]:
    """Give what was removed, what was added in its place, and what stayed after it."""
    parts = {REMOVED: "", ADDED: "", SAME: ""}
    for kind, text in segments:
        if text and kind != SAME and parts[SAME]:
            yield parts[REMOVED], parts[ADDED], parts[SAME]
            parts = dict.fromkeys(parts, "")
        parts[kind] += text
    yield parts[REMOVED], parts[ADDED], parts[SAME]
