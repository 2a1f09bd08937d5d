"""Computes the key figures of requests and projects and writes their runs to the ledger."""

import datetime as dt
import hashlib
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from decimal import ROUND_FLOOR, Decimal
from fractions import Fraction
from typing import Any

from django.db import connection, transaction

from config.lib.authz import require
from engagements.selectors import levels
from events import services as events
from metrics import permissions
from metrics.models import MetricDefinition, MetricRun
from metrics.rules.project_figures import PROJECT_RULES, Projects
from metrics.rules.request_figures import RULES, Book, Figure, Part, Policy, Window
from metrics.selectors import project_facts, request_facts, runs
from metrics.services.runs import AlreadyRunning, NotYet, Outcome
from people.models import User

FIGURES_LOCK = 4_153_004
RUNS_A_STATEMENT = 500
PLACES = Decimal("0.000001")
A_DAY = dt.timedelta(days=1)


def recompute(
    slugs: Collection[str], days: Sequence[dt.date], *, by: User, now: dt.datetime
) -> Iterator[Outcome]:
    """Compute the figures of these days, oldest first; what they say already stays as it is.

    Raises NotYet for a day ahead and AlreadyRunning beside another computation.
    """
    require(permissions.can_recompute, by)
    terms = levels.terms()
    today = terms.calendar.local_day(now)
    if any(day > today for day in days):
        raise NotYet(f"{max(days)} has not begun in {terms.calendar.zone.key}.")
    ordered = sorted(set(days))
    if not ordered:
        return
    with transaction.atomic():
        _lock()
        versions = _Versions(slugs)
        asked = [(versions.on(slug, day), day) for day in ordered for slug in dict.fromkeys(slugs)]
        widest = max((figure_policy(definition) for definition, _ in asked),
                     key=lambda policy: policy.window_days)  # fmt: skip
        first = request_facts.window_of(ordered[0], widest, terms.calendar, at=now)
        books = _books_of(slugs, first, terms)
        newest = _newest_runs(asked)
        made = [
            _computed(definition, day, newest.get((definition.pk, day)), books, terms, now=now)
            for definition, day in asked
        ]
        written = [outcome.run for outcome in made if outcome.is_new]
        MetricRun.objects.bulk_create(written, batch_size=RUNS_A_STATEMENT)
        _record(written, by=by)
    yield from made


def catch_up(slugs: Collection[str], *, by: User, now: dt.datetime) -> Iterator[Outcome]:
    """Compute the nights that are missing, and again the days before that late facts changed."""
    days = due_days(slugs, now=now)
    return recompute(slugs, days, by=by, now=now)


def due_days(slugs: Collection[str], *, now: dt.datetime) -> list[dt.date]:
    """Return the finished days to look at: as far back as they may be reopened.

    The first time, from the day on which the first request was submitted.
    """
    calendar = levels.terms().calendar
    yesterday = calendar.local_day(now) - A_DAY
    reopen = max(_policy_on(slug, yesterday).reopen_days for slug in slugs)
    floor = yesterday - (reopen - 1) * A_DAY
    known = MetricRun.objects.filter(definition__slug__in=slugs).order_by("day")
    first_run = known.values_list("day", flat=True).first()
    submitted = request_facts.first_submitted()
    begun = calendar.local_day(submitted) if submitted else yesterday
    start = max(floor, min(begun, first_run or yesterday, yesterday))
    return [start + i * A_DAY for i in range((yesterday - start).days + 1)]


def is_night_missing(slugs: Collection[str], *, now: dt.datetime) -> bool:
    return any(runs.missing_days(slug, now=now, most=1) for slug in slugs)


@dataclass(frozen=True)
class _Books:
    """What the figures are made from; None where none of them is asked for."""

    requests: Book | None
    projects: Projects | None

    def figure(self, slug: str, window: Window) -> Figure:
        if slug in PROJECT_RULES:
            assert self.projects is not None  # noqa: S101 read for these slugs
            return PROJECT_RULES[slug](self.projects, window)
        assert self.requests is not None  # noqa: S101 read for these slugs
        return RULES[slug](self.requests, window)


def _books_of(slugs: Collection[str], first: Window, terms: levels.Terms) -> _Books:
    has_projects = any(slug in PROJECT_RULES for slug in slugs)
    has_requests = any(slug in RULES for slug in slugs)
    return _Books(
        requests=request_facts.book_of(first, terms) if has_requests else None,
        projects=project_facts.projects_of(first) if has_projects else None,
    )


class _Versions:
    """The versions of some definitions, read at once."""

    def __init__(self, slugs: Collection[str]) -> None:
        self._of: dict[str, list[MetricDefinition]] = {}
        for each in runs.definitions().filter(slug__in=slugs).order_by("-valid_from", "-number"):
            self._of.setdefault(each.slug, []).append(each)

    def on(self, slug: str, day: dt.date) -> MetricDefinition:
        """Return the one that runs.definition_on returns, and raise as it does."""
        found = self._of.get(slug)
        if not found:
            raise MetricDefinition.DoesNotExist(f"There is no metric {slug}.")
        return next((each for each in found if each.valid_from <= day), found[-1])


def _newest_runs(
    asked: Sequence[tuple[MetricDefinition, dt.date]],
) -> dict[tuple[int, dt.date], MetricRun]:
    found = MetricRun.objects.filter(
        definition__in={definition.pk for definition, _ in asked},
        day__in={day for _, day in asked},
    )
    return {(run.definition_id, run.day): run for run in found.order_by("revision")}


def _computed(
    definition: MetricDefinition,
    day: dt.date,
    newest: MetricRun | None,
    books: _Books,
    terms: levels.Terms,
    *,
    now: dt.datetime,
) -> Outcome:
    """Work out the run of a day, not yet written where it is new."""
    policy = figure_policy(definition)
    window = request_facts.window_of(day, policy, terms.calendar, at=now)
    figure = books.figure(definition.slug, window)
    digest = digest_of(definition, window, figure)
    if newest and newest.digest == digest:
        return Outcome(newest, is_new=False, is_full=True)
    run = MetricRun(
        definition=definition,
        day=day,
        revision=newest.revision + 1 if newest else 1,
        known_at=now,
        published_at=now,
        computed_at=now,
        digest=digest,
        numerator=figure.numerator,
        denominator=figure.denominator,
        covered=figure.denominator or 0,
        value=_cut(figure.value),
        parts=_parts(figure),
    )
    return Outcome(run, is_new=True, is_full=True)


def digest_of(definition: MetricDefinition, window: Window, figure: Figure) -> str:
    """Hash everything the figure used: the same day and inputs give the same digest."""
    terms = (definition.slug, definition.number, sorted(definition.policy.items()))
    shared = (window.day, window.is_over, window.calendar.zone.key)
    return hashlib.sha256(repr((terms, shared, sorted(figure.told, key=repr))).encode()).hexdigest()


def figure_policy(definition: MetricDefinition) -> Policy:
    return Policy(**definition.policy)


def _policy_on(slug: str, day: dt.date) -> Policy:
    return figure_policy(runs.definition_on(slug, day))


def _parts(figure: Figure) -> dict[str, Any]:
    found: dict[str, Any] = {
        "percentile_90": _text(figure.percentile),
        "low": _text(figure.low),
        "high": _text(figure.high),
        "running": figure.running,
        "by": {name: [_part(part) for part in parts] for name, parts in figure.by.items()},
    }
    return {name: value for name, value in found.items() if value is not None}


def _part(part: Part) -> dict[str, Any]:
    return {
        "key": part.key,
        "numerator": part.numerator,
        "denominator": part.denominator,
        "value": _text(part.value),
    }


def _text(value: Fraction | None) -> str | None:
    cut = _cut(value)
    return None if cut is None else f"{cut.normalize():f}"


def _cut(value: Fraction | None) -> Decimal | None:
    """Return the value with its decimals cut off, never rounded up."""
    if value is None:
        return None
    millionths = value.numerator * 1_000_000 // value.denominator
    return Decimal(millionths).scaleb(-6).quantize(PLACES, ROUND_FLOOR)


def _record(written: Sequence[MetricRun], *, by: User) -> None:
    drafts = [
        events.Draft(
            verb="metric.computed",
            obj=run,
            after={
                "metric": run.definition.slug,
                "day": run.day,
                "revision": run.revision,
                "value": run.value,
            },
        )
        for run in written
    ]
    events.record_all(drafts, by=by)


def _lock() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [FIGURES_LOCK])
        if not cursor.fetchone()[0]:
            raise AlreadyRunning("Another recompute is running. Wait for it, then try again.")
