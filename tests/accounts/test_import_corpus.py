"""Hostile files of every sort end in a sentence: nothing else raises, nothing is half written."""

import datetime as dt
import io
import sys

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from accounts.imports.columns import KINDS
from accounts.imports.mappings import Mapping, parse_mapping
from accounts.imports.running import Order, apply_import
from accounts.models import Account, Import, SeatReading
from accounts.tabular import UnusableFile
from events.models import Event
from people.models import system_user
from tests.accounts import corpus
from tests.accounts.corpus import BAD, GOOD, UNUSABLE
from tests.factories import AccountFactory, InstanceFactory, UserFactory

pytestmark = pytest.mark.django_db
NOW = dt.datetime(2026, 3, 2, 12, tzinfo=dt.UTC)
CASES = corpus.cases()
# However many rows there are, and whatever they hold.
MOST_STATEMENTS = 80
MOST_CALLS, MOST_CALLS_A_BYTE = 300_000, 12
# A workbook may leave out as many rows as there can be, in a few bytes.
MOST_CALLS_FOR_GAPS = 3_000_000


@pytest.fixture
def corpus_world():
    account, other = AccountFactory(external_id="A"), AccountFactory(external_id="B")
    AccountFactory(external_id="CRM", source="crm")
    InstanceFactory(account=account, external_id="I", source="import")
    InstanceFactory(account=other, external_id="J", source="import")
    UserFactory(email="tam@keel.example")
    system_user()


def test_there_are_many_of_them():
    assert len(CASES) > 600


@pytest.mark.parametrize("first", ["E01", "E02", "E03", "E04", "E05", "E06", "E07", "E08", "E09",
                                   "E10", "E11", "E18", "E19"])  # fmt: skip
def test_each_file_ends_as_it_should(corpus_world, first):
    wrong = []
    for case in CASES:
        if case.id.startswith(first):
            with transaction.atomic():
                try:
                    check(case)
                except Exception as error:  # noqa: BLE001 -- to see all of them at once
                    wrong.append(f"{case.id}: {type(error).__name__}: {str(error)[:300]}")
                transaction.set_rollback(True)
    assert not wrong, "\n".join(wrong)


def check(case):
    before = traces()
    with CaptureQueriesContext(connection) as queries:
        ended, report = outcome(case)
    assert case.expected in {ended, None}, (ended, report and report.problems[:3])
    assert len(queries) < MOST_STATEMENTS
    if ended == GOOD:
        assert report.applied.filename.isprintable()
        assert outcome(case)[1].applied is None, "the same file again changes nothing"
        return
    assert traces() == before
    if ended == BAD:
        check_problems(case, report)


def check_problems(case, report):
    for problem in report.problems:
        assert problem.row >= 2
        assert problem.column in KINDS[case.kind].columns or problem.code == "ragged_row"
        assert len(problem.value) <= 80
        assert problem.detail.endswith((".", ")"))
    if case.column:
        assert {problem.column for problem in report.problems} == {case.column}


def outcome(case):
    how = dict(case.how)
    mapping = how.pop("mapping", "")
    found = parse_mapping(mapping, case.kind, name="test") if mapping else Mapping()
    order = Order(
        kind=case.kind,
        file=io.BytesIO(case.content),
        filename=case.filename,
        mapping=found,
        **how,
    )
    try:
        report = apply_import(order, by=system_user(), now=NOW)
    except UnusableFile as error:
        return UNUSABLE if error.message else "speechless", None
    return BAD if report.bad_rows else GOOD, report


def traces():
    return (
        Event.objects.count(),
        Import.objects.count(),
        Account.objects.count(),
        SeatReading.objects.count(),
    )


@pytest.mark.parametrize("first", ["E02", "E03-endless", "E03-cells", "E07", "E19"])
def test_the_work_is_bounded_by_the_size(corpus_world, first):
    """Count calls, which unlike time are the same on every machine."""
    for case in [case for case in CASES if case.id.startswith(first)][::7]:
        calls = counted(case)
        most = MOST_CALLS_FOR_GAPS if "endless" in case.id else MOST_CALLS
        assert calls < most + MOST_CALLS_A_BYTE * len(case.content), (case.id, calls)


def counted(case):
    calls = 0

    def count(frame, event, argument):
        nonlocal calls
        calls += 1

    with transaction.atomic():
        sys.setprofile(count)
        try:
            outcome(case)
        finally:
            sys.setprofile(None)
        transaction.set_rollback(True)
    return calls


def test_e12_rows_that_say_nothing_new_beside_ones_that_do(corpus_world):
    content = corpus.text("accounts")
    for more in ("", "N2,Other,,,,,,,,,\n"):
        order = Order(kind="accounts", file=io.BytesIO((content + more).encode()), filename="f.csv")
        report = apply_import(order, by=system_user(), now=NOW)
        assert report.creates == 1
    assert report.unchanged == 1
