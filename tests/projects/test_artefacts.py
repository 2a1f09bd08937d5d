"""What stays after the work, who looks after it, and what nobody looks after any more."""

import datetime as dt

import pytest
from django.urls import reverse
from django.utils import timezone

from accounts.selectors import today
from config.lib.errors import Conflict, Invalid, StaleWrite
from engagements.services import keeping
from events.models import Event
from people.services import users
from projects import selectors
from projects.models import KeptArtefact
from projects.services import artefacts
from tests import factories
from tests.projects.ready import Stage

pytestmark = pytest.mark.django_db
LIST = "/api/v1/artefacts/"


@pytest.fixture
def stage():
    return Stage()


@pytest.fixture
def now():
    return timezone.now()


@pytest.fixture
def on(now):
    return today(now)


def names(page):
    return [row.name for row in page.context["list"].rows]


def test_an_artefact_of_a_project_is_added_changed_and_kept_in_the_log(stage):
    made = artefacts.add_artefact(
        stage.project, name="Plugin", maintained_by="de", by=stage.owner, at=stage.now
    )
    changed = artefacts.change_artefact(
        made, keeper=stage.engineer, review_on=stage.today, version=1, by=stage.owner, at=stage.now
    )
    assert (changed.maintained_by, changed.keeper, changed.version) == ("de", stage.engineer, 2)
    with pytest.raises(StaleWrite):
        artefacts.change_artefact(made, name="Other", version=1, by=stage.owner, at=stage.now)
    verbs = Event.objects.filter(verb__startswith="project_artefact.").order_by("pk")
    assert [event.verb for event in verbs] == ["project_artefact.added", "project_artefact.changed"]


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"name": " "}, "name"),
        ({"url": "http://x"}, "url"),
        ({"maintained_by": "us"}, "maintained_by"),
        ({"retired_on": dt.date(2100, 1, 1)}, "retired_on"),
    ],
)
def test_what_cannot_be_is_named_with_its_field(stage, given, field):
    with pytest.raises(Invalid) as refusal:
        artefacts.add_artefact(
            stage.project, **({"name": "Plugin"} | given), by=stage.owner, at=stage.now
        )
    assert refusal.value.field == field


def test_who_has_left_is_not_made_the_keeper(stage):
    gone = factories.UserFactory(is_active=False)
    with pytest.raises(Invalid, match="not here any more"):
        artefacts.add_artefact(
            stage.project, name="Plugin", keeper=gone, by=stage.owner, at=stage.now
        )


def test_what_was_handed_over_is_retired_not_removed(stage):
    made = factories.ProjectArtefactFactory(
        project=factories.ProjectFactory(state="delivered", owner=stage.owner)
    )
    with pytest.raises(Conflict, match="retired instead"):
        artefacts.remove_artefact(made, by=stage.owner, at=stage.now)
    artefacts.change_artefact(made, retired_on=stage.today, by=stage.owner, at=stage.now)
    assert not selectors.orphans(stage.owner).artefacts


def test_the_register_is_one_list_of_requests_and_projects(de_lead, login):
    factories.ArtefactFactory(name="Script", maintained_by="customer")
    factories.ProjectArtefactFactory(name="Plugin", maintained_by="de")
    assert names(login(de_lead).get(reverse("projects:artefacts"))) == ["Plugin", "Script"]
    assert KeptArtefact.objects.values("pk").distinct().count() == 2


def test_the_register_is_narrowed(de_lead, login, on):
    make = factories.ProjectArtefactFactory
    make(name="Old", maintained_by="de", retired_on=on)
    make(name="Due", maintained_by="rd", review_on=on)
    make(name="Later", maintained_by="de", review_on=on + dt.timedelta(days=1), keeper=de_lead)
    make(name="Bound", maintained_by="de", depends_on_server_version=True)
    make(name="Nobody's")
    client, path = login(de_lead), reverse("projects:artefacts")
    for query, expected in {
        "": ["Bound", "Due", "Later", "Nobody's"],
        "?view=due": ["Due"],
        "?view=orphans": ["Nobody's"],
        "?view=retired": ["Old"],
        "?view=all&maintained_by=de": ["Bound", "Later", "Old"],
        "?depends=on": ["Bound"],
        "?mine=on": ["Later"],
        "?q=bou": ["Bound"],
        "?maintained_by=nobody": ["Nobody's"],
    }.items():
        assert names(client.get(path + query)) == expected, query


def test_orphans_appear_the_day_a_person_leaves(stage, de_lead, login, administrator):
    factories.ArtefactFactory(name="Script", maintained_by="de", keeper=stage.engineer)
    assert selectors.orphans(de_lead).count == 0
    users.deactivate(stage.engineer, by=administrator, at=stage.now)
    users.deactivate(stage.owner, by=administrator, at=stage.now)
    found = selectors.orphans(de_lead)
    assert [each.name for each in found.artefacts] == ["Script"]
    assert [each.project for each in found.projects] == [stage.project]
    assert found.projects[0].why.endswith("its owner, and its leads have left")
    page = login(de_lead).get(reverse("projects:artefacts")).content.decode()
    assert "Nobody looks after these" in page
    assert f"{stage.engineer.name}, who knew it, has left" in page


def test_a_project_with_another_lead_is_no_orphan(stage, de_lead, administrator):
    stage.project.leads.add(stage.second_lead)
    users.deactivate(stage.engineer, by=administrator, at=stage.now)
    assert selectors.orphans(de_lead).projects == []


def test_what_a_request_left_is_looked_after_once_it_is_closed(stage, login):
    artefact = factories.ArtefactFactory(maintained_by="de", request__state="closed")
    path = reverse("projects:artefact", args=[artefact.uuid])
    data = {"maintained_by": "tam", "keeper": str(stage.owner.uuid), "review_on": "2027-01-01"}
    assert login(stage.owner).post(path, data).status_code == 302
    artefact.refresh_from_db()
    assert (artefact.maintained_by, artefact.keeper) == ("tam", stage.owner)
    assert Event.objects.filter(verb="request.artefact_kept").exists()


def test_saying_what_was_said_is_no_event(stage):
    artefact = factories.ArtefactFactory(maintained_by="de")
    keeping.look_after(artefact, maintained_by="de", by=stage.owner, at=stage.now)
    assert not Event.objects.filter(verb="request.artefact_kept").exists()


@pytest.mark.parametrize(
    "data",
    [
        {"keeper": "not-a-uuid"},
        {"keeper": "\x00"},
        {"review_on": "1e9"},
        {"retired_on": "2099-01-01"},
        {"maintained_by": "us"},
    ],
)
def test_what_is_typed_wrong_comes_back(stage, login, data):
    artefact = factories.ArtefactFactory(maintained_by="de")
    path = reverse("projects:artefact", args=[artefact.uuid])
    answer = login(stage.owner).post(path, data)
    assert answer.status_code == 422
    (name,) = data
    assert answer.context["form"][name].errors


def test_the_file_has_all_that_the_list_has(de_lead, login):
    factories.ArtefactFactory(name="Script", maintained_by="customer")
    factories.ProjectArtefactFactory(name="=cmd", keeper=de_lead)
    answer = login(de_lead).get(reverse("projects:artefacts-csv"))
    header, *lines = b"".join(answer).decode().splitlines()
    assert header.startswith(("name,of,title", "\ufeffname,of,title"))
    assert lines[0].startswith("'=cmd,PRJ-")
    assert lines[1].startswith("Script,REQ-")


def test_the_register_over_the_api(stage, api_client):
    factories.ArtefactFactory(name="Script", maintained_by="customer")
    client = api_client(stage.owner)
    sent = {
        "project": str(stage.project.uuid),
        "name": "Plugin",
        "keeper": {"email": stage.engineer.email},
    }
    made = client.post(LIST, sent, format="json")
    assert made.status_code == 201, made.json()
    told = made.json()
    assert (told["maintained_by"], told["is_orphan"]) == (None, True)
    assert told["keeper"]["name"] == stage.engineer.name
    assert [each["name"] for each in client.get(LIST).json()["results"]] == ["Plugin", "Script"]
    orphans = client.get(f"{LIST}?is_orphan=true").json()["results"]
    assert [each["name"] for each in orphans] == ["Plugin"]


def test_care_is_written_over_the_api_from_what_was_read(stage, api_client):
    client = api_client(stage.owner)
    for artefact in (factories.ArtefactFactory(), factories.ProjectArtefactFactory()):
        path = f"{LIST}{artefact.uuid}/"
        etag = client.get(path)["ETag"]
        body = {"maintained_by": "de", "review_on": "2027-01-01"}
        done = client.patch(path, body, format="json", headers={"If-Match": etag})
        assert done.status_code == 200, done.json()
        assert done.json()["maintained_by"] == "de"
        again = client.patch(path, body, format="json", headers={"If-Match": etag})
        assert again.status_code == 412
        wrong = client.patch(
            path,
            {"keeper": {"email": "nobody@example.com"}},
            format="json",
            headers={"If-Match": "*"},
        )
        assert wrong.status_code == 400
        assert wrong.json()["errors"][0]["field"] == "keeper"
