"""The header of an account's pages, with its six figures, and the tab below it."""

from collections.abc import Collection
from typing import Any, NamedTuple

from django.http import HttpRequest, HttpResponse

from accounts import permissions
from accounts.here import page
from accounts.models import AccountFacts
from accounts.shell import Shell
from accounts.stories import story_of
from accounts.words import SHORT
from config.lib.ui.formats import (
    day_text,
    days_ago_text,
    money_text,
    number_text,
    share_text,
)

UNKNOWN = "Unknown"


class Figure(NamedTuple):
    label: str
    value: str
    note: str = ""
    tone: str = ""


def account_page(
    request: HttpRequest,
    shell: Shell,
    tab: str,
    context: dict[str, Any],
    *,
    partial: str | Collection[str] = (),
) -> HttpResponse:
    """Render `templates/accounts/<tab>.html` inside the account's header and tabs."""
    template = f"accounts/{tab.lower()}.html"
    shared = {
        "shell": shell,
        "account": shell.account,
        "facts": shell.facts,
        "tabs": shell.tabs(tab),
        "tab": tab,
        "figures": figures_of(shell),
        "contacts_rule": permissions.can_see_contacts.__doc__,
    }
    return page(request, template, {**shared, **context}, here=shell.here, partial=partial)


def figures_of(shell: Shell) -> list[Figure]:
    facts = shell.facts
    return [
        _arr(facts, shell.here.company.reporting_currency),
        _deployed(facts, shell.here.terms.share_percent),
        _to_go(facts, shell.needed),
        _renewal(facts, shell),
        _read(shell),
        _last_change(shell),
    ]


def _arr(facts: AccountFacts | None, currency: str) -> Figure:
    label = "Annual recurring revenue"
    if facts is None or facts.arr is None:
        note = SHORT.get(facts.reason, "") if facts and facts.reason.startswith("missing") else ""
        return Figure(label, UNKNOWN, note, "warn" if note else "")
    return Figure(label, money_text(facts.arr, currency))


def _deployed(facts: AccountFacts | None, percent: int) -> Figure:
    label = "Seats deployed"
    if facts is None:
        return Figure(label, UNKNOWN)
    licensed = "unlimited" if facts.unlimited else number_text(facts.licensed)
    if facts.deployed is None:
        return Figure(label, f"Unknown of {licensed}", SHORT.get(facts.data_state, ""), "warn")
    value = f"{number_text(facts.deployed)} of {licensed}"
    if facts.share is None:
        return Figure(label, value)
    share = share_text(facts.share)
    if facts.data_state == "partial":
        return Figure(label, value, f"{share} at least, partly counted", "warn")
    if facts.seats_to_go:
        return Figure(label, value, f"{share}, below {percent}%", "warn")
    return Figure(label, value, f"{share}, {percent}% reached", "good")


def _to_go(facts: AccountFacts | None, needed: int | None) -> Figure:
    label = "Seats to go"
    if facts is None or facts.seats_to_go is None or needed is None:
        return Figure(label, "None" if facts and facts.unlimited else UNKNOWN)
    if facts.seats_to_go == 0:
        above = (facts.deployed or 0) - needed
        return Figure(label, "0", f"{number_text(above)} above {number_text(needed)}")
    return Figure(label, number_text(facts.seats_to_go), f"to reach {number_text(needed)}")


def _renewal(facts: AccountFacts | None, shell: Shell) -> Figure:
    label = "Renewal"
    if facts is None or facts.renewal_on is None:
        return Figure(label, "None", "no running contract with an end")
    today = shell.here.today
    return Figure(label, day_text(facts.renewal_on, today), days_ago_text(facts.renewal_on, today))


def _read(shell: Shell) -> Figure:
    """The age of the oldest count in use; where none is, of the newest there is."""
    label, today = "Seats counted", shell.here.today
    used = shell.oldest_used
    shown = used or shell.newest_read
    if shown is None:
        return Figure(label, "Never", "no count yet", "warn")
    day = shown.latest_at.astimezone(shell.here.zone).date()
    note = f"{days_ago_text(day, today)}, {shown.latest_source}"
    if used is None:
        return Figure(label, day_text(day, today), f"stale: {note}", "warn")
    return Figure(label, day_text(day, today), note)


def _last_change(shell: Shell) -> Figure:
    label, event = "Last change", shell.last_event
    if event is None:
        return Figure(label, "None", "nothing in the timeline yet")
    zone, today = shell.here.zone, shell.here.today
    story = story_of(event, may_open=False, zone=zone)
    return Figure(label, day_text(event.at.astimezone(zone).date(), today), story.title)
