"""Comments, files and deliverables as other programs read and write them."""

import uuid

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from engagements.models import Attachment, Comment, Tick
from people.services import create_token
from tests import factories
from tests.engagements.ready import Stage

pytestmark = pytest.mark.django_db


@pytest.fixture
def stage():
    stage = Stage()
    stage.at("in_progress")
    return stage


@pytest.fixture
def api(stage, api_client):
    """Call the API about the stage's request as one of its people."""

    clients = {}

    def call(who, method, path, data=None, fmt="json", **headers):
        if who not in clients:
            clients[who] = api_client(getattr(stage, who))
        client = clients[who]
        address = f"/api/v1/service-requests/{stage.request.uuid}/{path}"
        return getattr(client, method)(address, data, format=fmt, headers=headers)

    return call


def test_something_is_said_and_read(stage, api):
    sent = {"text": "Any **news**?", "mentions": [{"email": stage.lead.email}]}
    answer = api("stranger", "post", "comments/", sent)
    assert answer.status_code == 201
    told = answer.json()
    assert told["mentions"] == [{"id": str(stage.lead.uuid), "name": stage.lead.name}]
    (listed,) = api("engineer", "get", "comments/").json()["results"]
    assert listed == told | {"files": []}


def test_mentions_of_those_who_do_not_see_it_are_dropped(stage, api, without_role):
    sent = {"text": "Hm", "mentions": [str(without_role.uuid), str(uuid.uuid4())]}
    assert api("filer", "post", "comments/", sent).json()["mentions"] == []


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"text": ""},
        {"text": 7},
        {"text": "x" * 10_001},
        {"text": "a\u202e"},
        {"text": "a", "by": "me"},
        {"text": "a", "mentions": "all"},
        {"text": "a", "mentions": ["x"]},
        {"text": "a", "mentions": [str(uuid.uuid4())] * 51},
        [],
    ],
)
def test_what_is_no_comment_is_a_400(api, body):
    assert api("filer", "post", "comments/", body).status_code == 400
    assert not Comment.objects.exists()


def test_the_same_key_says_it_once(api):
    key = {"Idempotency-Key": "one-and-only"}
    answers = [api("filer", "post", "comments/", {"text": "Once"}, **key) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [201, 201]
    assert Comment.objects.count() == 1


def test_withdrawn_words_are_not_told(stage, api):
    factories.CommentFactory(request=stage.request, text="", deleted_at=stage.now)
    (told,) = api("filer", "get", "comments/").json()["results"]
    assert told["text"] == ""
    assert told["withdrawn_at"]


def test_a_file_goes_up_and_comes_down(stage, api):
    file = SimpleUploadedFile("../plan.csv", b"a,b\n1,2\n")
    answer = api("stranger", "post", "attachments/", {"file": file}, "multipart")
    assert answer.status_code == 201
    assert (answer.json()["name"], answer.json()["content_type"]) == ("plan.csv", "text/csv")
    content = f"attachments/{answer.json()['id']}/content/"
    assert answer["Location"].endswith(content)
    for accept in ("*/*", "text/csv", "application/json", "application/pdf"):
        down = api("engineer", "get", content, Accept=accept)
        assert down.getvalue() == b"a,b\n1,2\n"
        assert down["Content-Type"] == "text/csv"
        assert down["Content-Security-Policy"] == "default-src 'none'; sandbox"
        assert down["Content-Disposition"] == 'attachment; filename="plan.csv"'


@pytest.mark.parametrize(
    ("name", "content", "status"),
    [("page.html", b"<script>", 415), ("empty.txt", b"", 415), ("run.exe", b"MZ\x00", 415)],
)
def test_files_that_are_not_taken(api, name, content, status):
    sent = {"file": SimpleUploadedFile(name, content)}
    answer = api("filer", "post", "attachments/", sent, "multipart")
    assert answer.status_code == status
    assert name in answer.json()["detail"]


def test_an_upload_without_a_file_is_a_400(api):
    for sent in ({}, {"file": "text"}, {"files": SimpleUploadedFile("a.txt", b"A")}):
        assert api("filer", "post", "attachments/", sent, "multipart").status_code == 400


def test_evidence_is_neither_listed_nor_given_to_everybody(stage, api):
    file = factories.AttachmentFactory(
        request=stage.request, sign_off=stage.request.sign_offs.get()
    )
    content = f"attachments/{file.uuid}/content/"
    for who, count, status in (("filer", 1, 200), ("stranger", 0, 404), ("engineer", 0, 404)):
        assert len(api(who, "get", "attachments/").json()["results"]) == count
        assert api(who, "get", content).status_code == status


def test_a_deliverable_is_ticked_and_unticked(stage, api):
    Tick.objects.all().delete()
    (open_one,) = api("stranger", "get", "deliverables/").json()["results"]
    assert (open_one["key"], open_one["tick"]) == ("d1", None)
    file = factories.AttachmentFactory(request=stage.request)
    sent = {
        "evidence": "20 accounts sign in.",
        "done_on": stage.today.isoformat(),
        "url": "https://git.example.com/7",
        "file": str(file.uuid),
    }
    answer = api("engineer", "post", "deliverables/d1/tick/", sent)
    assert answer.status_code == 201
    assert answer.json()["tick"]["file"] == str(file.uuid)
    assert answer.json()["tick"]["by"]["name"] == stage.engineer.name
    assert api("engineer", "post", "deliverables/d1/tick/", sent).status_code == 409
    csv = api("stranger", "get", "deliverables/?format=csv").getvalue().decode()
    assert "20 accounts sign in." in csv
    undone = api("engineer", "post", "deliverables/d1/untick/", {"reason": "It broke."})
    assert (undone.status_code, undone.json()["tick"]) == (200, None)


@pytest.mark.parametrize("who", ["filer", "stranger", "other_engineer", "leadership"])
def test_only_who_works_on_it_ticks(api, who):
    assert api(who, "post", "deliverables/d1/tick/", {}).status_code == 403
    assert api(who, "post", "deliverables/d1/untick/", {}).status_code == 403


def test_a_tick_takes_no_file_of_another_request(stage, api):
    Tick.objects.all().delete()
    other = factories.AttachmentFactory()
    evidence = factories.AttachmentFactory(
        request=stage.request, sign_off=stage.request.sign_offs.get()
    )
    for file in (other, evidence):
        sent = {"evidence": "X", "done_on": stage.today.isoformat(), "file": str(file.uuid)}
        answer = api("lead", "post", "deliverables/d1/tick/", sent)
        assert answer.status_code == 400
        assert answer.json()["errors"][0]["field"] == "file"


def test_there_is_no_deliverable_of_another_name(stage, api):
    sent = {"evidence": "X", "done_on": stage.today.isoformat()}
    assert api("lead", "post", "deliverables/d9/tick/", sent).status_code == 404
    assert api("lead", "post", "deliverables/d9/untick/", {"reason": "X"}).status_code == 404


@pytest.mark.parametrize("path", ["comments/", "attachments/", "deliverables/"])
def test_what_one_may_not_know_of_is_not_there(stage, api_client, path):
    draft = factories.ServiceRequestFactory(filed_by=stage.filer)
    address = f"/api/v1/service-requests/{draft.uuid}/{path}"
    assert api_client(stage.filer).get(address).status_code == 200
    assert api_client(stage.lead).get(address).status_code == 404


def test_a_token_of_another_account_sees_nothing_of_it(stage, client):
    other = factories.AccountFactory()
    other.refresh_from_db()
    _, secret = create_token(
        owner=stage.lead,
        name="Other",
        scopes=["request:read", "request:write"],
        days=30,
        accounts=[str(other.uuid)],
        by=stage.lead,
        at=stage.now,
    )
    file = factories.AttachmentFactory(request=stage.request)
    base = f"/api/v1/service-requests/{stage.request.uuid}"
    headers = {"Authorization": f"Bearer {secret}"}
    for path in ("comments/", f"attachments/{file.uuid}/content/", "deliverables/"):
        assert client.get(f"{base}/{path}", headers=headers).status_code == 404
    sent = client.post(
        f"{base}/comments/", {"text": "Hm"}, content_type="application/json", headers=headers
    )
    assert sent.status_code == 404
    assert not Comment.objects.exists()


def test_a_programs_token_adds_no_evidence(stage, api):
    answer = api(
        "filer",
        "post",
        "attachments/",
        {"file": SimpleUploadedFile("a.txt", b"A"), "sign_off": "x"},
        "multipart",
    )
    assert answer.status_code == 400
    assert not Attachment.objects.exists()
