"""Impact and effort, and the score that follows. Nothing else writes them."""

import datetime as dt
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.db.models import F
from django.db.models.functions import Now

from accounts.selectors import today
from config.lib.authz import require
from config.lib.errors import Conflict, Invalid, StaleWrite
from config.lib.etags import etag_of
from config.lib.values import BadValue, echo, parse_text
from engagements.models import Confidence, Effort, Impact, ServiceRequest
from events.services import Draft, record, record_many
from people.models import User, system_user
from projects import permissions
from projects.models import MOST_DAYS, Project, Scoring
from projects.rules import scoring as rules
from projects.selectors.scoring import policy_row_on, read, scored_otherwise
from projects.services.consequences import sole_account

REASON_MAX = 2_000
NAMES = ("impact", "effort", "days", "confidence", "score")
IS_OVER = "{number} is {state}. Reopen it before you score it."
AT_ONCE = 1_000


class IsOver(Conflict):
    """What is closed or declined keeps its score."""

    code = "is_over"


@transaction.atomic
def score_project(  # noqa: PLR0913 -- all that can be said of a score, by name
    project: Project,
    *,
    impact: int | None,
    effort: str,
    days: Decimal | None = None,
    confidence: str = "",
    reason: str = "",
    by: User,
    at: dt.datetime,
    version: int | None = None,
) -> Scoring | None:
    """Answer how much impact and how much effort, and append that to the history.

    A change of what was answered before says why. Returns None where nothing is different.
    Raises Invalid naming the field, StaleWrite for another version, IsOver.
    """
    require(permissions.can_score, by, project)
    return _score(
        project,
        _checked(impact=impact, effort=effort, days=days, confidence=confidence),
        reason=reason,
        by=by,
        at=at,
        version=version,
    )


@transaction.atomic
def take_over_score(
    project: Project, request: ServiceRequest, *, by: User, at: dt.datetime
) -> Scoring | None:
    """Take what a DE lead said when the request was triaged; None where nobody did."""
    require(permissions.can_make_from_request, by)
    if request.impact is None and not request.effort:
        return None
    values = {
        "impact": request.impact,
        "effort": request.effort,
        "days": project.days,
        "confidence": request.confidence,
    }
    return _score(project, values, reason=f"As on {request.number}.", by=by, at=at)


@transaction.atomic
def rescore_open(*, at: dt.datetime) -> int:
    """Bring the scores of open projects in line with the policy of the day; return how many.

    Ringing for it twice does no harm.
    """
    on, keel = today(at), system_user()
    row = policy_row_on(on)
    policy = read(row)
    due = list(scored_otherwise(policy).select_for_update(of=("self",), no_key=True))
    reason = f"Score policy {row.number} holds from {row.start.isoformat()} on."
    for start in range(0, len(due), AT_ONCE):
        part = due[start : start + AT_ONCE]
        scores = {each.pk: rules.score_of(policy, each.impact, each.effort) for each in part}
        Scoring.objects.bulk_create(
            Scoring(
                project=each,
                impact=each.impact,
                effort=each.effort,
                days=each.days,
                confidence=each.confidence,
                score=scores[each.pk],
                policy=row,
                reason=reason,
                by=keel,
                at=at,
            )
            for each in part
        )
        record_many(
            [
                Draft(
                    verb="project.rescored",
                    obj=each,
                    before={"score": each.score},
                    after={"score": scores[each.pk], "policy": row.number},
                    reason=reason,
                )
                for each in part
            ],
            by=keel,
        )
        _store_scores(part, scores)
    return len(due)


def _store_scores(projects: list[Project], scores: dict[int, Decimal | None]) -> None:
    """Write each score there is to all that have it: sixteen statements at most."""
    for score in set(scores.values()):
        alike = [each.pk for each in projects if scores[each.pk] == score]
        Project.objects.filter(pk__in=alike).update(
            score=score, version=F("version") + 1, updated_at=Now()
        )


def _score(
    project: Project,
    values: dict[str, Any],
    *,
    reason: str,
    by: User,
    at: dt.datetime,
    version: int | None = None,
) -> Scoring | None:
    locked = Project.objects.select_for_update(no_key=True).get(pk=project.pk)
    if version is not None and version != locked.version:
        raise StaleWrite(etag=etag_of(locked.uuid, locked.version))
    if locked.is_over:
        state = locked.get_state_display().lower()
        raise IsOver(IS_OVER.format(number=locked.number, state=state))
    row = policy_row_on(today(at))
    score = rules.score_of(read(row), values["impact"], values["effort"])
    values = {**values, "score": score}
    before = {name: getattr(locked, name) for name in NAMES}
    if values == before:
        project.refresh_from_db()
        return None
    reason = _reason(reason, is_needed=_answers_anew(before, values))
    changes = {**values, "version": F("version") + 1, "updated_at": Now()}
    Project.objects.filter(pk=locked.pk).update(**changes)
    scoring = Scoring.objects.create(
        project=locked, policy=row, reason=reason, by=by, at=at, **values
    )
    scoring.refresh_from_db()
    changed = {name: value for name, value in values.items() if value != before[name]}
    record(
        "project.scored",
        locked,
        by=by,
        before={name: before[name] for name in changed},
        after={**changed, "policy": row.number},
        account_id=sole_account(locked),
        reason=reason,
    )
    project.refresh_from_db()
    return scoring


def _answers_anew(before: dict[str, Any], values: dict[str, Any]) -> bool:
    """Say whether impact or effort was known and is now another."""
    return any(
        before[name] not in (None, "") and before[name] != values[name]
        for name in ("impact", "effort")
    )


def _checked(*, impact: Any, effort: Any, days: Any, confidence: Any) -> dict[str, Any]:
    if impact is not None and (isinstance(impact, bool) or impact not in Impact.values):
        raise Invalid(f"“{echo(impact)}” is no impact from 1 to 4.", field="impact")
    if effort and effort not in Effort.values:
        raise Invalid(f"“{echo(effort)}” is none of: {', '.join(Effort.values)}.", field="effort")
    if confidence and confidence not in Confidence.values:
        known = ", ".join(Confidence.values)
        raise Invalid(f"“{echo(confidence)}” is none of: {known}.", field="confidence")
    if days is not None:
        days = _days(days)
    return {"impact": impact, "effort": effort or "", "days": days, "confidence": confidence or ""}


def _days(days: Any) -> Decimal:
    found = Decimal(days)
    if not 0 < found <= MOST_DAYS:
        words = f"{echo(days)} days: enter more than 0 and at most {MOST_DAYS}."
        raise Invalid(words, field="days", code="out_of_range")
    if found != round(found, 1):
        raise Invalid(f"{echo(days)} days: enter days to the tenth.", field="days")
    return found


def _reason(text: str, *, is_needed: bool) -> str:
    if not text.strip():
        if is_needed:
            words = "Say why impact or effort is another now. It stays in the history."
            raise Invalid(words, field="reason", code="required")
        return ""
    try:
        return parse_text(text.strip(), max_length=REASON_MAX, lines=True)
    except BadValue as bad:
        raise Invalid(bad.detail, field="reason", code=bad.code) from bad
