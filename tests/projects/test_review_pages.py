"""Reviews in the browser: planned, run with the keyboard or without a script, looked up."""

import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from projects.models import Project, Review
from projects.rules.scoring import TIMES
from projects.services import reviews as planning
from tests import factories
from tests.projects.table import Table

pytestmark = pytest.mark.django_db


@pytest.fixture
def table():
    return Table()


def text_of(answer):
    plain = re.sub(r"<[^>]+>", " ", answer.content.decode())
    return re.sub(r"\s+", " ", plain)


def page(review, rest=""):
    return f"/reviews/{review.number}/{rest}"


def item_page(table, rest="decide/", item=None):
    return page(table.review, f"items/{(item or table.item).uuid}/{rest}")


def sent(table, decision, **more):
    return {"decision": decision, "version": table.item.version, "note": "So we said."} | more


def test_a_review_is_planned_a_week_ahead_and_begun(login, de_lead, tam):
    client = login(de_lead)
    form = client.get("/reviews/new/").context["form"]
    data = {
        "day": form["day"].value().isoformat(),
        "time": "14:00",
        "chair": str(de_lead.uuid),
        "invited": [str(de_lead.uuid)],
    }
    wrong = client.post("/reviews/new/", {**data, "day": "2020-01-01", "note": "Bring cake."})
    assert wrong.status_code == 422
    assert "Bring cake." in text_of(wrong)
    client.post("/reviews/new/", data)
    review = Review.objects.get()
    assert review.number in text_of(client.get("/reviews/"))

    assert "Begin the review" in text_of(client.get("/board/?view=review"))
    assert "Begin the review" not in text_of(login(tam).get("/board/?view=review"))
    began = login(de_lead).post(page(review, "moves/open/"), {"back": "board"})
    assert began["Location"] == "/board/?view=review"


def test_schedule_asks_for_an_increment_and_keeps_the_note(table, login):
    client = login(table.lead)
    asked = client.post(item_page(table), sent(table, "schedule"))
    assert asked.status_code == 200
    assert "So we said." in asked.content.decode()
    form = asked.context["mode"].form
    assert form["increment"].value() == str(table.increment.uuid)

    wrong = client.post(item_page(table), sent(table, "schedule", increment=""))
    assert wrong.status_code == 422
    assert "So we said." in wrong.content.decode()
    done = client.post(
        item_page(table), sent(table, "schedule", increment=str(table.increment.uuid))
    )
    assert done["Location"].startswith(page(table.review, "?at="))
    assert table.state() == "scheduled"
    shown = text_of(client.get(page(table.review)))
    assert "Schedule. " in shown
    assert f"by {table.lead.name}" in shown


def test_an_increment_without_room_asks_why_all_the_same(table, login):
    client = login(table.lead)
    more = {"increment": str(table.increment.uuid)}
    factories.AbsenceFactory(person=table.engineer, start=table.increment.start,
                             end=table.increment.end, state="approved")  # fmt: skip
    for path, fields in (
        (item_page(table), sent(table, "schedule", **more)),
        (f"/projects/{table.project.number}/moves/schedule/", more),
    ):
        refused = client.post(path, fields)
        assert refused.status_code == 422
        assert "say why all the same" in text_of(refused)
        assert 'name="despite"' in refused.content.decode()
    done = client.post(item_page(table), sent(table, "schedule", **more, despite="Only they can."))
    assert done.status_code == 302
    assert table.state() == "scheduled"


def test_on_the_board_it_is_the_same_review(table, login):
    client = login(table.lead)
    assert table.project.title in text_of(client.get("/board/?view=review"))
    done = client.post(item_page(table), sent(table, "keep", back="board"))
    assert done["Location"].startswith("/board/?view=review&at=")


def test_split_leads_to_the_page_where_parts_are_made(table, login):
    done = login(table.lead).post(item_page(table), sent(table, "split"))
    assert done["Location"] == f"/projects/{table.project.number}/split/"


def test_what_is_blocked_says_why_in_place(login):
    table = Table(request_state="awaiting_signoff")
    client = login(table.lead)
    shown = text_of(client.get(page(table.review)))
    assert "Schedule is not possible now." in shown
    assert f"{table.request.number}: Version 1 of the statement of work is not signed off" in shown
    refused = client.post(item_page(table), sent(table, "schedule"))
    assert refused.status_code == 409
    assert "Keep it, or decide otherwise." in text_of(refused)
    assert "So we said." in refused.content.decode()


def test_the_second_lead_sees_what_was_decided_and_keeps_what_was_typed(table, login):
    first = sent(table, "keep")
    login(table.lead).post(item_page(table), first)
    late = login(table.second_lead).post(item_page(table), {**first, "note": "I would wait."})
    assert late.status_code == 409
    assert f"{table.lead.name} decided “Keep” since you opened it." in text_of(late)
    assert "I would wait." in late.content.decode()


def test_a_note_goes_along_to_the_next_item(table, login):
    second = planning.add_item(
        table.review, factories.ProjectFactory(), by=table.lead, at=table.now
    )
    places = {
        item.pk: place for place, item in enumerate(table.review.items.order_by("position"), 1)
    }
    answer = login(table.lead).post(
        item_page(table, "note/"), {"go": "next", "note": "Ask Kari.", "version": 1}
    )
    table.item.refresh_from_db()
    assert (table.item.note, table.item.decision) == ("Ask Kari.", "")
    assert answer["Location"] == page(table.review, f"?at={places[table.item.pk] + 1}")
    assert places[second.pk] == len(places)


def test_a_decision_is_changed_with_a_reason(table, login):
    table.schedule()
    client = login(table.lead)
    table.item.refresh_from_db()
    shown = client.get(page(table.review, "?change=1"))
    assert "Why it changes" in text_of(shown)
    wrong = client.post(item_page(table), sent(table, "keep", change="1"))
    assert (wrong.status_code, table.state()) == (422, "scheduled")
    client.post(item_page(table), sent(table, "take_back", reason="We wait.", change="1"))
    assert table.state() == "ready"


def test_candidates_stand_side_by_side_and_one_is_taken(table, login):
    other = factories.ProjectFactory(state="ready", title="A runbook", if_not="They call us.")
    path = page(table.review, f"compare/?p={table.project.number}&p={other.number}&p=PRJ-999999")
    client = login(table.lead)
    shown = text_of(client.get(path))
    for part in (
        f"80 {TIMES} 0.9 = 72",
        "200 more seats deployed",
        "They drop 400 seats.",
        "They call us.",
        f"{table.request.number} is signed off (version 1).",
        "There is no project “PRJ-999999”",
        f"{table.engineer.name}: ",
    ):
        assert part in shown
    data = {
        "p": [table.project.number, other.number],
        "increment": str(table.increment.uuid),
    }
    refused = client.post(path, {**data, "take": other.number})
    assert (refused.status_code, "The charter lacks" in text_of(refused)) == (409, True)
    taken = client.post(path, {**data, "take": table.project.number})
    assert (taken.status_code, table.state()) == (302, "scheduled")


def test_it_is_finished_with_minutes_on_its_record(table, login, tam):
    client = login(table.lead)
    assert client.post(page(table.review, "moves/finish/")).status_code == 409
    for item in table.review.items.all():
        table.decide("keep", item=item)
    warned = text_of(client.get(page(table.review, "moves/finish/")))
    assert "The minutes go out by mail" in warned
    client.post(page(table.review, "moves/finish/"))
    record = text_of(login(tam).get(page(table.review)))
    assert "Minutes as sent" in record
    assert f"Minutes of the review {table.review.number}" in record
    rows = client.get("/reviews/decisions.csv").getvalue().decode()
    assert f"{table.project.number},SAML for the plants" in rows


def test_who_only_reads_can_follow(table, login, tam):
    client = login(tam)
    shown = text_of(client.get(page(table.review)))
    assert "Only DE leads decide." in shown
    assert client.post(item_page(table), sent(table, "keep")).status_code == 403


@pytest.mark.parametrize("query", ["?at=9999999", "?at=x", "?decide=schedule", "?at=\x00", "?at=²"])
def test_odd_addresses_are_no_fault(table, login, query):
    client = login(table.lead)
    assert client.get(page(table.review, query)).status_code == 200
    assert client.get(f"/board/?view=review&{query[1:]}").status_code == 200


@pytest.mark.parametrize(
    "data",
    [
        {"decision": "\x00"},
        {"decision": "schedule", "increment": "nonsense", "version": "1e9"},
        {"decision": "keep", "note": "a\x00b"},
        {"decision": "decline", "code": ["a", "b"], "alternative": "\x00", "version": "9" * 30},
    ],
)
def test_odd_decisions_are_refused_without_a_fault(table, login, data):
    answer = login(table.lead).post(item_page(table), data)
    assert answer.status_code in (404, 409, 422)
    assert table.state() == "ready"


def test_as_many_statements_for_a_long_agenda(table, login):
    client = login(table.lead)
    place = table.review.items.filter(position__lt=table.item.position).count() + 1
    path = page(table.review, f"?at={place}")
    client.get(path)

    def counted():
        with CaptureQueriesContext(connection) as queries:
            assert client.get(path).status_code == 200
        return len(queries)

    before = counted()
    for _ in range(8):
        planning.add_item(table.review, factories.ProjectFactory(), by=table.lead, at=table.now)
    assert counted() == before


def test_the_agenda_takes_as_many_statements_for_many_projects(table, login):
    review = planning.plan_review(meets_at=timezone.now(), by=table.lead, at=timezone.now())
    client = login(table.lead)
    client.get(page(review))

    def counted():
        with CaptureQueriesContext(connection) as queries:
            assert client.get(page(review)).status_code == 200
        return len(queries)

    before = counted()
    for number in range(8):
        factories.ProjectFactory(state="in_progress", blocked_by=f"Reason {number}.")
    assert counted() == before
    assert Project.objects.count() > 8
