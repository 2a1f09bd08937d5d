"""How bands would move under another policy. Nothing is written."""

from collections import Counter
from dataclasses import dataclass

from metrics.models import HealthNight, HealthRow
from metrics.rules.health import judge
from metrics.rules.health_policy import Policy
from metrics.selectors import health, health_facts

# So many accounts are judged while somebody waits; of more, every so many.
MOST = 20_000


@dataclass(frozen=True)
class Moving:
    before: str
    after: str
    accounts: int


@dataclass(frozen=True)
class Preview:
    """The accounts of each band now and by the policy, and how many go from which to which."""

    night: HealthNight
    total: int
    before: Counter[str]
    after: Counter[str]
    moves: list[Moving]
    # One in so many accounts was judged.
    one_in: int = 1

    @property
    def moved(self) -> int:
        return sum(move.accounts for move in self.moves)


def preview(policy: Policy, night: HealthNight) -> Preview:
    """Judge the customers of the newest night by the policy, and compare with what was said."""
    one_in = -(-night.accounts // MOST) or 1
    source = health_facts.source_of(night.run, policy)
    pairs: Counter[tuple[str, str]] = Counter()
    first = 0
    for last, found in health_facts.batches(source, one_in=one_in):
        said = _bands(night, first, last)
        for account, facts in found:
            pairs[said.get(account, ""), judge(facts, policy).band] += 1
        first = last
    before: Counter[str] = Counter()
    after: Counter[str] = Counter()
    for (was, becomes), count in pairs.items():
        before[was] += count
        after[becomes] += count
    moves = [Moving(*pair, count) for pair, count in pairs.most_common() if pair[0] != pair[1]]
    return Preview(night, sum(pairs.values()), before, after, moves, one_in)


def _bands(night: HealthNight, first: int, last: int) -> dict[int, str]:
    rows = HealthRow.objects.filter(
        health.covering(night.day), account__gt=first, account__lte=last
    )
    return dict(rows.values_list("account_id", "band"))
