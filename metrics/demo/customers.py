"""The kinds of customers there are in the demo, and what happens to each."""

import datetime as dt
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal

from metrics.demo.people import TAMS
from metrics.demo.story import AHEAD, BEFORE, YEAR, Curve, Meter, Story
from metrics.demo.teller import Customer, Teller

Kind = Callable[[Teller, int, int], None]


def steady_high(tell: Teller, number: int, _: int) -> None:
    customer = tell.customer()
    if number == 5:
        # The renewal was signed in time and entered six days late.
        tell.account(customer)
        tell.contracts(customer, late=(198, 6))
        tell.instances(customer, tell.flat(0.86, 0.95))
        return
    if number == 9:
        customer = replace(customer, currency="USD", term=24)
        tell.usual(customer, tell.flat(0.84, 0.93))
        tell.contract(customer, "ADD", 250, 250 + 365, known=250, seats=14_000, arr=9_000)
        tell.story.retell(253, "subscription", f"{customer.key}-ADD", seats=140,
                          reason="140 seats were entered as 14,000.")  # fmt: skip
        return
    tell.usual(customer, tell.flat(0.83, 0.96))
    if number % 11 == 4:
        _hand_over(tell, customer)


def _hand_over(tell: Teller, customer: Customer) -> None:
    """The account goes from one TAM of the region to another."""
    story, key = tell.story, f"{customer.key} TAM"
    before = next(told.values["user"] for told in story.told if told.key == key)
    after = next((tam for tam in TAMS[customer.region] if tam != before), before)
    story.retell(160, "assignment", key, end=story.day(160))
    story.tell(
        160, "assignment", f"{key}2", account=customer.key, user=after, role="TAM",
        start=story.day(160),
    )  # fmt: skip


def steady_low(tell: Teller, _: int, __: int) -> None:
    tell.usual(tell.customer(), tell.flat(0.36, 0.74, 0.09))


def riser(tell: Teller, number: int, count: int) -> None:
    """Roll-outs come in waves: evenly spread days, pushed a third towards the quarter's end."""
    even = 20 + 335 * number // max(count - 1, 1)
    cross = even + (YEAR - even) % 90 // 3
    ramp = tell.random.randrange(20, 50)
    low, high = tell.random.uniform(0.5, 0.73), tell.random.uniform(0.84, 0.93)
    curve = [
        (-70, low),
        (cross - ramp, low + 0.02),
        (cross, 0.80),
        (cross + 18, high),
        (YEAR, high),
    ]
    # One customer's telemetry was cut off while it crossed the line, and came in days later.
    late = (cross - 2, cross + 3, cross + 4) if number == 6 else None
    tell.usual(tell.customer(), curve, late=late)


def faller(tell: Teller, number: int, count: int) -> None:
    fall = 60 + 270 * number // max(count, 1)
    high, low = tell.random.uniform(0.83, 0.88), tell.random.uniform(0.66, 0.77)
    tell.usual(tell.customer(), [(-70, high), (fall - 5, high), (fall + 12, low), (YEAR, low)])


def dipper(tell: Teller, number: int, count: int) -> None:
    dip = 45 + 260 * number // max(count, 1)
    back = dip + tell.random.randrange(30, 50)
    curve = [
        (-70, 0.87),
        (dip, 0.86),
        (dip + 10, 0.74),
        (back, 0.76),
        (back + 8, 0.85),
        (YEAR, 0.88),
    ]
    tell.usual(tell.customer(), curve)


def wobbler(tell: Teller, number: int, _: int) -> None:
    curve = [
        (day, 0.805 + (0.03 if (day // 40 + number) % 2 else -0.025))
        for day in range(-70, AHEAD, 40)
    ]
    tell.usual(tell.customer(), curve)


def over_deployed(tell: Teller, _: int, __: int) -> None:
    tell.usual(tell.customer(), tell.flat(1.02, 1.12))


def expansion(tell: Teller, number: int, count: int) -> None:
    """Passed, bought more seats, and has to catch up."""
    at = 90 + 180 * number // max(count, 1)
    reached = 1.13 if number == 0 else 0.98
    customer = tell.customer()
    tell.account(customer)
    tell.contracts(customer, change=(at, 1.35, 1.3))
    tell.instances(customer, [(-70, 0.86), (at, 0.88), (at + 120, reached), (YEAR, reached)])


def contraction(tell: Teller, number: int, count: int) -> None:
    """Renewed with fewer seats: the share rises, and the company loses."""
    at = 130 + 190 * number // max(count, 1)
    customer = tell.customer()
    customer = replace(customer, arr=max(customer.arr, 90_000))
    tell.account(customer)
    tell.contracts(customer, change=(at, 0.7, 0.72))
    tell.instances(customer, [(-70, 0.66), (at, 0.61), (YEAR, 0.6)])


def new_and_quick(tell: Teller, number: int, count: int) -> None:
    begin = 40 + 170 * number // max(count, 1)
    if number == 1:
        # So many at once that the run is held, until the metric owner has asked.
        at = begin + 60
        curve = [(begin, 0.08), (at - 1, 0.1), (at, 0.83), (YEAR, 0.88)]
        customer = _newcomer(tell, begin, curve)
        told = f"{customer.name} moved everybody over a weekend, says their TAM."
        tell.story.confirmed[tell.story.day(at)] = told
        return
    _newcomer(tell, begin, [(begin, 0.1), (begin + 50, 0.62), (begin + 110, 0.84), (YEAR, 0.88)])


def new_and_slow(tell: Teller, number: int, count: int) -> None:
    begin = 190 + 140 * number // max(count, 1)
    _newcomer(tell, begin, [(begin, 0.05), (YEAR, 0.46), (YEAR + 100, 0.7)])


def new_and_silent(tell: Teller, _: int, __: int) -> None:
    """Bought five weeks ago; nothing has been counted yet."""
    customer = _newcomer(tell, 330, [])
    tell.story.tell(
        333, "instance", f"{customer.key}-I1", account=customer.key, name="Production",
        environment="production",
    )  # fmt: skip


def _newcomer(tell: Teller, begin: int, curve: Curve) -> Customer:
    customer = tell.customer(begin=begin)
    tell.account(customer, known=begin - 60, status="prospect")
    tell.story.retell(begin - 4, "account", customer.key, status="customer")
    tell.team(customer, begin)
    tell.contracts(customer)
    if curve:
        tell.instances(customer, curve)
    return customer


def leaver(tell: Teller, number: int, count: int) -> None:
    """Uses less and less, and goes; of the second one it is heard five days later."""
    end = 70 + 270 * number // max(count, 1)
    customer = tell.customer()
    tell.account(customer)
    tell.contracts(customer, until=end + 90 if number == 1 else end)
    start = 0.84 if number == 2 else tell.random.uniform(0.4, 0.65)
    tell.instances(customer, [(-70, start), (end - 60, start - 0.02), (end, start * 0.7)],
                   ends=(end, end))  # fmt: skip
    tell.story.retell(end + 5 if number == 1 else end - 20, "account", customer.key,
                      status="churned", churned_on=tell.story.day(end))  # fmt: skip


def gone_silent(tell: Teller, number: int, _: int) -> None:
    tell.usual(tell.customer(), tell.flat(0.7, 0.86), parts=(1.0,), ends=(YEAR - 66 - 9 * number,))


def half_silent(tell: Teller, number: int, _: int) -> None:
    """One of two instances is not heard from; for one customer the other suffices."""
    parts = (0.55, 0.45) if number == 0 else (0.95, 0.05)
    tell.usual(tell.customer(), tell.flat(0.86, 0.9), parts=parts, ends=(AHEAD, YEAR - 72))


def grown_past_the_line(tell: Teller, number: int, count: int) -> None:
    at = 150 + 130 * number // max(count, 1)
    customer = tell.customer(arr=38_000, seats=220, currency="USD", term=36)
    share = 0.6 if number == 1 else 0.88
    tell.account(customer)
    tell.contracts(customer)
    tell.contract(customer, "GUESTS", at, at + 730, known=at - 5, seats=80, arr=24_000)
    tell.tam(customer, at)
    tell.instances(
        customer, [(-70, share), (at, share), (at + 10, share * 300 / 220), (YEAR, share * 1.36)]
    )


def unlimited(tell: Teller, _: int, __: int) -> None:
    customer = tell.customer(term=36)
    tell.account(customer)
    tell.contract(customer, "S1", BEFORE - 90, BEFORE + 1800, known=BEFORE, unlimited=True, seats=0)
    tell.instances(customer, tell.flat(0.6, 0.9))


def exactly_on_the_line(tell: Teller, _: int, __: int) -> None:
    """Three contracts that add up to 50,000.00: not above the line."""
    customer = tell.customer(arr=50_000, seats=300, currency="USD", key="D90001")
    tell.account(customer)
    for number, amount in enumerate(("16807.40", "16810.73", "16381.87"), 1):
        tell.contract(customer, f"S{number}", BEFORE - 30, BEFORE + 1000, known=BEFORE, seats=100)
        tell.story.told[-1].values["arr"] = Decimal(amount)
    tell.instances(customer, tell.flat(0.8, 0.9))


def prospect(tell: Teller, number: int, _: int) -> None:
    customer = tell.customer()
    tell.account(customer, status="prospect")
    if number % 2 == 0:
        start = YEAR - 20
        kind = "trial" if number % 4 == 0 else "poc"
        tell.contract(customer, "T1", start, start + 45, known=start, seats=50, arr=0, kind=kind)
        tell.story.tell(start, "instance", f"{customer.key}-I1", account=customer.key, name="Trial",
                        environment="trial")  # fmt: skip
        tell.story.meters.append(
            Meter(f"{customer.key}-I1", 50, [(start, 0.1), (start + 20, 0.7)], start + 1, 1,
                  "telemetry", dt.timedelta(hours=2))
        )  # fmt: skip


def internal(tell: Teller, _: int, __: int) -> None:
    customer = tell.customer(name="Harborline Software (ourselves)", arr=0, seats=400)
    tell.account(customer, internal=True)
    tell.contract(customer, "S1", BEFORE - 90, None, known=BEFORE, arr=0)
    tell.instances(customer, tell.flat(0.7, 0.8))


def archived(tell: Teller, _: int, __: int) -> None:
    customer = tell.customer()
    tell.account(customer, archived=True)


def without_rate(tell: Teller, _: int, __: int) -> None:
    customer = tell.customer(region="AMER", currency="USD")
    tell.account(customer)
    tell.contract(customer, "S1", BEFORE - 90, BEFORE + 1000, known=BEFORE)
    tell.story.told[-1].values["currency"] = "BRL"
    tell.instances(customer, tell.flat(0.5, 0.7))


def without_amount(tell: Teller, _: int, __: int) -> None:
    customer = tell.customer()
    tell.account(customer)
    tell.contract(customer, "S1", BEFORE - 90, BEFORE + 1000, known=BEFORE)
    for name in ("arr", "tcv"):
        tell.story.told[-1].values.pop(name, None)
    tell.instances(customer, tell.flat(0.5, 0.9))


def churned_long_ago(tell: Teller, _: int, __: int) -> None:
    customer = tell.customer()
    tell.account(customer, status="churned", churned_on=tell.story.day(BEFORE - 30))
    tell.contract(customer, "S1", BEFORE - 395, BEFORE - 30, known=BEFORE)


def heard_again(tell: Teller, _: int, __: int) -> None:
    """Its telemetry was cut off for months, and has come back."""
    customer = tell.customer()
    tell.usual(customer, [(-70, 0.87), (YEAR, 0.87)], parts=(1.0,), ends=(240,))
    tell.story.meters.append(
        Meter(f"{customer.key}-I1", customer.seats, [(346, 0.87)], 346, 1, "telemetry",
              dt.timedelta(hours=2))
    )  # fmt: skip


def shrunk_lately(tell: Teller, _: int, __: int) -> None:
    """Renewed with fewer seats and passes by it: the newest contraction."""
    customer = replace(tell.customer(), arr=124_000, currency="USD")
    tell.account(customer)
    tell.contracts(customer, change=(347, 0.7, 0.74))
    tell.instances(customer, [(-70, 0.66), (347, 0.61), (YEAR, 0.6)], parts=(1.0,))


def shrunk_below_the_line(tell: Teller, _: int, __: int) -> None:
    """Renewed so small that it is too small to be counted."""
    customer = replace(tell.customer(), arr=68_000, currency="USD")
    tell.account(customer)
    tell.contracts(customer, change=(343, 0.5, 0.6))
    tell.instances(customer, [(-70, 0.57), (YEAR, 0.48)])


def became_unlimited(tell: Teller, _: int, __: int) -> None:
    customer = replace(tell.customer(), currency="USD")
    tell.account(customer)
    tell.contract(customer, "S1", BEFORE - 90, 350, known=BEFORE)
    tell.contract(customer, "S2", 350, 350 + 1095, known=338, unlimited=True)
    tell.instances(customer, tell.flat(0.62, 0.74))


def put_aside(tell: Teller, _: int, __: int) -> None:
    """A duplicate of another record, archived when that was found out."""
    customer = tell.customer()
    tell.usual(customer, tell.flat(0.5, 0.7))
    tell.story.retell(353, "account", customer.key, archived=True)


def taken_back(tell: Teller, _: int, __: int) -> None:
    """Archived by mistake for half a year."""
    customer = tell.customer()
    tell.usual(customer, tell.flat(0.84, 0.92))
    tell.story.retell(170, "account", customer.key, archived=True)
    tell.story.retell(341, "account", customer.key, archived=False)


def on_the_line_by_the_rate(tell: Teller, _: int, __: int) -> None:
    """Its ARR in euros stands on either side of 50,000, as the rate has it."""
    customer = replace(tell.customer(region="EMEA"), currency="EUR", term=36, seats=260)
    now, before = _last_two_rates(tell.story, "EUR")
    tell.account(customer)
    tell.contract(customer, "S1", BEFORE - 30, BEFORE + 1800, known=BEFORE)
    values = tell.story.told[-1].values
    values.pop("tcv", None)
    values["arr"] = (50_000 / ((now + before) / 2)).quantize(Decimal("0.01"))
    tell.instances(customer, tell.flat(0.83, 0.9))


def _last_two_rates(story: Story, currency: str) -> tuple[Decimal, Decimal]:
    """Return the rate of the day of loading, and the last one before it that differs."""
    told = [t.values for t in story.told if t.model == "rate" and t.values["currency"] == currency]
    rates = [v["rate"] for v in told if v["on"] <= story.day(YEAR)]
    return rates[-1], next(rate for rate in reversed(rates) if rate != rates[-1])


def small(tell: Teller, _: int, __: int) -> None:
    arr = round(tell.random.uniform(1_800, 44_000), -2)
    seats = max(5, round(arr / tell.random.uniform(120, 260)))
    tell.usual(tell.customer(arr=int(arr), seats=seats), tell.flat(0.3, 1.0, 0.1))


# How many of each there are among 120; the rest are small.
KINDS: tuple[tuple[Kind, int], ...] = (
    (steady_high, 28), (steady_low, 12), (riser, 17), (faller, 4), (dipper, 4), (wobbler, 3),
    (over_deployed, 2), (expansion, 3), (contraction, 3), (new_and_quick, 5), (new_and_slow, 5),
    (new_and_silent, 1), (leaver, 6), (gone_silent, 2), (half_silent, 2),
    (grown_past_the_line, 2), (unlimited, 2), (exactly_on_the_line, 1), (prospect, 4),
    (internal, 1), (archived, 1), (without_rate, 1), (without_amount, 1), (churned_long_ago, 2),
    (heard_again, 1), (shrunk_lately, 1), (shrunk_below_the_line, 1), (became_unlimited, 1),
    (put_aside, 1), (taken_back, 1), (on_the_line_by_the_rate, 1),
)  # fmt: skip
ONCE = {exactly_on_the_line, internal}


def tell_all(story: Story) -> None:
    tell = Teller(story)
    story.rates()
    told = 0
    for kind, of_120 in KINDS:
        count = of_120 if kind in ONCE else round(of_120 * story.size / 120)
        count = min(count, story.size - told)
        for number in range(count):
            kind(tell, number, count)
        told += count
    for number in range(story.size - told):
        small(tell, number, 0)
