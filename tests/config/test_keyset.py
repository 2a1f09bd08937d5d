import base64
import random
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.models import Account, AccountFacts, SeatReading
from config.lib import keyset
from config.lib.keyset import Key, count_of, keys_for, page_of, parse_ordering
from config.lib.values import BadValue
from tests.factories import AccountFactory

ORDERS = [
    ["name"],
    ["-name"],
    ["region", "name"],
    ["-region", "name"],
    ["facts__arr"],
    ["-facts__arr"],
    ["facts__arr", "-name"],
    ["-facts__arr", "region"],
    ["region", "-facts__arr"],
    ["facts__passes", "-facts__renewal_on", "name"],
    ["-updated_at"],
    ["id"],
    ["-id"],
    ["external_id", "source"],
]


def make_rows(specs):
    """Ties everywhere, accounts without facts (None) and facts without an ARR."""
    for number, (name, region, arr) in enumerate(specs):
        account = AccountFactory(name=name, region=region, external_id=f"x{number}")
        if arr is not None:
            AccountFacts.objects.create(
                account=account,
                arr=None if arr < 0 else Decimal(arr),
                passes=None if arr < 0 else arr > 1,
                data_state="complete",
            )


def walk_all(queryset, order, size, binding=""):
    """Return the rows of every page, walking forwards."""
    pages, cursor = [], None
    while True:
        page = page_of(queryset, order, cursor, size, binding=binding)
        pages.append(page)
        cursor = page.next
        if cursor is None:
            return pages


def expected(queryset, names):
    """Order in Python: nulls last either way, then by id in the last key's direction."""
    rows = list(queryset)
    path_and_sign = [(name.removeprefix("-"), name.startswith("-")) for name in names]
    last = path_and_sign[-1][1]
    rows.sort(key=lambda row: row.pk, reverse=last)
    for path, descending in reversed(path_and_sign):
        with_value = [row for row in rows if keyset._value(row, path) is not None]
        without = [row for row in rows if keyset._value(row, path) is None]
        with_value.sort(key=lambda row, path=path: keyset._value(row, path), reverse=False)
        if descending:
            with_value = stable_reverse(with_value, path)
        rows = with_value + without
    return [row.pk for row in rows]


def stable_reverse(rows, path):
    groups = {}
    for row in rows:
        groups.setdefault(keyset._value(row, path), []).append(row)
    return [row for value in reversed(list(groups)) for row in groups[value]]


SPECS = st.lists(
    st.tuples(st.sampled_from("abc"), st.sampled_from("xy"), st.none() | st.integers(-1, 2)),
    max_size=12,
)


@pytest.mark.django_db
@settings(
    deadline=None,
    max_examples=60,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(specs=SPECS, names=st.sampled_from(ORDERS), size=st.integers(1, 5), seed=st.integers(0, 9))
def test_every_row_exactly_once_in_order_whichever_way_one_walks(specs, names, size, seed):
    Account.objects.all().delete()
    make_rows(specs)
    queryset = Account.objects.select_related("facts")
    order = keys_for(Account, names)
    right = expected(queryset, names)

    pages = walk_all(queryset, order, size)
    assert [row.pk for page in pages for row in page.rows] == right
    assert pages[0].previous is None

    # The last page backwards to the first.
    page, backwards = pages[-1], [[row.pk for row in pages[-1].rows]]
    while page.previous:
        page = page_of(queryset, order, page.previous, size)
        backwards.insert(0, [row.pk for row in page.rows])
    assert [pk for rows in backwards for pk in rows] == right

    # A stroll to and fro never lands beside the rows of the order.
    walker, page = random.Random(seed), pages[0]  # noqa: S311
    for _ in range(8):
        cursor = walker.choice([page.next, page.previous])
        if cursor is None:
            continue
        page = page_of(queryset, order, cursor, size)
        pks = [row.pk for row in page.rows]
        start = right.index(pks[0])
        assert pks == right[start : start + len(pks)]


@pytest.fixture
def accounts(db):
    make_rows([("a", "x", n % 3 - 1) for n in range(10)] + [("b", "y", None)] * 5)
    return Account.objects.select_related("facts")


@pytest.mark.parametrize("names", [["name"], ["-facts__arr", "name"]])
def test_dicts_page_as_objects_do(accounts, names):
    order = keys_for(Account, names)
    rows = accounts.values("id", "name", "facts__arr")
    ids = [row["id"] for page in walk_all(rows, order, 4) for row in page.rows]
    assert ids == [row.pk for page in walk_all(accounts, order, 4) for row in page.rows]


def test_rows_that_come_and_go_shift_nobody(accounts):
    order = keys_for(Account, ["name"])
    first = page_of(accounts, order, None, 4)
    AccountFactory(name="0 before all")
    accounts.get(pk=first.rows[-1].pk)
    Account.objects.filter(pk=first.rows[0].pk).update(name="zz")
    second = page_of(accounts, order, first.next, 4)
    assert not {row.pk for row in second.rows} & {row.pk for row in first.rows}


def test_new_rows_before_the_first_page_are_found_on_the_way_back(accounts):
    order = keys_for(Account, ["-id"])
    first = page_of(accounts, order, None, 4)
    second = page_of(accounts, order, first.next, 4)
    new = AccountFactory()
    back = page_of(accounts, order, second.previous, 4)
    assert [row.pk for row in back.rows] == [row.pk for row in first.rows]
    further = page_of(accounts, order, back.previous, 4)
    assert [row.pk for row in further.rows] == [new.pk]


@pytest.mark.parametrize("names", ORDERS)
def test_a_page_is_one_statement_two_at_most_where_nulls_begin(accounts, names):
    order = keys_for(Account, names)
    cursor = None
    for _ in range(10):
        with CaptureQueriesContext(
            connection,
        ) as statements:
            page = page_of(accounts, order, cursor, 2)
        assert len(statements) <= 2
        sql = statements.captured_queries[0]["sql"]
        assert " OFFSET " not in sql
        assert "COUNT(" not in sql
        cursor = page.next
        if cursor is None:
            break


def test_deep_pages_are_ranges_of_an_index(accounts):
    order = keys_for(Account, ["name"])
    page = page_of(accounts, order, page_of(accounts, order, None, 4).next, 4)
    assert page.rows
    with CaptureQueriesContext(connection) as statements, connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off;")
        cursor.execute("SET LOCAL enable_sort = off")
        page_of(Account.objects.all(), order, page.next, 4)
        sql = statements.captured_queries[-1]["sql"]
        cursor.execute(f"EXPLAIN {sql}")
        plan = "\n".join(line for (line,) in cursor.fetchall())
    assert "Index Scan using accounts_account_by_name" in plan
    assert "Index Cond" in plan
    assert "Sort" not in plan


def test_the_order_is_made_total_by_the_key():
    assert keys_for(Account, ["-name"]) == [Key("name", descending=True)]
    assert keyset.total(Account, keys_for(Account, ["-name"]))[-1] == Key("id", descending=True)
    assert keyset.total(Account, keys_for(Account, ["uuid", "name"])) == [Key("uuid")]
    readings = keyset.total(SeatReading, keys_for(SeatReading, ["-observed_at"]))
    assert [key.path for key in readings] == ["observed_at", "instance", "source", "known_from"]


def test_what_may_be_null_is_found_out():
    keys = keys_for(
        Account, ["name", "churned_on", "facts__arr", "parent__name", "some_annotation"]
    )
    assert [key.nullable for key in keys] == [False, True, True, True, True]


class TestCursors:
    @pytest.fixture
    def cursor(self, accounts):
        return page_of(accounts, keys_for(Account, ["name"]), None, 4, binding="list").next

    def bad(self, accounts, cursor, names=("name",), binding="list"):
        with pytest.raises(BadValue) as caught:
            page_of(accounts, keys_for(Account, names), cursor, 4, binding=binding)
        return caught.value.code == "bad_cursor"

    def test_of_another_list_order_or_filter_are_refused(self, accounts, cursor):
        assert self.bad(accounts, cursor, names=("-name",))
        assert self.bad(accounts, cursor, names=("name", "region"))
        assert self.bad(accounts, cursor, binding="another")

    def test_changed_are_refused(self, accounts, cursor):
        for place in range(0, len(cursor), 7):
            changed = cursor[:place] + ("A" if cursor[place] != "A" else "B") + cursor[place + 1 :]
            assert self.bad(accounts, changed)
        assert self.bad(accounts, cursor[:-4])

    @pytest.mark.parametrize(
        "text", ["x", "1", "a b", "%00", "ä", "🙂" * 10, "A" * 9000, "=", "-_"]
    )
    def test_made_up_are_refused(self, accounts, text):
        assert self.bad(accounts, text)

    @given(text=st.text(max_size=80))
    def test_any_text_is_a_bad_value_at_worst(self, text):
        with pytest.raises(BadValue):
            keyset.opened(text, "list")

    def test_tell_nothing(self, accounts):
        AccountFactory(name="0 Zanzibar Holdings")
        cursor = page_of(accounts, keys_for(Account, ["name"]), None, 1).next
        assert b"Zanzibar" not in base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))

    def test_outlive_a_rotated_key(self, accounts, cursor, settings):
        settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
        settings.SECRET_KEY = "another-key" * 5
        page = page_of(accounts, keys_for(Account, ["name"]), cursor, 4, binding="list")
        assert len(page.rows) == 4


class TestCount:
    def test_is_exact_up_to_a_limit(self, accounts, monkeypatch):
        assert count_of(accounts) == (15, False)
        monkeypatch.setattr(keyset, "COUNT_MAX", 15)
        assert count_of(accounts) == (15, False)

    def test_is_the_planners_beyond(self, accounts, monkeypatch):
        monkeypatch.setattr(keyset, "COUNT_MAX", 5)
        count, estimated = count_of(accounts)
        assert estimated
        assert count >= 6


class TestOrderingParameter:
    allowed = {"arr": "facts__arr", "name": "name"}

    def test_names_become_paths(self):
        assert parse_ordering("-arr,name", self.allowed) == ["-facts__arr", "name"]

    @pytest.mark.parametrize(
        ("text", "code"),
        [
            ("facts__arr", "not_a_choice"),
            ("--arr", "not_a_choice"),
            ("arr,", "not_a_choice"),
            ("", "not_a_choice"),
            ("?", "not_a_choice"),
            ('arr"; DROP', "not_a_choice"),
            ("arr,-arr", "repeated"),
        ],
    )
    def test_nothing_else_does(self, text, code):
        with pytest.raises(BadValue) as caught:
            parse_ordering(text, self.allowed)
        assert caught.value.code == code
