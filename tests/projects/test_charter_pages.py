"""The pages of a project, as people read and use them."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from projects.services import charters
from projects.views.blocks import BY_NAME
from tests.engagements.ready import Stage as RequestStage
from tests.projects.ready import Stage

pytestmark = pytest.mark.django_db


def test_the_page_of_a_project_says_how_it_stands(login):
    stage = Stage()
    page = login(stage.lead).get(reverse("projects:detail", args=[stage.project.pk]))
    assert page.status_code == 200
    text = page.content.decode()
    assert "SAML for the plants" in text
    assert "Ready for review" in text
    assert stage.request.number in text
    assert login(stage.lead).get(reverse("projects:activity", args=[stage.project.pk]))


BLOCKS = {
    "about": {"title": "SAML", "kind": "internal", "type": "tool"},
    "outcome": {"objectives": "Sign in.", "outcomes": "More seats.", "if_not": ""},
    "scope": {"in_scope": "Two plants.", "out_of_scope": "The rest."},
    "roll-out": {"roll_out_where": "There.", "roll_out_told": "All.", "roll_out_on": "2027-03-01"},
    "code": {"builds_code": "yes", "inside_product": "on"},
    "blocked": {"blocked_by": "No access."},
}


def edit_url(stage, block):
    return reverse("projects:edit", args=[stage.project.pk, block])


@pytest.mark.parametrize("block", BLOCKS)
def test_each_block_is_saved_and_the_page_shows_it(login, block):
    stage = Stage()
    client = login(stage.owner)
    form = client.get(edit_url(stage, block))
    assert form.status_code == 200
    sent = {**BLOCKS[block], "version": stage.project.version}
    answer = client.post(edit_url(stage, block), sent, follow=True)
    assert answer.status_code == 200
    stage.project.refresh_from_db()
    for name, value in BLOCKS[block].items():
        stored = getattr(stage.project, name)
        assert str(stored) == {"yes": "True", "on": "True"}.get(value, value)


def test_rows_of_accounts_and_stakeholders_are_read_and_kept(login):
    stage = Stage()
    client = login(stage.owner)
    sent = {
        "version": stage.project.version,
        "rows": 2,
        "row-0-account": f"{stage.account.name} ({stage.account.number})",
        "row-0-low": "10",
        "row-0-likely": "20",
        "row-0-high": "5",
        "row-1-account": "",
    }
    wrong = client.post(edit_url(stage, "accounts"), sent)
    assert wrong.status_code == 422
    assert "High, 5, is less than likely, 20" in wrong.content.decode()
    more = client.post(edit_url(stage, "accounts"), {**sent, "more": "1"})
    assert more.status_code == 200
    assert "row-4-account" in more.content.decode()
    client.post(edit_url(stage, "accounts"), {**sent, "row-0-high": "30"})
    assert stage.project.account_links.get().seats_high == 30
    stage.project.refresh_from_db()
    sent = {
        "version": stage.project.version,
        "rows": 1,
        "row-0-kind": "uses",
        "row-0-name": "Their shift leaders",
    }
    client.post(edit_url(stage, "stakeholders"), sent)
    assert stage.project.stakeholders.get().name == "Their shift leaders"


def test_people_and_links_are_chosen_by_name_and_number(login):
    stage = Stage()
    client = login(stage.lead)
    sent = {
        "version": stage.project.version,
        "owner": str(stage.lead.uuid),
        "leads": [str(stage.engineer.uuid), str(stage.second_lead.uuid)],
    }
    client.post(edit_url(stage, "people"), sent)
    stage.project.refresh_from_db()
    assert (stage.project.owner, stage.project.leads.count()) == (stage.lead, 2)
    sent = {"version": stage.project.version, "requests": "REQ-999999", "links": "x"}
    wrong = client.post(edit_url(stage, "links"), sent)
    assert wrong.status_code == 422
    assert "There is no request REQ-999999" in wrong.content.decode()
    sent |= {"requests": stage.request.number, "links": "https://git.example.com/keel"}
    client.post(edit_url(stage, "links"), sent)
    stage.project.refresh_from_db()
    assert stage.project.links[0]["url"] == "https://git.example.com/keel"


def test_a_block_is_edited_in_its_place(login):
    stage = Stage()
    client = login(stage.owner)
    headers = {"HX-Request": "true", "HX-Target": "block-scope"}
    form = client.get(edit_url(stage, "scope"), headers=headers).content.decode()
    assert "<html" not in form
    assert 'hx-target="#block-scope"' in form
    sent = {"version": stage.project.version, "in_scope": "One plant.", "out_of_scope": ""}
    saved = client.post(edit_url(stage, "scope"), sent, headers=headers).content.decode()
    assert "One plant." in saved
    assert "What is out of scope" in saved


def test_two_people_at_once_lose_nothing_they_typed(login):
    stage = Stage()
    version = stage.project.version
    first = {"in_scope": "Mine.", "out_of_scope": "", "version": version}
    login(stage.owner).post(edit_url(stage, "scope"), first)
    second = {"in_scope": "Theirs.", "out_of_scope": "", "version": version}
    answer = login(stage.lead).post(edit_url(stage, "scope"), second)
    assert answer.status_code == 412
    page = answer.content.decode()
    assert "Theirs." in page
    assert "changed meanwhile" in page
    assert f'name="version" value="{version + 1}"' in page


def test_ready_for_review_is_offered_and_says_what_is_missing(login):
    stage = Stage()
    stage.project.objectives = ""
    stage.project.save()
    client = login(stage.owner)
    page = client.get(reverse("projects:detail", args=[stage.project.pk])).content.decode()
    assert "Ready for review" in page
    url = reverse("projects:move", args=[stage.project.pk, "ready"])
    assert "Objectives" in client.get(url).content.decode()
    refused = client.post(url)
    assert refused.status_code == 409
    assert "Objectives" in refused.content.decode()
    stage.project.objectives = "Plant staff sign in."
    stage.project.save()
    client.post(url)
    stage.project.refresh_from_db()
    assert stage.project.state == "ready"


def test_who_may_not_move_asks_those_who_may(login):
    stage = Stage()
    client = login(stage.stranger)
    url = reverse("projects:move", args=[stage.project.pk, "decline"])
    asking = client.get(url, follow=True)
    assert "Ask for “Decline”" in asking.content.decode()
    client.post(reverse("projects:ask-move", args=[stage.project.pk, "decline"]), {"note": "Old."})
    page = login(stage.lead).get(reverse("projects:detail", args=[stage.project.pk]))
    assert "asks for “Decline”" in page.content.decode()
    assert client.get(edit_url(stage, "scope")).status_code == 403
    missing = reverse("projects:move", args=[stage.project.pk, "explode"])
    assert client.get(missing).status_code == 404


def test_a_project_is_proposed_and_what_was_typed_stays(login):
    stage = Stage()
    client = login(stage.stranger)
    url = reverse("projects:new")
    sent = {
        "title": "Offline guide",
        "kind": "external",
        "type": "guide",
        "account": stage.account.name,
        "low": "3",
        "likely": "2",
        "high": "9",
    }
    wrong = client.post(url, sent)
    assert wrong.status_code == 422
    assert "Likely, 2, is less than low, 3" in wrong.content.decode()
    assert "Offline guide" in wrong.content.decode()
    made = client.post(url, {**sent, "likely": "5"}, follow=True)
    assert "is proposed" in made.content.decode()
    assert stage.account.projects.filter(title="Offline guide").exists()
    nul = client.post(url, {**sent, "title": "a\x00b", "account": "x\x00"})
    assert nul.status_code == 422


def test_a_project_is_made_from_a_request(login):
    stage = RequestStage()
    stage.at("signed_off")
    url = reverse("projects:from-request", args=[stage.request.pk])
    assert login(stage.stranger).get(url).status_code == 403
    client = login(stage.lead)
    form = client.get(url)
    assert stage.request.title in form.content.decode()
    sent = {"title": "SAML", "type": "migration"}
    assert "is made from" in client.post(url, sent, follow=True).content.decode()
    again = client.post(url, sent)
    assert again.status_code == 422
    assert "serves this request already" in again.content.decode()
    client.post(url, {**sent, "again": "on"})
    assert stage.request.projects.count() == 2


def test_a_request_that_is_not_decided_on_says_why(login):
    stage = RequestStage()
    stage.at("awaiting_signoff")
    url = reverse("projects:from-request", args=[stage.request.pk])
    client = login(stage.lead)
    assert "not signed off" in client.get(url).content.decode()
    assert client.post(url, {"title": "SAML", "type": "migration"}).status_code == 422


@pytest.mark.parametrize(
    ("query", "is_there"),
    [
        ("", True),
        ("?view=mine", True),
        ("?view=unscored", False),
        ("?view=blocked", False),
        ("?view=orphaned", False),
        ("?view=late", False),
        ("?state=proposed&kind=external&type=custom_integration", True),
        ("?state=over", False),
        ("?owner=me", True),
        ("?lead=nobody", False),
        ("?q=saml", True),
        ("?sort=-lift", True),
        ("?sort=owner", True),
        ("?view=nonsense&sort=nonsense", True),
    ],
)
def test_the_list_shows_what_its_address_asks_for(login, query, is_there):
    stage = Stage()
    page = login(stage.owner).get(reverse("projects:list") + query)
    assert page.status_code == 200
    assert (stage.project.number in page.content.decode()) is is_there


def test_the_list_as_a_file_says_all_of_a_project(login):
    stage = Stage()
    client = login(stage.lead)
    told = client.get(reverse("projects:export"))
    text = b"".join(told.streaming_content).decode()
    assert stage.project.number in text
    assert stage.account.name in text
    assert stage.request.number in text
    assert client.get(reverse("projects:export") + "?state=nonsense").status_code == 400
    assert client.get(reverse("projects:workbook") + "?columns=owner").status_code == 200


NONSENSE = "\x00 \u202e 1e9"
FIELDS = [
    "title", "kind", "type", "objectives", "in_scope", "roll_out_on", "owner", "leads",
    "builds_code", "requests", "links", "blocked_by", "row-0-account", "row-0-low", "row-0-kind",
    "row-0-person", "row-0-name",
]  # fmt: skip


@pytest.mark.parametrize(
    "sent",
    [
        dict.fromkeys(FIELDS, NONSENSE) | {"rows": "1", "version": "1e9"},
        dict.fromkeys(FIELDS, "00000000-0000-4000-8000-000000000000") | {"rows": "9" * 30},
        {name: ["9" * 40, "ACC-" + "9" * 18] for name in FIELDS} | {"rows": "999", "version": "-1"},
    ],
)
def test_nothing_that_is_sent_breaks_a_form(login, sent):
    stage = Stage()
    client = login(stage.lead)
    answers = [client.post(edit_url(stage, block), sent).status_code for block in BY_NAME]
    answers.append(client.post(reverse("projects:new"), sent).status_code)
    answers.append(client.post(reverse("projects:move", args=[stage.project.pk, "hold"]), sent))
    assert {answer for answer in answers if isinstance(answer, int)} <= {302, 412, 422}


@pytest.mark.parametrize(
    "query",
    [
        "?q=%00&account=ACC-" + "9" * 18,
        "?owner=x&lead=%00&cursor=zzz",
        "?state=1e9&sort=&columns=x",
    ],
)
def test_no_address_breaks_the_list(login, query):
    stage = Stage()
    client = login(stage.lead)
    assert client.get(reverse("projects:list") + query).status_code == 200


def test_the_list_reads_no_more_for_more_projects(login, django_assert_max_num_queries):
    stage = Stage()
    client = login(stage.lead)
    url = reverse("projects:list") + "?columns=accounts,seats,owner,leads,increment,proposed_by"
    more = {
        "title": "One more",
        "kind": "external",
        "type": "tool",
        "leads": [stage.engineer],
        "accounts": [(stage.account, 1, 2, 3)],
    }
    # What is not scored is read after what is, in a statement of its own.
    charters.propose(more, by=stage.lead, at=stage.now)
    client.get(url)
    with CaptureQueriesContext(connection) as few:
        client.get(url)
    for _ in range(4):
        charters.propose(more, by=stage.lead, at=stage.now)
    with django_assert_max_num_queries(len(few)):
        client.get(url)
