"""A project that is too long becomes parts; no seat counts twice."""

from decimal import Decimal

import pytest
from django.core.exceptions import PermissionDenied, ValidationError

from config.lib.errors import Invalid, StaleWrite
from events import workflow
from events.models import Event
from projects.models import Project, SupportPlan
from projects.selectors import why_not_supported
from projects.services.splitting import NotSplittable, Part, split
from tests import factories
from tests.projects.ready import Stage

pytestmark = pytest.mark.django_db
HALVES = (Part("Sign-in", Decimal(6)), Part("Provisioning", Decimal("7.5")))


@pytest.fixture
def stage():
    stage = Stage()
    Project.objects.filter(pk=stage.project.pk).update(effort="very_high", days=13)
    stage.project.refresh_from_db()
    return stage


def cut(stage, parts=HALVES, seats_with=1, **more):
    return split(stage.project, parts, seats_with=seats_with, by=stage.lead, at=stage.now, **more)


def seats(project):
    return [link.seats_likely for link in project.account_links.all()]


def test_the_parts_copy_the_charter_and_share_the_days(stage):
    first, second = cut(stage)
    assert (first.pk, first.part, second.part, second.part_of) == (stage.project.pk, 1, 2, first)
    assert [(each.title, each.days, each.effort) for each in (first, second)] == [
        ("Sign-in", Decimal(6), "high"),
        ("Provisioning", Decimal("7.5"), "high"),
    ]
    assert first.score == second.score
    assert second.objectives == first.objectives
    assert (second.owner, list(second.leads.all())) == (stage.owner, [stage.engineer])
    assert list(second.requests.all()) == [stage.request]
    assert second.stakeholders.count() == 1


@pytest.mark.parametrize("seats_with", [0, 1])
def test_the_seats_stay_with_one_part(seats_with, stage):
    made = cut(stage, seats_with=seats_with)
    assert [seats(each) == [200] for each in made] == [seats_with == 0, seats_with == 1]


def test_the_parts_come_directly_after_one_another(stage):
    factories.ProjectFactory(title="Before", rank="!")
    factories.ProjectFactory(title="After")
    cut(stage, [*HALVES, Part("The rest", Decimal(2))])
    order = Project.objects.order_by("rank").values_list("title", flat=True)
    assert list(order) == ["Before", "Sign-in", "Provisioning", "The rest", "After"]


def test_a_part_is_split_again_and_the_later_ones_count_on(stage):
    first, second = cut(stage)
    stage.project = first
    cut(stage, [Part("Sign-in", None), Part("Sign-in for guests", None)], seats_with=0)
    family = Project.objects.filter(part_of=first).order_by("part")
    assert [(each.title, each.part) for each in family] == [
        ("Sign-in for guests", 2),
        ("Provisioning", 3),
    ]
    second.refresh_from_db()
    assert second.part == 3


def test_a_support_plan_is_copied_without_its_signatures():
    stage = Stage(code=True)
    stage.signed_plan()
    workflow.place(stage.project, "ready")
    first, second = cut(stage)
    assert why_not_supported(first) == ""
    assert SupportPlan.objects.get(project=second).text == "We fix it within two days."
    assert "not signed by Engineering, Support and Product" in why_not_supported(second)
    assert (first.state, second.state) == ("ready", "proposed")


def test_parts_of_what_was_ready_are_ready(stage):
    workflow.place(stage.project, "ready")
    assert [each.state for each in cut(stage)] == ["ready", "ready"]


def test_it_is_told(stage):
    first, second = cut(stage)
    event = Event.objects.get(verb="project.split")
    assert event.after["parts"] == [first.number, second.number]
    assert event.after["seats_with"] == second.number
    assert Event.objects.get(verb="project.split_off").object_id == second.uuid


@pytest.mark.parametrize("state", ["in_progress", "delivered", "closed", "declined"])
def test_what_has_begun_or_is_over_stays_whole(state, stage):
    workflow.place(stage.project, state)
    with pytest.raises(NotSplittable):
        cut(stage)


@pytest.mark.parametrize(
    ("parts", "seats_with", "field"),
    [
        (HALVES[:1], 0, "parts"),
        ([HALVES[0]] * 10, 0, "parts"),
        (HALVES, 2, "seats_with"),
        ((HALVES[0], Part("", Decimal(1))), 0, "title_1"),
        ((HALVES[0], Part("Long", Decimal(11))), 0, "days_1"),
        ((Part("None", Decimal(0)), HALVES[1]), 0, "days_0"),
    ],
)
def test_what_is_wrong_is_named_and_nothing_changes(parts, seats_with, field, stage):
    with pytest.raises((ValidationError, Invalid)) as wrong:
        cut(stage, parts, seats_with)
    named = getattr(wrong.value, "error_dict", None) or {wrong.value.field: ""}
    assert list(named) == [field]
    assert Project.objects.count() == 1


def test_a_stale_page_splits_nothing(stage):
    with pytest.raises(StaleWrite):
        cut(stage, version=stage.project.version - 1)


def test_only_a_lead_splits(stage):
    with pytest.raises(PermissionDenied):
        split(stage.project, HALVES, seats_with=0, by=stage.owner, at=stage.now)
