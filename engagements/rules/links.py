"""Addresses of tickets, issues and threads that belong to a request. Pure."""

import re
from urllib.parse import urlsplit

from config.lib.values import BadValue, echo

MOST_LINKS = 10
LINK_MAX = 500
OTHER = "other"
# By the end of the host's name.
HOSTS = {
    "zendesk.com": "zendesk",
    "github.com": "github",
    "slack.com": "slack",
    "atlassian.net": "jira",
    "jira.com": "jira",
}
# One's own servers are often called after what runs on them.
FIRST_LABELS = {"zendesk": "zendesk", "github": "github", "slack": "slack", "jira": "jira"}
KIND_LABELS = {
    "zendesk": "Zendesk",
    "github": "GitHub",
    "slack": "Slack",
    "jira": "Jira",
    OTHER: "Link",
}
_LABEL = "[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_HOST = re.compile(rf"{_LABEL}(?:[.]{_LABEL})+")
_PLAIN = re.compile(r"[\x21-\x7e]+")

Link = dict[str, str]
# How an API's document describes one.
LINK = {
    "type": "object",
    "required": ["kind", "url"],
    "properties": {
        "kind": {"type": "string", "enum": list(KIND_LABELS)},
        "url": {"type": "string", "format": "uri"},
    },
}


def parse_link(value: object) -> Link:
    """Return the kind and the url. Raises BadValue for all but a plain https address."""
    if not isinstance(value, str):
        raise BadValue("not_a_string", "Write a link as text.")
    text = value.strip()
    if len(text) > LINK_MAX:
        raise BadValue("max_length", f"“{echo(text)}” is longer than {LINK_MAX} characters.")
    host = _host(text)
    if not host:
        raise BadValue(
            "not_a_link", f"“{echo(text)}” is not a link that begins with https:// and a host."
        )
    return {"kind": kind_of(host), "url": text}


def parse_links(values: object) -> list[Link]:
    """Return the links of a list of addresses, each once."""
    if not isinstance(values, list):
        raise BadValue("not_a_list", "Write a list of links.")
    links = {link["url"]: link for link in map(parse_link, values)}
    if len(links) > MOST_LINKS:
        raise BadValue("too_many", f"At most {MOST_LINKS} links.")
    return list(links.values())


def parse_links_text(text: str) -> list[Link]:
    """Return the links of a text with one in each line."""
    return parse_links([line for line in text.split("\n") if line.strip()])


def kind_of(host: str) -> str:
    host = host.lower()
    for end, kind in HOSTS.items():
        if host == end or host.endswith(f".{end}"):
            return kind
    return FIRST_LABELS.get(host.partition(".")[0], OTHER)


def _host(text: str) -> str:
    """Return the host of an https address that hides nothing, else ""."""
    if not text.startswith("https://") or not _PLAIN.fullmatch(text) or "\\" in text:
        return ""
    try:
        parts = urlsplit(text)
        _ = parts.port
    except ValueError:
        return ""
    host = parts.hostname or ""
    return host if "@" not in parts.netloc and _HOST.fullmatch(host) else ""
