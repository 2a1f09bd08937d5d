"""The conversation and the delivery as people see and use them in a browser."""

import re

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from engagements.models import Artefact, Attachment, Comment, OutcomeCheck, RollOut, Tick
from engagements.views import talk
from tests import factories
from tests.engagements.ready import Stage

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true", "HX-Target": "conversation"}


@pytest.fixture
def stage():
    stage = Stage()
    stage.at("in_progress")
    return stage


def address(stage, name, *args):
    return reverse(f"requests:{name}", args=[stage.request.pk, *args])


def text_of(answer):
    return answer.content.decode()


def test_the_conversation_stands_below_the_answers(stage, login):
    factories.CommentFactory(request=stage.request, text="Any **news** <script>?")
    page = text_of(login(stage.stranger).get(address(stage, "detail")))
    assert "<strong>news</strong>" in page
    assert "<script>?" not in page


def test_a_comment_by_form_leads_to_itself(stage, login):
    sent = {"text": "Hello", "mentions": [str(stage.lead.uuid)]}
    answer = login(stage.filer).post(address(stage, "comments"), sent)
    comment = Comment.objects.get()
    assert answer.status_code == 302
    assert answer.url == f"{address(stage, 'detail')}#comment-{comment.uuid}"
    assert set(comment.mentions.all()) == {stage.lead}


def test_a_comment_by_script_swaps_the_conversation_alone(stage, login):
    answer = login(stage.filer).post(address(stage, "comments"), {"text": "Hello"}, headers=HTMX)
    assert answer.status_code == 200
    page = text_of(answer)
    assert page.lstrip().startswith("<section")
    assert ">Hello</p>" in page
    assert 'name="text"' in page
    assert ">Hello</textarea>" not in page


def test_a_double_click_says_it_once(stage, login):
    client = login(stage.filer)
    sent = {"text": "Once", "once": "0123456789abcdefghij"}
    answers = [client.post(address(stage, "comments"), sent, headers=HTMX) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 200]
    assert Comment.objects.count() == 1


def test_what_was_typed_comes_back_with_what_is_wrong(stage, login):
    sent = {"text": "Look at this", "uploads": [SimpleUploadedFile("run.exe", b"MZ\x00")]}
    for headers in ({}, HTMX):
        sent["uploads"][0].seek(0)
        answer = login(stage.filer).post(address(stage, "comments"), sent, headers=headers)
        assert answer.status_code == 422
        page = text_of(answer)
        assert "Look at this</textarea>" in page
        assert "“run.exe”" in page
        assert "Choose the files again" in page
    assert not Comment.objects.exists()


def test_files_hang_on_their_comment(stage, login):
    client = login(stage.filer)
    files = [SimpleUploadedFile("a.txt", b"A"), SimpleUploadedFile("b.txt", b"B")]
    client.post(address(stage, "comments"), {"text": "", "uploads": files})
    page = text_of(client.get(address(stage, "detail")))
    for file in Attachment.objects.all():
        assert reverse("requests:file", args=[stage.request.pk, file.uuid]) in page


def test_older_comments_come_page_by_page_in_order(stage, login, monkeypatch):
    monkeypatch.setattr(talk, "PAGE_SIZE", 2)
    for number in range(5):
        factories.CommentFactory(request=stage.request, text=f"Said {number}")
    client = login(stage.filer)
    page = text_of(client.get(address(stage, "detail")))
    seen = []
    while True:
        seen = re.findall(r"Said (\d)", page) + seen
        older = re.search(r'href="([^"]+cursor=[^"]+)"\s+hx-get', page)
        if older is None:
            break
        page = text_of(client.get(older[1], headers=HTMX | {"HX-Target": "comments-older"}))
        assert "<html" not in page
    assert seen == ["0", "1", "2", "3", "4"]


def test_a_lost_place_starts_again(stage, login):
    factories.CommentFactory(request=stage.request, text="Here")
    answer = login(stage.filer).get(address(stage, "comments"), {"cursor": "x"})
    assert answer.status_code == 200
    assert "Here" in text_of(answer)


def test_own_words_are_edited_and_the_page_says_so(stage, login):
    comment = factories.CommentFactory(request=stage.request, by=stage.filer)
    client, where = login(stage.filer), address(stage, "comment-edit", comment.uuid)
    assert comment.text in text_of(client.get(where))
    assert client.post(where, {"text": "Better", "version": 1}).status_code == 302
    page = text_of(client.get(address(stage, "detail")))
    assert "Better" in page
    assert ">edited</span>" in page


def test_an_edit_over_an_edit_shows_both_and_can_be_sent_again(stage, login):
    comment = factories.CommentFactory(request=stage.request, by=stage.filer)
    client, where = login(stage.filer), address(stage, "comment-edit", comment.uuid)
    client.post(where, {"text": "First", "version": 1})
    answer = client.post(where, {"text": "Second", "version": 1})
    assert answer.status_code == 422
    page = text_of(answer)
    assert "First" in page
    assert "Second</textarea>" in page
    again = {"text": "Second", "version": re.search(r'name="version" value="(\d+)"', page)[1]}
    assert client.post(where, again).status_code == 302


def test_a_withdrawn_comment_keeps_its_place(stage, login):
    comment = factories.CommentFactory(request=stage.request, by=stage.filer, text="Secret")
    client = login(stage.lead)
    client.post(address(stage, "comment-withdraw", comment.uuid))
    page = text_of(client.get(address(stage, "detail")))
    assert "Secret" not in page
    assert f"comment-{comment.uuid}" in page
    assert client.post(address(stage, "comment-withdraw", comment.uuid)).status_code == 404


def test_acts_are_offered_only_to_who_may(stage, login):
    comment = factories.CommentFactory(request=stage.request, by=stage.filer)
    edit = address(stage, "comment-edit", comment.uuid)
    withdraw = address(stage, "comment-withdraw", comment.uuid)
    offered = {
        who: [
            link in text_of(login(getattr(stage, who)).get(address(stage, "detail")))
            for link in (edit, withdraw)
        ]
        for who in ("filer", "lead", "stranger")
    }
    assert offered == {"filer": [True, True], "lead": [False, True], "stranger": [False, False]}


def test_evidence_is_listed_only_for_who_sees_the_customers_people(stage, login):
    factories.AttachmentFactory(
        request=stage.request, sign_off=stage.request.sign_offs.get(), name="agreed.pdf"
    )
    for who, is_there in (("filer", True), ("lead", True), ("stranger", False)):
        page = text_of(login(getattr(stage, who)).get(address(stage, "detail")))
        assert ("agreed.pdf" in page) is is_there


def test_work_is_ticked_off_and_handed_over(stage, login):
    for model in (Tick, RollOut, Artefact):
        model.objects.all().delete()
    client = login(stage.engineer)
    page = text_of(client.get(address(stage, "delivery")))
    deliver = address(stage, "move", "deliver")
    assert f'class="btn btn-p" href="{deliver}"' not in re.sub(r"\s+", " ", page)
    day = stage.today.isoformat()
    sent = {
        "tick-d1-evidence": "20 **accounts** sign in.",
        "tick-d1-done_on": day,
        "tick-d1-url": "https://git.example.com/7",
        "tick-d1-file": SimpleUploadedFile("proof.txt", b"20 of 20"),
    }
    assert client.post(address(stage, "deliverable-tick", "d1"), sent).status_code == 302
    sent = {"artefact-name": "Sync", "artefact-maintained_by": "customer", "artefact-url": ""}
    assert client.post(address(stage, "artefact-add"), sent).status_code == 302
    sent = {"roll-out-note": "At all plants.", "roll-out-done_on": day}
    assert client.post(address(stage, "roll-out"), sent).status_code == 302
    page = re.sub(r"\s+", " ", text_of(client.get(address(stage, "delivery"))))
    assert "<strong>accounts</strong>" in page
    assert "proof.txt" in page
    assert f'class="btn btn-p" href="{deliver}"' in page


def test_evidence_typed_comes_back_open_with_what_is_wrong(stage, login):
    Tick.objects.all().delete()
    sent = {"tick-d1-evidence": "It works.", "tick-d1-done_on": "2099-01-01"}
    answer = login(stage.engineer).post(address(stage, "deliverable-tick", "d1"), sent)
    assert answer.status_code == 422
    page = text_of(answer)
    assert "It works.</textarea>" in page
    assert "still to come" in page
    assert page.count('role="alert"') == 1


def test_each_part_can_be_taken_back(stage, login):
    client = login(stage.engineer)
    artefact = Artefact.objects.get()
    acts = [
        ("deliverable-untick", ["d1"], {"untick-d1-reason": "It broke."}),
        (
            "artefact-change",
            [artefact.uuid],
            {f"artefact-{artefact.uuid}-name": "X", f"artefact-{artefact.uuid}-maintained_by": ""},
        ),
        ("artefact-remove", [artefact.uuid], {}),
        ("roll-out-take-back", [], {"take-back-reason": "Plant 2 is back."}),
    ]
    for name, args, sent in acts:
        assert client.post(address(stage, name, *args), sent).status_code == 302
    assert not any(model.objects.exists() for model in (Tick, Artefact, RollOut))


def test_readers_see_it_without_forms(stage, login):
    page = text_of(login(stage.stranger).get(address(stage, "delivery")))
    assert "SAML sign-in for plant accounts" in page
    assert "/delivery/deliverables/" not in page
    assert "/delivery/artefacts/" not in page
    assert "/delivery/roll-out/" not in page


def test_what_the_customer_said_is_shown_with_its_rating(stage, login):
    answer = stage.answered("rejected")
    type(answer).objects.filter(pk=answer.pk).update(
        party_name="Kari Solberg", note="Plant 2 fails.", rating=2
    )
    page = text_of(login(stage.filer).get(address(stage, "delivery")))
    assert "Kari Solberg" in page
    assert "Plant 2 fails." in page
    assert "Rated 2 of 5" in page
    page = text_of(login(stage.stranger).get(address(stage, "delivery")))
    assert "Kari Solberg" not in page
    assert "Plant 2 fails." not in page


def test_a_retrospective_is_asked_for_and_written(login):
    stage = Stage()
    stage.at("accepted")
    stage.answered("rejected")
    client = login(stage.filer)
    page = text_of(client.get(address(stage, "delivery")))
    assert "The customer rejected a delivery." in page
    assert "Needed before it is closed" in page
    sent = {"retrospective-text": "We tested too late.", "retrospective-version": "999"}
    answer = client.post(address(stage, "retrospective"), sent)
    assert answer.status_code == 422
    assert "We tested too late.</textarea>" in text_of(answer)
    version = re.search(r'name="retrospective-version" value="(\d+)"', text_of(answer))[1]
    sent["retrospective-version"] = version
    assert client.post(address(stage, "retrospective"), sent).status_code == 302
    assert "We tested too late." in text_of(client.get(address(stage, "delivery")))


def test_a_look_that_is_due_is_recorded_on_the_page(login):
    stage = Stage()
    stage.at("closed")
    OutcomeCheck.objects.create(request=stage.request, days=30, due_on=stage.today)
    client = login(stage.filer)
    where = address(stage, "outcome-check", 30)
    assert where in text_of(client.get(address(stage, "delivery")))
    assert client.post(where, {"check-30-note": ""}).status_code == 422
    assert client.post(where, {"check-30-note": "600 by their count."}).status_code == 302
    assert "600 by their count." in text_of(client.get(address(stage, "delivery")))
    assert client.post(address(stage, "outcome-check", 60), {}).status_code == 404
    assert client.post(address(stage, "outcome-check", 10**30), {}).status_code == 404
