"""What the pages of intake share: the steps, the account's facts, the draft itself."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from django.http import Http404
from django.urls import reverse

from accounts.here import Here
from accounts.models import Account, AccountFacts
from accounts.words import Standing, standing_of
from config.lib.authz import require
from config.lib.ui.formats import day_text, money_short_text, money_text, number_text
from engagements import permissions, selectors
from engagements.models import RequestState, ServiceRequest
from engagements.rules import router
from engagements.rules.answers import ANSWERS, SEATS
from engagements.rules.links import KIND_LABELS

UNKNOWN = "Unknown"
STEPS = {
    "account": "Account",
    "asked": "What is asked",
    "scope": "Scope and owner",
    "check": "Check and send",
}
DONE, NOW, AHEAD = "done", "now", "ahead"
ICONS = {DONE: "circle-check", NOW: "circle-dot", AHEAD: "circle-dashed"}


class Step(NamedTuple):
    name: str
    label: str
    note: str
    status: str
    # Where it can be opened, "" while there is no draft.
    url: str

    @property
    def icon(self) -> str:
        return ICONS[self.status]


class Steps:
    """Where one is between the account and sending; `missing` counts what is not answered."""

    def __init__(self, draft: ServiceRequest | None, current: str, *, missing: int = 1) -> None:
        self.draft = draft
        self.current = current
        self.missing = missing

    def __iter__(self) -> Iterator[Step]:
        return (self._step(name, label) for name, label in STEPS.items())

    @property
    def number(self) -> int:
        return list(STEPS).index(self.current) + 1

    @property
    def count(self) -> int:
        return len(STEPS)

    @property
    def label(self) -> str:
        return STEPS[self.current]

    def _step(self, name: str, label: str) -> Step:
        draft = self.draft
        url = reverse("requests:intake", args=[draft.pk, name]) if draft else ""
        return Step(name, label, self._note(name), self._status(name), url)

    def _status(self, name: str) -> str:
        if name == self.current:
            return NOW
        order = list(STEPS)
        is_before = order.index(name) < order.index(self.current)
        if name == "account":
            is_done = bool(self.draft and self.draft.account_id)
        elif name == "asked":
            is_done = not self.missing
        else:
            is_done = is_before and not self.missing
        return DONE if is_done else AHEAD

    def _note(self, name: str) -> str:
        if name == "account" and self.draft and self.draft.account:
            return self.draft.account.name
        if name == "asked" and self.current in {"scope", "check"} and self.missing:
            left = "1 answer is" if self.missing == 1 else f"{self.missing} answers are"
            return f"{left} missing"
        return ""


class Line(NamedTuple):
    label: str
    value: str


class Answered(NamedTuple):
    """One answer as it is read before sending; without words it was not given."""

    name: str
    label: str
    words: str
    links: Sequence[Mapping[str, str]] = ()


@dataclass(frozen=True)
class AccountCard:
    """What one wants to know of an account while a request for it is written."""

    account: Account
    here: Here
    draft: ServiceRequest | None = None

    @property
    def facts(self) -> AccountFacts | None:
        return getattr(self.account, "facts", None)

    @cached_property
    def standing(self) -> Standing:
        return standing_of(self.account, self.facts, self.here.setting)

    @property
    def lines(self) -> list[Line]:
        facts = self.facts
        if facts is None:
            return []
        currency = self.here.company.reporting_currency
        licensed = "unlimited" if facts.unlimited else number_text(facts.licensed)
        deployed = UNKNOWN if facts.deployed is None else number_text(facts.deployed)
        to_go = UNKNOWN if facts.seats_to_go is None else number_text(facts.seats_to_go)
        lines = [
            Line("ARR", UNKNOWN if facts.arr is None else money_text(facts.arr, currency)),
            Line("Tier", facts.tier.name if facts.tier else "None"),
            Line("Seats deployed", f"{deployed} of {licensed}"),
            Line("Seats to go", "None" if facts.unlimited else to_go),
            Line("TAM", facts.tam.name if facts.tam else "Nobody"),
        ]
        if facts.renewal_on:
            lines.insert(4, Line("Renewal", day_text(facts.renewal_on, self.here.today)))
        return lines

    @cached_property
    def similar(self) -> list[ServiceRequest]:
        """Return what this may be asked already: by its title, or all that is open."""
        draft = self.draft
        is_same = draft is not None and draft.account_id == self.account.pk
        return selectors.similar_requests(
            self.account,
            draft.title if draft and is_same else "",
            self.here.user,
            at=self.here.now,
            but=draft.pk if draft else None,
        )

    @property
    def has_title(self) -> bool:
        return bool(self.draft and self.draft.title)

    @property
    def summary(self) -> str:
        """Return the facts that decide, in a line."""
        facts = self.facts
        if facts is None:
            return self.account.number
        arr = "ARR unknown"
        if facts.arr is not None:
            arr = money_short_text(facts.arr, self.here.company.reporting_currency)
        tier = facts.tier.name if facts.tier else ""
        to_go = f"{number_text(facts.seats_to_go)} seats to go" if facts.seats_to_go else ""
        return " · ".join(filter(None, [self.account.number, tier, arr, to_go]))


def answered(draft: ServiceRequest, here: Here) -> list[Answered]:
    """Return what is asked of the draft with its answers, in the form's order."""
    lines = [Answered("type", "What is asked for", draft.get_type_display())]
    for name in router.facts_asked(draft.type):
        said = getattr(draft, name)
        words = "" if said is None else ("Yes" if said else "No")
        lines.append(_line(draft, name, words))
    lines += [
        _line(draft, name)
        for name in ("escalation_reason", "product_approval")
        if _has(draft, name)
    ]
    lines += [_line(draft, name) for name in ("title", "problem", "outcome", "if_not")]
    day = day_text(draft.needed_by, here.today) if draft.needed_by else ""
    lines += [_line(draft, "needed_by", day), _line(draft, "time_reason")]
    if draft.contact or "contact" in draft.typed:
        lines.append(Answered("contact", "Customer contact", str(draft.contact or "")))
    links = [{**link, "label": KIND_LABELS[link["kind"]]} for link in draft.links]
    lines.append(Answered("links", ANSWERS["links"].label, draft.typed.get("links", ""), links))
    if router.asks_for_seats(draft.type):
        lines.append(Answered("seats_likely", "Seats it would unlock", seats_words(draft)))
    return lines


def seats_words(request: ServiceRequest) -> str:
    """Return the estimate in words, such as “200, between 100 and 400”."""
    low, likely, high = (getattr(request, name) for name in SEATS)
    if likely is None:
        return ""
    words = number_text(likely)
    if low is not None and high is not None:
        words += f", between {number_text(low)} and {number_text(high)}"
    elif low is not None:
        words += f", at least {number_text(low)}"
    elif high is not None:
        words += f", at most {number_text(high)}"
    return words


def _line(draft: ServiceRequest, name: str, words: str | None = None) -> Answered:
    stored = getattr(draft, name) if words is None else words
    return Answered(name, ANSWERS[name].label, draft.typed.get(name) or stored)


def _has(draft: ServiceRequest, name: str) -> bool:
    return bool(getattr(draft, name) or name in draft.typed)


def choices_of(found: Iterable[Account], here: Here) -> list[AccountCard]:
    return [AccountCard(account, here) for account in found]


def draft_or_404(here: Here, number: int) -> ServiceRequest:
    """Return the request of this number, the filer's own while it is a draft."""
    require(permissions.can_file_requests, here.user)
    found = (
        selectors.requests_visible_to(here.user)
        .select_related("account__facts__tier", "account__facts__tam", "contact", "filed_by")
        .filter(pk=number)
        .first()
    )
    if found is None:
        raise Http404
    return found


def is_open_to(here: Here, request: ServiceRequest) -> bool:
    """Whether it is still a draft, and theirs."""
    return request.state == RequestState.DRAFT and permissions.is_drafts_own(here.user, request)
