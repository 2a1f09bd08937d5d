"""The tab Score, the matrix, the ranked list and the policy, as people and programs use them."""

import datetime as dt
import re
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from events.models import Event
from people.models import Scope
from projects.models import Project, RankOverride, ScorePolicy, Scoring, Vote
from projects.services import scoring, voting
from tests import factories
from tests.factories import ProjectFactory

pytestmark = pytest.mark.django_db
NOW = timezone.now()
TODAY = NOW.date()
MATRIX, RANKED = "/board/?view=matrix", "/board/?view=ranked"
LEVELS = {"impact": "2", "effort": "high", "days": "7.5", "confidence": "low"}
POLICY = {
    "start": TODAY.isoformat(),
    "points_1": "100", "points_2": "60", "points_3": "50", "points_4": "20",
    "factors_low": "1", "factors_medium": "0.9", "factors_high": "0.75", "factors_very_high": "0.5",
    "days_low": "2", "days_medium": "5", "days_high": "10", "note": "High is nearer to medium.",
}  # fmt: skip


def scored(by, impact=2, effort="high", **fields):
    project = ProjectFactory(**fields)
    scoring.score_project(project, impact=impact, effort=effort, days=Decimal(4), by=by, at=NOW)
    return project


def page(project, name="score"):
    return f"/projects/{project.number}/{name}/"


def text_of(response):
    return " ".join(response.content.decode().split())


def chosen(text):
    inputs = re.findall(r"<input[^>]*>", text)
    ticked = [each for each in inputs if 'type="radio"' in each and " checked" in each]
    return {tuple(re.search(rf'{name}="([^"]*)"', each)[1] for name in ("name", "value"))
            for each in ticked}  # fmt: skip


def test_a_lead_scores_and_everybody_reads_why(login, de_lead, tam):
    project = ProjectFactory()
    sent = {**LEVELS, "version": project.version, "next": MATRIX}
    answer = login(de_lead).post(page(project), sent)
    assert answer["Location"] == MATRIX
    shown = text_of(login(tam).get(page(project)))
    assert "Why 60" in shown
    assert "80 \N{MULTIPLICATION SIGN} 0.75 = 60" in shown
    assert "Impact and effort set by" in shown
    assert "Save the score" not in shown
    assert login(tam).post(page(project), sent).status_code == 403


def test_what_was_typed_comes_back_with_what_is_wrong(login, de_lead):
    project = scored(de_lead)
    client = login(de_lead)
    answer = client.post(page(project), {**LEVELS, "impact": "1", "days": "lots"})
    assert answer.status_code == 422
    assert "Say why the score changes." in text_of(answer)
    assert "lots" in text_of(answer)
    stale = client.post(page(project), {**LEVELS, "impact": "1", "reason": "More.", "version": 1})
    assert stale.status_code == 412
    assert "changed meanwhile" in text_of(stale)
    assert "More." in text_of(stale)


def test_a_cell_of_the_matrix_fills_the_form(login, de_lead):
    project = scored(de_lead)
    asked = f"{page(project)}?impact=1&effort=low&next=https://evil.example/"
    shown = text_of(login(de_lead).get(asked))
    assert chosen(shown) == {("impact", "1"), ("effort", "low")}
    assert f'name="next" value="{page(project)}"' in shown


def test_the_popover_answers_htmx_only(login, de_lead):
    project = scored(de_lead)
    client = login(de_lead)
    assert client.get(page(project, "score/why"))["Location"] == page(project)
    shown = client.get(page(project, "score/why"), headers={"HX-Request": "true"})
    assert "<html" not in shown.content.decode()
    assert "Why 60" in text_of(shown)


def test_the_matrix_prints_scores_and_the_example(login, de_lead, tam):
    project = scored(de_lead)
    Project.objects.filter(pk=project.pk).update(lift="0.43", lift_low="0.1", lift_high="0.9")
    unscored = ProjectFactory(title="Nobody looked at it")
    shown = text_of(login(tam).get(MATRIX))
    assert "Medium impact with low effort (50) ranks above high impact with very high" in shown
    assert "0.4" in shown
    assert unscored.title in shown
    assert "data-score-url" not in shown
    assert f'data-score-url="{page(project)}"' in text_of(login(de_lead).get(MATRIX))


def test_the_ranked_list_ends_where_the_days_do(login, de_lead):
    increment = factories.IncrementFactory()
    factories.MembershipFactory(team=increment.team)
    titles = ("Alps", "Bay", "Cove")
    first, second, third = (
        scored(de_lead, impact=level, title=f"Roll-out in the {title}")
        for level, title in enumerate(titles, 1)
    )
    shown = text_of(login(de_lead).get(RANKED))
    places = [shown.index(each.title) for each in (first, second, third)]
    assert places == sorted(places)
    assert places[1] < shown.index("Capacity ends here: 8 of 8 days planned") < places[2]


def test_a_project_is_moved_by_hand_and_back(login, de_lead, tam):
    first, second = scored(de_lead, impact=1), scored(de_lead, impact=4)
    client = login(de_lead)
    sent = {"before": first.number, "reason": "The audit is on Friday.", "expires_on": TODAY}
    wrong = client.post(page(second, "override"), {**sent, "reason": ""})
    assert "Say why it does not stand" in text_of(wrong)
    assert client.post(page(second, "override"), sent)["Location"] == RANKED
    shown = text_of(login(tam).get(RANKED))
    assert shown.index(second.title) < shown.index(first.title)
    assert "The audit is on Friday." in shown
    client.post(page(second, "override/end"))
    assert RankOverride.objects.get().ended_by == de_lead


def test_board_views_take_as_many_statements_for_many(login, de_lead):
    client = login(de_lead)
    client.get(MATRIX)

    def counted(address):
        with CaptureQueriesContext(connection) as queries:
            assert client.get(address).status_code == 200
        return len(queries)

    scored(de_lead)
    one = [counted(MATRIX), counted(RANKED)]
    for _ in range(5):
        scored(de_lead)
    assert [counted(MATRIX), counted(RANKED)] == one


def test_a_silent_vote_on_the_page(login, de_lead, tam, csm):
    project = ProjectFactory()
    lead, voter = login(de_lead), login(tam)
    lead.post(page(project, "votes/open"))
    voter.post(page(project, "votes"), {"impact": "4", "effort": "very_high"})
    assert Vote.objects.get().by == tam
    other = text_of(login(csm).get(page(project)))
    assert "1 vote" in other
    assert not chosen(other)
    lead.post(page(project, "votes/close"))
    assert "Middle" in text_of(login(csm).get(page(project)))


def test_a_policy_is_previewed_then_saved(login, administrator, de_lead):
    project = scored(de_lead, effort="low", title="Falls")
    scored(de_lead, impact=1, effort="high", title="Rises")
    client = login(administrator)
    shown = text_of(client.post("/settings/scoring/", {**POLICY, "do": "preview"}))
    assert "1 of 2 open projects rise, 1 fall, 0 keep" in shown
    assert ScorePolicy.objects.count() == 1
    assert client.post("/settings/scoring/", {**POLICY, "do": "save"}).status_code == 302
    project.refresh_from_db()
    assert project.score == 60
    assert Scoring.objects.filter(project=project).count() == 2
    assert "What a project scores" in text_of(login(de_lead).get("/handbook/"))


@pytest.mark.parametrize("wrong", ["1e9", "\x00", "100", "-1", ""])
def test_a_policy_that_cannot_rank_is_refused(login, administrator, wrong):
    sent = {**POLICY, "points_2": wrong, "do": "save"}
    answer = login(administrator).post("/settings/scoring/", sent)
    assert answer.status_code == 422
    assert ScorePolicy.objects.count() == 1


def test_the_api_tells_and_takes_a_score(api_client, de_lead):
    project = scored(de_lead)
    client = api_client(de_lead, Scope.PROJECT_READ, Scope.PROJECT_WRITE)
    address = f"/api/v1/projects/{project.uuid}/score/"
    told = client.get(address)
    assert told.json()["arithmetic"]["text"] == "80 \N{MULTIPLICATION SIGN} 0.75 = 60"
    assert told.json()["policy"]["points"]["1"] == "100"
    answer = client.post(
        address, {"effort": "low", "reason": "Half is there."}, format="json",
        headers={"If-Match": told["ETag"]},
    )  # fmt: skip
    assert (answer.json()["score"], answer.json()["days"]) == ("80", "4")
    assert [each["score"] for each in answer.json()["history"]] == ["80", "60"]
    again = client.post(address, {"effort": "high"}, format="json",
                        headers={"If-Match": told["ETag"]})  # fmt: skip
    assert again.status_code == 412
    assert client.post(address, {"impact": 1}, format="json").json()["errors"][0]["field"] == (
        "reason"
    )


def test_the_api_shows_no_votes_of_an_open_round(api_client, de_lead, tam):
    project = ProjectFactory()
    round_ = voting.open_vote(project, by=de_lead, at=NOW)
    voter = api_client(tam, Scope.PROJECT_READ, Scope.PROJECT_WRITE)
    address = f"/api/v1/projects/{project.uuid}/votes/"
    mine = voter.post(address, {"impact": 1, "effort": "very_high"}, format="json").json()
    assert mine["own"] == {"impact": 1, "effort": "very_high"}
    lead = api_client(de_lead, Scope.PROJECT_READ, Scope.PROJECT_WRITE)
    told = lead.get(address).json()
    assert (told["voters"], told["own"], told["spread"]) == (1, None, None)
    closed = lead.post(f"{address}round/", {"is_open": False}, format="json").json()
    assert closed["spread"]["effort"] == "very_high"
    round_.refresh_from_db()
    assert round_.closed_by == de_lead


def test_the_api_moves_by_hand(api_client, de_lead):
    first, second = scored(de_lead), scored(de_lead)
    client = api_client(de_lead, Scope.PROJECT_READ, Scope.PROJECT_WRITE)
    address = f"/api/v1/projects/{second.uuid}/override/"
    until = (TODAY + dt.timedelta(days=5)).isoformat()
    sent = {"before": str(first.uuid), "reason": "The audit.", "expires_on": until}
    made = client.post(address, sent, format="json")
    assert (made.status_code, made.json()["before"]) == (201, str(first.uuid))
    assert client.delete(address).status_code == 204
    assert client.delete(address).status_code == 409
    verbs = Event.objects.filter(object_id=second.uuid).values_list("verb", flat=True)
    assert {"project.moved_by_hand", "project.hand_move_ended"} <= set(verbs)
