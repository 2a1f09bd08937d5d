"""Projects on the pages of requests and accounts."""

import pytest

from projects.models import Project
from projects.selectors.beside import Path
from projects.views.panels import path_words
from tests import factories
from tests.engagements.ready import Stage as RequestStage
from tests.projects.ready import Stage

HTMX = {"HX-Request": "true"}


def text_of(client, path):
    answer = client.get(path, headers=HTMX)
    assert answer.status_code == 200
    return answer.content.decode()


@pytest.mark.django_db
def test_a_request_shows_its_projects(login):
    stage = Stage()
    path = f"/requests/{stage.request.number}/projects-panel/"
    text = text_of(login(stage.lead), path)
    assert stage.project.number in text
    assert "score 72" in text
    assert "Make project" not in text
    assert path in login(stage.lead).get(f"/requests/{stage.request.number}/").content.decode()


@pytest.mark.django_db
def test_who_may_makes_one(login):
    stage = RequestStage()
    stage.at("signed_off")
    path = f"/requests/{stage.request.number}/projects-panel/"
    assert "Make project" in text_of(login(stage.lead), path)
    assert "Make project" not in text_of(login(stage.filer), path)


@pytest.mark.django_db
def test_before_it_is_agreed_it_says_why_not(login):
    stage = RequestStage()
    stage.at("awaiting_signoff")
    text = text_of(login(stage.lead), f"/requests/{stage.request.number}/projects-panel/")
    assert "not signed off" in text
    assert "Make project" not in text


@pytest.mark.django_db
def test_an_account_shows_its_open_projects(login, tam):
    stage = Stage()
    Project.objects.filter(pk=stage.project.pk).update(title="<b>Bold</b>")
    path = f"/accounts/{stage.account.number}/projects-panel/"
    text = text_of(login(tam), path)
    assert "&lt;b&gt;Bold&lt;/b&gt;" in text
    assert path in login(tam).get(f"/accounts/{stage.account.number}/").content.decode()
    other = factories.AccountFactory()
    assert "No open projects." in text_of(login(tam), f"/accounts/{other.number}/projects-panel/")


@pytest.mark.parametrize(
    ("path", "words"),
    [
        (Path(2, 120, 86), "2 projects are expected to unlock 120 seats; 86 are needed for 80%."),
        (
            Path(1, 50, 86),
            (
                "This project is expected to unlock 50 seats; 86 are needed for 80%, "
                "so 36 are missing."
            ),
        ),
        (Path(2, 120, 0), ""),
        (Path(0, 0, 86), ""),
    ],
)
def test_the_path_is_a_sentence(path, words):
    assert path_words(path, 80) == words
