"""Board packs: what one says, which there are, and whether the ledger still gives the same."""

import datetime as dt
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

from django.core.exceptions import ValidationError
from django.db.models import Q, QuerySet

from config.lib.values import moment_text
from events.selectors import events_of_object
from metrics import permissions
from metrics.models import BoardPack, MetricRun
from metrics.rules.packs import Month, digest_of
from metrics.selectors import (
    dashboard,
    families,
    packs_ledger,
    packs_number,
    packs_work,
    runs,
)
from metrics.selectors.packs_number import Scene, Told, Used
from metrics.selectors.runs import SEATS_DEPLOYED
from people.models import User

# What the log calls it.
MADE = "pack.made"
# How `told` is laid out; a pack keeps the layout it was made in.
FORMAT = 1
# What is worked out from the ledger alone, and so can be worked out again.
OF_THE_LEDGER = ("number", "change", "trend", "segments", "flips", "quality", "figures",
                 "definitions")  # fmt: skip
# What people call things may change without the ledger changing.
NAMES = frozenset({"name", "label", "title", "owner", "tier", "published_by"})


@dataclass(frozen=True)
class Gathered:
    """What a pack would say, before it is kept."""

    month: Month
    run: MetricRun
    told: Told


def gathered(month: Month, *, at: dt.datetime) -> Gathered | None:
    """Work out the pack of a month as known at a moment; None where it has no number by then."""
    scene = scene_of(month, known_at=at)
    if scene is None:
        return None
    told = {
        "format": FORMAT,
        "month": month.key,
        "so_far": scene.run.day < month.last or at < month.end(scene.zone),
        "company": runs.company().name,
        "currency": scene.currency,
        "time_zone": scene.zone.key,
        "known_at": moment_text(at),
        **of_the_ledger(scene),
        "requests": packs_work.requests(scene),
        "projects": packs_work.projects(scene),
        "risks": packs_work.risks(scene),
        "promises": packs_work.promises(scene),
    }
    return Gathered(month, scene.run, {**told, "runs": scene.used.told()})


def digest_of_told(told: Told) -> str:
    """Return the digest over all that is said and the digests of the runs shown."""
    return digest_of(told, (each["digest"] for each in told["runs"]))


def scene_of(month: Month, *, known_at: dt.datetime) -> Scene | None:
    company, used = runs.company(), Used(known_at)
    run = used.run_on(SEATS_DEPLOYED, month.last)
    if run is None or run.day < month.first:
        return None
    before = runs.run_on(SEATS_DEPLOYED, month.before.last, known_at=known_at)
    if before is not None and before.day < month.before.first:
        before = None
    zone = ZoneInfo(company.time_zone)
    return Scene(month, run, used.add(before), used, zone, company.reporting_currency)


def of_the_ledger(scene: Scene) -> Told:
    return {
        "number": packs_number.number(scene),
        "change": packs_number.change(scene),
        "trend": packs_number.trend(scene),
        "segments": packs_number.segments(scene),
        "flips": packs_number.flipped(scene),
        "quality": packs_ledger.quality(scene),
        "figures": packs_ledger.figures(scene),
        "definitions": packs_ledger.definitions(scene),
    }


def packs_visible_to(user: User) -> QuerySet[BoardPack]:
    """Return the packs without their papers, newest month and edition first."""
    found = BoardPack.objects.select_related("made_by", "run__definition").defer("pdf")
    found = found.order_by("-month", "-edition")
    return found if permissions.can_see_metrics(user) else found.none()


def pack_of(user: User, month: Month, edition: int | None = None) -> BoardPack | None:
    """Return an edition of a month, the newest where none is asked for."""
    found = packs_visible_to(user).filter(month=month.first)
    return found.filter(edition=edition).first() if edition else found.first()


def why_not(month: Month, *, at: dt.datetime) -> str:
    """Say why no pack of the month can be kept yet; "" where one can."""
    zone = ZoneInfo(runs.company().time_zone)
    if at < month.end(zone):
        return f"{month} is not over."
    newest = (
        MetricRun.objects.filter(definition__slug=SEATS_DEPLOYED, day=month.last)
        .exclude(status=MetricRun.Status.TRIAL)
        .filter(Q(published_at=None) | Q(published_at__lte=at), known_at__lte=at)
        .order_by("-definition__number", "-revision")
        .first()
    )
    day = f"{month.last.day} {month.last:%b %Y}"
    if newest is None:
        return f"The number of {day}, the month's last day, has not been computed."
    if newest.status == MetricRun.Status.HELD:
        return f"The run of {day} is held. Publish it, or mend the data and recompute."
    return ""


def has_figures(month: Month) -> bool:
    """Say whether the figures of the last day are there too; they are computed after it."""
    wanted = families.slugs_of(families.FIGURES)
    there = MetricRun.objects.filter(definition__slug__in=wanted, day=month.last)
    return there.values("definition__slug").distinct().count() == len(wanted)


def months_made() -> set[Month]:
    return {Month(first) for first in BoardPack.objects.values_list("month", flat=True).distinct()}


@dataclass(frozen=True)
class Since:
    """A run of a pack's day that was published after the pack."""

    run: MetricRun

    @property
    def share(self) -> Fraction | None:
        return dashboard.shares_of(self.run).value


def since(pack: BoardPack) -> Since | None:
    """Return the newest revision of the pack's day where it is not the one it shows."""
    newest = runs.run_on(SEATS_DEPLOYED, pack.run.day)
    return Since(newest) if newest and newest.pk != pack.run_id else None


@dataclass(frozen=True)
class Verdict:
    """Whether a pack is what it was, and what the ledger says of it now."""

    # The digest, worked out again from the ledger's runs and the content kept.
    digest: str
    is_whole: bool
    # Runs that are not in the ledger as the pack shows them.
    amiss: list[str] = field(default_factory=list)
    # Parts that the ledger, asked again for that moment, tells differently.
    differs: list[str] = field(default_factory=list)
    # Runs that a later revision has replaced since.
    revised: list[str] = field(default_factory=list)

    @property
    def holds(self) -> bool:
        return self.is_whole and not self.amiss and not self.differs


def verified(pack: BoardPack) -> Verdict:
    """Hold a pack against the ledger, and its paper against the log."""
    try:
        return _held_against_the_ledger(pack)
    except (LookupError, TypeError, ValueError, AttributeError, ValidationError):
        if _is_as_digested(pack):
            raise
        return Verdict(digest="", is_whole=False, amiss=["What it says is not laid out as a pack."])


def digest_of_paper(pack: BoardPack) -> str:
    return hashlib.sha256(bytes(pack.pdf)).hexdigest()


def _is_as_digested(pack: BoardPack) -> bool:
    """Say whether it says what it said, whatever the ledger has to it."""
    try:
        return digest_of_told(pack.told) == pack.digest
    except (LookupError, TypeError, AttributeError):
        return False


def _held_against_the_ledger(pack: BoardPack) -> Verdict:
    told: Told = pack.told
    shown: list[Told] = told["runs"]
    found = [(each, _run_of(each)) for each in shown]
    digest = digest_of(told, (run.digest if run else "" for _, run in found))
    return Verdict(
        digest=digest,
        is_whole=digest == pack.digest,
        amiss=[
            *(words for each, run in found if (words := _amiss(each, run))),
            *_amiss_of_paper(pack),
        ],
        differs=list(_differences(pack)),
        revised=[words for each, run in found if run and (words := _revised(each, run))],
    )


def _run_of(told: Told) -> MetricRun | None:
    """Return the run that is named; None where there is none, or could be none."""
    try:
        return MetricRun.objects.filter(
            definition__slug=told["metric"],
            definition__number=told["version"],
            day=told["day"],
            revision=told["revision"],
        ).first()
    except (TypeError, ValueError, ValidationError):
        return None


def _amiss(told: Told, run: MetricRun | None) -> str:
    named = f"{told['metric']} of {told['day']}, revision {told['revision']}"
    if run is None:
        return f"{named}: not in the ledger."
    value = None if run.value is None else f"{run.value:f}"
    says = {"numerator": run.numerator, "denominator": run.denominator, "value": value}
    wrong = [name for name, there in says.items() if there != told[name]]
    if run.digest != told["digest"]:
        wrong.append("digest of its inputs")
    return f"{named}: the {' and '.join(wrong)} differ." if wrong else ""


def _amiss_of_paper(pack: BoardPack) -> Iterator[str]:
    """Ask the log; what was made before it kept the hashes of papers is not known."""
    made = events_of_object(pack).filter(verb=MADE).first()
    kept = (made.after or {}).get("paper") if made else None
    if kept and kept != digest_of_paper(pack):
        yield "The paper is not the one that was made."


def _revised(told: Told, run: MetricRun) -> str:
    newest = runs.published_runs(told["metric"]).filter(day=run.day).first()
    if newest is None or newest.pk == run.pk:
        return ""
    version = ""
    if newest.definition.number != told["version"]:
        version = f" under definition {newest.definition.number}"
    return (
        f"{told['metric']} of {told['day']}: revision {told['revision']} was shown, "
        f"revision {newest.revision}{version} stands now."
    )


def _differences(pack: BoardPack) -> Iterator[str]:
    """Name the parts that come out differently when the ledger is asked again."""
    scene = scene_of(Month(pack.month), known_at=pack.known_at)
    if scene is None:
        yield "number"
        return
    again = of_the_ledger(scene)
    for name in OF_THE_LEDGER:
        if _comparable(again[name], pack.told[name]) != _nameless(pack.told[name]):
            yield name


def _comparable(again: Any, told: Any) -> Any:
    """Leave out the metrics that are there only since, and what people call things."""
    if isinstance(again, list):
        metrics = {each.get("metric") for each in told}
        again = [each for each in again if each.get("metric") in metrics]
    return _nameless(again)


def _nameless(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _nameless(item) for key, item in value.items() if key not in NAMES}
    return [_nameless(item) for item in value] if isinstance(value, list) else value
