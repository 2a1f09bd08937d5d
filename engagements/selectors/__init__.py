"""Reads of requests and what hangs on them. Nothing here writes."""

from engagements.selectors.policy import policy_shown
from engagements.selectors.requests import (
    missing_answers,
    newest_decision,
    open_deliverables,
    requests_visible_to,
    what_was_missed,
)
from engagements.selectors.signoffs import (
    agreements_to,
    least_strength,
    live_risk,
    live_sign_off,
    may_work,
    policy_on,
    sign_off_of,
    strength_of,
    where_it_was,
    why_not_signed,
)
from engagements.selectors.sows import current_sow, newest_frozen

__all__ = [
    "agreements_to",
    "current_sow",
    "least_strength",
    "live_risk",
    "live_sign_off",
    "may_work",
    "missing_answers",
    "newest_decision",
    "newest_frozen",
    "open_deliverables",
    "policy_on",
    "policy_shown",
    "requests_visible_to",
    "sign_off_of",
    "strength_of",
    "what_was_missed",
    "where_it_was",
    "why_not_signed",
]
