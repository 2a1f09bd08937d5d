"""The rules of `seats-deployed`. Plain values in, plain values out: no Django here.

Each function is one rule of the definition, numbered as the Handbook page numbers them.
Sums and comparisons are exact (fractions); nothing is rounded before it is compared.
"""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from zoneinfo import ZoneInfo

DAYS_A_YEAR = 365


@dataclass(frozen=True, slots=True)
class Policy:
    """The parameters of one version of the definition."""

    min_arr: Decimal = Decimal(50_000)
    share_percent: int = 80
    stale_days: int = 60
    # Which source wins where two tell of the same moment; others follow by name.
    source_order: tuple[str, ...] = ("telemetry", "api", "import", "air_gapped", "manual")
    # So many days from the first paid contract on, a customer is left out.
    grace_days: int = 0
    exclude_regions: tuple[str, ...] = ()
    exclude_segments: tuple[str, ...] = ()
    # Children count at the topmost customer above them: rules.roll_up.
    roll_up: bool = False


@dataclass(frozen=True, slots=True)
class Subscription:
    kind: str
    seats: int | None
    unlimited: bool
    arr: Decimal | None
    tcv: Decimal | None
    currency: str
    start: dt.date
    end: dt.date | None

    def counts_on(self, day: dt.date) -> bool:
        """Say whether it is paid and covers the day; `end` is the first day not covered."""
        return self.kind == "paid" and self.start <= day and (self.end is None or day < self.end)


@dataclass(frozen=True, slots=True)
class Reading:
    instance_id: int
    observed_at: dt.datetime
    source: str
    seats: int
    monthly_active: int | None = None


@dataclass(frozen=True, slots=True)
class Account:
    """All that is known of one account, as far as it bears on a day."""

    id: int
    status: str = "customer"
    churned_on: dt.date | None = None
    internal: bool = False
    archived: bool = False
    region: str = ""
    segment: str = ""
    tam_id: int | None = None
    # What is asked for here counts at another account; then it has none of its own.
    rolled_up: bool = False
    subscriptions: tuple[Subscription, ...] = ()
    counted_instances: tuple[int, ...] = ()
    readings: tuple[Reading, ...] = ()


@dataclass(frozen=True, slots=True)
class Day:
    """The day asked for, and what holds on it for every account."""

    day: dt.date
    zone: ZoneInfo
    currency: str
    # Units of the reporting currency for one unit, at the latest rate on or before the day.
    rates: Mapping[str, Decimal]
    # (arr_from, tier id) of the tiers in force, any order.
    tiers: Sequence[tuple[Decimal, int]] = ()

    @property
    def end(self) -> dt.datetime:
        """The first moment after the day in the company's zone, in UTC."""
        return start_of(self.day + dt.timedelta(days=1), self.zone)


@dataclass(frozen=True, slots=True)
class Deployed:
    seats: int | None
    state: str
    oldest: dt.datetime | None = None
    monthly_active: int | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the definition says of one account on a day.

    `passes` is None where it is unknown or does not apply; `arr` is None where unknown.
    """

    account_id: int
    arr: Fraction | None
    licensed: int
    unlimited: bool
    deployed: int | None
    data_state: str
    eligible: bool
    passes: bool | None
    reason: str
    oldest_reading: dt.datetime | None
    region: str
    tier_id: int | None
    tam_id: int | None
    renewal_on: dt.date | None
    monthly_active: int | None = None
    customer_since: dt.date | None = None

    @property
    def in_ratio(self) -> bool:
        return self.eligible and not self.unlimited


@dataclass(frozen=True, slots=True)
class Number:
    """The number of a day: `numerator / denominator`, and how sure it is."""

    numerator: int
    denominator: int
    unknown: int
    covered: int
    oldest_reading: dt.datetime | None
    excluded: Mapping[str, int]


class UnknownArr(Exception):
    """ARR cannot be said; the argument is the reason code."""


def start_of(day: dt.date, zone: ZoneInfo) -> dt.datetime:
    """Return the first moment of a local day, in UTC."""
    return dt.datetime.combine(day, dt.time(), zone).astimezone(dt.UTC)


def arr_on(subscriptions: Iterable[Subscription], day: Day) -> Fraction:
    """Rule 1. Raise UnknownArr where an amount or a rate is missing."""
    total = Fraction(0)
    for subscription in subscriptions:
        if subscription.counts_on(day.day):
            total += yearly(subscription) * rate_of(subscription.currency, day)
    return total


def yearly(subscription: Subscription) -> Fraction:
    if subscription.arr is not None:
        return Fraction(subscription.arr)
    if subscription.tcv is not None and subscription.end is not None:
        days = (subscription.end - subscription.start).days
        return Fraction(subscription.tcv) / days * DAYS_A_YEAR
    raise UnknownArr("missing_amount")


def rate_of(currency: str, day: Day) -> Fraction:
    if currency == day.currency:
        return Fraction(1)
    if currency not in day.rates:
        raise UnknownArr("missing_rate")
    return Fraction(day.rates[currency])


def standing(account: Account, day: dt.date) -> str:
    """Rule 2, first half: return "customer" or why the account is none on the day.

    A churn date wins over a contract that still runs.
    """
    if account.internal:
        return "internal"
    if account.archived:
        return "archived"
    if account.status == "prospect":
        return "prospect"
    if account.churned_on is not None and account.churned_on <= day:
        return "churned"
    return "customer"


def licensed_on(subscriptions: Iterable[Subscription], day: dt.date) -> tuple[int, bool]:
    """Rule 3: return (seats, whether any licence is unlimited)."""
    running = [s for s in subscriptions if s.counts_on(day)]
    return sum(s.seats or 0 for s in running), any(s.unlimited for s in running)


def deployed_on(account: Account, day: Day, policy: Policy) -> Deployed:
    """Rule 4: add up each counted instance's latest reading that is not stale."""
    if not account.counted_instances:
        return Deployed(None, "no_instance")
    latest = latest_readings(account.readings, day, policy)
    heard_of = [latest[i] for i in account.counted_instances if i in latest]
    usable = [r for r in heard_of if not is_stale(r, day, policy)]
    if not usable:
        return Deployed(None, "stale" if heard_of else "no_reading")
    return Deployed(
        sum(r.seats for r in usable),
        "complete" if len(usable) == len(account.counted_instances) else "partial",
        min(r.observed_at for r in usable),
        _all_together(r.monthly_active for r in usable),
    )


def _all_together(counts: Iterable[int | None]) -> int | None:
    """Add up; None where one of them is not known."""
    total = 0
    for count in counts:
        if count is None:
            return None
        total += count
    return total


def latest_readings(readings: Iterable[Reading], day: Day, policy: Policy) -> dict[int, Reading]:
    """Return each instance's latest reading by its own time, not by the order it came in."""
    latest: dict[int, Reading] = {}
    for reading in readings:
        if reading.observed_at >= day.end:
            continue
        rival = latest.get(reading.instance_id)
        if rival is None or _precedence(reading, policy) > _precedence(rival, policy):
            latest[reading.instance_id] = reading
    return latest


def _precedence(reading: Reading, policy: Policy) -> tuple[dt.datetime, int, tuple[int, ...]]:
    """Order by time, then by the policy's order of sources, then by the source's name."""
    order = policy.source_order
    rank = -order.index(reading.source) if reading.source in order else -len(order)
    return reading.observed_at, rank, tuple(-ord(letter) for letter in reading.source)


def is_stale(reading: Reading, day: Day, policy: Policy) -> bool:
    """Age is counted in local dates: read 60 days ago is fresh, 61 is not."""
    observed_on = reading.observed_at.astimezone(day.zone).date()
    return (day.day - observed_on).days > policy.stale_days


def reaches(deployed: int, licensed: int, policy: Policy) -> bool:
    """Rule 5, in integers: 35 of 44 does not reach 80%."""
    return 100 * deployed >= policy.share_percent * licensed


def seats_to_go(deployed: int, licensed: int, policy: Policy) -> int:
    """Return how many more seats reach the line; 0 when it is reached."""
    return max(0, seats_needed(licensed, policy) - deployed)


def seats_needed(licensed: int, policy: Policy) -> int:
    """Return the fewest deployed seats that reach the line."""
    return -(-policy.share_percent * licensed // 100)


def tier_of(arr: Fraction | None, day: Day) -> int | None:
    """Return the tier with the highest band that the ARR reaches."""
    reached = [tier for tier in day.tiers if arr is not None and tier[0] <= arr]
    return max(reached)[1] if reached else None


def renewal_of(subscriptions: Iterable[Subscription], day: dt.date) -> dt.date | None:
    """Return when the first of the running paid contracts ends."""
    return min((s.end for s in subscriptions if s.counts_on(day) and s.end), default=None)


def customer_since(subscriptions: Iterable[Subscription], day: dt.date) -> dt.date | None:
    """Return when the first paid contract ever began, by the day; a renewal changes nothing."""
    return min(
        (s.start for s in subscriptions if s.kind == "paid" and s.start <= day), default=None
    )


def is_in_grace(since: dt.date | None, day: dt.date, policy: Policy) -> bool:
    return since is not None and (day - since).days < policy.grace_days


def is_left_out(account: Account, policy: Policy) -> bool:
    return account.region in policy.exclude_regions or account.segment in policy.exclude_segments


def judge(account: Account, day: Day, policy: Policy) -> Verdict:
    """Apply rules 1 to 5 to one account."""
    arr: Fraction | None = None
    arr_problem = ""
    try:
        arr = arr_on(account.subscriptions, day)
    except UnknownArr as unknown:
        arr_problem = str(unknown)
    licensed, unlimited = licensed_on(account.subscriptions, day.day)
    deployed = deployed_on(account, day, policy)
    outside = _outside(account, arr, arr_problem, day, policy)
    if outside:
        eligible, passes, reason = False, None, outside
    else:
        eligible = True
        passes, reason = _verdict(licensed, deployed, policy, unlimited=unlimited)
    return Verdict(
        account_id=account.id,
        arr=arr,
        licensed=licensed,
        unlimited=unlimited,
        deployed=deployed.seats,
        data_state=deployed.state,
        eligible=eligible,
        passes=passes,
        reason=reason,
        oldest_reading=deployed.oldest,
        region=account.region,
        tier_id=tier_of(arr, day),
        tam_id=account.tam_id,
        renewal_on=renewal_of(account.subscriptions, day.day),
        monthly_active=deployed.monthly_active,
        customer_since=customer_since(account.subscriptions, day.day),
    )


def _outside(
    account: Account, arr: Fraction | None, arr_problem: str, day: Day, policy: Policy
) -> str:
    """Rule 2: return why the account is not eligible, or nothing."""
    why = standing(account, day.day)
    if why != "customer":
        return why
    if account.rolled_up:
        return "rolled_up"
    if is_left_out(account, policy):
        return "left_out"
    if arr is None:
        return arr_problem
    if arr <= policy.min_arr:
        return "arr_not_above"
    since = customer_since(account.subscriptions, day.day)
    return "in_grace" if is_in_grace(since, day.day, policy) else ""


def _verdict(
    licensed: int, deployed: Deployed, policy: Policy, *, unlimited: bool
) -> tuple[bool | None, str]:
    """Rules 3 to 5 for an eligible account: (passes or None for unknown, reason)."""
    if unlimited:
        return None, "unlimited"
    if licensed == 0:
        return None, "no_entitlement"
    if deployed.seats is None:
        return None, deployed.state
    if reaches(deployed.seats, licensed, policy):
        return True, "over_deployed" if deployed.seats > licensed else "passes"
    # What the silent instances hold could still carry it over the line.
    return (None, "partial") if deployed.state == "partial" else (False, "below")


class Tally:
    """Rules 6 and 7: the number, counted account by account."""

    def __init__(self) -> None:
        self._passing = self._members = self._unknown = self._covered = 0
        self._oldest: dt.datetime | None = None
        self._excluded: dict[str, int] = {}

    def add(self, verdict: Verdict) -> None:
        if not verdict.in_ratio:
            self._excluded[verdict.reason] = self._excluded.get(verdict.reason, 0) + 1
            return
        self._members += 1
        self._passing += verdict.passes is True
        self._unknown += verdict.passes is None
        if verdict.oldest_reading is not None:
            self._covered += 1
            self._oldest = min(self._oldest or verdict.oldest_reading, verdict.oldest_reading)

    def number(self) -> Number:
        return Number(
            numerator=self._passing,
            denominator=self._members,
            unknown=self._unknown,
            covered=self._covered,
            oldest_reading=self._oldest,
            excluded=dict(sorted(self._excluded.items())),
        )
