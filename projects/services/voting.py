"""Silent votes on impact and effort: nobody sees the others' before the round is closed.

What is recorded while a round is open says who voted and never what: events are read by all.
"""

import datetime as dt
from typing import Any

from django.db import transaction

from config.lib.authz import require
from config.lib.errors import Conflict, Invalid
from config.lib.values import echo
from engagements.models import Effort, Impact
from events.services import record
from people.models import User
from projects import permissions
from projects.models import Project, Vote, VoteRound
from projects.rules.voting import Ballot, Spread, spread_of
from projects.services.consequences import sole_account


class NoVoteNow(Conflict):
    """There is no round to vote in, or one is open already."""

    code = "no_vote_now"


@transaction.atomic
def open_vote(project: Project, *, by: User, at: dt.datetime) -> VoteRound:
    """Ask everybody for impact and effort, without seeing what others say."""
    require(permissions.can_score, by, project)
    locked = Project.objects.select_for_update(no_key=True).get(pk=project.pk)
    if locked.is_over:
        state = locked.get_state_display().lower()
        raise NoVoteNow(f"{locked.number} is {state}. There is nothing to vote on.")
    if VoteRound.objects.filter(project=locked, closed_at=None).exists():
        raise NoVoteNow(f"A vote on {locked.number} is open already. Close it first.")
    round_ = VoteRound.objects.create(project=locked, opened_by=by, opened_at=at)
    round_.refresh_from_db()
    _record("project.vote_opened", locked, by=by)
    return round_


@transaction.atomic
def vote(round_: VoteRound, *, impact: Any, effort: Any, by: User, at: dt.datetime) -> Vote:
    """Give one's vote, or change it while the round is open."""
    require(permissions.can_vote, by)
    if isinstance(impact, bool) or impact not in Impact.values:
        raise Invalid(f"“{echo(impact)}” is no impact from 1 to 4.", field="impact")
    if effort not in Effort.values:
        raise Invalid(f"“{echo(effort)}” is none of: {', '.join(Effort.values)}.", field="effort")
    locked = _locked(round_)
    given, _ = Vote.objects.update_or_create(
        round=locked, by=by, defaults={"impact": impact, "effort": effort, "at": at}
    )
    _record("project.voted", locked.project, by=by)
    return given


@transaction.atomic
def close_vote(round_: VoteRound, *, by: User, at: dt.datetime) -> Spread | None:
    """End the round and show what everybody said; nothing is scored by that."""
    require(permissions.can_score, by, round_.project)
    locked = _locked(round_)
    locked.closed_at, locked.closed_by = at, by
    locked.save(update_fields=["closed_at", "closed_by"])
    votes = locked.votes.order_by("pk").values_list("by_id", "impact", "effort")
    spread = spread_of([Ballot(*each) for each in votes])
    after: dict[str, Any] = {"votes": len(votes)}
    if spread:
        after |= {"impact": spread.impact, "effort": spread.effort}
    _record("project.vote_closed", locked.project, by=by, after=after)
    round_.refresh_from_db()
    return spread


def _locked(round_: VoteRound) -> VoteRound:
    """Lock the round: no vote comes between its end and what is counted."""
    locked = VoteRound.objects.select_for_update(of=("self",), no_key=True).get(pk=round_.pk)
    if locked.closed_at is not None:
        raise NoVoteNow("This vote is closed. What everybody said stands beside it.")
    return locked


def _record(verb: str, project: Project, *, by: User, after: dict[str, Any] | None = None) -> None:
    record(verb, project, by=by, after=after, account_id=sole_account(project))
