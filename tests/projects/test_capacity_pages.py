"""The pages of capacity, increments, teams and absences, as people use them."""

import datetime as dt
from decimal import Decimal

import pytest
from django.urls import reverse
from django.utils import timezone

from accounts.selectors import today
from people.models import Absence
from projects.models import Allocation, Increment, Membership, Team
from tests import factories
from tests.projects.ready import Stage

pytestmark = pytest.mark.django_db
DAYS = dt.timedelta


@pytest.fixture
def stage(db):
    found = Stage()
    found.engineer.name = "Noor Haddad"
    found.engineer.save()
    return found


def url(name, *args):
    return reverse(name, args=args)


def read(browser, address, status=200, **given):
    answer = browser.post(address, given) if given else browser.get(address)
    assert answer.status_code == status
    return answer.content.decode()


def test_capacity_says_who_is_free_and_what_does_not_fit(stage, login):
    monday = stage.increment.start
    factories.AbsenceFactory(
        person=stage.engineer, start=monday, end=monday + DAYS(13), state="approved"
    )
    factories.AllocationFactory(
        increment=stage.increment, project=stage.project, person=stage.engineer, is_hard=True
    )
    page = read(login(stage.stranger), url("projects:capacity"))
    assert f"has 2 hard days in {stage.increment.name}" in page
    assert "No cover" in page
    assert stage.project.number in page
    assert "Noor Haddad" in read(
        login(stage.stranger), f"{url('projects:capacity')}?team={stage.team.uuid}"
    )
    assert read(login(stage.stranger), f"{url('projects:capacity')}?team=%00")


def test_a_page_of_capacity_takes_the_same_statements_however_many_people(
    stage, login, django_assert_max_num_queries
):
    browser = login(stage.lead)
    read(browser, url("projects:capacity"))
    for _ in range(5):
        row = factories.AllocationFactory(increment=stage.increment)
        factories.MembershipFactory(team=stage.team, person=row.person)
        factories.AbsenceFactory(person=row.person)
    with django_assert_max_num_queries(25):
        read(browser, url("projects:capacity"))


def test_a_lead_makes_a_team_its_people_and_its_increments(stage, login):
    browser = login(stage.lead)
    read(browser, url("projects:teams"), 302, name="Northern", weeks="1")
    team = Team.objects.get(name="Northern")
    address = url("projects:team", team.uuid)
    sent = {"do": "member", "person": str(stage.stranger.uuid), "start": "2026-11-02"}
    page = read(browser, address, 422, **sent, days_a_week="9")
    assert "0.1 to 5 days a week" in page
    read(browser, address, 302, **sent, days_a_week="2,5", last="2099-01-31")
    member = Membership.objects.get(team=team)
    assert (member.days_a_week, member.end) == (Decimal("2.5"), dt.date(2099, 2, 1))
    on = today(timezone.now())
    read(browser, address, 302, do="increments", start=str(on), count="4", weeks="2")
    assert Increment.objects.filter(team=team).count() == 2
    edit = url("projects:member", team.uuid, member.uuid)
    read(browser, edit, 302, days_a_week="3", start="2026-11-02")
    read(browser, edit, 302, do="remove")
    assert not team.memberships.exists()
    read(browser, address, 302, do="nothing")
    read(browser, address, 302, do="change", name="North", weeks="2", archived="on")
    assert Team.objects.get(pk=team.pk).archived


def test_days_are_put_changed_moved_and_taken_off(stage, login):
    browser = login(stage.lead)
    sheet = url("projects:increment", stage.increment.uuid)
    put = url("projects:allocate", stage.increment.uuid)
    sent = {"project": stage.project.number, "person": str(stage.engineer.uuid), "kind": "soft"}
    page = read(browser, put, 422, **sent | {"project": "PRJ-0"}, days="x")
    assert "There is no project" not in page
    assert 'value="PRJ-0"' in page
    assert "is not scheduled" in read(browser, put, 422, **sent | {"kind": "hard"}, days="2")
    read(browser, put, 302, **sent, days="2.5")
    row = Allocation.objects.get()
    assert "Noor Haddad" in read(browser, sheet)
    one = url("projects:allocation", row.uuid)
    read(browser, one, 302, days="3", kind="soft")
    read(browser, one, 302, days="3", kind="soft", person=str(stage.owner.uuid))
    row.refresh_from_db()
    assert (row.days, row.person) == (3, stage.owner)
    page = read(browser, one, 422, days="99", kind="soft")
    assert "0.1 to 14 days" in page
    assert 'value="99"' in page
    read(browser, one, 302, do="release")
    assert not Allocation.objects.exists()


def test_an_increment_is_renamed_or_taken_away_while_it_is_empty(stage, login):
    browser = login(stage.lead)
    edit = url("projects:increment-edit", stage.increment.uuid)
    days = {"start": str(stage.increment.start), "end": str(stage.increment.end)}
    read(browser, edit, 302, name="Before the feast", version="1", **days)
    assert "changed meanwhile" in read(browser, edit, 422, name="Late", version="1", **days)
    factories.AllocationFactory(increment=stage.increment)
    assert "Work is planned" in read(browser, edit, 422, do="drop")


def test_time_off_is_asked_for_decided_and_withdrawn_on_its_pages(stage, login):
    on = today(timezone.now())
    asker, lead = login(stage.engineer), login(stage.lead)
    new = url("people:absence-new")
    days = {"start": str(on + DAYS(7)), "end": str(on + DAYS(11))}
    sent = {**days, "cover": str(stage.owner.uuid), "note": "My sister marries."}
    page = read(asker, new, 422, **sent | {"end": str(on)})
    assert "before the first" in page
    assert "My sister marries." in page
    read(asker, new, 302, **sent)
    absence = Absence.objects.get()
    page = url("people:absence", absence.uuid)
    assert "My sister marries." in read(lead, page)
    assert "My sister marries." not in read(login(stage.stranger), page)
    assert "Noor Haddad" in read(login(stage.stranger), url("people:absences"))

    def move(browser, name, status=302, **given):
        address = url("people:absence-move", absence.uuid, name)
        return read(browser, address, status, version=str(absence.version), **given)

    assert "Say why" in move(lead, "refuse", 422, reason="")
    move(asker, "approve", 403)
    move(lead, "approve")
    absence.refresh_from_db()
    assert absence.state == "approved"
    read(asker, url("people:absence-edit", absence.uuid), 302, cover=str(stage.lead.uuid))
    absence.refresh_from_db()
    assert absence.cover == stage.lead
    move(asker, "nothing", 404)
    move(asker, "withdraw")
    assert "Withdrawn" in read(asker, page)


def test_who_stands_in_sees_what_the_person_works_on(stage, login):
    absence = factories.AbsenceFactory(person=stage.engineer, cover=stage.owner)
    page = read(login(stage.owner), url("projects:absence-at-risk", absence.uuid))
    assert stage.project.title in page


@pytest.fixture
def client_of(api_client):
    def become(person):
        return api_client(person, "project:read", "project:write")

    return become


def test_absences_over_the_api_keep_the_note_from_strangers_and_decisions_from_tokens(
    stage, client_of
):
    on = today(timezone.now())
    asker, lead, other = (client_of(one) for one in (stage.engineer, stage.lead, stage.stranger))
    sent = {
        "start": str(on + DAYS(3)),
        "end": str(on + DAYS(4)),
        "cover": {"email": stage.owner.email},
        "note": "A wedding.",
    }
    made = asker.post("/api/v1/absences/", sent, format="json")
    assert made.status_code == 201, made.content
    address = made["Location"]
    assert asker.get(address).json()["note"] == "A wedding."
    assert other.get(address).json()["note"] is None
    assert lead.get(address).json()["note"] == "A wedding."
    answer = lead.post(f"{address}transitions/", {"transition": "approve"}, format="json")
    assert answer.status_code == 403
    assert asker.patch(address, {"note": ""}, format="json").status_code == 428
    changed = asker.patch(address, {"note": ""}, format="json", HTTP_IF_MATCH=made["ETag"])
    assert changed.json()["note"] == ""
    assert asker.post("/api/v1/absences/", sent, format="json").json()["errors"]
    gone = asker.post(f"{address}transitions/", {"transition": "withdraw"}, format="json")
    assert gone.json()["state"] == "withdrawn"


def test_planning_over_the_api(stage, client_of):
    lead = client_of(stage.lead)

    def send(method, path, body=None, status=200, **more):
        answer = getattr(lead, method)(f"/api/v1/{path}", body or {}, format="json", **more)
        assert answer.status_code == status, answer.content
        return answer

    team = send("post", "teams/", {"name": "Northern", "weeks": 1}, 201)
    path = f"teams/{team.json()['id']}/"
    send("patch", path, {"weeks": 2}, HTTP_IF_MATCH=team["ETag"])
    part = {"person": {"email": stage.stranger.email}, "days_a_week": "3.5", "start": "2026-01-01"}
    member = send("post", f"{path}members/", part, 201).json()
    send("patch", f"{path}members/{member['id']}/", {"days_a_week": "4"})
    assert send("get", path).json()["members"][0]["days_a_week"] == "4.0"
    on = today(timezone.now())
    body = {"team": team.json()["id"], "start": str(on + DAYS(7)), "count": 4}
    made = send("post", "increments/", body, 201).json()["increments"]
    assert len(made) == 2
    put = {
        "increment": made[0]["id"],
        "project": str(stage.project.uuid),
        "person": str(stage.stranger.uuid),
        "days": "9.5",
    }
    row = send("post", "allocations/", put, 201).json()
    assert (row["days"], row["hard"]) == ("9.5", False)
    sheet = send("get", f"increments/{made[0]['id']}/sheet/").json()
    assert sheet["people"][0]["over"] == "1.5"
    assert "9.5 soft days" in sheet["conflicts"][0]["words"]
    assert "not scheduled" in str(
        send("patch", f"allocations/{row['id']}/", {"hard": True}, 400).json()
    )
    send("patch", f"allocations/{row['id']}/", {"increment": made[1]["id"], "days": "2"})
    send("delete", f"increments/{made[0]['id']}/", status=204)
    send("delete", f"increments/{made[1]['id']}/", status=409)
    send("delete", f"allocations/{row['id']}/", status=204)
    send("delete", f"{path}members/{member['id']}/", status=204)
    engineer = client_of(stage.engineer)
    refused = engineer.post("/api/v1/teams/", {"name": "Mine"}, format="json")
    assert refused.status_code == 403
