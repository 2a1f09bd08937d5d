"""Files of a request: kept, given back, and out of reach for those who may not see them."""

import uuid

import pytest
from django.core.exceptions import PermissionDenied
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from engagements.models import Attachment, AttachmentChunk
from engagements.services import attachments
from engagements.services.attachments import NoRoom, TooLarge, UnusableFile, keep_file
from events.models import Event
from tests import factories
from tests.engagements.ready import Stage
from tests.engagements.test_file_types import pdf

pytestmark = pytest.mark.django_db


@pytest.fixture
def stage():
    stage = Stage()
    stage.at("triaged")
    return stage


def upload(content=b"Plain text.", name="notes.txt"):
    return SimpleUploadedFile(name, content, content_type="text/html")


def keep(stage, sent=None, by=None, **more):
    sent = sent or upload()
    return keep_file(stage.request, sent, by=by or stage.filer, at=stage.now, **more)


def address(file, request=None):
    return reverse("requests:file", args=[(request or file.request).pk, file.uuid])


def test_a_file_comes_back_as_it_was_in_pieces(stage, monkeypatch):
    monkeypatch.setattr(attachments, "PIECE", 4)
    file = keep(stage, upload(b"Plain text.\n"))
    assert AttachmentChunk.objects.filter(attachment=file).count() == 3
    assert b"".join(attachments.content_of(file)) == b"Plain text.\n"


def test_what_the_sender_says_it_is_does_not_count(stage):
    assert keep(stage).content_type == "text/plain"


def test_the_event_tells_neither_its_name_nor_what_is_in_it(stage):
    file = keep(stage, upload(b"a secret word", "kari-solberg.txt"))
    event = Event.objects.get(verb="request.file_added")
    assert event.after["file"] == str(file.uuid)
    assert "kari" not in f"{event.after} {event.object_label}"


def test_large_files_are_refused_before_they_are_read(stage, monkeypatch):
    monkeypatch.setattr(attachments, "FILE_MOST", 10)
    with pytest.raises(TooLarge, match=r"notes\.txt"):
        keep(stage, upload(b"x" * 11))
    keep(stage, upload(b"x" * 10))


def test_all_files_of_a_request_together_have_a_limit(stage, monkeypatch):
    monkeypatch.setattr(attachments, "REQUEST_MOST", 20)
    keep(stage, upload(b"x" * 15))
    with pytest.raises(NoRoom):
        keep(stage, upload(b"x" * 6))
    keep(stage, upload(b"x" * 5))


def test_what_is_refused_leaves_nothing(stage):
    with pytest.raises(UnusableFile, match=r"page\.html"):
        keep(stage, upload(b"<script>", "page.html"))
    assert not Attachment.objects.exists()


def test_only_people_with_a_role_add_files(stage, without_role):
    with pytest.raises(PermissionDenied):
        keep(stage, by=without_role)


def test_evidence_is_added_by_the_requester_alone(stage):
    sign_off = stage.request.sign_offs.get()
    assert keep(stage, sign_off=sign_off).sign_off == sign_off
    for person in (stage.stranger, stage.lead, stage.engineer):
        with pytest.raises(PermissionDenied):
            keep(stage, by=person, sign_off=sign_off)


def test_a_file_is_saved_and_never_shown(stage, login):
    file = keep(stage, upload(pdf(), "Größe\u202e.pdf"))
    answer = login(stage.stranger).get(address(file))
    assert answer.getvalue() == pdf()
    assert answer.headers["Content-Type"] == "application/pdf"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert answer.headers["Content-Disposition"].startswith("attachment;")
    assert "Gr%C3%B6%C3%9Fe.pdf" in answer.headers["Content-Disposition"]
    assert answer.headers["Cache-Control"] == "no-store"


def test_evidence_is_hidden_from_those_who_do_not_see_the_customers_people(stage, login):
    file = keep(stage, sign_off=stage.request.sign_offs.get())
    answers = {
        name: login(getattr(stage, name)).get(address(file)).status_code
        for name in ("filer", "colleague", "lead", "leadership", "stranger", "engineer")
    }
    assert answers == {
        "filer": 200, "colleague": 200, "lead": 200, "leadership": 200,
        "stranger": 404, "engineer": 404,
    }  # fmt: skip


def test_a_file_is_found_only_under_its_own_request(stage, login):
    file = keep(stage)
    other = factories.ServiceRequestFactory(state="triaged")
    client = login(stage.filer)
    assert client.get(address(file, other)).status_code == 404
    missing = reverse("requests:file", args=[stage.request.pk, uuid.uuid4()])
    assert client.get(missing).status_code == 404


def test_files_of_anothers_draft_are_not_there(stage, login):
    draft = factories.ServiceRequestFactory(filed_by=stage.filer)
    file = keep_file(draft, upload(), by=stage.filer, at=stage.now)
    assert login(stage.filer).get(address(file)).status_code == 200
    assert login(stage.lead).get(address(file)).status_code == 404
    with pytest.raises(PermissionDenied):
        keep_file(draft, upload(), by=stage.lead, at=stage.now)


def test_there_is_no_folder_of_files_to_guess_in(stage, login):
    assert login(stage.filer).get("/media/notes.txt").status_code == 404
