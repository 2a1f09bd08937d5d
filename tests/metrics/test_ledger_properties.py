"""Random histories of facts, corrected and learned of late, against a brute-force oracle.

The oracle below holds plain lists of what was learned when, and judges a day from them by
reading the definition, without the rules, the statements or the tables of the application.
"""

import datetime as dt
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from zoneinfo import ZoneInfo

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.models import (
    Account,
    Assignment,
    ExchangeRate,
    Instance,
    SeatReading,
    Subscription,
    Tier,
)
from accounts.services.readings import make_months
from config.lib.versions import pretend_known_at
from metrics.models import MetricRow
from metrics.selectors import rows
from metrics.services import continuing
from metrics.services import runs as services
from people.models import system_user
from tests.factories import UserFactory
from tests.metrics.scene import LATER, SLUG, assert_same_by_every_way, seats_runs, settle

ZONE = ZoneInfo("America/New_York")  # its clocks go forward on 8 March
FIRST = dt.date(2026, 3, 5)
DAYS = [FIRST + dt.timedelta(days=i) for i in range(6)]
START = dt.datetime(2026, 3, 4, 17, tzinfo=dt.UTC)
# Moments of learning and of cuts, a quarter of a day apart; cuts lie just after.
STEPS = 36
# In the order in which they win; a longer name comes before the one it begins with.
SOURCES = ["telemetry", "manual", "another", "other feed", "other"]


def learned(step):
    return START + dt.timedelta(hours=6 * step)


def cut_after(step):
    return learned(step) + dt.timedelta(minutes=1)


def end_of(day):
    nights = dt.datetime.combine(day + dt.timedelta(days=1), dt.time(), ZONE)
    return nights.astimezone(dt.UTC)


@dataclass
class Fact:
    """What was learned of one thing: (from when, values), oldest first."""

    versions: list
    pk: int = 0
    owner: "Fact | None" = None

    def known(self, cut):
        found = [values for at, values in self.versions if at <= cut]
        return found[-1] if found else None

    def as_it_was(self, cut, moment):
        """Return (from when, values) as known at the end of the day, or as first known."""
        known = [version for version in self.versions if version[0] <= cut]
        before = [version for version in known if version[0] < moment]
        return (before[-1:] or known[:1])[0]


@dataclass
class World:
    accounts: list = field(default_factory=list)
    subscriptions: list = field(default_factory=list)
    instances: list = field(default_factory=list)
    readings: list = field(default_factory=list)
    rates: list = field(default_factory=list)
    assignments: list = field(default_factory=list)

    def verdicts(self, day, cut):
        return {
            account.pk: self.verdict(account, day, cut)
            for account in self.accounts
            if account.known(cut)
        }

    def verdict(self, account, day, cut):
        _, was = account.as_it_was(cut, end_of(day))
        arr, licensed, unlimited = self.contracts(account, day, cut)
        deployed, state = self.deployed(account, day, cut)
        passes, reason = None, ""
        churned_on = account.known(cut)["churned_on"]
        for name in ("internal", "archived"):
            if was[name] and not reason:
                reason = name
        if not reason and was["status"] == "prospect":
            reason = "prospect"
        if not reason and churned_on and churned_on <= day:
            reason = "churned"
        if not reason and isinstance(arr, str):
            reason = arr
        if not reason and arr <= 50_000:
            reason = "arr_not_above"
        eligible = not reason
        if eligible:
            passes, reason = self.share(licensed, unlimited, deployed, state)
        return {
            "eligible": eligible, "passes": passes, "reason": reason, "licensed": licensed,
            "unlimited": unlimited, "deployed": deployed, "region": was["region"],
            "tam_id": self.tam(account, day, cut),
            "arr": None if isinstance(arr, str) else arr,
        }  # fmt: skip

    def contracts(self, account, day, cut):
        arr, licensed, unlimited = Fraction(0), 0, False
        for fact in self.subscriptions:
            s = fact.known(cut)
            if fact.owner is not account or not s or s["kind"] != "paid":
                continue
            if s["start"] > day or (s["end"] and s["end"] <= day):
                continue
            licensed += s["seats"] or 0
            unlimited = unlimited or s["unlimited"]
            if isinstance(arr, str):
                continue
            amount = s["arr"]
            if amount is None and s["tcv"] is not None:
                amount = Fraction(s["tcv"]) * 365 / (s["end"] - s["start"]).days
            rate = self.rate(s["currency"], day, cut)
            if amount is None:
                arr = "missing_amount"
            elif rate is None:
                arr = "missing_rate"
            else:
                arr += Fraction(amount) * rate
        return arr, licensed, unlimited

    def rate(self, currency, day, cut):
        if currency == "USD":
            return 1
        found = [
            (fact.known(cut)["on"], fact.known(cut)["rate"])
            for fact in self.rates
            if fact.known(cut) and fact.known(cut)["on"] <= day
        ]
        return Fraction(max(found)[1]) if found else None

    def tam(self, account, day, cut):
        for fact in self.assignments:
            held = fact.known(cut)
            if fact.owner is account and held and held["start"] <= day < held["end"]:
                return held["user_id"]
        return None

    def deployed(self, account, day, cut):
        end = end_of(day)
        young = all(at >= end or at > cut for at, _ in account.versions)
        counted, silent, used = 0, 0, []
        for instance in self.instances:
            known = instance.known(cut)
            if not known or self.owner(instance, known) is not account:
                continue
            since, was = instance.as_it_was(cut, end)
            latest = self.latest(instance, end, cut)
            if not was["counted"] or not (since < end or latest or young):
                continue
            counted += 1
            if latest is None:
                continue
            observed_at, _, seats = latest
            if (day - observed_at.astimezone(ZONE).date()).days > 60:
                silent += 1
            else:
                used.append(seats)
        if not counted:
            return None, "no_instance"
        if not used:
            return None, "stale" if silent else "no_reading"
        return sum(used), "complete" if len(used) == counted else "partial"

    def owner(self, instance, known):
        """Some instances were taken over by the first account."""
        return self.accounts[0] if known["moved"] else instance.owner

    def latest(self, instance, end, cut):
        found = [
            (r["observed_at"], -SOURCES.index(r["source"]), r["seats"])
            for fact in self.readings
            if fact.owner is instance and (r := fact.known(cut)) and r["observed_at"] < end
        ]
        return max(found, default=None)

    @staticmethod
    def share(licensed, unlimited, deployed, state):
        if unlimited:
            return None, "unlimited"
        if not licensed:
            return None, "no_entitlement"
        if deployed is None:
            return None, state
        if Fraction(deployed, licensed) >= Fraction(4, 5):
            return True, "over_deployed" if deployed > licensed else "passes"
        return (None, "partial") if state == "partial" else (False, "below")


def number_of(verdicts):
    members = [v for v in verdicts.values() if v["eligible"] and not v["unlimited"]]
    return (
        sum(v["passes"] is True for v in members),
        len(members),
        sum(v["passes"] is None for v in members),
        sum(v["deployed"] is not None for v in members),
    )


steps = st.integers(0, STEPS - 1)
days_around = st.integers(-2, 8).map(lambda i: FIRST + dt.timedelta(days=i))
accounts = st.fixed_dictionaries(
    {
        "status": st.sampled_from(["customer", "customer", "customer", "prospect"]),
        "internal": st.sampled_from([False, False, False, True]),
        "archived": st.sampled_from([False, False, False, True]),
        "region": st.sampled_from(["EMEA", "APAC"]),
        "churned_on": st.one_of(st.none(), st.none(), days_around),
    }
)


# Three of them add up to 50,000.00, and so does what a contract over three days of a week brings.
AMOUNTS = [
    "50000", "50000.0001", "49999.99", "25000", "90000", "0", None,
    "16807.40", "16810.73", "16381.87", "410.9589", "958.9041", "136.9863",
]  # fmt: skip


@st.composite
def contracts(draw):
    start = draw(st.one_of(st.just(dt.date(2025, 6, 1)), days_around))
    length = draw(st.sampled_from([None, 1, 3, 7, 30, 365, 730]))
    end = start + dt.timedelta(days=length) if length else None
    arr = tcv = None
    amount = draw(st.sampled_from(AMOUNTS))
    if amount and end and draw(st.booleans()):
        tcv = Decimal(amount)
    elif amount:
        arr = Decimal(amount)
    return {
        "kind": draw(st.sampled_from(["paid", "paid", "paid", "trial"])),
        "seats": draw(st.sampled_from([44, 100, 5, 0, None])),
        "unlimited": draw(st.sampled_from([False] * 6 + [True])),
        "arr": arr,
        "tcv": tcv,
        "currency": draw(st.sampled_from(["USD", "USD", "EUR"])),
        "start": start,
        "end": end,
    }


counts = st.sampled_from([0, 34, 35, 36, 79, 80, 81, 120])
observations = st.one_of(
    st.integers(-3 * 24, 8 * 24).map(
        lambda hour: dt.datetime(2026, 3, 5, tzinfo=dt.UTC) + dt.timedelta(hours=hour)
    ),
    # About to grow stale: sixty days before the days of the test, near midnight in New York.
    st.integers(0, 6 * 24).map(
        lambda hour: dt.datetime(2026, 1, 3, 12, tzinfo=dt.UTC) + dt.timedelta(hours=hour)
    ),
)
rates = st.sampled_from([Decimal(r) for r in ("1.1", "0.5", "1.0000000001", "0.3333333333")])


def history(values):
    """What was learned of a thing: from one to three versions at different steps."""
    return st.lists(st.tuples(steps, values), min_size=1, max_size=3, unique_by=lambda v: v[0]).map(
        lambda versions: sorted(versions, key=lambda v: v[0])
    )


def may_end(values):
    """As `history`, and in the end it may be deleted."""
    return st.tuples(history(values), st.sampled_from([None, None, None, 1, 9])).map(
        lambda told: told[0] + ([(told[0][-1][0] + told[1], None)] if told[1] else [])
    )


assignments = st.tuples(days_around, st.integers(1, 6)).map(
    lambda held: {"start": held[0], "end": held[0] + dt.timedelta(days=held[1])}
)
bands = st.sampled_from([Decimal("49999.9999"), Decimal("50000.0001"), Decimal(75000)]).flatmap(
    lambda arr_from: days_around.map(lambda start: {"arr_from": arr_from, "start": start})
)
instances = st.fixed_dictionaries(
    {
        "counted": st.sampled_from([True, True, True, False]),
        "moved": st.sampled_from([False, False, False, True]),
    }
)
worlds = st.lists(
    st.fixed_dictionaries(
        {
            "account": history(accounts),
            "subscriptions": st.lists(may_end(contracts()), max_size=3),
            "assignments": st.lists(may_end(assignments), max_size=1),
            "instances": st.lists(
                st.tuples(
                    may_end(instances),
                    st.dictionaries(
                        st.tuples(observations, st.sampled_from(SOURCES)),
                        may_end(counts),
                        max_size=4,
                    ),
                ),
                max_size=2,
            ),
        }
    ),
    min_size=1,
    max_size=4,
)
euro_rates = st.dictionaries(days_around, history(rates), max_size=3)
tiers = st.lists(history(bands), max_size=1)
computations = st.lists(st.tuples(st.sampled_from(DAYS), steps), min_size=1, max_size=10)


def told_since(owner, versions):
    """Nothing is known of a thing before what it belongs to; what was never known has no end."""
    told = {}
    for step, values in versions:
        at = max(learned(step), owner.versions[0][0])
        if values is not None or at not in told:
            told[at] = values
    return list(told.items())


class Telling:
    """Writes a history into the database and into the oracle's lists."""

    def __init__(self):
        self.world = World()
        self.numbers = iter(range(10_000))

    def tell(self, customers, euros, opals=()):
        for versions in opals:
            told = [(learned(k), values) for k, values in versions]
            self.write(Tier, Fact(told), {"name": "Opal"})
        for on, versions in euros.items():
            fact = Fact([(learned(k), {"on": on, "rate": rate}) for k, rate in versions])
            self.write(ExchangeRate, fact, {"currency": "EUR"})
            self.world.rates.append(fact)
        for customer in customers:
            account = Fact([(learned(k), values) for k, values in customer["account"]])
            self.write(Account, account, self.origin() | {"name": "A"})
            self.world.accounts.append(account)
            for versions in customer["subscriptions"]:
                self.world.subscriptions.append(self.owned(Subscription, account, versions))
            for versions in customer["assignments"]:
                self.world.assignments.append(self.assigned(account, versions))
            for versions, readings in customer["instances"]:
                instance = self.owned(Instance, account, versions, name="I")
                self.world.instances.append(instance)
                for (observed_at, source), told in readings.items():
                    self.read(instance, observed_at, source, told)

    def origin(self):
        return {"source": "t", "external_id": str(next(self.numbers))}

    def owned(self, model, account, versions, **more):
        fact = Fact(told_since(account, versions), owner=account)
        self.write(model, fact, self.origin() | {"account_id": account.pk} | more)
        return fact

    def assigned(self, account, versions):
        user = UserFactory(roles=["tam"])
        told = told_since(account, versions)
        named = [(at, values and values | {"user_id": user.pk}) for at, values in told]
        fact = Fact(named, owner=account)
        self.write(Assignment, fact, {"account_id": account.pk, "role": "TAM"})
        return fact

    def write(self, model, fact, fixed):
        for at, values in fact.versions:
            pretend_known_at(at)
            if values is None:
                model.objects.filter(pk=fact.pk).delete()
                continue
            columns = dict(values)
            if columns.pop("moved", False):
                columns["account_id"] = self.world.accounts[0].pk
            elif "account_id" in fixed:
                columns["account_id"] = fixed["account_id"]
            if fact.pk:
                model.objects.filter(pk=fact.pk).update(**columns)
            else:
                fact.pk = model.objects.create(**fixed | columns).pk

    def read(self, instance, observed_at, source, told):
        versions = dict(told_since(instance, told))
        reading = {"observed_at": observed_at, "source": source}
        told = [(at, None if s is None else reading | {"seats": s}) for at, s in versions.items()]
        fact = Fact(told, owner=instance)
        self.world.readings.append(fact)
        ends = [*list(versions)[1:], None]
        for (at, seats), end in zip(versions.items(), ends, strict=True):
            if seats is None:
                continue
            SeatReading(
                instance_id=instance.pk, observed_at=observed_at, source=source, seats=seats,
                known_from=at, known_to=end,
            ).save(force_insert=True)  # fmt: skip


def seen(run):
    columns = (
        "eligible", "passes", "reason", "licensed", "unlimited", "deployed", "region", "arr",
        "tam_id",
    )  # fmt: skip
    return {
        row.account_id: {name: getattr(row, name) for name in columns} for row in rows.rows_of(run)
    }


def assert_saw(run, verdicts):
    found = seen(run)
    for verdict in found.values():
        verdict["arr"] = verdict["arr"] if verdict["arr"] is None else Fraction(verdict["arr"])
    cut = {
        pk: v | {"arr": None if v["arr"] is None else Fraction(int(v["arr"] * 10**6), 10**6)}
        for pk, v in verdicts.items()
    }
    assert found == cut
    assert (run.numerator, run.denominator, run.unknown, run.covered) == number_of(verdicts)


@pytest.fixture(autouse=True)
def _goes_on_from_the_run_before(monkeypatch):
    """However many of the few accounts are touched."""
    monkeypatch.setattr(continuing, "MOST_TOUCHED", 0)


def compute(day, cut):
    return services.recompute(SLUG, day, by=system_user(), now=LATER, known_at=cut)


@pytest.mark.django_db
@given(customers=worlds, euros=euro_rates, opals=tiers, order=computations)
@settings(
    max_examples=80,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_the_ledger_says_what_the_oracle_says(customers, euros, opals, order):
    with transaction.atomic():
        settle(ZONE.key)
        make_months([dt.date(2026, month, 1) for month in (1, 2, 3)])
        telling = Telling()
        telling.tell(customers, euros, opals)
        world, published = telling.world, {}

        for day, step in order:
            cut = cut_after(step)
            outcome = compute(day, cut)
            verdicts = world.verdicts(day, outcome.run.known_at)
            assert_saw(outcome.run, verdicts)
            if outcome.is_new:
                assert outcome.run.known_at == cut
                published[outcome.run.pk] = verdicts
            elif outcome.run.known_at < cut:
                # Nothing it used was learned since: the oracle agrees that nothing changed.
                assert_saw(outcome.run, world.verdicts(day, cut))

        # What was known in the end is what the newest revision says.
        end = cut_after(STEPS)
        for day in {day for day, _ in order}:
            assert_saw(compute(day, end).run, world.verdicts(day, end))

        # And all that was ever published reads as it did, and would be computed so again.
        for run in seats_runs().filter(pk__in=published):
            assert_saw(run, published[run.pk])
            assert_same_by_every_way(run)

        assert_ranges_do_not_overlap()
        transaction.set_rollback(True)


def assert_ranges_do_not_overlap():
    last = None
    for row in MetricRow.objects.order_by("account_id", "layer", "from_day"):
        if last and (last.account_id, last.layer) == (row.account_id, row.layer):
            assert last.to_day is not None
            assert last.to_day <= row.from_day
        last = row


@pytest.mark.django_db
@given(customers=worlds, euros=euro_rates, nights=st.lists(steps, max_size=6))
@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_catching_up_leaves_no_day_behind_what_is_known(customers, euros, nights):
    """After each night the newest revision of every day says what was known that night."""
    with transaction.atomic():
        settle(ZONE.key)
        make_months([dt.date(2026, month, 1) for month in (1, 2, 3)])
        telling = Telling()
        telling.tell(customers, euros)
        world = telling.world
        for step in sorted({*nights, STEPS}):
            now = cut_after(step)
            done = list(services.catch_up(SLUG, by=system_user(), now=now, known_at=now))
            assert [o.run.day for o in done] == sorted({o.run.day for o in done})
            for day in seats_runs().values_list("day", flat=True).distinct():
                newest = seats_runs().filter(day=day).latest("revision")
                assert number_of(world.verdicts(day, now)) == (
                    newest.numerator, newest.denominator, newest.unknown, newest.covered,
                )  # fmt: skip
        transaction.set_rollback(True)
