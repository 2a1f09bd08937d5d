"""The page on which a project is split."""

import pytest

from events import workflow
from projects.models import Project
from tests.projects.ready import Stage

pytestmark = pytest.mark.django_db


@pytest.fixture
def stage():
    stage = Stage()
    Project.objects.filter(pk=stage.project.pk).update(effort="very_high", days=21)
    stage.project.refresh_from_db()
    return stage


def address(stage):
    return f"/projects/{stage.project.number}/split/"


def sent(stage, **more):
    return {
        "count": "2", "version": str(stage.project.version), "seats_with": "1",
        "title_0": "Sign-in", "days_0": "6", "title_1": "Provisioning", "days_1": "7,5", **more,
    }  # fmt: skip


def values(answer):
    form = answer.context["form"]
    return [(row.title.value(), str(row.days.value())) for row in form.rows]


def test_it_proposes_parts_of_two_weeks(stage, login):
    answer = login(stage.lead).get(address(stage))
    assert values(answer) == [
        ("SAML for the plants", "7"),
        ("SAML for the plants, part 2", "7"),
        ("SAML for the plants, part 3", "7"),
    ]
    assert answer.context["form"]["seats_with"].value() == 2


def test_it_splits_and_leads_back(stage, login):
    answer = login(stage.lead).post(address(stage), sent(stage))
    assert (answer.status_code, answer["Location"]) == (302, f"/projects/{stage.project.number}/")
    parts = Project.objects.order_by("part").values_list("title", "part", "days")
    assert [(title, part, str(days)) for title, part, days in parts] == [
        ("Sign-in", 1, "6.0"),
        ("Provisioning", 2, "7.5"),
    ]


def test_another_number_of_parts_keeps_what_was_typed(stage, login):
    client = login(stage.lead)
    answer = client.post(address(stage), sent(stage, more="1"))
    assert values(answer)[:2] == [("Sign-in", "6"), ("Provisioning", "7,5")]
    assert len(values(answer)) == 3
    shares = {"count": "3", "days_0": "7", "days_1": "7", "days_2": "7"}
    again = client.post(address(stage), sent(stage, **shares, more="1"))
    assert [days for _, days in values(again)] == ["5.2", "5.2", "5.2", "5.4"]
    assert Project.objects.count() == 1


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"title_1": " "}, "Give part 2 a title."),
        ({"title_1": "a\x00"}, "title_1"),
        ({"days_0": "11"}, "Part 1 has 11 days"),
        ({"days_0": "1e9"}, "days_0"),
        ({"seats_with": "7"}, "seats_with"),
        ({"seats_with": ""}, "Choose the part that the seats come with."),
        ({"count": "-4"}, None),
        ({"version": "x"}, None),
    ],
)
def test_what_is_wrong_is_said_and_kept(wrong, words, stage, login):
    answer = login(stage.lead).post(address(stage), sent(stage, **wrong))
    if words is None:
        assert answer.status_code in (302, 422)
        return
    assert answer.status_code == 422
    assert words in answer.content.decode()
    assert values(answer)[0][0] == "Sign-in"
    assert Project.objects.count() == 1


def test_a_stale_page_keeps_what_was_typed(stage, login):
    answer = login(stage.lead).post(address(stage), sent(stage, version="99"))
    assert answer.status_code == 412
    assert "Not split: the project was changed meanwhile." in answer.content.decode()
    assert values(answer)[0] == ("Sign-in", "6")


def test_what_has_begun_says_so(stage, login):

    workflow.place(stage.project, "in_progress")
    client = login(stage.lead)
    assert "Work has begun." in client.get(address(stage)).content.decode()
    stage.project.refresh_from_db()
    assert client.post(address(stage), sent(stage)).status_code == 409
