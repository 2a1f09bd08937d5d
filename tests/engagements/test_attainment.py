"""How far service levels were met: the page, its filters, its file, and why one was missed."""

import csv
import datetime as dt
from fractions import Fraction

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from engagements.models import LevelNote
from engagements.selectors.attainment import Asked, attained
from events.models import Event
from tests.engagements.pasts import lived, moment

pytestmark = pytest.mark.django_db

AT = "2026-11-20 12:00"
ASKED = Asked(since=dt.date(2026, 9, 1))


@pytest.fixture
def story():
    """Three were routed, one of them late; two are not yet, one of them late by now."""
    october = {"submitted_at": "2026-10-05 09:00", "impact": 2, "owner": "de"}
    return {
        "met": lived("sow_drafting", routed_at="2026-10-05 12:00", **october),
        "missed": lived("sow_drafting", routed_at="2026-10-07 10:00", **october),
        "out": lived(
            "routed_out",
            submitted_at="2026-11-02 09:00",
            routed_at="2026-11-02 09:30",
            owner="support",
        ),
        "late": lived("submitted", submitted_at="2026-11-18 09:00"),
        "running": lived("submitted", submitted_at="2026-11-20 09:00"),
        "long ago": lived(
            "closed",
            submitted_at="2026-01-05 09:00",
            routed_at="2026-02-05 09:00",
            closed_at="2026-03-02 09:00",
        ),
        "draft": lived("draft"),
    }


def test_a_literal_example(story, tam):
    found = attained(tam, ASKED, at=moment(AT))

    assert (found.whole.met, found.whole.missed, found.whole.running) == (2, 2, 1)
    assert (found.whole.low, found.whole.value, found.whole.high) == (
        Fraction(2, 5),
        Fraction(1, 2),
        Fraction(3, 5),
    )
    assert [
        (part.label, part.attainment.met, part.attainment.decided) for part in found.by_month
    ] == [
        ("November 2026", 1, 2),
        ("October 2026", 1, 2),
    ]
    assert [part.label for part in found.by_impact] == ["High", "Not triaged"]
    assert [part.key for part in found.by_owner] == ["de", "support", ""]
    assert [each.request for each in found.missed] == [story["late"], story["missed"]]
    # Eight hours on Wednesday, eight on Thursday, three on Friday, and eight are allowed.
    assert found.missed[0].clock.over == dt.timedelta(hours=11)
    assert found.missed[1].clock.over == dt.timedelta(hours=9)
    assert found.late == 1


@pytest.mark.parametrize(
    ("asked", "missed"),
    [
        ({"owner": "de"}, ["missed"]),
        ({"impact": "none"}, ["late"]),
        ({"impact": "2"}, ["missed"]),
        ({"clock": "delivered"}, []),
        ({"since": dt.date(2026, 1, 1)}, ["late", "missed", "long ago"]),
    ],
)
def test_it_can_be_narrowed(story, tam, asked, missed):
    found = attained(tam, Asked(**{"since": dt.date(2026, 9, 1), **asked}), at=moment(AT))

    assert [each.request for each in found.missed] == [story[name] for name in missed]


def test_the_number_of_statements_does_not_grow(story, tam, django_assert_num_queries):
    attained(tam, ASKED, at=moment(AT))
    with CaptureQueriesContext(connection) as few:
        attained(tam, ASKED, at=moment(AT))
    for _ in range(5):
        lived("submitted", submitted_at="2026-11-18 09:00")
    with django_assert_num_queries(len(few)):
        attained(tam, ASKED, at=moment(AT))


def page(client, url="/requests/sla/?months=12"):
    answer = client.get(url)
    return answer.status_code, answer.content.decode()


def test_the_page_without_any_clock_says_when_the_first_starts(login, tam):
    status, text = page(login(tam))

    assert status == 200
    assert "No clock has run yet" in text


def test_the_page_with_filters_that_nothing_matches_offers_to_clear_them(login, tam):
    status, text = page(login(tam), "/requests/sla/?impact=4")

    assert status == 200
    assert "No clock matches" in text


def test_what_an_address_asks_for_and_cannot_have_is_said(login, tam):
    status, text = page(login(tam), "/requests/sla/?months=7&clock=x&impact=%00&owner=9")

    assert status == 200
    assert "There is no such" in text


@pytest.fixture
def late():
    return lived("submitted", submitted_at="2026-11-02 09:00")


def test_a_lead_notes_why_and_everybody_reads_it(login, de_lead, tam, late):
    url = f"/requests/{late.number}/levels/routed/"
    client = login(de_lead)

    assert client.get(url).status_code == 200
    assert client.post(url, {"text": ""}).status_code == 422
    assert client.post(url, {"text": "Everybody was at the fair."}).status_code == 302
    assert client.post(url, {"text": "The fair."}).status_code == 302

    assert LevelNote.objects.get().text == "The fair."
    assert Event.objects.filter(verb="request.miss_noted").count() == 2
    assert "The fair." in page(login(tam))[1]


def test_the_file_has_what_was_missed(login, de_lead, late):
    LevelNote.objects.create(request=late, clock="routed", text="=1+1", by=de_lead, at=moment(AT))
    answer = login(de_lead).get("/requests/sla.csv?months=12")

    [row] = csv.DictReader(b"".join(answer).decode().splitlines())

    assert (row["request"], row["clock"], row["why"]) == (late.number, "routed", "'=1+1")
    assert row["allowed_hours"] == "8.00"
    assert float(row["over_hours"]) > 0


@pytest.mark.parametrize("clock", ["routed", "triaged", "nothing"])
def test_what_was_not_missed_needs_no_reason(login, de_lead, clock):
    request = lived("sow_drafting", submitted_at="2026-11-02 09:00", routed_at="2026-11-02 10:00")

    answer = login(de_lead).get(f"/requests/{request.number}/levels/{clock}/")

    assert answer.status_code == 404
