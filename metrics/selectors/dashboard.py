"""What one run says as a whole: its bands and segments, and who stands nearest to the line.

A run is never edited, so what was read of one stays true: it is kept by the process, and the
page costs the same however many accounts the run has seen.
"""

import datetime as dt
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from typing import Any

from django.db.models import (
    BigIntegerField,
    Case,
    Count,
    DecimalField,
    F,
    Q,
    QuerySet,
    Sum,
    Value,
    When,
    Window,
)
from django.db.models.functions import Cast, RowNumber

from accounts.models import Account, Tier
from metrics.models import MetricRun, MetricTarget
from metrics.selectors import bands, rows, runs, summaries
from people.models import User

SHOWN = 8
# So many accounts the what-if of the dashboard reaches.
REACHED = 20
SMALL_SEGMENT = 5
NO_ONE = "none"


@dataclass(frozen=True, slots=True)
class Shares:
    """The number of a run and how sure it is; None where no account is in the ratio."""

    value: Fraction | None
    high: Fraction | None
    coverage: Fraction | None


def shares_of(run: MetricRun) -> Shares:
    if not run.denominator or run.numerator is None:
        return Shares(None, None, None)
    whole = run.denominator
    return Shares(
        value=Fraction(run.numerator, whole),
        high=Fraction(run.numerator + run.unknown, whole),
        coverage=Fraction(run.covered, whole),
    )


@dataclass(frozen=True, slots=True)
class Cell:
    """The accounts of a run that share what they are grouped by; of the rest it says nothing."""

    tier_id: int | None
    region: str
    tam_id: int | None
    reason: str
    in_ratio: bool
    passes: bool | None
    accounts: int
    near: int
    falling: int
    covered: int
    conflicts: int

    def count(self, band: str) -> int:
        """Return how many of its accounts are in a band of `bands.BANDS`."""
        return COUNTS[band](self)


COUNTS: dict[str, Callable[[Cell], int]] = {
    "counted": lambda cell: cell.in_ratio * cell.accounts,
    "passing": lambda cell: (cell.in_ratio and cell.passes is True) * cell.accounts,
    "falling": lambda cell: cell.falling,
    "below": lambda cell: (cell.in_ratio and cell.passes is False) * cell.accounts,
    "near": lambda cell: cell.near,
    "unknown": lambda cell: (cell.in_ratio and cell.passes is None) * cell.accounts,
    "excluded": lambda cell: (not cell.in_ratio) * cell.accounts,
    "conflict": lambda cell: cell.conflicts,
    "amiss": lambda cell: cell.accounts if cell.reason in bands.AMISS else cell.conflicts,
}


BY_REASON = ("tier_id", "region", "reason")
BY_TAM = ("tam_id",)
KEPT = (BY_REASON, BY_TAM)
NO_ID = Cast(Value(None), BigIntegerField())
NOT_TOLD: dict[str, Any] = {
    "tier_id": NO_ID,
    "region": Value(""),
    "tam_id": NO_ID,
    "reason": Value(""),
}


def cells_of(run: MetricRun) -> tuple[Cell, ...]:
    """Return the accounts by tier, region and reason: as few cells in a large company."""
    return _cells(run, BY_REASON)


def cells_by_tam(run: MetricRun) -> tuple[Cell, ...]:
    return _cells(run, BY_TAM)


def finest_cells_of(run: MetricRun) -> tuple[Cell, ...]:
    """Return the accounts by all of it; in a large company there are nearly as many cells."""
    return _cells(run, (*BY_REASON, *BY_TAM))


@lru_cache(maxsize=64)
def _cells(run: MetricRun, by: tuple[str, ...]) -> tuple[Cell, ...]:
    told = summaries.told_of(run, cells_name(by))
    if told is not None:
        return tuple(Cell(*cell) for cell in told)
    return count_cells(run)[by] if by in KEPT else _count_cells(run, by)[by]


def cells_name(by: tuple[str, ...]) -> str:
    return f"cells by {' '.join(by)}"


@lru_cache(maxsize=32)
def count_cells(run: MetricRun) -> dict[tuple[str, ...], tuple[Cell, ...]]:
    """Return the cells of each of KEPT, in one statement."""
    return _count_cells(run, *KEPT)


def _count_cells(run: MetricRun, *ways: tuple[str, ...]) -> dict[tuple[str, ...], tuple[Cell, ...]]:
    first, *others = (_groups(run, way, by) for way, by in enumerate(ways))
    cells: dict[tuple[str, ...], list[Cell]] = {by: [] for by in ways}
    for way, *group in first.union(*others, all=True) if others else first:
        cells[ways[way]].append(_cell(*group))
    return {by: tuple(found) for by, found in cells.items()}


def _groups(run: MetricRun, way: int, by: tuple[str, ...]) -> Any:
    told = {f"of_{name}": F(name) if name in by else empty for name, empty in NOT_TOLD.items()}
    of = ("way", *told, "eligible", "unlimited", "passes")
    counts = {
        "accounts": Count("id"),
        "near": Count("id", filter=bands.BANDS["near"]),
        "falling": Count("id", filter=bands.BANDS["falling"]),
        "covered": Count("id", filter=Q(deployed__isnull=False)),
        "conflicts": Count("id", filter=bands.BANDS["conflict"]),
    }
    return (
        bands.measured(run)
        .order_by()
        .annotate(way=Value(way), **told)
        .values(*of)
        .annotate(**counts)
        .values_list(*of, *counts)
    )


def _cell(
    tier_id: int | None,
    region: str,
    tam_id: int | None,
    reason: str,
    eligible: bool,  # noqa: FBT001
    unlimited: bool,  # noqa: FBT001
    *counts: Any,
) -> Cell:
    return Cell(tier_id, region, tam_id, reason, eligible and not unlimited, *counts)


def total(cells: Iterable[Cell], band: str) -> int:
    return sum(cell.count(band) for cell in cells)


def reasons(cells: Iterable[Cell], band: str) -> dict[str, int]:
    """Return how many accounts of the band stand there for each reason, most first."""
    counts: dict[str, int] = {}
    for cell in cells:
        if number := cell.count(band):
            counts[cell.reason] = counts.get(cell.reason, 0) + number
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


@dataclass(frozen=True, slots=True)
class Label:
    """A tier, region or TAM as the outside knows it, in the order of `rank` from above."""

    key: str
    name: str
    rank: Decimal = Decimal(0)

    @property
    def order(self) -> tuple[bool, Decimal, str, str]:
        return self.key == NO_ONE, -self.rank, self.name, self.key


NOBODY = Label(NO_ONE, "")


@dataclass(frozen=True, slots=True)
class Labels:
    tiers: dict[int, Label]
    tams: dict[int, Label]


def labels_of(cells: Collection[Cell]) -> Labels:
    """Return the tiers and TAMs that a run saw, by id, in one statement."""
    tiers = (
        Tier.objects.filter(pk__in=_known(cell.tier_id for cell in cells))
        .annotate(kind=Value("tier"), rank=F("arr_from"))
        .values_list("kind", "pk", "uuid", "name", "rank")
    )
    tams = (
        User.objects.filter(pk__in=_known(cell.tam_id for cell in cells))
        .annotate(kind=Value("tam"), rank=Value(Decimal(0), output_field=DecimalField()))
        .values_list("kind", "pk", "uuid", "name", "rank")
    )
    labels = Labels({}, {})
    for kind, pk, uuid, name, rank in tiers.union(tams, all=True):
        known = labels.tiers if kind == "tier" else labels.tams
        known[pk] = Label(str(uuid), name, rank)
    return labels


def _known(ids: Iterable[int | None]) -> set[int]:
    return {pk for pk in ids if pk is not None}


def segments(cells: Iterable[Cell], by: str, labels: Labels) -> list[rows.Segment]:
    """Return the number of each tier (largest first), region or TAM; those without come last."""
    groups: dict[Label, list[Cell]] = {}
    for cell in cells:
        if cell.in_ratio:
            groups.setdefault(label_of(cell, by, labels), []).append(cell)
    return [
        _segment(label, members)
        for label, members in sorted(groups.items(), key=lambda group: group[0].order)
    ]


def label_of(cell: Cell, by: str, labels: Labels) -> Label:
    """Return the tier, region or TAM of a cell; NOBODY where it has none."""
    if by == "region":
        return Label(cell.region, cell.region) if cell.region else NOBODY
    if by == "tier":
        return labels.tiers.get(cell.tier_id or 0, NOBODY)
    return labels.tams.get(cell.tam_id or 0, NOBODY)


def _segment(label: Label, members: list[Cell]) -> rows.Segment:
    return rows.Segment(
        key=label.key,
        label=label.name,
        numerator=total(members, "passing"),
        denominator=total(members, "counted"),
        unknown=total(members, "unknown"),
        covered=sum(cell.covered for cell in members),
    )


@dataclass(frozen=True, slots=True)
class Near:
    """An account near the line; `distance` in seats, `so_far` those of all up to it together."""

    account_id: int
    tam_id: int | None
    passes: bool
    licensed: int
    deployed: int
    distance: int
    rank: int
    so_far: int

    @property
    def share(self) -> Fraction:
        return Fraction(self.deployed, self.licensed)


@lru_cache(maxsize=128)
def nearest(run: MetricRun, upto: int = 0) -> tuple[Near, ...]:
    """Return the accounts nearest to the line, more of them below it, and the one at `upto`."""
    told = summaries.told_of(run, nearest_name(upto))
    return find_nearest(run, upto) if told is None else tuple(Near(*near) for near in told)


def nearest_name(upto: int) -> str:
    return f"nearest {upto}"


def upto_of(run: MetricRun) -> int:
    """Return how many of those below the line the target asks for as it stands."""
    target = target_at(run.definition.slug, None)
    if target is None or not run.denominator:
        return 0
    missing = needed_for(target.value, run.denominator) - (run.numerator or 0)
    return min(max(missing, 0), total(cells_of(run), "below"))


def find_nearest(run: MetricRun, upto: int) -> tuple[Near, ...]:
    by_distance: dict[str, Any] = {
        "partition_by": [F("passes")],
        "order_by": [F("distance").asc(), F("account__name").asc(), F("account_id").asc()],
    }
    found = (
        bands.measured(run)
        .order_by()
        .filter(bands.BANDS["below"] | bands.BANDS["falling"])
        .annotate(
            distance=Case(When(passes=True, then=F("above")), default=F("to_go")),
            rank=Window(RowNumber(), **by_distance),
            so_far=Window(Sum("distance"), **by_distance),
        )
        .filter(
            Q(rank__lte=SHOWN) | Q(rank__lte=REACHED, passes=False) | Q(rank=upto, passes=False)
        )
        .order_by("passes", "rank")
        .values(*Near.__slots__)
    )
    return tuple(Near(**values) for values in found)


def accounts_of(run: MetricRun, ids: Collection[int]) -> dict[int, Account]:
    """Return these accounts with `renewal_on` as the run's day and knowledge have it."""
    return {
        account.pk: account
        for account in Account.objects.filter(pk__in=ids).annotate(
            renewal_on=bands.renewal_on(run, account="pk")
        )
    }


def target_at(slug: str, known_at: dt.datetime | None) -> MetricTarget | None:
    """Return the target that stood at a moment, or stands now."""
    targets = MetricTarget.objects.filter(slug=slug)
    if known_at is not None:
        targets = targets.filter(set_at__lte=known_at)
    return targets.order_by("-set_at", "-id").first()


def needed_for(share: Decimal, denominator: int) -> int:
    """Return how many of the accounts must pass for the share to be reached."""
    exact = Fraction(share) * denominator
    return -(-exact.numerator // exact.denominator)


def first_run(slug: str, known_at: dt.datetime | None) -> MetricRun | None:
    published: QuerySet[MetricRun] = runs.published_runs(slug, known_at=known_at)
    return published.order_by("day", "revision").first()
