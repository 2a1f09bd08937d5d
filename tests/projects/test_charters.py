"""Charters: proposed, made from a request, changed part by part."""

import pytest
from django.core.exceptions import PermissionDenied, ValidationError

from config.lib.errors import Conflict, StaleWrite
from events.models import Event
from projects import services
from projects.models import Project
from projects.rules.charter import missing_parts
from projects.selectors import charter_of
from projects.services import charters
from tests import factories
from tests.engagements.ready import Stage as RequestStage
from tests.projects.ready import Stage, given

pytestmark = pytest.mark.django_db
NEW = {"title": "Sign-in for plants", "kind": "external", "type": "migration"}


def test_anyone_with_a_role_proposes_and_it_stands_last_in_triage():
    stage = Stage()
    person = factories.UserFactory(roles=["ae"])
    made = charters.propose(NEW, by=person, at=stage.now)
    assert (made.state, made.proposed_by, made.owner) == ("proposed", person, None)
    assert made.rank > stage.project.rank
    assert Event.objects.filter(object_id=made.uuid, verb="project.proposed").exists()
    with pytest.raises(PermissionDenied):
        charters.propose(NEW, by=factories.UserFactory(), at=stage.now)


def test_a_proposal_names_every_part_that_is_wrong():
    stage = Stage()
    account = stage.account
    wrong = {
        "title": "  ",
        "kind": "both",
        "roll_out_on": "soon",
        "objectives": "a\x00b",
        "links": ["ftp://files.example"],
        "accounts": [(account, 3, 2, 9)],
        "leads": [stage.stranger],
        "colour": "red",
    }
    with pytest.raises(ValidationError) as refused:
        charters.propose(wrong, by=stage.lead, at=stage.now)
    assert set(refused.value.error_dict) == {*wrong, "type"}


def test_a_request_that_may_be_decided_on_becomes_a_project_in_one_step():
    stage = RequestStage()
    stage.at("signed_off")
    maker = factories.UserFactory(roles=["de_engineer"])
    made = charters.make_from_request(stage.request, by=maker, at=stage.now)
    request = stage.request
    assert (made.title, made.objectives, made.outcomes) == (
        request.title,
        request.problem,
        request.outcome,
    )
    assert (made.kind, made.owner) == ("external", maker)
    assert list(made.requests.all()) == [request]
    assert list(made.accounts.all()) == [request.account]
    assert made.in_scope
    assert "objectives" not in missing_parts(charter_of(made))
    assert Event.objects.filter(object_id=request.uuid, verb="request.put_into_project").exists()


def test_a_request_has_a_second_project_only_where_that_is_said():
    stage = Stage()
    with pytest.raises(charters.HasProject, match=stage.project.number):
        charters.make_from_request(stage.request, by=stage.lead, at=stage.now)
    second = charters.make_from_request(stage.request, by=stage.lead, at=stage.now, again=True)
    assert stage.request.projects.count() == 2
    assert second != stage.project


def test_a_request_without_its_ground_makes_no_project():
    stage = RequestStage()
    stage.at("awaiting_signoff")
    with pytest.raises(Conflict, match="not signed off"):
        charters.make_from_request(stage.request, by=stage.lead, at=stage.now)
    assert not Project.objects.exists()


def test_a_change_is_made_from_what_is_stored():
    stage = Stage()
    before = stage.project.version
    changed = charters.change_charter(
        stage.project, {"title": "SAML"}, version=before, by=stage.owner, at=stage.now
    )
    assert (changed.title, changed.version) == ("SAML", before + 1)
    with pytest.raises(StaleWrite):
        charters.change_charter(
            stage.project, {"title": "SSO"}, version=before, by=stage.owner, at=stage.now
        )
    same = charters.change_charter(stage.project, {"title": "SAML"}, by=stage.owner, at=stage.now)
    assert same.version == before + 1


def test_lists_are_replaced_as_a_whole_and_told():
    stage = Stage()
    other = factories.AccountFactory(name="Norsea")
    charters.change_charter(
        stage.project,
        {
            "owner": stage.lead,
            "leads": [stage.second_lead],
            "accounts": [(other, None, None, None), (stage.account, 1, 2, 3)],
            "requests": [],
            "stakeholders": [("uses", stage.stranger, ""), ("input", None, "Their works council")],
        },
        by=stage.lead,
        at=stage.now,
    )
    project = Project.objects.get(pk=stage.project.pk)
    assert (project.owner, list(project.leads.all())) == (stage.lead, [stage.second_lead])
    assert set(project.account_links.values_list("account", "seats_likely")) == {
        (other.pk, None),
        (stage.account.pk, 2),
    }
    assert not project.request_links.exists()
    assert set(project.stakeholders.values_list("kind", "name")) == {
        ("uses", ""),
        ("input", "Their works council"),
    }
    verbs = set(Event.objects.filter(object_id=project.uuid).values_list("verb", flat=True))
    assert {"project.people_set", "project.accounts_set", "project.requests_set"} <= verbs
    told = Event.objects.get(object_id=project.uuid, verb="project.stakeholders_set")
    assert "council" not in str(told.after)


def test_what_a_project_needed_to_become_ready_stays():
    stage = Stage()
    services.move(stage.project, "ready", by=stage.lead, at=stage.now, given=given())
    for part in ({"objectives": ""}, {"owner": None}, {"leads": []}, {"builds_code": None}):
        with pytest.raises(charters.Incomplete, match="would lack"):
            charters.change_charter(stage.project, part, by=stage.lead, at=stage.now)


def test_only_those_of_the_project_change_it():
    stage = Stage()
    for person in (stage.owner, stage.engineer, stage.lead, stage.project.proposed_by):
        charters.set_blocked(stage.project, f"No access, {person}", by=person, at=stage.now)
    with pytest.raises(PermissionDenied):
        charters.change_charter(stage.project, {}, by=stage.stranger, at=stage.now)
    services.move(stage.project, "ready", by=stage.lead, at=stage.now, given=given())
    with pytest.raises(PermissionDenied):
        charters.set_blocked(stage.project, "", by=stage.project.proposed_by, at=stage.now)
    cleared = charters.set_blocked(stage.project, "", by=stage.owner, at=stage.now)
    assert (cleared.blocked_by, cleared.blocked_at) == ("", None)


def test_what_is_over_stays_as_it_is():
    stage = Stage()
    services.move(
        stage.project,
        "decline",
        by=stage.lead,
        at=stage.now,
        given=given(code="duplicate", alternative="Use the guide."),
    )
    with pytest.raises(charters.IsOver):
        charters.change_charter(stage.project, {"title": "Again"}, by=stage.lead, at=stage.now)
