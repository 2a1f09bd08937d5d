"""What intake offers while a request is filed: accounts, contacts, what was asked before."""

import datetime as dt

from django.contrib.postgres.search import TrigramSimilarity
from django.db.models import Exists, OuterRef, Q, QuerySet

from accounts import selectors as accounts
from accounts.models import Account, Contact
from config.lib.values import BadValue, echo
from engagements.models import OPEN_STATES, RequestState, ServiceRequest
from engagements.rules import router
from engagements.rules.answers import ANSWERS, SEATS, out_of_order
from engagements.selectors.requests import requests_visible_to
from people.models import User

MOST_ACCOUNTS = 8
MOST_SIMILAR = 5
# How much of two titles must be alike, of 1.
ALIKE = 0.2
# What is over is worth a look for as long as this.
RECENT = dt.timedelta(days=180)
# What everybody is asked, in the form's order, and what is said where it is not answered.
FIRST = {
    "account": "Choose the account.",
    "type": "Select what the customer is asking for.",
}
FACTS = {
    "standard_environment": "Say whether the environment is a standard one.",
    "inside_product": "Say whether it changes the product itself.",
    "licence_matter": "Say whether it is about licences or the renewal.",
    "critical": "Say whether it is critical for the customer.",
    "over_one_day": "Say whether it is more than one day of work.",
    "escalated": "Say whether it is escalated to Deployment Engineering.",
}
TEXTS = {
    "title": "Enter a short title.",
    "problem": "Enter why the customer needs this.",
    "outcome": "Enter what they want to have in the end.",
    "if_not": "Enter what happens if we do not do it.",
    "time_reason": "Enter whether a date matters, and why.",
}
ESCALATION = "Enter why it is escalated."
CONTACT = "Choose the customer's contact."
LIKELY = "Enter how many seats it would likely unlock, 0 if none."


def missing_answers(request: ServiceRequest, *, on: dt.date) -> dict[str, str]:
    """Return what intake still asks for: each answer with what to do, in the form's order."""
    missing = {
        name: words
        for name, words in FIRST.items()
        if not (request.account_id if name == "account" else request.type)
    }
    for name in router.facts_asked(request.type):
        if getattr(request, name) is None:
            missing[name] = FACTS[name]
        elif name == "escalated" and request.escalated and not request.escalation_reason:
            missing["escalation_reason"] = ESCALATION
    missing |= {name: words for name, words in TEXTS.items() if not getattr(request, name)}
    if request.contact_id is None and _has_contact_to_choose(request, on=on):
        missing["contact"] = CONTACT
    if router.asks_for_seats(request.type) and request.seats_likely is None:
        missing["seats_likely"] = LIKELY
    return missing | wrong_answers(request)


def wrong_answers(request: ServiceRequest) -> dict[str, str]:
    """Return what was typed into a draft and is not valid, each with what is wrong with it."""
    return {name: _complaint(request, name, words) for name, words in request.typed.items()}


def _complaint(request: ServiceRequest, name: str, words: str) -> str:
    if name not in ANSWERS:
        return f"Correct “{echo(words)}”."
    try:
        value = ANSWERS[name].parse_words(words.strip())
    except BadValue as bad:
        return bad.detail
    if name in SEATS:
        seats = {each: getattr(request, each) for each in SEATS} | {name: value}
        if late := out_of_order(seats):
            return late[1].detail
    return f"Correct “{echo(words)}”."


def _has_contact_to_choose(request: ServiceRequest, *, on: dt.date) -> bool:
    """Whether its requester may name somebody there; of others' accounts nobody need be named."""
    if request.account is None:
        return False
    return contacts_to_choose(request.account, request.filed_by, on=on).exists()


def accounts_to_choose(user: User, text: str, *, on: dt.date) -> list[Account]:
    """Return the accounts the text may mean; the user's own come first, or all there are."""
    visible = accounts.accounts_visible_to(user).filter(archived=False)
    own = accounts.assignments_on(on).filter(user=user, account=OuterRef("pk"))
    if not text.strip():
        mine = visible.filter(Exists(own)).order_by("name", "pk")
        return list(mine[:MOST_ACCOUNTS])
    return accounts.accounts_like(visible, text, most=MOST_ACCOUNTS)


def contacts_to_choose(account: Account, user: User, *, on: dt.date) -> QuerySet[Contact]:
    """Return the account's people whom the user may name."""
    return accounts.contacts_visible_to(user, on=on).filter(account=account)


def drafts_of(user: User) -> QuerySet[ServiceRequest]:
    """Return what the user began and did not submit, the newest first."""
    drafts = requests_visible_to(user).filter(state=RequestState.DRAFT, filed_by=user)
    return drafts.order_by("-updated_at", "-pk")


def similar_requests(
    account: Account, title: str, user: User, *, at: dt.datetime, but: int | None = None
) -> list[ServiceRequest]:
    """Return requests of the account with a title like this one, open or recent, likest first.

    Without a title: those that are open.
    """
    found = requests_visible_to(user).filter(account=account).exclude(state=RequestState.DRAFT)
    if but is not None:
        found = found.exclude(pk=but)
    if not title:
        return list(found.filter(state__in=OPEN_STATES).order_by("-pk")[:MOST_SIMILAR])
    is_near = Q(state__in=OPEN_STATES) | Q(moved_at__gte=at - RECENT)
    likeness = TrigramSimilarity("title", title)
    found = found.filter(is_near).annotate(likeness=likeness).filter(likeness__gte=ALIKE)
    return list(found.order_by("-likeness", "-pk")[:MOST_SIMILAR])
