"""Reads of projects and what hangs on them. Nothing here writes."""

from projects.selectors.projects import (
    charter_of,
    is_shared,
    open_requests_of,
    project_called,
    projects_visible_to,
    requests_of,
    was_late,
)
from projects.selectors.support import (
    answers_to,
    digest_now,
    support_plan_of,
    why_not_official,
    why_not_supported,
)

__all__ = [
    "answers_to",
    "charter_of",
    "digest_now",
    "is_shared",
    "open_requests_of",
    "project_called",
    "projects_visible_to",
    "requests_of",
    "support_plan_of",
    "was_late",
    "why_not_official",
    "why_not_supported",
]
