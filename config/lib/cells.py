"""Text in spreadsheet cells that must never run as a formula.

A cell that a spreadsheet would take for a formula gets one apostrophe in front. What
already looks like that, an apostrophe before such a start, gets one more, so `restored`
gives back exactly what went into `neutralised`, and a file that was exported and is
imported again changes nothing.
"""

import re

_FORMULA = re.compile(r"'*[=+\-@\t\r]")
_NEUTRALISED = re.compile(r"'+[=+\-@\t\r]")


def neutralised(text: str) -> str:
    return f"'{text}" if _FORMULA.match(text) else text


def restored(text: str) -> str:
    """Undo `neutralised`: the importer's part of the round trip."""
    return text[1:] if _NEUTRALISED.match(text) else text
