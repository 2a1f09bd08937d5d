"""Small pieces that all charts are put together from."""

from django.utils.html import format_html
from django.utils.safestring import SafeString

EMPTY = SafeString("")


def places(number: float) -> str:
    """Two decimals at most: enough for a tenth of a pixel."""
    return f"{number:.2f}".rstrip("0").rstrip(".")


def line(css: str, left: float, right: float, top: float, bottom: float) -> SafeString:
    """Across in percent, down in pixels."""
    return format_html(
        '<line class="{}" x1="{}%" x2="{}%" y1="{}" y2="{}"/>',
        css,
        places(left),
        places(right),
        top,
        bottom,
    )
