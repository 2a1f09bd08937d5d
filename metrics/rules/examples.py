"""Worked examples of numbers made from accounts: what is known of one, and what is said of it.

Tests run each through the rules and through the ledger; the definition page and docs/definitions.md
show them. Each is of an account with 60,000.00 of ARR unless it says otherwise.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from zoneinfo import ZoneInfo

from metrics.rules.seats_deployed import Account, Day, Policy, Reading, Subscription

DAY = dt.date(2026, 3, 10)
CURRENCY = "USD"
RATES: Mapping[str, Decimal] = {"EUR": Decimal("1.10")}
# Of the example with a currency that nobody has entered a rate for.
WITHOUT_RATE = "CHF"


@dataclass(frozen=True, slots=True)
class Expected:
    """What is said of the account; `passes` is None where it is unknown or not asked."""

    reason: str
    eligible: bool = True
    passes: bool | None = None
    # As exact decimals; "" where it cannot be said.
    arr: str = "60000"


@dataclass(frozen=True, slots=True)
class Example:
    """`policy` is that of definition 1 where it says nothing else."""

    name: str
    title: str
    account: Account
    expected: Expected
    policy: Policy = field(default_factory=Policy)

    @property
    def is_of_definition_1(self) -> bool:
        return self.policy == Policy()


def day_of() -> Day:
    """Return the day of all examples, and what holds on it."""
    return Day(day=DAY, zone=ZoneInfo("UTC"), currency=CURRENCY, rates=RATES)


def contract(  # noqa: PLR0913 -- all that a contract can say, by name
    seats: int | None = 100,
    arr: str | None = "60000",
    *,
    currency: str = CURRENCY,
    start: dt.date = dt.date(2025, 1, 1),
    end: dt.date | None = dt.date(2027, 1, 1),
    kind: str = "paid",
    unlimited: bool = False,
    tcv: str | None = None,
) -> Subscription:
    return Subscription(
        kind=kind,
        seats=seats,
        unlimited=unlimited,
        arr=None if arr is None else Decimal(arr),
        tcv=None if tcv is None else Decimal(tcv),
        currency=currency,
        start=start,
        end=end,
    )


def read(seats: int, *, days_ago: int = 1, instance: int = 1, source: str = "telemetry") -> Reading:
    observed = dt.datetime.combine(DAY - dt.timedelta(days=days_ago), dt.time(12), dt.UTC)
    return Reading(instance, observed, source, seats)


def account(
    *contracts: Subscription,
    readings: Sequence[Reading] = (),
    instances: Sequence[int] = (1,),
    **known: object,
) -> Account:
    made = Account(
        id=1,
        subscriptions=contracts or (contract(),),
        counted_instances=tuple(instances),
        readings=tuple(readings),
    )
    return replace(made, **known)  # type: ignore[arg-type]


SHORT_OF_MANY = (
    contract(10, "16807.40"),
    contract(10, "16810.73"),
    contract(10, "16381.87"),
)

EXAMPLES: tuple[Example, ...] = (
    Example(
        "reaches-the-line",
        "80 of 100 seats is 80%.",
        account(readings=[read(80)]),
        Expected("passes", passes=True),
    ),
    Example(
        "rounds-to-the-line",
        "35 of 44 rounds to 80% and does not reach it: nothing is rounded before it is compared.",
        account(contract(44), readings=[read(35)]),
        Expected("below", passes=False),
    ),
    Example(
        "exactly-the-line-of-arr",
        "16,807.40 + 16,810.73 + 16,381.87 is exactly 50,000.00, which is not above it.",
        account(*SHORT_OF_MANY, readings=[read(30)]),
        Expected("arr_not_above", eligible=False, arr="50000.00"),
    ),
    Example(
        "a-cent-above-the-line-of-arr",
        "One cent more, and it is eligible.",
        account(*SHORT_OF_MANY[:2], contract(10, "16381.88"), readings=[read(30)]),
        Expected("passes", passes=True, arr="50000.01"),
    ),
    Example(
        "two-licences",
        "Two licences add up: 60 and 40 seats, and 30,000.00 of ARR each.",
        account(contract(60, "30000"), contract(40, "30000"), readings=[read(79)]),
        Expected("below", passes=False),
    ),
    Example(
        "two-instances",
        "Two instances add up: 50 and 31 of 100 seats.",
        account(readings=[read(50), read(31, instance=2)], instances=(1, 2)),
        Expected("passes", passes=True),
    ),
    Example(
        "total-value",
        "A total value of 164,383.56 over 1,000 days is just under 60,000.00 a year.",
        account(
            contract(
                100, None, tcv="164383.56", start=dt.date(2025, 1, 1), end=dt.date(2027, 9, 28)
            ),
            readings=[read(80)],
        ),
        Expected("passes", passes=True, arr="59999.999400"),
    ),
    Example(
        "another-currency",
        "50,000.00 EUR at the rate of 1.10 is 55,000.00.",
        account(contract(arr="50000", currency="EUR"), readings=[read(80)]),
        Expected("passes", passes=True, arr="55000"),
    ),
    Example(
        "a-missing-rate",
        "Without an exchange rate ARR is unknown: it is left out and listed.",
        account(contract(currency=WITHOUT_RATE), readings=[read(80)]),
        Expected("missing_rate", eligible=False, arr=""),
    ),
    Example(
        "a-missing-amount",
        "A contract without an amount leaves ARR unknown.",
        account(contract(arr=None), readings=[read(80)]),
        Expected("missing_amount", eligible=False, arr=""),
    ),
    Example(
        "last-day-covered",
        "The end is the first day not covered: the day before it still counts.",
        account(contract(end=DAY + dt.timedelta(days=1)), readings=[read(80)]),
        Expected("passes", passes=True),
    ),
    Example(
        "first-day-not-covered",
        "On the end itself the contract is over: no ARR.",
        account(contract(end=DAY), readings=[read(80)]),
        Expected("arr_not_above", eligible=False, arr="0"),
    ),
    Example(
        "a-trial",
        "Trials bring neither ARR nor seats.",
        account(contract(), contract(100, "60000", kind="trial"), readings=[read(80)]),
        Expected("passes", passes=True),
    ),
    Example(
        "the-oldest-fresh-reading",
        "A reading of 60 days ago is used.",
        account(readings=[read(80, days_ago=60)]),
        Expected("passes", passes=True),
    ),
    Example(
        "stale-by-one-day",
        "One of 61 days ago is stale: the account is unknown and does not pass.",
        account(readings=[read(80, days_ago=61)]),
        Expected("stale"),
    ),
    Example(
        "never-read",
        "Without any reading it is unknown, not 0%.",
        account(),
        Expected("no_reading"),
    ),
    Example(
        "no-instance",
        "Without a counted instance it is unknown.",
        account(instances=()),
        Expected("no_instance"),
    ),
    Example(
        "zero-read",
        "Zero seats read is zero.",
        account(readings=[read(0)]),
        Expected("below", passes=False),
    ),
    Example(
        "partial-and-enough",
        "One of two instances is silent, and the other suffices alone.",
        account(readings=[read(80)], instances=(1, 2)),
        Expected("passes", passes=True),
    ),
    Example(
        "partial-and-not-enough",
        "One of two is silent, and the other does not suffice: unknown.",
        account(readings=[read(79)], instances=(1, 2)),
        Expected("partial"),
    ),
    Example(
        "two-sources",
        "Of two readings of one moment telemetry comes before a hand.",
        account(readings=[read(79, source="manual"), read(80)]),
        Expected("passes", passes=True),
    ),
    Example(
        "over-deployed",
        "More deployed than licensed passes, and is flagged.",
        account(readings=[read(120)]),
        Expected("over_deployed", passes=True),
    ),
    Example(
        "unlimited",
        "An unlimited licence has no share: left out and listed.",
        account(contract(None, unlimited=True), readings=[read(80)]),
        Expected("unlimited"),
    ),
    Example(
        "no-entitlement",
        "A contract without seats gives no entitlement: unknown.",
        account(contract(0), readings=[read(80)]),
        Expected("no_entitlement"),
    ),
    Example(
        "churn-wins",
        "A churn date wins over a contract that still runs.",
        account(readings=[read(80)], churned_on=DAY),
        Expected("churned", eligible=False),
    ),
    Example(
        "a-prospect",
        "A prospect is no customer.",
        account(readings=[read(80)], status="prospect"),
        Expected("prospect", eligible=False),
    ),
    Example(
        "in-grace",
        "With a grace of 90 days, a customer whose first paid contract began 89 days ago is out.",
        account(contract(start=DAY - dt.timedelta(days=89)), readings=[read(10)]),
        Expected("in_grace", eligible=False),
        Policy(grace_days=90),
    ),
    Example(
        "grace-is-over",
        "After 90 days it is in.",
        account(contract(start=DAY - dt.timedelta(days=90)), readings=[read(10)]),
        Expected("below", passes=False),
        Policy(grace_days=90),
    ),
    Example(
        "left-out",
        "Where the region APAC is left out, an account there is listed and not counted.",
        account(readings=[read(80)], region="APAC"),
        Expected("left_out", eligible=False),
        Policy(exclude_regions=("APAC",)),
    ),
)
