"""Reads of projects and what hangs on them. Nothing here writes."""

from projects.selectors.artefacts import Orphans, artefacts_visible_to, orphans
from projects.selectors.lateness import was_late
from projects.selectors.outcomes import calibration_of, checks_due
from projects.selectors.projects import (
    charter_of,
    is_shared,
    open_requests_of,
    project_called,
    projects_visible_to,
    requests_of,
)
from projects.selectors.support import (
    Signatures,
    answers_to,
    digest_now,
    is_official,
    scope_digest,
    signatures_of,
    support_plan_of,
    waiting_for_approval,
    waiting_for_signature,
    what_a_change_of_scope_resets,
    what_a_change_resets,
    why_not_official,
    why_not_signed,
    why_not_supported,
)

__all__ = [
    "Orphans",
    "Signatures",
    "answers_to",
    "artefacts_visible_to",
    "calibration_of",
    "charter_of",
    "checks_due",
    "digest_now",
    "is_official",
    "is_shared",
    "open_requests_of",
    "orphans",
    "project_called",
    "projects_visible_to",
    "requests_of",
    "scope_digest",
    "signatures_of",
    "support_plan_of",
    "waiting_for_approval",
    "waiting_for_signature",
    "was_late",
    "what_a_change_of_scope_resets",
    "what_a_change_resets",
    "why_not_official",
    "why_not_signed",
    "why_not_supported",
]
