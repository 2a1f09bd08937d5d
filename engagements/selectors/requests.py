"""Reading requests."""

import datetime as dt

from django.db.models import Q, QuerySet

from accounts.selectors.facts import within_limit
from engagements import permissions
from engagements.models import RoutingDecision, ServiceRequest
from engagements.rules import router
from engagements.selectors.sows import newest_frozen
from people.models import User

ANSWERS = {
    "account": "Choose the account.",
    "type": "Select what the customer is asking for.",
    "title": "Enter a short title.",
    "problem": "Enter why the customer needs this.",
    "outcome": "Enter what they want to have in the end.",
    "if_not": "Enter what happens if we do not do it.",
    "time_reason": "Enter whether a date matters, and why.",
}
FACT_WORDS = {
    "standard_environment": "Say whether the environment is a standard one.",
    "inside_product": "Say whether it changes the product itself.",
    "licence_matter": "Say whether it is about licences or renewal.",
    "critical": "Say whether it is critical.",
    "over_one_day": "Say whether it is more than one day of work.",
    "escalated": "Say whether it is escalated to Deployment Engineering.",
}


def requests_visible_to(user: User) -> QuerySet[ServiceRequest]:
    """Return the requests the person may know of: all but the drafts of others."""
    rows = ServiceRequest.objects.select_related("account", "filed_by", "lead").order_by("-pk")
    if not permissions.can_see_requests(user):
        return rows.none()
    if not user.is_system:
        rows = rows.filter(~Q(state="draft") | Q(filed_by=user))
    return within_limit(rows, user, "account__uuid")


def missing_answers(request: ServiceRequest) -> dict[str, str]:
    """Return what intake still asks for: each field with what to do, in the form's order."""
    missing = {
        name: words for name, words in ANSWERS.items() if not getattr(request, _column(name))
    }
    for name in router.facts_asked(request.type) if request.type else ():
        if getattr(request, name) is None:
            missing[name] = FACT_WORDS[name]
    if request.escalated and not request.escalation_reason:
        missing["escalation_reason"] = "Enter why it is escalated."
    if router.asks_for_seats(request.type) and request.seats_likely is None:
        missing["seats_likely"] = "Enter how many seats it would likely unlock, 0 if none."
    if request.contact_id is None and request.account and request.account.contacts.exists():
        missing["contact"] = "Choose the customer's contact."
    return missing | {name: f"Correct “{text}”." for name, text in request.typed.items()}


def newest_decision(request: ServiceRequest) -> RoutingDecision | None:
    return request.decisions.order_by("-id").first()


def open_deliverables(request: ServiceRequest) -> list[str]:
    """Return what the SOW promises and is not ticked yet."""
    sow = newest_frozen(request)
    done = set(request.ticks.values_list("key", flat=True))
    promised = sow.content.get("deliverables", []) if sow else []
    return [each["what"] for each in promised if each["key"] not in done]


def what_was_missed(request: ServiceRequest) -> str:
    """Return which date or scope was missed, in a sentence; "" where nothing was."""
    sow = newest_frozen(request)
    if sow is None or request.delivered_at is None:
        return ""
    due = max((each["by_when"] for each in sow.content.get("deliverables", [])), default="")
    if due and request.delivered_at.date() > dt.date.fromisoformat(due):
        return f"It was due on {due} and delivered on {request.delivered_at:%Y-%m-%d}."
    if request.sign_offs.filter(purpose="delivery", state="rejected").exists():
        return "The customer rejected a delivery."
    return ""


def _column(name: str) -> str:
    return f"{name}_id" if name == "account" else name
