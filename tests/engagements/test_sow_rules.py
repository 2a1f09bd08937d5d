import copy
import datetime as dt
import itertools
import json
import random
import unicodedata
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engagements.rules import changes, diff, sow, sow_reading
from engagements.rules.sow_reading import read
from tests.factories import sow_content

WORDS = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cf", "Cs", "Zl", "Zp")))
LINE = st.lists(st.sampled_from(["a", "Odda", "and", "Sandnes,", "é", "", " ", "1."])).map(" ".join)
DAY = st.dates(dt.date(2026, 1, 1), dt.date(2027, 12, 31)).map(dt.date.isoformat)
ROW = st.fixed_dictionaries(
    {"what": LINE, "detail": LINE, "by_whom": LINE, "by_when": DAY | st.just("")}
)
CONTENT = st.fixed_dictionaries(
    {
        "title": LINE,
        "deliverables": st.lists(ROW, max_size=4),
        **{name: st.lists(LINE, max_size=4) for name in sow.LISTS},
        "customer_owner": LINE,
        "timeframe": st.just({"start": "2026-01-01", "end": "2027-12-31"}),
        "maintenance": st.fixed_dictionaries(
            {
                "owner": st.sampled_from(["", *sow.MAINTENANCE_OWNERS]),
                "depends_on_server_version": st.sampled_from([True, False, None]),
                "text": LINE,
            }
        ),
        "deemed_acceptance_days": st.none() | st.integers(1, 60),
        "amount": st.sampled_from(["0", "12.5", "50000.00"]),
        "currency": st.sampled_from(["USD", "EUR"]),
    }
).map(lambda data: read(data).content)


def digest(content, request="REQ-1", account="ACC-1"):
    return sow.digest_of(content, request=request, account=account)


def set_at(content, path, value):
    changed = copy.deepcopy(content)
    *way, name = (int(step) if step.isdigit() else step for step in path.split("."))
    inner = changed
    for step in way:
        inner = inner[step]
    inner[name] = value
    return changed


def otherwise_ordered(value, chance):
    if isinstance(value, dict):
        names = list(value)
        chance.shuffle(names)
        return {name: otherwise_ordered(value[name], chance) for name in names}
    if isinstance(value, list):
        return [otherwise_ordered(item, chance) for item in value]
    if isinstance(value, str) and value:
        space = chance.choice(["", " ", "  "])
        return unicodedata.normalize(chance.choice(["NFC", "NFD"]), f"{space}{value}{space}")
    return value


def words(before, after):
    return diff.difference({"title": before}, {"title": after}).single["title"]


class TestDigest:
    @given(CONTENT, st.randoms())
    def test_order_and_spacing_make_no_difference(self, content, chance):
        assert digest(otherwise_ordered(content, chance)) == digest(content)

    @given(CONTENT)
    def test_reading_again_changes_nothing(self, content):
        again = read(json.loads(json.dumps(content)), used=sow.keys_used(content))
        assert (again.content, again.errors) == (content, {})
        assert digest(again.content) == digest(content)

    @pytest.mark.parametrize(
        ("path", "value"),
        [
            ("title", "SAML for all plants"),
            ("deliverables.0.what", "SAML sign-in"),
            ("deliverables.0.detail", "Tested with 21 accounts."),
            ("deliverables.0.by_whom", "Somebody else"),
            ("deliverables.0.by_when", "2026-12-05"),
            ("deliverables.0.key", "d2"),
            ("deliverables", []),
            ("needs.0", "Two test realms"),
            ("in_scope.0", "Two plants"),
            ("out_of_scope", []),
            ("acceptance.0", "21 accounts sign in"),
            ("assumptions.0", "The realm will exist"),
            ("customer_owner", "Kari Solberg"),
            ("timeframe.start", "2026-11-24"),
            ("timeframe.end", "2026-12-05"),
            ("maintenance.owner", "de"),
            ("maintenance.depends_on_server_version", True),
            ("maintenance.text", "We do."),
            ("deemed_acceptance_days", 10),
            ("amount", "0.01"),
            ("currency", "EUR"),
        ],
    )
    def test_every_part_is_bound(self, path, value):
        assert digest(set_at(sow_content(), path, value)) != digest(sow_content())

    def test_it_is_of_one_request_and_one_account(self):
        assert len({digest(sow_content()), digest(sow_content(), request="REQ-2"),
                    digest(sow_content(), account="ACC-2")}) == 3  # fmt: skip

    def test_the_order_of_deliverables_is_what_was_shown(self):
        two = sow_content()
        two["deliverables"].append({**two["deliverables"][0], "key": "d2", "what": "Runbook"})
        assert digest(two) != digest({**two, "deliverables": two["deliverables"][::-1]})

    def test_it_stays_what_it_is(self):
        # A digest in a certificate has to be found again for years.
        assert digest(sow_content()) == (
            "5f8fc00082d8df13c501435f1a973dea08c3895a2cf587b69b47619f9a1bd36a"
        )

    @given(CONTENT, CONTENT)
    def test_contents_that_differ_have_digests_that_differ(self, one, other):
        assert (digest(one) == digest(other)) == (sow.canonical(one) == sow.canonical(other))


class TestMissing:
    def test_a_whole_one_lacks_nothing(self):
        assert sow.missing_parts(sow_content()) == []

    def test_an_empty_one_lacks_everything(self):
        assert [each.path for each in sow.missing(sow.empty())] == [
            "title", "deliverables", "timeframe.start", "timeframe.end", "in_scope",
            "out_of_scope", "acceptance", "assumptions", "customer_owner", "maintenance.owner",
            "maintenance.depends_on_server_version",
        ]  # fmt: skip

    @pytest.mark.parametrize(
        ("path", "words"),
        [
            ("deliverables.0.what", "what it is (deliverable 1)"),
            ("deliverables.0.by_whom", "who delivers it (deliverable 1)"),
            ("deliverables.0.by_when", "by when (deliverable 1)"),
            ("customer_owner", "who owns it at the customer"),
            ("maintenance.owner", "who maintains it afterwards"),
            ("timeframe.start", "the first day of the timeframe"),
        ],
    )
    def test_each_part_is_asked_for(self, path, words):
        assert sow.missing_parts(set_at(sow_content(), path, "")) == [words]

    def test_false_is_an_answer(self):
        content = set_at(sow_content(), "maintenance.depends_on_server_version", None)
        assert sow.missing_parts(content) == ["whether it depends on the server version"]

    def test_the_timeframe_reaches_to_the_last_deliverable(self):
        content = set_at(sow_content(), "timeframe.end", "2026-12-03")
        assert sow.missing_parts(content) == ["a timeframe that reaches to the last deliverable"]

    def test_nothing_at_all_is_no_crash(self):
        assert len(sow.missing_parts({})) == 11


class TestReading:
    @pytest.mark.parametrize(
        ("path", "value", "code"),
        [
            ("title", 7, "not_a_string"),
            ("title", "x" * 201, "max_length"),
            ("title", "a\nb", "line_break"),
            ("title", "a\u202eb", "unsafe_character"),
            ("deliverables", {}, "not_a_list"),
            ("deliverables", [{}] * 51, "too_many"),
            ("deliverables.0", "d1", "not_an_object"),
            ("deliverables.0.by_when", "4 Dec", "not_a_date"),
            ("deliverables.0.by_when", 20261204, "not_a_string"),
            ("deliverables.0.by_when", "9999-12-31", "date_out_of_range"),
            ("deliverables.0.detail", "x" * 4_001, "max_length"),
            ("deliverables.0.key", "d9", "unknown_key"),
            ("deliverables.0.key", "d01", "unknown_key"),
            ("deliverables.0.key", {"a": 1}, "unknown_key"),
            ("deliverables.0.price", "1", "unknown"),
            ("needs", "one\ntwo", "not_a_list"),
            ("needs", ["x"] * 51, "too_many"),
            ("needs.0", {"text": "x"}, "not_a_string"),
            ("timeframe", [], "not_an_object"),
            ("timeframe.end", "2026-11-22", "ends_before_start"),
            ("maintenance.owner", "nobody", "not_a_choice"),
            ("maintenance.depends_on_server_version", "yes", "not_a_boolean"),
            ("maintenance.price", 1, "unknown"),
            ("deemed_acceptance_days", 0, "too_small"),
            ("deemed_acceptance_days", 10.0, "not_an_integer"),
            ("deemed_acceptance_days", True, "not_an_integer"),
            ("amount", 12, "not_a_string"),
            ("amount", "1e5", "not_a_number"),
            ("amount", "-1", "negative"),
            ("currency", "usd", "not_a_currency"),
            ("price", 1, "unknown"),
        ],
    )
    def test_what_is_wrong_is_named_by_its_path(self, path, value, code):
        found = read(set_at(sow_content(), path, value), used=1)
        assert {where: bad.code for where, bad in found.errors.items()} == {path: code}

    @pytest.mark.parametrize("data", [None, [], "x", 7, True])
    def test_it_is_an_object(self, data):
        assert read(data).errors["content"].code == "not_an_object"

    def test_two_rows_have_two_keys(self):
        row = sow_content()["deliverables"][0]
        found = read({"deliverables": [row, row]}, used=1)
        assert found.errors["deliverables.1.key"].code == "key_twice"

    def test_keys_are_never_given_twice(self):
        first = read({"deliverables": [{"what": "a"}, {"what": "b"}]})
        kept = first.content["deliverables"][:1]
        second = read({"deliverables": [*kept, {"what": "c"}]}, used=first.keys_used)
        assert [row["key"] for row in second.content["deliverables"]] == ["d1", "d3"]
        assert second.keys_used == 3

    def test_what_is_empty_is_no_error(self):
        found = read({"title": None, "deliverables": [{"by_when": ""}], "timeframe": {}})
        assert found.errors == {}
        assert found.content["deliverables"][0]["by_when"] == ""

    def test_a_form_writes_lists_as_lines(self):
        found = read({"needs": "- A test realm\r\n\r\n2) An admin \n• A list\n"}, as_text=True)
        assert found.content["needs"] == ["A test realm", "An admin", "A list"]

    def test_what_was_typed_comes_back(self):
        text = "fine\n" + "x" * 501
        found = read(
            {
                "needs": text,
                "deliverables": [{"what": "a", "by_when": "soon"}],
                "deemed_acceptance_days": "ten",
            },
            as_text=True,
        )
        assert found.typed == {
            "needs": text, "deliverables.0.by_when": "soon", "deemed_acceptance_days": "ten",
        }  # fmt: skip
        assert found.errors["needs"].detail == "Line 2: At most 500 characters."
        assert found.content["needs"] == []

    @given(st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
        lambda inner: st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from([*sow.empty(), "what", "key", "owner", "x"]), inner),
    ), st.booleans())  # fmt: skip
    def test_nothing_that_is_sent_breaks_it(self, data, as_text):
        found = read(data, as_text=as_text)
        assert "\\u0000" not in json.dumps([found.content, found.typed])
        digest(found.content)
        assert read(found.content, used=found.keys_used).errors == {}

    def test_templates_count_in_days(self):
        template = read(
            {"deliverables": [{"what": "a", "by_when": "14"}, {"what": "b"}],
             "timeframe": {"start": "0", "end": "21"}}, as_text=True, in_days=True,
        ).content  # fmt: skip
        dated = sow_reading.dated(template, start=dt.date(2026, 11, 23))
        assert [row["by_when"] for row in dated["deliverables"]] == ["2026-12-07", ""]
        assert dated["timeframe"] == {"start": "2026-11-23", "end": "2026-12-14"}


class TestDifference:
    @given(CONTENT, CONTENT)
    def test_it_tells_both(self, one, other):
        found = diff.difference(one, other)
        rows = {row.key: row for row in found.deliverables}
        for before, status in ((one, diff.ADDED), (other, diff.REMOVED)):
            there = [row["key"] for row in before["deliverables"]]
            assert {key for key, row in rows.items() if row.status != status} == set(there)
        assert [row.key for row in found.deliverables if row.status != diff.REMOVED] == [
            row["key"] for row in other["deliverables"]
        ]
        for row in one["deliverables"]:
            assert {name: rows[row["key"]].cells[name].was for name in diff.CELLS} == {
                name: row[name] for name in diff.CELLS
            }
        for name in sow.LISTS:
            items = found.lists[name]
            assert [i.text.was for i in items if i.status != diff.ADDED] == one[name]
            assert [i.text.now for i in items if i.status != diff.REMOVED] == other[name]

    @given(CONTENT)
    def test_nothing_changed(self, content):
        found = diff.difference(content, content)
        assert found.changes == 0
        assert diff.changed_parts(content, content) == []

    @given(CONTENT, CONTENT)
    def test_it_counts_what_changed(self, one, other):
        assert (diff.difference(one, other).changes == 0) == (not diff.changed_parts(one, other))

    @given(WORDS, WORDS)
    def test_words_tell_both_texts(self, before, after):
        text = words(before, after)
        shown = [sow.canonical({"title": each})["title"] for each in (before, after)]
        assert [text.was, text.now] == shown
        kinds = [segment.kind for segment in text.segments]
        assert all(one != other for one, other in itertools.pairwise(kinds))

    def test_only_the_words_that_changed(self):
        text = words("Switch-over at Kongsberg, Odda", "Switch-over at Kongsberg and Odda")
        assert [tuple(segment) for segment in text.segments] == [
            ("same", "Switch-over at Kongsberg"),
            ("removed", ","),
            ("added", " and"),
            ("same", " Odda"),
        ]

    def test_words_replaced_in_a_row_are_one_change(self):
        text = words("we ship it on Monday", "we send them Monday")
        assert [tuple(segment) for segment in text.segments] == [
            ("same", "we "), ("removed", "ship it on"), ("added", "send them"), ("same", " Monday"),
        ]  # fmt: skip

    def test_a_date_changes_as_a_whole(self):
        after = set_at(sow_content(), "deliverables.0.by_when", "2026-12-05")
        found = diff.difference(sow_content(), after)
        cell = found.deliverables[0].cells["by_when"]
        assert [tuple(segment) for segment in cell.segments] == [
            ("removed", "2026-12-04"), ("added", "2026-12-05"),
        ]  # fmt: skip
        assert (found.deliverables[0].status, found.changes) == ("changed", 1)

    def test_an_item_is_matched_by_likeness(self):
        before = {**sow_content(), "needs": ["A test realm and an admin", "A list of groups"]}
        after = {**sow_content(), "needs": ["A test realm and two admins", "A contact on shift"]}
        items = diff.difference(before, after).lists["needs"]
        assert [item.status for item in items] == ["changed", "added", "removed"]

    def test_a_row_that_moved_is_a_change(self):
        rows = [{**sow_content()["deliverables"][0], "key": f"d{n}"} for n in (1, 2, 3)]
        before = {**sow_content(), "deliverables": rows}
        after = {**sow_content(), "deliverables": [rows[2], rows[0], rows[1]]}
        found = diff.difference(before, after)
        assert [(row.key, row.status) for row in found.deliverables] == [
            ("d3", "moved"), ("d1", "same"), ("d2", "same"),
        ]  # fmt: skip
        assert found.changes == 1

    def test_a_removed_row_stands_where_it_stood(self):
        rows = [{**sow_content()["deliverables"][0], "key": f"d{n}"} for n in (1, 2, 3)]
        before = {**sow_content(), "deliverables": rows}
        after = {**sow_content(), "deliverables": [rows[0], rows[2]]}
        found = diff.difference(before, after).deliverables
        assert [(row.key, row.status) for row in found] == [
            ("d1", "same"), ("d2", "removed"), ("d3", "same"),
        ]  # fmt: skip

    def test_the_worst_texts_take_bounded_effort(self):
        chance = random.Random(1)  # noqa: S311 nothing secret
        texts = [" ".join(chance.choices("ab", k=1_990)) for _ in range(2 * sow_reading.ROWS_MAX)]
        row = sow_content()["deliverables"][0]
        before, after = (
            {**sow_content(), "deliverables": [
                {**row, "key": f"d{place}", "detail": text} for place, text in enumerate(half, 1)
            ]} for half in (texts[::2], texts[1::2])
        )  # fmt: skip
        found = diff.difference(before, after)
        assert found.deliverables[0].cells["detail"].was == texts[0]


class TestKindOfChange:
    @pytest.mark.parametrize(
        ("end", "days", "kind"),
        [
            ("2026-12-04", "5", "wording"),
            ("2026-11-30", "5", "wording"),
            ("2026-12-04", "4", "wording"),
            ("2026-12-05", "5", "longer"),
            ("2027-02-03", "5", "longer"),
            ("2027-02-04", "5", "larger"),
            ("2026-12-04", "5.5", "larger"),
            ("2027-02-03", None, "longer"),
            ("2026-12-04", None, "wording"),
        ],
    )
    def test_what_it_takes(self, end, days, kind):
        after = set_at(sow_content(), "timeframe.end", end)
        found = changes.kind_of(
            sow_content(), after, days_before=Decimal(5), days_after=days and Decimal(days)
        )
        assert found == kind

    def test_a_deliverable_counts_too(self):
        after = set_at(sow_content(), "deliverables.0.by_when", "2027-03-01")
        assert changes.kind_of(sow_content(), after) == "larger"

    def test_a_first_estimate_is_no_growth(self):
        assert changes.kind_of(sow_content(), sow_content(), days_after=Decimal(5)) == "wording"

    def test_two_months_end_with_the_month(self):
        assert changes.months_after(dt.date(2026, 12, 31), 2) == dt.date(2027, 2, 28)
