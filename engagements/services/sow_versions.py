"""Versions of a statement of work: locked, numbered, hashed, thrown away, told of.

For the services of statements of work and of changes, which have asked whether one may.
"""

import datetime as dt
from collections.abc import Mapping
from typing import Any

from django.db.models import F, Max

from engagements.models import RequestState, ServiceRequest, SignOffLink, SowVersion
from engagements.rules import sow as rules
from engagements.selectors import links as reading
from engagements.services.links import close_links, lock_request
from events.services import record
from people.models import User

S = RequestState
# In which a version can be written: before work is planned, and as a change from then on.
DRAFTING = frozenset({S.SOW_DRAFTING})
CHANGING = frozenset({S.TRIAGED, S.SCHEDULED, S.IN_PROGRESS})


def phase_of(request: ServiceRequest) -> str:
    """Return the state of the request; of one that waits, the state it goes on from."""
    return request.paused_from or request.state


def lock(sow: SowVersion) -> tuple[ServiceRequest, SowVersion]:
    """Lock the request, then the version, and return both as they are now."""
    request = lock_request(sow.request)
    locked = SowVersion.objects.select_for_update(of=("self",), no_key=True).get(pk=sow.pk)
    locked.request = request
    return request, locked


def digest_of(sow: SowVersion, content: Mapping[str, Any]) -> str:
    request = sow.request
    return rules.digest_of(content, request=request.number, account=str(request.account))


def add_version(
    request: ServiceRequest,
    content: rules.Content,
    *,
    actor: User,
    after: SowVersion | None = None,
    note: str = "",
    frozen_at: dt.datetime | None = None,
) -> SowVersion:
    """Store the next version of a locked request; `after` is the one whose place it takes.

    With the content of that one it has its digest, so what was agreed to is still agreed to.
    """
    last = request.sows.aggregate(number=Max("number"), used=Max("keys_used"))
    sow = SowVersion(
        request=request,
        number=(last["number"] or 0) + 1,
        content=content,
        keys_used=max(last["used"] or 0, rules.keys_used(content)),
        note=note[:500],
        effort_days=after.effort_days if after else None,
        by=actor,
        frozen_at=frozen_at,
        frozen_by=actor if frozen_at else None,
    )
    is_copy = after is not None and after.digest and after.content == content
    sow.digest = after.digest if after is not None and is_copy else digest_of(sow, content)
    sow.save()
    sow.refresh_from_db()
    sow.request = request
    tell("drafted", sow, actor=actor, after={"note": sow.note, "digest": sow.digest})
    return sow


def discard(sow: SowVersion, *, actor: User, at: dt.datetime) -> None:
    """Throw a draft away; its number and its keys do not come back."""
    sow.discarded_at = at
    sow.version += 1
    sow.save(update_fields=["discarded_at", "version"])
    tell("discarded", sow, actor=actor, after={"discarded_at": at})


def write(sow: SowVersion, **columns: Any) -> None:
    """Change a locked version's columns, as a new version of its row."""
    SowVersion.objects.filter(pk=sow.pk).update(**columns, version=F("version") + 1)
    request = sow.request
    sow.refresh_from_db()
    sow.request = request


def revoke_others(sow: SowVersion, *, actor: User, at: dt.datetime) -> None:
    """End the links to versions of other content: they can no longer be answered."""
    others = reading.links_of(sow.request).filter(purpose=SignOffLink.Purpose.SOW)
    close_links(others.exclude(sow__digest=sow.digest), by=actor, at=at)


def tell(
    verb: str,
    sow: SowVersion,
    *,
    actor: User,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
    reason: str = "",
) -> None:
    """Record what happened to a version, never what is written in it."""
    record(
        f"sow.{verb}",
        sow,
        by=actor,
        before=before,
        after={"request": sow.request.number, "number": sow.number, **(after or {})},
        account_id=sow.request.account_id,
        reason=reason,
    )
