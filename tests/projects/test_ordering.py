"""Cards keep one exact order, whoever moves them and however many at once."""

import pytest
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from events.models import Event
from events.workflow import Blocked, Given
from projects.models import Project
from projects.services.ordering import END, LaneChanged, place
from tests.factories import ProjectFactory, UserFactory
from tests.projects.ready import Stage, given

pytestmark = pytest.mark.django_db


@pytest.fixture
def lead(db):
    return UserFactory(roles=["de_lead"])


def order(state="proposed"):
    return list(Project.objects.filter(state=state).order_by("rank").values_list("pk", flat=True))


def put(project, before, lead, **more):
    more = {"lane": project.state, **more}
    return place(project, before=before, by=lead, at=timezone.now(), **more)


def test_a_card_goes_before_another_and_to_the_end(lead):
    a, b, c = ProjectFactory.create_batch(3)
    placed = put(c, a, lead)
    assert order() == [c.pk, a.pk, b.pk]
    assert (placed.position, placed.count, placed.was_before) == (1, 3, None)
    assert put(c, END, lead).was_before == a
    assert order() == [a.pk, b.pk, c.pk]


def test_a_move_in_a_column_writes_one_project_in_eight_statements_at_most(lead):
    a, _, c = ProjectFactory.create_batch(3)
    with CaptureQueriesContext(connection) as found:
        put(c, a, lead, version=1)
    asked = [each["sql"] for each in found if "SAVEPOINT" not in each["sql"]]
    assert len(asked) <= 8, "\n".join(asked)
    assert sum(sql.startswith('UPDATE "projects_project"') for sql in asked) == 1
    event = Event.objects.get(verb="project.reordered")
    assert (event.before, event.after["before"]) == ({"before": "end"}, a.number)


def test_putting_a_card_where_it_is_says_nothing(lead):
    a, b = ProjectFactory.create_batch(2)
    put(a, b, lead)
    put(b, END, lead)
    assert (a.version, b.version) == (1, 1)
    assert not Event.objects.filter(verb="project.reordered").exists()


def test_only_leads_order_and_the_refused_are_told(lead):
    a, b = ProjectFactory.create_batch(2)
    with pytest.raises(PermissionDenied, match="Only DE leads"):
        put(b, a, UserFactory(roles=["de_engineer"]))
    assert order() == [a.pk, b.pk]


def test_who_comes_second_moves_nothing(lead):
    a, b, c = ProjectFactory.create_batch(3)
    put(c, a, lead, version=1)
    with pytest.raises(LaneChanged):
        put(Project.objects.get(pk=c.pk), END, lead, version=1)
    assert order() == [c.pk, a.pk, b.pk]


def test_a_neighbour_that_left_its_column_is_no_place(lead):
    stage = Stage()
    other = ProjectFactory()
    seen = Project.objects.get(pk=stage.project.pk)
    put(stage.project, None, stage.lead, lane="ready")
    with pytest.raises(LaneChanged):
        put(other, seen, lead)
    with pytest.raises(LaneChanged):
        put(seen, other, lead)
    gone = ProjectFactory()
    Project.objects.filter(pk=gone.pk).delete()
    with pytest.raises(LaneChanged):
        put(gone, other, lead)


def test_another_column_is_reached_by_the_move_that_leads_there():
    stage = Stage()
    placed = put(stage.project, None, stage.lead, lane="ready")
    assert (placed.transition.id, placed.was, stage.project.state) == ("ready", "proposed", "ready")
    first = ProjectFactory(state="scheduled")
    asked = given(increment=str(stage.increment.uuid))
    placed = put(stage.project, first, stage.lead, lane="scheduled", given=asked)
    assert order("scheduled") == [stage.project.pk, first.pk]
    assert (placed.position, placed.count) == (1, 2)


def test_what_no_move_leads_to_is_blocked_in_words():
    stage = Stage()
    with pytest.raises(Blocked, match="From Triage it goes to Ready, not to Scheduled"):
        put(stage.project, None, stage.lead, lane="scheduled")
    with pytest.raises(Blocked, match="The charter lacks"):
        put(ProjectFactory(), None, stage.lead, lane="ready")
    assert stage.project.state == "proposed"


def test_a_move_to_another_column_writes_the_project_once():
    stage = Stage()
    with CaptureQueriesContext(connection) as found:
        put(stage.project, None, stage.lead, lane="ready", version=1)
    asked = [each["sql"] for each in found if "SAVEPOINT" not in each["sql"]]
    writes = [sql for sql in asked if sql.startswith('UPDATE "projects_project"')]
    assert len(writes) == 1
    assert stage.project.moved_at is not None


def test_a_stale_version_stops_a_move_to_another_column():
    stage = Stage()
    Project.objects.filter(pk=stage.project.pk).update(version=2)
    with pytest.raises(LaneChanged):
        put(stage.project, None, stage.lead, lane="ready", version=1)


def test_a_pause_ends_where_it_has_to():
    stage = Stage()
    put(stage.project, None, stage.lead, lane="ready")
    hold = Given(values={"code": "blocked_outside"}, reason="They wait.")
    put(stage.project, None, stage.lead, lane="on_hold", given=hold)
    with pytest.raises(Blocked, match="goes on as Ready, not as Scheduled"):
        put(stage.project, None, stage.lead, lane="scheduled")
    assert put(stage.project, None, stage.lead, lane="ready").position == 1
