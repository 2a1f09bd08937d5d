"""Roll-out, retrospective, looks at the outcome, and what they say of the next estimate."""

import datetime as dt
from fractions import Fraction

import pytest
from django.core.exceptions import PermissionDenied
from django.urls import reverse

from accounts.models import AccountFacts
from config.lib.errors import Conflict, Invalid, StaleWrite
from projects import selectors
from projects.selectors.outcomes import seats_before
from projects.services import outcomes, roll_outs
from projects.views.outcome_words import calibrated
from tests import factories
from tests.projects.ready import Stage

pytestmark = pytest.mark.django_db


@pytest.fixture
def stage():
    return Stage()


@pytest.fixture
def check(stage):
    AccountFacts.objects.update_or_create(account=stage.account, defaults={"deployed": 260})
    return factories.ProjectCheckFactory(project=stage.project, due_on=stage.today)


def record(stage, check, by=None, **given):
    return outcomes.record_check(
        check, **({"seats_found": 260} | given), by=by or stage.owner, at=stage.now
    )


def test_the_verdict_is_worked_out_from_promise_and_seats(stage, check):
    done = record(stage, check)
    assert (done.verdict, done.done_by) == ("partly", stage.owner)
    with pytest.raises(Conflict, match="recorded already"):
        record(stage, check)


def test_a_number_the_accounts_do_not_have_is_explained(stage, check):
    with pytest.raises(Invalid, match="260 seats deployed"):
        record(stage, check, seats_found=280)
    assert record(stage, check, seats_found=280, note="20 more since.").verdict == "achieved"


def test_without_a_number_there_is_a_note_and_no_verdict(stage, check):
    with pytest.raises(Invalid, match="say what you found"):
        record(stage, check, seats_found=None)
    assert record(stage, check, seats_found=None, note="They left.").verdict == ""


def test_nobody_looks_before_it_is_due_or_at_others_work(stage, check):
    with pytest.raises(PermissionDenied):
        record(stage, check, by=stage.stranger)
    check.due_on = stage.today + dt.timedelta(days=1)
    check.save()
    with pytest.raises(Conflict, match="is due on"):
        record(stage, check)


def test_what_comes_before_the_close_counts_too(stage):
    instance = factories.InstanceFactory(account=stage.account)
    for days, seats in ((20, 100), (3, 260)):
        moment = stage.now - dt.timedelta(days=days)
        factories.SeatReadingFactory(instance=instance, observed_at=moment, seats=seats)
    stage.account.instances.exclude(pk=instance.pk).update(counted=False)
    AccountFacts.objects.update_or_create(account=stage.account, defaults={"deployed": 260})
    assert seats_before(stage.project) == 260
    stage.project.started_at = stage.now - dt.timedelta(days=10)
    assert seats_before(stage.project) == 100


def test_looks_that_are_due_surface_the_oldest_first(stage, check):
    older = factories.ProjectCheckFactory(due_on=stage.today - dt.timedelta(days=9))
    factories.ProjectCheckFactory(due_on=stage.today + dt.timedelta(days=1))
    assert list(selectors.checks_due(stage.today)) == [older, check]


def test_a_look_is_suggested_and_recorded_on_the_page(stage, check, login):
    client, path = login(stage.owner), reverse("projects:delivery", args=[stage.project.pk])
    page = client.get(path).content.decode()
    assert "Its accounts say 260 now" in page
    sent = {"check-30-seats_found": "260", "check-30-note": "Two plants use it."}
    assert client.post(f"{path}outcome/30/", sent).status_code == 302
    page = client.get(path).content.decode()
    assert "160 of 200 seats promised came: 80.0%." in page
    assert "Partly" in page


@pytest.mark.parametrize("seats", ["-1", "1e9", "99999999999", "\x00", "x"])
def test_what_is_no_number_comes_back(stage, check, login, seats):
    path = reverse("projects:outcome-check", args=[stage.project.pk, 30])
    answer = login(stage.owner).post(path, {"check-30-seats_found": seats})
    assert answer.status_code == 422


def test_roll_out_and_retrospective_open_the_way_to_the_close(stage):
    project = factories.ProjectFactory(state="delivered", owner=stage.owner)
    roll_outs.roll_out(
        project, note="All plants.", done_on=stage.today, by=stage.owner, at=stage.now
    )
    with pytest.raises(Invalid, match="still to come"):
        roll_outs.roll_out(
            project,
            note="All plants.",
            done_on=stage.today + dt.timedelta(days=1),
            by=stage.owner,
            at=stage.now,
        )
    with pytest.raises(StaleWrite):
        roll_outs.write_retrospective(project, "Too late.", version=1, by=stage.owner, at=stage.now)
    roll_outs.write_retrospective(project, "Too late.", version=2, by=stage.owner, at=stage.now)
    project.refresh_from_db()
    assert (project.rolled_out_on, project.retrospective) == (stage.today, "Too late.")
    roll_outs.take_back_roll_out(project, reason="No.", by=stage.owner, at=stage.now)
    project.refresh_from_db()
    assert project.rolled_out_on is None


def test_nothing_is_rolled_out_before_it_is_built(stage):
    with pytest.raises(Conflict, match="is proposed"):
        roll_outs.roll_out(
            stage.project, note="All.", done_on=stage.today, by=stage.owner, at=stage.now
        )


def test_calibration_is_of_the_type_by_the_last_look_at_each(stage):
    def done(found, days, used, type_="migration"):
        project = factories.ProjectFactory(type=type_, days=5, days_used=used)
        for number in (30, 60):
            factories.ProjectCheckFactory(
                project=project,
                days=number,
                seats_found=found if number == 60 else 100,
                done_at=stage.now,
                done_by=stage.owner,
            )
        return project

    done(150, 5, 10)
    done(300, 5, 5)
    last = done(200, 5, 20)
    done(100, 5, 1, type_="demo")
    found = selectors.calibration_of("migration")
    assert (found.seats.middle, found.seats.count) == (Fraction(1, 2), 3)
    assert found.effort.middle == 2
    assert selectors.calibration_of("migration", but=last).seats.count == 2
    words = calibrated("migration")
    assert words.seats == "The middle one of 3 brought 50.0% of the seats promised."
    assert words.effort == "The middle one of 3 took 2.0 times the days planned."
    assert words.caution
    assert calibrated("guide").seats.startswith("Nobody has looked")


def test_a_look_is_recorded_over_the_api(stage, check, api_client):
    path = f"/api/v1/projects/{stage.project.uuid}/checks/"
    client = api_client(stage.owner)
    assert client.get(path).json()["results"][0]["verdict"] is None
    done = client.post(f"{path}30/record/", {"seats_found": 260}, format="json")
    assert done.status_code == 200, done.json()
    assert (done.json()["verdict"], done.json()["seats_realised"]) == ("partly", 160)
    assert client.post(f"{path}60/record/", {"seats_found": 1}, format="json").status_code == 404
    refused = api_client(stage.stranger).post(
        f"{path}30/record/", {"seats_found": 1}, format="json"
    )
    assert refused.status_code == 403
