"""The key figures of projects: what is on time, and what serves many."""

import datetime as dt
import uuid
from decimal import Decimal

import pytest
from django.urls import reverse

from events.models import Event
from metrics.selectors import figures as reading
from metrics.services import figures
from people.models import system_user
from projects.models import Project
from tests import factories
from tests.engagements.pasts import moment

DAY = dt.date(2026, 11, 20)
NIGHT = "2026-11-21 00:11"
# Ended inside the window of the 20th, and after it.
ENDED, LATER = dt.date(2026, 11, 13), dt.date(2026, 11, 27)

pytestmark = pytest.mark.django_db


def compute(slug="increments-on-time", day=DAY, now=NIGHT):
    [outcome] = figures.recompute([slug], [day], by=system_user(), now=moment(now))
    return outcome.run


def increment(end=ENDED, team=None):
    start = end - dt.timedelta(days=11)
    more = {"team": team} if team else {}
    return factories.IncrementFactory(start=start, end=end, **more)


def planned(where, *, delivered=None, state="in_progress", **fields):
    """A project that was planned for an increment on 1 November."""
    project = factories.ProjectFactory(
        state="delivered" if delivered else state, increment=where, **fields
    )
    columns = {"scheduled_at": moment("2026-11-01 09:00")}
    if delivered:
        columns["delivered_at"] = moment(delivered)
    Project.objects.filter(pk=project.pk).update(**columns)
    return project


def told(project, verb, at, **after):
    Event.objects.create(
        verb=f"project.{verb}",
        object_type="projects.project",
        object_id=project.uuid,
        actor_id=system_user().pk,
        after={name: str(value) if value else None for name, value in after.items()},
        at=moment(at),
    )


def said(run, by):
    return {part["key"]: (part["numerator"], part["denominator"]) for part in run.parts["by"][by]}


def test_on_time_is_delivered_by_the_last_day_on_the_companys_clocks():
    ended = increment()
    planned(ended, delivered="2026-11-13 23:59", type="guide")
    planned(ended, delivered="2026-11-14 00:00", type="guide")
    planned(ended, type="demo")
    planned(increment(LATER))
    planned(increment(dt.date(2026, 8, 22)), delivered="2026-08-20 12:00")

    run = compute()

    assert (run.numerator, run.denominator) == (1, 3)
    assert run.value == Decimal("0.333333")
    assert said(run, "team") == {str(ended.team.uuid): (1, 3)}
    assert said(run, "type") == {"guide": (1, 2), "demo": (0, 1)}


def test_work_that_is_put_off_after_its_increment_was_late_in_it():
    old, new = increment(), increment(LATER)
    late, moved = planned(new), planned(new)
    for project, day in ((late, "2026-11-16 09:00"), (moved, "2026-11-12 09:00")):
        told(project, "scheduled", "2026-11-01 09:00", increment=old.uuid)
        told(project, "scheduled", day, increment=new.uuid)

    assert said(compute(), "team") == {str(old.team.uuid): (0, 1)}
    run = compute(day=LATER, now="2026-11-28 01:00")
    assert said(run, "team") == {str(old.team.uuid): (0, 1), str(new.team.uuid): (0, 2)}


def test_a_delivery_taken_back_does_not_count_and_the_next_one_is_late():
    project = planned(increment(), delivered="2026-11-18 09:00")
    told(project, "delivered", "2026-11-12 09:00")
    told(project, "reworked", "2026-11-16 09:00")
    told(project, "delivered", "2026-11-18 09:00")

    assert compute(day=ENDED, now="2026-11-14 01:00").numerator == 1
    assert compute().numerator == 0


def test_without_an_ended_increment_there_is_no_number():
    planned(increment(LATER))

    run = compute()

    assert (run.value, run.denominator) == (None, None)
    assert reading.note_of(run) == "No increment with a project ended"


def test_the_same_day_is_written_once_and_again_only_where_facts_came_late():
    project = planned(increment(), delivered="2026-11-12 09:00")
    first = compute()
    assert compute().pk == first.pk
    told(project, "scheduled", "2026-11-02 09:00", increment=uuid.uuid4())
    second = compute()
    assert (second.revision, second.denominator) == (2, None)


def test_work_for_several_accounts():
    for accounts in (0, 1, 2, 3):
        project = planned(increment(), delivered="2026-11-12 09:00")
        for _ in range(accounts):
            factories.ProjectAccountFactory(project=project, account=factories.AccountFactory())

    run = compute("many-account-share")

    assert (run.numerator, run.denominator) == (2, 4)
    assert said(run, "type") == {"guide": (2, 4)}


def test_pages_and_the_api_show_it(login, leadership):
    ended = increment()
    planned(ended, delivered="2026-11-13 12:00")
    compute()
    browser = login(leadership)

    page = browser.get("/metric/figures/increments-on-time/?as_of=2026-11-20").content.decode()
    assert "100.0%" in page
    assert ended.team.name in page
    address = reverse("api:metric-segments-list", kwargs={"slug": "increments-on-time"})
    answer = browser.get(f"{address}?by=team&as_of=2026-11-20").json()
    assert ended.team.name in str(answer)
