"""Markdown of people and customers as safe HTML.

Two walls: the renderer lets no HTML through and writes all text escaped, and what it made is
cleaned once more against a short list of elements and addresses.
"""

from collections.abc import Sequence

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


AS_TYPED, _REFLOWED = _parser(breaks=True), _parser(breaks=False)


def markdown(text: str, *, heading: int = 3, reflow: bool = False) -> SafeString:
    """Return the text as HTML that may stand in any page, also a public one.

    `heading` is the level that a first heading gets on the page; `reflow` lets single line
    breaks be spaces, as in texts that were wrapped by an editor.
    """
    parser = _REFLOWED if reflow else AS_TYPED
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
