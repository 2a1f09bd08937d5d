"""Two people at one charter at the same moment, with threads and real commits."""

import pytest
from django.db import transaction

from config.lib.errors import DomainError, StaleWrite
from projects.models import Project
from projects.services import charters
from tests.engagements.ready import Stage as RequestStage
from tests.projects.ready import Stage
from tests.projects.test_review_races import together

pytestmark = pytest.mark.django_db(transaction=True)


def test_two_leads_make_one_project_of_a_request():
    with transaction.atomic():
        stage = RequestStage()
        stage.at("signed_off")

    def make(by):
        return lambda: charters.make_from_request(stage.request, by=by, at=stage.now)

    found = together(make(stage.lead), make(stage.second_lead))

    (made,) = Project.objects.all()
    assert [type(each) for each in found if isinstance(each, DomainError)] == [charters.HasProject]
    assert made.number in str(next(each for each in found if isinstance(each, DomainError)))


def test_of_two_changes_made_from_one_version_one_is_kept():
    with transaction.atomic():
        stage = Stage()
    version = stage.project.version

    def change(by, **values):
        return lambda: charters.change_charter(
            stage.project, values, version=version, by=by, at=stage.now
        )

    found = together(change(stage.owner, title="Mine"), change(stage.lead, in_scope="Yours"))

    project = Project.objects.get()
    assert project.version == version + 1
    assert [type(each) for each in found if isinstance(each, DomainError)] == [StaleWrite]
    assert (project.title == "Mine") is not (project.in_scope == "Yours")
