"""Icons of the Lucide set as inline SVG: decoration, hidden from screen readers."""

import re
from functools import lru_cache

from django.utils.safestring import SafeString, mark_safe
from lucide.templatetags.lucide import lucide

CLASSES = {"": "i", "s": "i i-s", "l": "i i-l"}


@lru_cache(maxsize=256)
def icon(name: str, size: str = "") -> SafeString:
    """Size "" stands beside text, "s" is smaller, "l" larger.

    Raises `lucide.IconDoesNotExist` for a name that is not in the set.
    """
    drawn = lucide(name, size=None, **{"class": CLASSES[size], "aria-hidden": "true"})
    # The stylesheet says how large they are and how they are drawn.
    drawn = re.sub(r' (?:width|height|fill|stroke[a-z-]*)="[^"]*"(?=[^<]*aria-hidden)', "", drawn)
    return mark_safe(re.sub(r"\s+", " ", drawn).replace("> <", "><").replace(" />", "/>"))  # noqa: S308 - shapes of the installed set
