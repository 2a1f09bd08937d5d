"""Markdown as blocks of runs, for papers that have a typesetter of their own."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from markdown_it.token import Token

from config.lib.markdown import AS_TYPED, SCHEMES

Block = dict[str, Any]
Run = dict[str, Any]
BREAK: Run = {"text": "", "break": True}


def outline(text: str) -> list[Block]:
    """Return the blocks of a text.

    A block has its `kind` (text, item, heading, code) and `runs`; an item its `mark` and `depth`.
    A run has its `text` and what it is: strong, em, code, a `href`, or a `break`.
    """
    return list(_Blocks().of(AS_TYPED.parse(text)))


class _Blocks:
    def __init__(self) -> None:
        # Of each list one is in: the number of its next item, or null where it has none.
        self.lists: list[int | None] = []
        self.mark = ""
        self.kind = "text"

    def of(self, tokens: list[Token]) -> Iterator[Block]:
        for token in tokens:
            if token.type in ("fence", "code_block"):
                yield {"kind": "code", "runs": _lines(token.content)}
            elif token.type == "inline":
                yield self.block(list(_runs(token.children or [])))
            else:
                self.step(token)

    def block(self, runs: list[Run]) -> Block:
        if not self.lists:
            return {"kind": self.kind, "runs": runs}
        mark, self.mark = self.mark, ""
        return {"kind": "item", "runs": runs, "mark": mark, "depth": len(self.lists) - 1}

    def step(self, token: Token) -> None:
        match token.type.rpartition("_"):
            case "bullet_list", _, "open":
                self.lists.append(None)
            case "ordered_list", _, "open":
                self.lists.append(int(token.attrs.get("start", 1)))
            case "bullet_list" | "ordered_list", _, "close":
                self.lists.pop()
            case "list_item", _, "open":
                self.mark = self.next_mark()
            case "heading", _, end:
                self.kind = "heading" if end == "open" else "text"

    def next_mark(self) -> str:
        number = self.lists[-1]
        if number is None:
            return "\N{BULLET}"
        self.lists[-1] = number + 1
        return f"{number}."


def _runs(tokens: list[Token]) -> Iterator[Run]:
    style: Run = {}
    for token in tokens:
        name, _, end = token.type.rpartition("_")
        if token.type in ("softbreak", "hardbreak"):
            yield BREAK
        elif end == "open":
            style = style | _style(name, token)
        elif end == "close":
            gone = "href" if name == "link" else name
            style = {key: value for key, value in style.items() if key != gone}
        elif token.content:
            yield {"text": token.content, **style, "code": token.type == "code_inline"}


def _style(name: str, token: Token) -> Run:
    if name != "link":
        return {name: True}
    href = str(token.attrs.get("href", ""))
    return {"href": href if urlsplit(href).scheme in SCHEMES else ""}


def _lines(text: str) -> list[Run]:
    lines = [[{"text": line}, BREAK] for line in text.rstrip("\n").split("\n")]
    return [run for line in lines for run in line][:-1]
