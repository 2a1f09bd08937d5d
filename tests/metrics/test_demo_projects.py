"""The demo company's projects: every state, and what a review and a plan look like."""

import pytest
from django.core.management import call_command

from metrics.demo import nights
from projects.models import (
    Allocation,
    PreEmption,
    Project,
    ProjectArtefact,
    ProjectCheck,
    ProjectState,
    RankOverride,
    Review,
    VoteRound,
)

pytestmark = pytest.mark.django_db


def test_there_are_projects_in_every_state(monkeypatch):
    monkeypatch.setattr(nights, "_days", lambda story, now: [story.day(0), story.day(180)])
    call_command("demo")

    assert set(Project.objects.values_list("state", flat=True)) == set(ProjectState.values)
    assert Project.objects.filter(kind="internal").exists()
    assert Project.objects.exclude(lift=None).exists()
    assert Project.objects.exclude(blocked_by="").exists()
    for is_there in (Allocation, PreEmption, ProjectArtefact, RankOverride, VoteRound):
        assert is_there.objects.exists()
    assert set(Review.objects.values_list("state", flat=True)) == {"held", "planned"}
    verdicts = set(ProjectCheck.objects.values_list("verdict", flat=True))
    assert verdicts == {"", "achieved", "partly", "missed"}
