"""Where accounts stand beside the line, as a run saw them, and what their trend takes."""

from collections.abc import Collection
from typing import Any, NamedTuple

from metrics import rules
from metrics.models import GONE, MetricRun
from metrics.rules.lift import Standing
from metrics.selectors import flips, rows, runs

# On record since the run was made.
NOT_SEEN = "not_seen"


class Seen(NamedTuple):
    """What a run says of one account, and the seats deployed where the trend begins."""

    eligible: bool
    unlimited: bool
    passes: bool | None
    reason: str
    licensed: int
    deployed: int | None
    deployed_before: int | None


SEEN = ("eligible", "unlimited", "passes", "reason", "licensed", "deployed")


class Standings(NamedTuple):
    """By account: where it stands, or why nothing can be said of it."""

    known: dict[int, Standing]
    unknown: dict[int, str]


def standings_of(run: MetricRun, account_ids: Collection[int]) -> Standings:
    """Return where these accounts stand, in two statements for any number of them."""
    policy = runs.policy_of(run.definition)
    before = flips.run_before(run)
    deployed_before = _deployed(before, account_ids) if before is not None else {}
    found = Standings({}, dict.fromkeys(account_ids, NOT_SEEN))
    seen = rows.rows_of(run).filter(account__in=account_ids).order_by()
    for account_id, *values in seen.values_list("account_id", *SEEN):
        whole: Any = (*values, deployed_before.get(account_id))
        told = standing(Seen(*whole), policy)
        if isinstance(told, str):
            found.unknown[account_id] = told
        else:
            found.known[account_id] = told
            del found.unknown[account_id]
    return found


def _deployed(run: MetricRun, account_ids: Collection[int]) -> dict[int, int | None]:
    seen = rows.rows_of(run).filter(account__in=account_ids).order_by()
    return dict(seen.values_list("account_id", "deployed"))


def standing(seen: Seen, policy: rules.Policy) -> Standing | str:
    """Return where the account stands, or the reason why its chance cannot be said."""
    is_known = seen.eligible and not seen.unlimited and seen.passes is not None
    if not is_known or seen.deployed is None:
        return NOT_SEEN if seen.reason == GONE else seen.reason
    fell = max(0, (seen.deployed_before or 0) - seen.deployed)
    return Standing(rules.seats_needed(seen.licensed, policy) - seen.deployed, fell)
