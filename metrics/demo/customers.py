"""The kinds of customers there are in the demo, and what happens to each."""

import datetime as dt
import itertools
from collections.abc import Callable
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from metrics.demo import names
from metrics.demo.people import AES, CSMS, TAMS
from metrics.demo.story import AHEAD, BEFORE, YEAR, Curve, Meter, Story

REGIONS = {"EMEA": 42, "AMER": 40, "APAC": 18}
CURRENCIES = {"EMEA": "EUR EUR GBP USD", "AMER": "USD USD USD USD", "APAC": "AUD USD USD AUD"}
TO_USD = {"USD": 1.0, "EUR": 1.09, "GBP": 1.27, "AUD": 0.66}


@dataclass(frozen=True)
class Customer:
    """One customer about to be told: what the kinds of customers vary."""

    key: str
    name: str
    region: str
    currency: str
    arr: int
    seats: int
    begin: int = BEFORE
    term: int = 12
    product: str = "Enterprise"

    @property
    def is_new(self) -> bool:
        return self.begin > BEFORE


class Teller:
    """Tells the facts of one customer after another."""

    def __init__(self, story: Story) -> None:
        self.story = story
        self.random = story.random
        self._names = names.companies()
        self._numbers = itertools.count(1)
        self._turn = itertools.count()

    def customer(self, **values: Any) -> Customer:
        region = self.random.choices(list(REGIONS), list(REGIONS.values()))[0]
        arr = round(self.random.choices(
            [self.random.uniform(57_000, 145_000), self.random.uniform(156_000, 470_000),
             self.random.uniform(520_000, 1_400_000)], [50, 35, 15])[0], -2)  # fmt: skip
        price = self.random.uniform(120, 260)
        customer = Customer(
            key=f"D{next(self._numbers):05}",
            name=next(self._names),
            region=region,
            currency=self.random.choice(CURRENCIES[region].split()),
            arr=int(arr),
            seats=max(40, round(arr / price / 10) * 10),
            term=self.random.choice([12, 12, 24, 36]),
        )
        return replace(customer, **values)

    def account(self, customer: Customer, *, known: int | None = None, **values: Any) -> None:
        story, known = self.story, customer.begin if known is None else known
        arr = customer.arr
        segment = "Enterprise" if arr >= 150_000 else "Mid-market" if arr > 50_000 else "Small"
        story.tell(
            known, "account", customer.key, name=customer.name, region=customer.region,
            currency=customer.currency, segment=segment,
            strategic=arr >= 500_000, **{"status": "customer", **values},
        )  # fmt: skip
        if values.get("status") != "prospect":
            self.team(customer, known)
        self.contacts(customer, known)

    def team(self, customer: Customer, known: int) -> None:
        turn = next(self._turn)
        team = [("CSM", CSMS[turn % len(CSMS)]), ("AE", AES[turn % len(AES)])]
        if customer.arr >= 50_000:
            self.tam(customer, known)
        for role, person in team:
            self._assign(customer, known, role, person)

    def tam(self, customer: Customer, known: int) -> None:
        tams = TAMS[customer.region]
        self._assign(customer, known, "TAM", tams[next(self._turn) % len(tams)])

    def _assign(self, customer: Customer, known: int, role: str, person: str) -> None:
        self.story.tell(
            known, "assignment", f"{customer.key} {role}", account=customer.key, user=person,
            role=role, start=self.story.day(known - 200 if known <= BEFORE else known),
        )  # fmt: skip

    def contacts(self, customer: Customer, known: int) -> None:
        domain = "".join(c for c in customer.name.lower() if c.isalnum())
        for number, (title, roles) in enumerate(
            (("Head of collaboration", ["champion"]), ("Platform engineer", ["admin"]),
             ("CIO", ["sponsor"]))[: 3 if customer.arr > 150_000 else 2], 1
        ):  # fmt: skip
            given, family = self.random.choice(names.GIVEN), self.random.choice(names.FAMILY)
            mail = f"{given}.{family}".lower().replace(" ", "")
            self.story.tell(
                known, "contact", f"{customer.key}-C{number}", account=customer.key,
                name=f"{given} {family}", email=f"{mail}@{domain}.example", title=title,
                roles=roles,
            )  # fmt: skip

    def contract(
        self, customer: Customer, key: str, start: int, end: int | None, *, known: int,
        seats: int | None = None, arr: float | None = None, **values: Any,
    ) -> None:  # fmt: skip
        """Tell one term. Every seventh customer's contracts give the total instead of ARR."""
        story = self.story
        yearly = customer.arr if arr is None else arr
        amount = Decimal(round(yearly / TO_USD[customer.currency], 2)).quantize(Decimal("0.01"))
        money: dict[str, Decimal | None] = {"arr": amount}
        if int(customer.key[1:]) % 7 == 3 and end is not None and "kind" not in values:
            total = amount * (story.day(end) - story.day(start)).days / 365
            money = {"tcv": total.quantize(Decimal("0.01"))}
        story.tell(
            known, "subscription", f"{customer.key}-{key}", account=customer.key,
            product=customer.product, seats=customer.seats if seats is None else seats,
            currency=customer.currency, start=story.day(start),
            end=None if end is None else story.day(end), **{"kind": "paid", **money, **values},
        )  # fmt: skip

    def contracts(
        self, customer: Customer, *, until: int = AHEAD,
        change: tuple[int, float, float] | None = None, late: tuple[int, int] | None = None,
    ) -> None:  # fmt: skip
        """Tell a chain of terms, each renewed some weeks ahead.

        `change` is (day of a renewal, seats times, ARR times); `late` is (day of a renewal, by
        how many days it became known too late).
        """
        length = customer.term * 365 // 12
        fixed = change or late
        if fixed:
            start, length = fixed[0] - 365, 365
        elif customer.is_new:
            start = customer.begin
        else:
            start = BEFORE - 20 - self.random.randrange(length - 60)
        seats, arr = float(customer.seats), float(customer.arr)
        for number in itertools.count(1):
            if change and start == change[0]:
                seats, arr = seats * change[1], arr * change[2]
            ahead = 6 + self.random.randrange(20)
            known = max(customer.begin, start - ahead)
            if late and start == late[0]:
                known = start + late[1]
            end = min(start + length, until)
            self.contract(
                customer, f"S{number}", start, end, known=min(known, AHEAD),
                seats=round(seats), arr=arr,
            )  # fmt: skip
            start += length
            if start >= until:
                return
            arr *= 1 + self.random.choice([0, 0, 0.03, 0.05])

    def instances(
        self, customer: Customer, curve: Curve, *, parts: tuple[float, ...] = (),
        ends: tuple[int, ...] = (), late: tuple[int, int, int] | None = None,
    ) -> None:  # fmt: skip
        """Tell where it runs and how seats are counted; `parts` share the seats out."""
        if not parts:
            parts = self.random.choice([(1.0,), (1.0,), (1.0,), (0.6, 0.4)])
        known = customer.begin + (2 if customer.is_new else 0)
        every, source, delay = self.random.choices(
            [(1, "telemetry", 2), (7, "telemetry", 2), (14, "import", 7), (28, "air_gapped", 9),
             (21, "manual", 3)], [45, 38, 9, 3, 5])[0]  # fmt: skip
        for number, part in enumerate(parts, 1):
            key = f"{customer.key}-I{number}"
            self.story.tell(
                known, "instance", key, account=customer.key,
                name=f"Production {number}" if len(parts) > 1 else "Production",
                environment="production",
            )  # fmt: skip
            self.story.meters.append(
                Meter(
                    instance=key, seats=customer.seats, begin=max(known + 1, -70), every=every,
                    curve=[(day, share * part) for day, share in curve], source=source,
                    delay=dt.timedelta(hours=delay), late=late,
                    end=ends[number - 1] if ends else AHEAD,
                    entered_by=TAMS[customer.region][0] if source == "manual" else "",
                )
            )  # fmt: skip
        if int(customer.key[1:]) % 6 == 1:
            self.story.tell(
                known, "instance", f"{customer.key}-staging", account=customer.key,
                name="Staging", environment="staging", counted=False,
            )  # fmt: skip
            self.story.meters.append(
                Meter(
                    instance=f"{customer.key}-staging", seats=25, curve=[(0, 1.0)],
                    begin=max(known + 1, -70), every=7, source="telemetry",
                    delay=dt.timedelta(hours=2),
                )
            )  # fmt: skip

    def usual(self, customer: Customer, curve: Curve, **more: Any) -> None:
        self.account(customer)
        self.contracts(customer)
        self.instances(customer, curve, **more)

    def flat(self, low: float, high: float, change: float = 0.03) -> Curve:
        start = self.random.uniform(low, high)
        middle = self.random.randrange(100, 260)
        return [
            (-70, start),
            (middle, min(max(start + self.random.uniform(-change, change), low), high)),
            (YEAR, min(max(start + self.random.uniform(-change, change), low), high)),
        ]


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
        tell.contract(customer, "ADD", 250, 250 + 365, known=250, seats=1400, arr=9_000)
        tell.story.retell(254, "subscription", f"{customer.key}-ADD", seats=140,
                          reason="140 seats were entered as 1,400.")  # fmt: skip
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
    """Roll-outs come in waves: a third of the way between evenly spread days."""
    even = 20 + 325 * number // max(count, 1)
    cross = even - (even % 90) // 3
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
    _newcomer(tell, begin, [(begin, 0.1), (begin + 50, 0.62), (begin + 110, 0.84), (YEAR, 0.88)])


def new_and_slow(tell: Teller, number: int, count: int) -> None:
    begin = 190 + 140 * number // max(count, 1)
    _newcomer(tell, begin, [(begin, 0.05), (YEAR, 0.46), (YEAR + 100, 0.7)])


def new_and_silent(tell: Teller, _: int, __: int) -> None:
    """Bought five weeks ago; nothing has been counted yet."""
    _newcomer(tell, 330, [])


def _newcomer(tell: Teller, begin: int, curve: Curve) -> None:
    customer = tell.customer(begin=begin)
    tell.account(customer, known=begin - 60, status="prospect")
    tell.story.retell(begin - 4, "account", customer.key, status="customer")
    tell.team(customer, begin)
    tell.contracts(customer)
    if curve:
        tell.instances(customer, curve)


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
