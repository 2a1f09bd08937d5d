"""How accounts fare: what the nights said of one, what its owner says, and by which policy."""

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass
from decimal import Decimal
from zoneinfo import ZoneInfo

from django.db.models import Min, Q, QuerySet

from accounts import selectors as accounts
from accounts.models import Account, Assignment
from config.lib.reading import read_once
from metrics.models import HealthNight, HealthOverride, HealthPolicy, HealthRow
from metrics.rules import health_policy as rules
from metrics.rules import start_of
from metrics.rules.health_policy import Policy
from people.models import User

OWNERS = (Assignment.Role.TAM, Assignment.Role.CSM)
MONTH = dt.timedelta(days=30)
WEEK = dt.timedelta(days=7)
WEEKS = 52
A_DAY = dt.timedelta(days=1)
Point = tuple[dt.date, Decimal | None]


@dataclass(frozen=True)
class Standing:
    """What is said of an account on a day. Without a row it was no customer, or not yet said."""

    day: dt.date
    night: HealthNight | None
    row: HealthRow | None
    # Since when it is in its band without a break.
    since: dt.date | None = None
    # The score 30 days before.
    before: Decimal | None = None
    override: HealthOverride | None = None

    @property
    def change(self) -> Decimal | None:
        if self.row is None or self.row.score is None or self.before is None:
            return None
        return self.row.score - self.before


def policy_row_on(day: dt.date) -> HealthPolicy:
    """Return the row that holds on the day; the first one there is for days before it."""
    rows = HealthPolicy.objects.order_by("-start")
    return rows.filter(start__lte=day).first() or HealthPolicy.objects.earliest("start")


def read(row: HealthPolicy) -> Policy:
    return rules.read_policy(parts=row.parts, bands=row.bands)


def policies() -> list[HealthPolicy]:
    """Return all policies, the one that begins last first."""
    return list(HealthPolicy.objects.select_related("made_by").order_by("-start"))


def last_night() -> HealthNight | None:
    return HealthNight.objects.order_by("-day").first()


def night_on(day: dt.date, *, known_at: dt.datetime | None = None) -> HealthNight | None:
    """Return the night of the day, or the last one before it, that was said by the moment."""
    rows = HealthNight.objects.select_related("policy", "run", "run__definition")
    if known_at is not None:
        rows = rows.filter(computed_at__lte=known_at)
    return rows.filter(day__lte=day).order_by("-day").first()


def covering(day: dt.date) -> Q:
    return Q(from_day__lte=day) & (Q(to_day=None) | Q(to_day__gt=day))


def rows_on(night: HealthNight) -> QuerySet[HealthRow]:
    """Return what the night said: of the last one by the index of the rows that stand."""
    if night == last_night():
        return HealthRow.objects.filter(to_day=None)
    return HealthRow.objects.filter(covering(night.day))


def scores_on(day: dt.date, account_ids: Collection[int]) -> dict[int, Decimal | None]:
    rows = HealthRow.objects.filter(covering(day), account__in=account_ids)
    return dict(rows.values_list("account_id", "score"))


def standing_of(account: Account, *, day: dt.date, known_at: dt.datetime | None = None) -> Standing:
    """Return how the account fared by the newest night up to the day, as known at the moment."""
    override = override_on(account, day, known_at=known_at)
    night = night_on(day, known_at=known_at)
    if night is None:
        return Standing(day, None, None, override=override)
    rows = HealthRow.objects.filter(account=account)
    row = rows.filter(covering(night.day)).select_related("policy").first()
    if row is None:
        return Standing(day, night, None, override=override)
    before = scores_on(night.day - MONTH, [account.pk])
    return Standing(
        day, night, row, since=_since(rows, row), before=before.get(account.pk), override=override
    )


def _since(rows: QuerySet[HealthRow], row: HealthRow) -> dt.date:
    earlier = rows.filter(from_day__lte=row.from_day)
    other = earlier.exclude(band=row.band).order_by("-from_day").first()
    if other is not None:
        earlier = earlier.filter(from_day__gt=other.from_day)
    first: dt.date | None = earlier.aggregate(first=Min("from_day"))["first"]
    return first or row.from_day


def line_of(account: Account, *, until: dt.date) -> list[Point]:
    """Return the score at the end of each week of the year up to the day, and on the day.

    A week of which nothing was said is a gap; the line begins with the first score.
    """
    days = [until - i * WEEK for i in range(WEEKS, -1, -1)]
    rows = HealthRow.objects.filter(Q(to_day=None) | Q(to_day__gt=days[0]), account=account)
    said = list(
        rows.filter(from_day__lte=until)
        .order_by("from_day")
        .values_list("from_day", "to_day", "score")
    )
    points: list[Point] = [
        (day, next((s for start, end, s in said if start <= day and (not end or end > day)), None))
        for day in days
    ]
    known = [place for place, (_, score) in enumerate(points) if score is not None]
    return points[known[0] :] if known else []


def override_on(
    account: Account, day: dt.date, *, known_at: dt.datetime | None = None
) -> HealthOverride | None:
    return overrides_on(day, known_at=known_at).filter(account=account).first()


def overrides_on(day: dt.date, *, known_at: dt.datetime | None = None) -> QuerySet[HealthOverride]:
    """Return the words of owners that stood at the end of the day, or at a moment of it."""
    at = told_at(day, known_at)
    stands = Q(ended_at=None) | Q(ended_at__gte=at)
    rows = HealthOverride.objects.filter(stands, at__lt=at, until__gte=day)
    return rows.select_related("by").order_by("-at")


def overrides_of(
    account: Account, *, day: dt.date, known_at: dt.datetime | None = None
) -> QuerySet[HealthOverride]:
    rows = HealthOverride.objects.filter(account=account, at__lt=told_at(day, known_at))
    return rows.select_related("by", "ended_by").order_by("-at", "-pk")


def told_at(day: dt.date, known_at: dt.datetime | None) -> dt.datetime:
    """Return before when something has to have been said to be told of on the day."""
    end = start_of(day + A_DAY, ZoneInfo(accounts.company().time_zone))
    return min(end, known_at) if known_at else end


def is_owner(user: User, account: Account, *, on: dt.date) -> bool:
    """Whether the person is the account's primary TAM or CSM on the day."""
    assigned = accounts.assignments_on(on).filter(account=account, user=user, primary=True)
    return assigned.filter(role__in=OWNERS).exists()


@read_once
def band_names(day: dt.date) -> list[str]:
    """Return the bands of the policy of the day, the best one first."""
    return [band.name for band in read(policy_row_on(day)).bands]
