"""One import from file to facts: read, check, compare; on request apply it, whole or not at all."""

import datetime as dt
import hashlib
from collections.abc import Mapping as Dict
from dataclasses import dataclass, field, replace
from pathlib import PurePosixPath
from typing import Any, BinaryIO, Protocol
from zoneinfo import ZoneInfo

from django.db import transaction
from django.db.models import Max
from django.db.models.functions import Now

from accounts import permissions, selectors
from accounts.imports.checking import Checker, checker_for, reading_of
from accounts.imports.columns import KINDS
from accounts.imports.mappings import Mapping, check_mapping
from accounts.models import Import
from accounts.services.changes import Draft, Plan, Problem
from accounts.services.contracts import Instances, Subscriptions
from accounts.services.customers import Accounts
from accounts.services.facts import Facts
from accounts.services.rates import Rates
from accounts.services.reading_batches import (
    ReadingBatch,
    ReadingPlan,
    plan_readings,
    store_readings,
)
from accounts.services.storing import take_turn
from accounts.services.teams import Assignments, Contacts
from accounts.tabular import Table, UnusableFile, read_table
from config.lib.authz import require
from config.lib.values import echo
from people.models import User

READINGS = "seat-readings"
SOURCE = "import"
FACTS: Dict[str, type[Facts]] = {
    "accounts": Accounts,
    "subscriptions": Subscriptions,
    "instances": Instances,
    "contacts": Contacts,
    "assignments": Assignments,
    "exchange-rates": Rates,
}
LONGEST_NAME = 200
BLOCK = 1 << 20


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


@dataclass(slots=True, kw_only=True)
class Report:
    """What an import would do or did. `theirs`: our columns and what the file calls them."""

    kind: str
    filename: str
    source: str
    rows: int
    creates: int
    updates: int
    unchanged: int
    problems: list[Problem]
    theirs: Dict[str, str]
    ignored: list[str]
    plan: Plan | ReadingPlan
    applied_before: dt.datetime | None = None
    applied: Import | None = None

    @property
    def bad_rows(self) -> int:
        return len({problem.row for problem in self.problems})


def preview_import(order: Order, *, by: User, now: dt.datetime) -> Report:
    """Return what the file would change. Raises UnusableFile; writes nothing."""
    return _run(order, by=by, now=now, apply=False)


def apply_import(order: Order, *, by: User, now: dt.datetime) -> Report:
    """Apply the file in one transaction, or, where the report has problems, nothing of it.

    A file that changes nothing leaves no trace. Raises UnusableFile.
    """
    return _run(order, by=by, now=now, apply=True)


def _run(order: Order, *, by: User, now: dt.datetime, apply: bool) -> Report:
    require(permissions.can_import, by)
    if order.kind not in KINDS:
        raise UnusableFile(f"“{echo(order.kind)}” is none of: {', '.join(KINDS)}.")
    mapping = _effective(order)
    digest = _sha256(order.file)
    table = read_table(order.file, mapping.layout)
    zone = ZoneInfo(mapping.time_zone or selectors.company().time_zone)
    checker = checker_for(table, mapping, reading_of(mapping, now=now, zone=zone), order.kind)
    subject = _subject(order.kind, mapping, checker, table)
    with transaction.atomic():
        if apply:
            take_turn(order.kind, patient=True)
        plan = subject.plan(lock=apply)
        report = _report(order, mapping, checker, plan)
        before = Import.objects.filter(kind=order.kind, source=mapping.source, sha256=digest)
        report.applied_before = before.aggregate(at=Max("applied_at"))["at"]
        if apply and not report.problems and not plan.is_empty:
            report.applied = _lineage(report, mapping, digest, by)
            subject.store(plan, by=by, lineage=report.applied)
        else:
            transaction.set_rollback(True)
    return report


class _Subject(Protocol):
    """What is imported: planned and stored alike, whatever its kind."""

    def plan(self, *, lock: bool) -> Plan | ReadingPlan: ...

    def store(self, plan: Any, *, by: User, lineage: Import | None) -> None: ...


class _FactsOfFile:
    def __init__(self, facts: Facts, drafts: list[Draft]) -> None:
        self._facts, self._drafts = facts, drafts

    def plan(self, *, lock: bool) -> Plan:
        return self._facts.plan(self._drafts, lock=lock)

    def store(self, plan: Plan, *, by: User, lineage: Import | None) -> None:
        self._facts.store(plan, by=by, lineage=lineage)


class _ReadingsOfFile:
    def __init__(self, batch: ReadingBatch) -> None:
        self._batch = batch

    def plan(self, *, lock: bool) -> ReadingPlan:
        del lock
        return plan_readings(self._batch)

    def store(self, plan: ReadingPlan, *, by: User, lineage: Import | None) -> None:
        del plan
        store_readings(self._batch, by=by, lineage=lineage)


def _subject(kind: str, mapping: Mapping, checker: Checker, table: Table) -> _Subject:
    if kind == READINGS:
        return _ReadingsOfFile(
            ReadingBatch(
                drafts=checker.readings(table),
                source=mapping.source,
                account_source=mapping.account_source,
                has_monthly_active="monthly_active" in checker.theirs,
            )
        )
    # Read before the transaction begins, so that it is short.
    drafts = list(checker.drafts(table))
    facts = FACTS[kind](source=mapping.source, account_source=mapping.account_source)
    return _FactsOfFile(facts, drafts)


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


def _report(order: Order, mapping: Mapping, checker: Checker, plan: Plan | ReadingPlan) -> Report:
    if isinstance(plan, ReadingPlan):
        creates, updates = plan.creates, plan.updates
    else:
        creates, updates = len(plan.creates), len(plan.updates)
    problems = sorted([*checker.problems, *plan.problems], key=lambda problem: problem.row)
    return Report(
        kind=order.kind,
        filename=safe_filename(order.filename),
        source=mapping.source,
        rows=checker.rows,
        creates=creates,
        updates=updates,
        unchanged=plan.unchanged,
        problems=problems,
        theirs=checker.theirs,
        ignored=checker.ignored,
        plan=plan,
    )


def _lineage(report: Report, mapping: Mapping, digest: str, by: User) -> Import:
    read_with = {
        name: getattr(mapping, name)
        for name in ("name", "account_source", "date_format", "encoding")
        if getattr(mapping, name)
    }
    return Import.objects.create(
        kind=report.kind,
        source=report.source,
        filename=report.filename,
        sha256=digest,
        mapping={**mapping.raw, **read_with},
        rows=report.rows,
        creates=report.creates,
        updates=report.updates,
        unchanged=report.unchanged,
        by=by,
        applied_by=by,
        applied_at=Now(),
    )


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
