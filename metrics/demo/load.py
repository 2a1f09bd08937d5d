"""Writes what is known of the demo company by a moment, as if learned at its time."""

import datetime as dt
import io
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from django.db import connection, transaction
from django.db.models import F, Max, Model

from accounts.models import (
    Account,
    Assignment,
    Company,
    Contact,
    ExchangeRate,
    Import,
    Instance,
    Subscription,
    Tier,
)
from accounts.services.readings import make_months
from config.lib.errors import DomainError
from config.lib.versions import pretend_known_at
from engagements.models import RoutingRule
from events import services as events
from metrics.demo import people, views
from metrics.demo.customers import tell_all
from metrics.demo.story import BEFORE, SOURCE, YEAR, ZONE, Count, Story, Told
from metrics.models import MetricRun, MetricTarget
from metrics.selectors.runs import SEATS_DEPLOYED
from people.models import User, system_user

SOON = dt.timedelta(seconds=1)
NAME = "Harborline Software"
MODELS: dict[str, type[Model]] = {
    "rate": ExchangeRate,
    "account": Account,
    "subscription": Subscription,
    "instance": Instance,
    "assignment": Assignment,
    "contact": Contact,
}
LOGGED = ("account", "subscription", "instance", "assignment")
SOURCED = {"account", "subscription", "instance", "contact"}
# name, ARR from, engagement model, cadence in days, most accounts per TAM, project mandatory
TIERS = (
    ("Diamond", 500_000, "Named TAM and deployment engineer, joint success plan", 14, 8, True),
    ("Sapphire", 150_000, "Named TAM, quarterly business review", 14, 15, True),
    ("Ruby", 50_000, "Named TAM, shared collaboration project", 30, 25, True),
    ("Quartz", 0, "Pooled success team, guides and webinars", 90, 60, False),
)
READING_COLUMNS = (
    "instance_id, observed_at, source, known_from, seats, monthly_active, note, entered_by_id"
)


class RealData(DomainError):
    """The database holds what is not the demo's."""

    code = "real_data"


@dataclass(frozen=True, slots=True)
class Loaded:
    """What a call of `load` found and added."""

    story: Story
    is_new: bool
    facts: int
    readings: int


@transaction.atomic
def load(*, size: int, now: dt.datetime) -> Loaded:
    """Write what became known since the last call; the first one writes the year before.

    Raises RealData where anything is there that the demo has not made.
    """
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL synchronous_commit TO off")
    earlier = _earlier()
    if earlier is None:
        _refuse_real_data()
        story = Story(anchor=now.astimezone(ZONE).date(), size=size)
        since = None
    else:
        mark = earlier.mapping["demo"]
        story = Story(anchor=dt.date.fromisoformat(mark["anchor"]), size=mark["accounts"])
        since = dt.datetime.fromisoformat(mark["until"])
    tell_all(story)
    users = people.hire()
    if earlier is None:
        _set_up(story, users)
        views.keep(at=now)
    # What the ledger has published already cannot have known what is told only now.
    not_before = MetricRun.objects.aggregate(latest=Max("known_at"))["latest"]
    writer = _Writer(users, not_before)
    facts = writer.tell(story.between(since, now))
    readings = writer.count(story.counts(since, now))
    if facts or readings:
        _keep_mark(story, until=now, facts=facts, readings=readings)
    return Loaded(story, is_new=earlier is None, facts=facts, readings=readings)


def _earlier() -> Import | None:
    return Import.objects.filter(source=SOURCE, mapping__has_key="demo").order_by("-pk").first()


def _refuse_real_data() -> None:
    if count := Account.objects.exclude(source=SOURCE).count():
        noun = "account" if count == 1 else "accounts"
        raise RealData(
            f"This database holds {count:,} {noun} of your own; the demo goes into an empty one."
        )
    people_ = User.objects.filter(is_system=False).exclude(email__endswith=f"@{people.DOMAIN}")
    if somebody := people_.order_by("pk").first():
        raise RealData(
            f"People of your own, such as {somebody.email}, are in this database; the demo goes "
            "into an empty one."
        )


def _set_up(story: Story, users: dict[str, int]) -> None:
    """Replace the shipped settings by the demo's, known from the start."""
    Tier.objects.all().delete()
    Company.objects.all().delete()
    rules = list(RoutingRule.objects.order_by("pk"))
    RoutingRule.objects.all().delete()
    pretend_known_at(story.moment(BEFORE - 1))
    for rule in rules:
        rule.pk = None
    RoutingRule.objects.bulk_create(rules)
    Company.objects.create(name=NAME, time_zone=ZONE.key, reporting_currency="USD")
    for name, arr_from, model, cadence, most, mandatory in TIERS:
        Tier.objects.create(
            name=name,
            arr_from=arr_from,
            engagement_model=model,
            cadence_days=cadence,
            most_accounts_per_tam=most,
            project_mandatory=mandatory,
            start=dt.date(2000, 1, 1),
        )
    leader = User(pk=users[people.email_of("Helena Marsh")])
    for day, value, by_day in ((3, "0.65", YEAR - 60), (214, "0.75", YEAR + 120)):
        at = story.moment(day)
        target = MetricTarget.objects.create(
            slug=SEATS_DEPLOYED,
            value=value,
            by_day=story.day(by_day),
            set_by=leader,
            set_at=at,
        )
        after = {"metric": SEATS_DEPLOYED, "value": value, "by_day": target.by_day}
        events.record_all(
            [events.Draft(verb="metric.target_set", obj=target, after=after, at=at)], by=leader
        )


def _keep_mark(story: Story, *, until: dt.datetime, facts: int, readings: int) -> None:
    mark = {
        "anchor": story.anchor.isoformat(),
        "accounts": story.size,
        "until": until.isoformat(),
    }
    Import.objects.create(
        kind=Import.Kind.SEAT_READINGS,
        source=SOURCE,
        filename="demo company",
        sha256="0" * 64,
        mapping={"demo": mark},
        rows=facts + readings,
        creates=facts + readings,
        updates=0,
        unchanged=0,
        by=system_user(),
        applied_by=system_user(),
        # Long enough ago that nobody is offered to undo it.
        applied_at=until - dt.timedelta(days=2),
    )


class _Writer:
    """Knows the rows written so far by the keys of the story."""

    def __init__(self, users: dict[str, int], not_before: dt.datetime | None) -> None:
        self._users = users
        self._not_before = not_before
        self._keys: dict[tuple[str, str], int] = {
            (name, external_id): pk
            for name in ("account", "subscription", "instance")
            for external_id, pk in MODELS[name]
            .objects.filter(source=SOURCE)  # type: ignore[attr-defined]
            .values_list("external_id", "pk")
        }

    def tell(self, told: list[Told]) -> int:
        for known, group in groupby(told, key=lambda t: t.known):
            facts = list(group)
            at = self._known_at(known)
            pretend_known_at(at)
            changes = [t for t in facts if not t.is_new]
            for fact in changes:
                self._change(fact, at)
            for name in MODELS:
                self._create(name, [t for t in facts if t.is_new and t.model == name], at)
            self._record(facts, at)
        return len(told)

    def _known_at(self, known: dt.datetime) -> dt.datetime:
        return max(known, self._not_before + SOON) if self._not_before else known

    def _create(self, name: str, facts: list[Told], at: dt.datetime) -> None:
        if not facts:
            return
        model = MODELS[name]
        rows = model._default_manager.bulk_create(  # noqa: SLF001 -- any of MODELS
            [model(**self._columns(t), created_at=at, updated_at=at) for t in facts],
            batch_size=2000,
        )
        self._keys |= {(name, fact.key): row.pk for fact, row in zip(facts, rows, strict=True)}

    def _columns(self, fact: Told) -> dict[str, Any]:
        columns = dict(fact.values)
        if fact.model in SOURCED:
            columns |= {"source": SOURCE, "external_id": fact.key}
        if "account" in columns:
            columns["account_id"] = self._keys["account", columns.pop("account")]
        if "user" in columns:
            columns["user_id"] = self._users[columns.pop("user")]
        return columns

    def _change(self, fact: Told, at: dt.datetime) -> None:
        model = MODELS[fact.model]
        model._default_manager.filter(pk=self._pk_of(fact)).update(  # noqa: SLF001
            **self._columns(fact) if fact.model not in SOURCED else fact.values,
            updated_at=at,
            version=F("version") + 1,
        )

    def _pk_of(self, fact: Told) -> int:
        return self._keys.get((fact.model, fact.key), 0)

    def _record(self, facts: list[Told], at: dt.datetime) -> None:
        """Log what people look for on an account's page."""
        drafts = []
        for name in LOGGED:
            told = [fact for fact in facts if fact.model == name and self._pk_of(fact)]
            rows: dict[int, Any] = MODELS[name]._default_manager.in_bulk(  # noqa: SLF001
                [self._pk_of(fact) for fact in told]
            )
            for fact in told:
                row = rows[self._pk_of(fact)]
                drafts.append(
                    events.Draft(
                        verb=f"{name}.{'created' if fact.is_new else 'updated'}",
                        obj=row,
                        after={
                            column: value
                            for column, value in fact.values.items()
                            if column not in ("account", "user")
                        },
                        account_id=row.pk if name == "account" else row.account_id,
                        reason=fact.reason,
                        at=at,
                    )
                )
        if drafts:
            owner = User(pk=self._users[people.email_of("Tariq Nasser")])
            events.record_all(drafts, by=owner)

    def count(self, counts: Iterable[Count]) -> int:
        """Copy the readings in; each says itself from when it was known."""
        buffer, months, written = io.StringIO(), set(), 0
        for count in counts:
            instance = self._keys.get(("instance", count.instance))
            if instance is None:
                continue
            months.add(count.observed.date().replace(day=1))
            entered_by = self._users.get(count.entered_by, r"\N")
            note = "From the customer's licence page" if count.entered_by else ""
            buffer.write(
                f"{instance}\t{count.observed.isoformat()}\t{count.source}\t"
                f"{self._known_at(count.known).isoformat()}\t{count.seats}\t"
                f"{round(count.seats * 0.93)}\t{note}\t{entered_by}\n"
            )
            written += 1
        if written:
            make_months(months)
            buffer.seek(0)
            with connection.cursor() as cursor:
                cursor.cursor.copy_expert(
                    f"COPY accounts_seatreading ({READING_COLUMNS}) FROM STDIN", buffer
                )
        return written
