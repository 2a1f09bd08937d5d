"""Reads of requests and what hangs on them. Nothing here writes."""

from engagements.selectors.conversation import (
    attachments_visible_to,
    comments_of,
    people_in,
    people_who_see,
)
from engagements.selectors.delivering import (
    agreed_sow,
    deliverables_of,
    open_deliverables,
    promised_sow,
    what_was_missed,
)
from engagements.selectors.intake import (
    accounts_to_choose,
    contacts_to_choose,
    drafts_of,
    missing_answers,
    similar_requests,
    wrong_answers,
)
from engagements.selectors.policy import policy_shown
from engagements.selectors.requests import newest_decision, requests_visible_to
from engagements.selectors.signoffs import (
    agreements_to,
    last_ground,
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
from engagements.selectors.sows import (
    OPEN_CHANGES,
    current_sow,
    newest_frozen,
    open_change,
)

__all__ = [
    "OPEN_CHANGES",
    "accounts_to_choose",
    "agreed_sow",
    "agreements_to",
    "attachments_visible_to",
    "comments_of",
    "contacts_to_choose",
    "current_sow",
    "deliverables_of",
    "drafts_of",
    "last_ground",
    "least_strength",
    "live_risk",
    "live_sign_off",
    "may_work",
    "missing_answers",
    "newest_decision",
    "newest_frozen",
    "open_change",
    "open_deliverables",
    "people_in",
    "people_who_see",
    "policy_on",
    "policy_shown",
    "promised_sow",
    "requests_visible_to",
    "sign_off_of",
    "similar_requests",
    "strength_of",
    "what_was_missed",
    "where_it_was",
    "why_not_signed",
    "wrong_answers",
]
