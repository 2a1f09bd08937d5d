"""Template library `sow`: a statement of work as HTML, with its changes.

{% sow_document content before public as document %}
{% words text %}  {% prose text %}      what was added in <ins>, what was removed in <del>
{{ email|address }}      an address that wraps after its @
"""

from collections.abc import Mapping
from typing import Any

from django import template
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from config.lib.markdown import markdown
from engagements.rules import diff, sow_words

register = template.Library()

# Told to those who do not see colours and lines.
MARKS = {diff.ADDED: ("ins", "added"), diff.REMOVED: ("del", "removed")}


@register.simple_tag
def sow_document(
    content: Mapping[str, Any],
    before: Mapping[str, Any] | None = None,
    public: object = False,  # noqa: FBT002 a template passes what it has
) -> sow_words.Document:
    return sow_words.document(content, before or None, public=bool(public))


@register.simple_tag
def words(text: diff.Text) -> SafeString:
    return format_html_join("", "{}", ((_segment(*segment),) for segment in text.segments))


@register.simple_tag
def prose(text: diff.Text) -> SafeString:
    """Markdown; where it changed, the text as it was typed, with what changed."""
    if not text.is_changed:
        return markdown(text.now)
    return format_html('<p class="typed">{}</p>', words(text))


def _segment(kind: str, text: str) -> str | SafeString:
    if kind not in MARKS:
        return text
    element, says = MARKS[kind]
    return format_html('<{}><span class="vh">{}: </span>{}</{}>', element, says, text, element)


@register.filter
def address(email: str) -> SafeString:
    """An e-mail address that wraps after its @ before it wraps anywhere else."""
    name, at, host = str(email).rpartition("@")
    return format_html("{}{}<wbr>{}", name, at, host)
