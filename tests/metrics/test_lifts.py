"""The lift of projects, kept in step with the number, their accounts and their seats."""

import json
from decimal import Decimal

import pytest
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from metrics.services.lifts import MOST_PARTS, refresh_lifts
from projects.measure import lift_changed
from projects.models import Project
from tests.factories import ProjectAccountFactory, ProjectFactory
from tests.metrics.scene import LATER, compute, customer, learn, moment, read

pytestmark = pytest.mark.django_db


@pytest.fixture
def four():
    """One passes, one passes and falls, one is 10 seats short, one nobody has read."""
    learn("01-01")
    found = {
        name: customer(seats, at="01-20T12:00", name=name)
        for name, seats in (("Above", 95), ("Falls", 96), ("Below", 70), ("Silent", None))
    }
    learn("03-05")
    read(found["Above"], 95, "03-10T12:00")
    read(found["Below"], 70, "03-10T12:00")
    read(found["Falls"], 84, "03-10T12:00")
    compute("02-08")
    compute("03-10")
    return found


def project_for(**seats):
    """A project and the seats it unlocks, by account: three numbers, one, or None."""
    project = ProjectFactory(kind="external")
    for account, told in seats.values():
        low, likely, high = told if isinstance(told, tuple) else (told, told, told)
        ProjectAccountFactory(
            project=project, account=account, seats_low=low, seats_likely=likely, seats_high=high
        )
    return project


def lift_of(project):
    project.refresh_from_db()
    return project.lift_low, project.lift, project.lift_high


def notes(project):
    project.refresh_from_db()
    return {part["account"]: part["note"] for part in project.lift_parts}


def test_an_account_that_surely_crosses_is_worth_its_share(four):
    project = project_for(a=(four["Below"], 10))
    assert refresh_lifts(at=LATER) == 1
    assert lift_of(project) == (25, 25, 25)
    assert (project.lift_seats, project.lifted_at) == (10, LATER)


def test_seats_that_may_not_do_are_worth_their_chance(four):
    project = project_for(a=(four["Below"], (5, 8, 20)))
    refresh_lifts(at=LATER)
    low, expected, high = lift_of(project)
    assert (low, high) == (0, 25)
    assert expected == (Decimal(100) * 100 / 180 / 4).quantize(Decimal("0.00001"))


def test_protecting_what_falls_is_worth_something(four):
    project = project_for(a=(four["Falls"], 12), b=(four["Above"], 12))
    refresh_lifts(at=LATER)
    low, expected, high = lift_of(project)
    assert 0 < low == expected == high < 25
    assert [part["fell"] for part in project.lift_parts] == [12, 0]


def test_what_cannot_be_said_adds_nothing_and_says_why(four):
    prospect = customer(70, name="Prospect", status="prospect")
    project = project_for(a=(four["Silent"], 50), b=(prospect, 50), c=(four["Below"], None))
    refresh_lifts(at=LATER)
    assert lift_of(project) == (0, 0, 0)
    assert project.lift_seats == 100
    assert notes(project) == {
        str(four["Silent"].uuid): "no_reading",
        str(prospect.uuid): "not_seen",
        str(four["Below"].uuid): "no_seats",
    }


def test_without_seats_or_without_a_number_it_is_unknown(four):
    project = project_for(a=(four["Below"], None))
    internal = ProjectFactory()
    refresh_lifts(at=LATER)
    assert lift_of(project) == lift_of(internal) == (None, None, None)


def test_before_the_first_run_there_is_none():
    project = project_for(a=(customer(70), 10))
    assert refresh_lifts(at=LATER) == 0
    assert lift_of(project) == (None, None, None)


def test_only_what_differs_is_written_and_no_version(four):
    project = project_for(a=(four["Below"], 10))
    refresh_lifts(at=LATER)
    version = project.version
    assert refresh_lifts(at=moment("12-01")) == 0
    assert lift_of(project)[1] == 25
    assert (project.version, project.lifted_at) == (version, LATER)


def test_what_was_delivered_keeps_what_it_promised(four):
    project = project_for(a=(four["Below"], 10))
    refresh_lifts(at=LATER)
    read(four["Below"], 85, "03-11T12:00")
    compute("03-11", "03-13")
    Project.objects.filter(pk=project.pk).update(lift_seats=10)
    delivered = ProjectFactory(kind="external", state="delivered")
    ProjectAccountFactory(project=delivered, account=four["Below"])
    refresh_lifts(at=LATER)
    assert lift_of(project)[1] == 0
    assert lift_of(delivered)[1] is None


def test_who_changes_a_project_brings_its_lift_up_to_date(four):
    project, other = (project_for(a=(four["Below"], 10)) for _ in range(2))
    lift_changed([project.pk])
    assert lift_of(project)[1] == 25
    assert lift_of(other)[1] is None


def test_the_night_brings_all_of_them_up_to_date(four):
    project = project_for(a=(four["Below"], 10))
    call_command("recompute_metrics", "--as-of=2026-03-10", "--metric=seats-deployed", verbosity=0)
    assert lift_of(project)[1] == 25


def test_as_many_statements_for_any_number_of_projects(four):
    def statements():
        with CaptureQueriesContext(
            connection,
        ) as sent:
            refresh_lifts(at=LATER)
        return len([each for each in sent if "SAVEPOINT" not in each["sql"]])

    project_for(a=(four["Below"], 10))
    one = statements()
    for seats in range(9):
        project_for(a=(four["Below"], seats), b=(four["Above"], seats))
    assert statements() == one <= 5


def test_many_accounts_are_told_as_the_most_and_the_rest(four):
    project = project_for(
        **{f"a{n}": (customer(70, name=f"Co {n}"), 5 + n) for n in range(MOST_PARTS + 5)}
    )
    compute("03-11", "03-13")
    refresh_lifts(at=LATER)
    project.refresh_from_db()
    *told, rest = project.lift_parts
    assert (len(told), rest["more"]) == (MOST_PARTS, 5)
    assert len(json.dumps(project.lift_parts)) < 10_000


def test_its_page_says_how_much_by_whom_and_as_of_when(four, login, tam):
    project = project_for(a=(four["Below"], 10), b=(four["Silent"], 4))
    refresh_lifts(at=moment("03-12"))
    page = login(tam).get(f"/projects/PRJ-{project.pk}/").content.decode()
    words = " ".join(page.split())
    assert "Would deploy about 14 seats at 2 accounts." in words
    assert "25.0 points" in words
    assert "Silent (no count yet)" in words
    assert "By the number of 10 Mar" in words
