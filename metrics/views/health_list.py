"""`/metric/health/`: how all customers fare, what changed band, and the list, worst first."""

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.views.decorators.http import require_safe

from accounts import selectors as accounts
from accounts.here import Here, page
from config.lib import keyset
from config.lib.authz import require
from config.lib.errors import Invalid
from config.lib.paging import paged
from config.lib.rendering import CHUNK_ROWS, csv_response
from metrics import permissions
from metrics.models import HealthNight, HealthOverride, HealthRow
from metrics.rules.health_policy import Policy
from metrics.selectors import health, health_lists
from metrics.selectors import health_words as words
from metrics.selectors.health_lists import NO_SCORE, Move, Share
from metrics.views.health_forms import HealthListForm

NONE = "none"
WORSE, BETTER = "worse", "better"
WAYS = {WORSE: "Got worse", BETTER: "Got better"}
WORST_FIRST = ("score", "id")
COLUMNS = (
    "day", "account", "external_id", "name", "tier", "region", "tam", "arr", "score", "band",
    "known", "band_30_days_before", "takes_most", "owner_says", "owner_says_until", "policy",
)  # fmt: skip


@dataclass(frozen=True)
class Listing:
    """What an address asks for, once it is read."""

    here: Here
    night: HealthNight
    policy: Policy
    form: HealthListForm

    @property
    def filters(self) -> dict[str, str]:
        return {name: value for name, value in self.form.cleaned_data.items() if value}

    @property
    def bands(self) -> list[str]:
        return [band.name for band in self.policy.bands]

    @property
    def before(self) -> dt.date:
        return self.night.day - health.MONTH

    def rows(self) -> Any:
        found: Any = health_lists.listed(self.here.user, self.night)
        for name, value in self.filters.items():
            match name:
                case "band":
                    found = found.filter(band="" if value == NONE else value)
                case "moved":
                    found = self._moved(found, value)
                case "tier":
                    found = found.filter(account__facts__tier__name=value)
                case "region":
                    found = found.filter(account__region=value)
                case _:
                    found = found.filter(account__facts__tam__uuid=value)
        return found

    def _moved(self, found: Any, way: str) -> Any:
        """Keep what went from a band to a worse or better one."""
        went = Q(pk__in=[])
        for place, before in enumerate(self.bands):
            others = self.bands[place + 1 :] if way == WORSE else self.bands[:place]
            went |= Q(band_before=before, band__in=others)
        since = found.filter(from_day__gt=self.before)
        return health_lists.with_band_before(since, self.before).filter(went)


@dataclass(frozen=True)
class Line:
    row: HealthRow
    tone: words.Tone
    weakest: str
    before: Decimal | None
    override: HealthOverride | None

    @property
    def facts(self) -> Any:
        """What is true of the account today; nothing where that was never worked out."""
        return getattr(self.row.account, "facts", None)

    @property
    def arr(self) -> Decimal | None:
        return self.facts.arr if self.facts else None

    @property
    def tier(self) -> str:
        return self.facts.tier.name if self.facts and self.facts.tier else ""

    @property
    def tam(self) -> str:
        return self.facts.tam.name if self.facts and self.facts.tam else ""

    @property
    def change(self) -> Decimal | None:
        score = self.row.score
        return None if score is None or self.before is None else score - self.before


@require_safe
def health_list(request: HttpRequest) -> HttpResponse:
    here = Here.looking(request)
    require(permissions.can_see_metrics, here.user)
    listing = _read(request, here)
    if listing is None:
        return page(request, "metrics/health/none.html", {}, here=here)
    found = paged(
        request,
        listing.rows(),
        keyset.keys_for(HealthRow, WORST_FIRST),
        bound_to=listing.night.pk,
    )
    notes = [str(error) for errors in listing.form.errors.values() for error in errors]
    shares = health_lists.distribution(listing.night, listing.bands)
    context = {
        "listing": listing,
        "night": listing.night,
        "form": listing.form,
        "shares": [(share, words.tone_of(share.band, listing.bands)) for share in shares],
        "accounts": sum(share.accounts for share in shares),
        "moves": _moves(listing),
        "lines": _lines(listing, found.rows),
        "notes": [*notes, *found.notes],
        "next": found.next,
        "previous": found.previous,
        "summary": _summary(listing, shares, len(found.rows)),
        "csv_url": _url("metrics:health-csv", request),
        "clear_url": reverse("metrics:health"),
        "currency": here.company.reporting_currency,
    }
    return page(request, "metrics/health/list.html", context, here=here, partial="list")


@require_safe
def health_csv(request: HttpRequest) -> HttpResponseBase:
    """The whole of the list as CSV."""
    here = Here.looking(request, strict=True)
    require(permissions.can_see_metrics, here.user)
    listing = _read(request, here)
    if listing is None:
        raise Invalid("Nothing was said of that day.", field="as_of")
    if listing.form.errors:
        raise Invalid(" ".join(str(e) for errors in listing.form.errors.values() for e in errors))
    return csv_response(f"health-{listing.night.day}.csv", COLUMNS, _cells(listing))


def _read(request: HttpRequest, here: Here) -> Listing | None:
    night = health.night_on(here.today, known_at=_known_at(here))
    if night is None:
        return None
    policy = health.read(night.policy)
    found = accounts.choices()
    names = [band.name for band in policy.bands]
    form = HealthListForm(
        request.GET,
        choices={
            "band": [*((name, name) for name in names), (NONE, words.NO_SCORE)],
            "moved": list(WAYS.items()),
            "tier": found.tiers,
            "region": found.regions,
            "tam": found.tams,
        },
    )
    form.is_valid()
    return Listing(here, night, policy, form)


def _known_at(here: Here) -> dt.datetime | None:
    return here.past.known_at if here.past else None


def _lines(listing: Listing, found: list[HealthRow]) -> list[Line]:
    ids = [row.account_id for row in found]
    before = health.scores_on(listing.before, ids)
    overrides = _overrides(listing, ids)
    return [
        Line(
            row,
            words.tone_of(row.band, listing.bands),
            words.weakest(row),
            before.get(row.account_id),
            overrides.get(row.account_id),
        )
        for row in found
    ]


def _overrides(listing: Listing, ids: list[int] | None = None) -> Mapping[int, HealthOverride]:
    here = listing.here
    found = health.overrides_on(here.today, known_at=_known_at(here))
    if ids is not None:
        found = found.filter(account__in=ids)
    return {override.account_id: override for override in found}


def _cells(listing: Listing) -> Iterator[tuple[Any, ...]]:
    overrides = _overrides(listing)
    rows = health_lists.with_band_before(listing.rows(), listing.before)
    numbers = {row.pk: row.number for row in health.policies()}
    ordered = keyset.ordered(rows, keyset.keys_for(HealthRow, WORST_FIRST))
    for row in ordered.iterator(chunk_size=CHUNK_ROWS):
        account, override = row.account, overrides.get(row.account_id)
        facts = getattr(account, "facts", None)
        yield (
            listing.night.day, account.number, account.external_id, account.name,
            facts.tier.name if facts and facts.tier else None, account.region,
            facts.tam.name if facts and facts.tam else None, facts.arr if facts else None,
            row.score, row.band or None, row.known, row.band_before, words.weakest(row) or None,
            override.band if override else None, override.until if override else None,
            numbers[row.policy_id],
        )  # fmt: skip


def _moves(listing: Listing) -> list[tuple[Move, str]]:
    """Return what changed band, with the address of those that went the same way."""
    moves = health_lists.moved(listing.night, listing.policy)
    return [(move, _way_url(listing, move)) for move in moves]


def _way_url(listing: Listing, move: Move) -> str:
    if move.is_better is None:
        return ""
    asked = {"moved": BETTER if move.is_better else WORSE, "band": move.after}
    return f"?{urlencode(asked)}"


def _summary(listing: Listing, shares: list[Share], shown: int) -> str:
    filters = listing.filters
    if not filters.keys() - {"band"}:
        band = filters.get("band")
        key = NO_SCORE if band == NONE else band
        total = sum(each.accounts for each in shares if band is None or each.band == key)
        if total != shown:
            return f"{shown:,} of {total:,} accounts"
    return f"{shown:,} account{'' if shown == 1 else 's'}"


def _url(name: str, request: HttpRequest) -> str:
    asked = request.GET.copy()
    asked.pop("cursor", None)
    return f"{reverse(name)}?{asked.urlencode()}" if asked else reverse(name)
