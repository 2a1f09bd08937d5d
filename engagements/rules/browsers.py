"""What a browser calls itself, in words. Pure."""

import re

_BROWSERS = (
    ("Edge", re.compile(r"\bEdg(?:A|iOS)?/([0-9]{1,4})")),
    ("Firefox", re.compile(r"\b(?:Firefox|FxiOS)/([0-9]{1,4})")),
    ("Chrome", re.compile(r"\b(?:Chrome|CriOS)/([0-9]{1,4})")),
    ("Safari", re.compile(r"\bVersion/([0-9]{1,4})\S* (?:Mobile/\S+ )?Safari/")),
)
_SYSTEMS = (
    ("Windows", "Windows"),
    ("Android", "Android"),
    ("iPhone", "iOS"),
    ("iPad", "iOS"),
    ("Mac OS X", "macOS"),
    ("Linux", "Linux"),
)


def browser_of(user_agent: str) -> str:
    """Return "Firefox 144, Windows"; what is not known stands as it came, cut."""
    found = ((name, pattern.search(user_agent)) for name, pattern in _BROWSERS)
    browser = next((f"{name} {match[1]}" for name, match in found if match), "")
    system = next((name for part, name in _SYSTEMS if part in user_agent), "")
    return ", ".join(filter(None, (browser, system))) or user_agent[:60]
