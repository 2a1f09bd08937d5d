"""Markdown of people and customers as safe HTML.

Two walls: the renderer lets no HTML through and writes all text escaped, and what it made is
cleaned once more against a short list of elements and addresses.
"""

from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import urlsplit

import nh3
from django.utils.safestring import SafeString, mark_safe
from markdown_it import MarkdownIt
from markdown_it.token import Token

ELEMENTS = {
    "a", "blockquote", "br", "code", "em", "h2", "h3", "h4", "h5", "h6", "hr", "li", "ol", "p",
    "pre", "strong", "table", "tbody", "td", "th", "thead", "tr", "ul",
}  # fmt: skip
ATTRIBUTES: dict[str, set[str]] = {"*": set(), "a": {"href"}, "ol": {"start"}}
SCHEMES = {"http", "https", "mailto"}
LEAST_HEADING = 6


def _parser(*, breaks: bool) -> MarkdownIt:
    # Pictures become links: nothing is loaded from elsewhere because somebody wrote it here.
    return (
        MarkdownIt("commonmark", {"html": False, "breaks": breaks}).enable("table").disable("image")
    )


_AS_TYPED, _REFLOWED = _parser(breaks=True), _parser(breaks=False)


def markdown(text: str, *, heading: int = 3, reflow: bool = False) -> SafeString:
    """Return the text as HTML that may stand in any page, also a public one.

    `heading` is the level that a first heading gets on the page; `reflow` lets single line
    breaks be spaces, as in texts that were wrapped by an editor.
    """
    parser = _REFLOWED if reflow else _AS_TYPED
    tokens = parser.parse(text)
    _lower_headings(tokens, by=heading - 1)
    html = parser.renderer.render(tokens, parser.options, {})
    return mark_safe(  # noqa: S308 cleaned right here
        nh3.clean(
            html,
            tags=ELEMENTS,
            attributes=ATTRIBUTES,
            url_schemes=SCHEMES,
            url_relative="deny",
            link_rel="noopener nofollow",
        )
    )


def _lower_headings(tokens: Sequence[Token], *, by: int) -> None:
    for token in tokens:
        if token.type in ("heading_open", "heading_close"):
            level = min(int(token.tag[1:]) + by, LEAST_HEADING)
            token.tag = f"h{level}"


def outline(text: str) -> list[dict[str, Any]]:
    """Return the text as blocks of runs, for papers that have a typesetter of their own.

    A block has its `kind` (text, item, heading, code) and `runs`; an item its `mark` and `depth`.
    A run has its `text` and what it is: strong, em, code, a `href`, or a `break`.
    """
    return list(_blocks(_AS_TYPED.parse(text)))


def _blocks(tokens: Sequence[Token]) -> Iterator[dict[str, Any]]:
    # Of each list one is in: the number of its next item, or null where it has none.
    lists: list[int | None] = []
    mark, kind = "", "text"
    for token in tokens:
        match token.type:
            case "bullet_list_open":
                lists.append(None)
            case "ordered_list_open":
                lists.append(int(token.attrs.get("start", 1)))
            case "bullet_list_close" | "ordered_list_close":
                lists.pop()
            case "list_item_open":
                number = lists[-1]
                mark = "\N{BULLET}" if number is None else f"{number}."
                lists[-1] = None if number is None else number + 1
            case "heading_open":
                kind = "heading"
            case "heading_close":
                kind = "text"
            case "fence" | "code_block":
                lines = token.content.rstrip("\n").split("\n")
                yield {"kind": "code", "runs": _broken([{"text": line} for line in lines])}
            case "inline":
                runs = list(_runs(token.children or []))
                if lists:
                    yield {"kind": "item", "runs": runs, "mark": mark, "depth": len(lists) - 1}
                    mark = ""
                else:
                    yield {"kind": kind, "runs": runs}


def _runs(tokens: Sequence[Token]) -> Iterator[dict[str, Any]]:
    style: dict[str, Any] = {}
    for token in tokens:
        match token.type:
            case "strong_open" | "em_open":
                style = {**style, token.type.removesuffix("_open"): True}
            case "strong_close" | "em_close":
                style = {k: v for k, v in style.items() if k != token.type.removesuffix("_close")}
            case "link_open":
                href = str(token.attrs.get("href", ""))
                style = {**style, "href": href if urlsplit(href).scheme in SCHEMES else ""}
            case "link_close":
                style = {name: value for name, value in style.items() if name != "href"}
            case "softbreak" | "hardbreak":
                yield {"text": "", "break": True}
            case "code_inline":
                yield {"text": token.content, **style, "code": True}
            case _ if token.content:
                yield {"text": token.content, **style}


def _broken(runs: list[dict[str, Any]]) -> list[dict[str, Any]]:
    lines = [[run, {"text": "", "break": True}] for run in runs]
    return [run for line in lines for run in line][:-1]
