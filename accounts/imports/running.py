"""One import from file to facts: read, check, compare; on request apply it, whole or not at all."""

import datetime as dt
import hashlib
import io
import json
from collections.abc import Callable
from collections.abc import Mapping as Dict
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import PurePosixPath
from typing import BinaryIO, Protocol
from zoneinfo import ZoneInfo

from django.db import transaction
from django.db.models import Max
from django.db.models.functions import Now

from accounts import permissions, selectors
from accounts.imports.checking import READINGS, checker_for, reading_of
from accounts.imports.columns import KINDS
from accounts.imports.effects import Effect, measure, refresh_touched
from accounts.imports.mappings import Mapping, check_mapping
from accounts.imports.mass import reasons_of_leaving
from accounts.imports.outcomes import Outcomes
from accounts.imports.plain_readings import plain_of
from accounts.imports.staging import PlainLines, Planned, Staging, Tell, execute
from accounts.imports.staging_facts import FactsOfFile
from accounts.imports.staging_readings import ReadingsOfFile
from accounts.imports.whole_files import kind_of_file
from accounts.models import Import
from accounts.services.changes import Change, Problem
from accounts.services.reading_batches import Correction
from accounts.services.storing import PATIENCE, take_turn
from accounts.tabular import UnusableFile, read_table
from config.lib.authz import require
from config.lib.errors import StaleWrite
from config.lib.values import echo
from people.models import User

__all__ = ["Order", "PlanChanged", "Report", "Tell", "apply_import", "preview_import", "silent"]

SOURCE = "import"
LONGEST_NAME = 200
MOST_PROBLEMS_TOLD = 1_000
BLOCK = 1 << 20


def silent(phase: str, done: int, total: int) -> None:
    """Tell nobody how far it is."""


class PlanChanged(StaleWrite):
    """What would be done is no longer what was shown."""

    code = "plan_changed"
    default_message = "Data changed since the preview."


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """A file to import: `mapping` says how it is read; what is given beside it wins over it."""

    kind: str
    file: BinaryIO
    filename: str
    mapping: Mapping = field(default_factory=Mapping)
    source: str = ""
    account_source: str = ""
    date_format: str = ""
    encoding: str = ""
    # Numbers of the rows that are left out on purpose.
    excluded: frozenset[int] = frozenset()


@dataclass(slots=True, kw_only=True)
class Report:
    """What an import would do or did. `theirs`: our columns and what the file calls them.

    Of the problems and the changes it holds the first ones only.
    """

    kind: str
    filename: str
    source: str
    rows: int
    creates: int
    updates: int
    unchanged: int
    bad_rows: int
    excluded: int
    problems: list[Problem]
    created: list[Change]
    updated: list[Change]
    corrections: list[Correction]
    new_instances: int
    theirs: Dict[str, str]
    ignored: list[str]
    plan_hash: str
    effect: Effect | None = None
    mass: list[str] = field(default_factory=list)
    applied_before: dt.datetime | None = None
    applied: Import | None = None


def preview_import(
    order: Order,
    *,
    by: User,
    now: dt.datetime,
    keep: Import | None = None,
    tell: Tell = silent,
    on_problem: Callable[[Problem], None] | None = None,
) -> Report:
    """Return what the file would change; with `keep`, its rows of outcomes are replaced.

    `on_problem` is handed every problem, while the report has the first ones. Raises
    UnusableFile. Writes nothing else.
    """
    run = _Run(order, by=by, now=now, tell=tell, on_problem=on_problem)
    with transaction.atomic():
        report = run.preview(keep)
        if keep is None:
            transaction.set_rollback(True)
    return report


def apply_import(
    order: Order,
    *,
    by: User,
    now: dt.datetime,
    keep: Import | None = None,
    expected: str = "",
    tell: Tell = silent,
    on_problem: Callable[[Problem], None] | None = None,
) -> Report:
    """Apply the file in one transaction, or, where the report has problems, nothing of it.

    The facts name `keep` as their import, or one that is made for it. A file that changes nothing
    leaves no trace. Raises UnusableFile, and PlanChanged where the plan is not the `expected` one.
    """
    run = _Run(order, by=by, now=now, tell=tell, on_problem=on_problem)
    with transaction.atomic():
        report = run.apply(keep, expected)
        if report.applied is None:
            transaction.set_rollback(True)
    return report


class _Subject(Protocol):
    """What is imported: taken up, planned and written alike, whatever its kind."""

    @property
    def plain(self) -> PlainLines | None: ...

    def accept(self, row: int, values: dict[str, object]) -> None: ...

    def plan(
        self, *, by: User, reason: Import, keep: Outcomes | None, tell: Tell, total: int
    ) -> Planned: ...

    def write(self, *, by: User, lineage: Import | None, trial: bool, tell: Tell) -> None: ...


class _Run:
    """One file read once, from its header to the last statement."""

    def __init__(
        self,
        order: Order,
        *,
        by: User,
        now: dt.datetime,
        tell: Tell,
        on_problem: Callable[[Problem], None] | None,
    ) -> None:
        require(permissions.can_import, by)
        if order.kind not in KINDS:
            raise UnusableFile(f"“{echo(order.kind)}” is none of: {', '.join(KINDS)}.")
        self._order, self._by, self._tell, self._on_problem = order, by, tell, on_problem
        self._mapping = mapping = _effective(order)
        self._digest = _sha256(order.file)
        self._table = read_table(order.file, mapping.layout)
        zone = ZoneInfo(mapping.time_zone or selectors.company().time_zone)
        reading = reading_of(mapping, now=now, zone=zone)
        self._checker = checker_for(self._table, mapping, reading, order.kind)
        self._today = selectors.today(now)

    def preview(self, keep: Import | None) -> Report:
        staging, subject = self._staged(keep, is_applied=False)
        outcomes = Outcomes(keep) if keep else None
        planned = self._planned(subject, outcomes)
        report = self._report(planned, staging)
        if keep and outcomes:
            outcomes.flush()
            staging.keep_bad(keep, self._mapping.delimiter)
        if planned.moves:
            report.effect = effect = self._effect(subject)
            # Whatever the way, such as a rate or contracts moved to one account.
            report.mass = report.mass or reasons_of_leaving(effect.left, effect.before.denominator)
        return report

    def apply(self, keep: Import | None, expected: str) -> Report:
        staging, subject = self._staged(None, is_applied=True)
        planned = self._planned(subject, None)
        report = self._report(planned, staging)
        if expected and report.plan_hash != expected:
            raise PlanChanged
        if report.bad_rows or planned.is_empty:
            return report
        report.applied = keep or self._lineage(report)
        subject.write(by=self._by, lineage=report.applied, trial=False, tell=self._tell)
        refresh_touched(self._tell)
        return report

    def _staged(self, keep: Import | None, *, is_applied: bool) -> tuple[Staging, _Subject]:
        staging = Staging(keeps_cells=keep is not None)
        subject = self._subject(staging, is_applied=is_applied)
        staging.read(
            self._checker,
            self._table,
            excluded=self._order.excluded,
            accept=subject.accept,
            plain=subject.plain,
            tell=self._tell,
        )
        if is_applied:
            # Not before the file is read, so that others wait no longer than they must.
            take_turn(self._order.kind, patient=True)
        return staging, subject

    def _subject(self, staging: Staging, *, is_applied: bool) -> _Subject:
        mapping = self._mapping
        if self._order.kind == READINGS:
            plain = plain_of(self._checker, self._table, mapping.delimiter)
            return ReadingsOfFile(
                staging,
                self._checker,
                # Rows that are left out stand among the others.
                plain=None if self._order.excluded else plain,
                source=mapping.source,
                account_source=mapping.account_source,
            )
        file = kind_of_file(self._order.kind, mapping.source, mapping.account_source)
        return FactsOfFile(file, staging, today=self._today, is_applied=is_applied)

    def _planned(self, subject: _Subject, keep: Outcomes | None) -> Planned:
        return subject.plan(
            by=self._by,
            reason=Import(filename=safe_filename(self._order.filename)),
            keep=keep,
            tell=self._tell,
            total=self._checker.rows,
        )

    def _effect(self, subject: _Subject) -> Effect:
        """Write what can move the number, read the number and take it back, with all locks."""
        with transaction.atomic():
            execute(f"SET LOCAL lock_timeout = '{PATIENCE}'")
            subject.write(by=self._by, lineage=None, trial=True, tell=self._tell)
            effect = measure(self._today, self._tell)
            transaction.set_rollback(True)
        return effect

    def _report(self, planned: Planned, staging: Staging) -> Report:
        bad_rows = staging.count_bad()
        problems = staging.problems()
        first = list(islice(problems, MOST_PROBLEMS_TOLD)) if bad_rows else []
        if self._on_problem and bad_rows:
            for problem in staging.problems():
                self._on_problem(problem)
        before = Import.objects.filter(
            kind=self._order.kind, source=self._mapping.source, sha256=self._digest, undone_at=None
        )
        return Report(
            kind=self._order.kind,
            filename=safe_filename(self._order.filename),
            source=self._mapping.source,
            rows=self._checker.rows,
            creates=planned.creates,
            updates=planned.updates,
            unchanged=planned.unchanged,
            bad_rows=bad_rows,
            excluded=self._checker.excluded,
            problems=first,
            created=planned.created,
            updated=planned.updated,
            corrections=planned.corrections,
            new_instances=planned.new_instances,
            theirs=self._checker.theirs,
            ignored=self._checker.ignored,
            plan_hash=self._plan_hash(planned),
            mass=planned.mass,
            applied_before=before.aggregate(at=Max("applied_at"))["at"],
        )

    def _plan_hash(self, planned: Planned) -> str:
        """Return what tells this plan from every other: what is changed, row by row."""
        mapping = self._mapping
        named = [self._order.kind, mapping.source, mapping.account_source, planned.digest]
        whole = json.dumps([*named, sorted(self._order.excluded)])
        return hashlib.sha256(whole.encode()).hexdigest()

    def _lineage(self, report: Report) -> Import:
        mapping = self._mapping
        read_with = {
            name: getattr(mapping, name)
            for name in ("name", "account_source", "date_format", "encoding")
            if getattr(mapping, name)
        }
        return Import.objects.create(
            kind=report.kind,
            source=report.source,
            filename=report.filename,
            sha256=self._digest,
            size=self._order.file.seek(0, io.SEEK_END),
            mapping={**mapping.raw, **read_with},
            excluded=sorted(self._order.excluded),
            rows=report.rows,
            creates=report.creates,
            updates=report.updates,
            unchanged=report.unchanged,
            plan_hash=report.plan_hash,
            mass=report.mass,
            by=self._by,
            applied_by=self._by,
            applied_at=Now(),
        )


def _effective(order: Order) -> Mapping:
    given = {
        name: value
        for name in ("source", "account_source", "date_format", "encoding")
        if (value := getattr(order, name))
    }
    mapping = replace(order.mapping, **given)
    mapping = replace(
        mapping,
        source=mapping.source or SOURCE,
        account_source=mapping.account_source or mapping.source or SOURCE,
    )
    check_mapping(mapping)
    return mapping


def safe_filename(name: str) -> str:
    """Return the last part of a path, fit to be shown and stored."""
    last = PurePosixPath(name.replace("\\", "/")).name
    shown = "".join(char if char.isprintable() else "_" for char in last)
    return shown[:LONGEST_NAME] or "file"


def _sha256(file: BinaryIO) -> str:
    file.seek(0)
    digest = hashlib.sha256()
    while block := file.read(BLOCK):
        digest.update(block)
    return digest.hexdigest()
