"""Tells the facts of one customer: account, team, contracts, instances and how they are read."""

import datetime as dt
import itertools
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from metrics.demo import names
from metrics.demo.people import AES, CSMS, TAMS
from metrics.demo.story import AHEAD, BEFORE, YEAR, Curve, Meter, Story, chance

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
        self._assign(customer, known, "TAM", tams[chance(customer.key, "TAM") % len(tams)])

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
