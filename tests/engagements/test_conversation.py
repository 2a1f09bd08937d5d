"""What people say about a request, and who hears of it."""

import datetime as dt

import pytest
from django.core.exceptions import PermissionDenied
from django.core.files.uploadedfile import SimpleUploadedFile

from config.lib.errors import Gone, Invalid, StaleWrite
from engagements import selectors
from engagements.models import Attachment, Comment
from engagements.rules.mentions import Person, mentioned
from engagements.services.attachments import UnusableFile
from engagements.services.conversation import add_comment, edit_comment, withdraw_comment
from events.models import Event, Notice, OutboxMessage
from tests import factories
from tests.engagements.ready import Stage

pytestmark = pytest.mark.django_db
CANARY = "canary-7f3a"


@pytest.fixture
def stage():
    stage = Stage()
    stage.at("in_progress")
    return stage


def say(stage, text="Any news?", by=None, **more):
    return add_comment(stage.request, text, by=by or stage.filer, at=stage.now, **more)


def told(kind):
    return set(Notice.objects.filter(kind=kind).values_list("to__email", flat=True))


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        ("@Ada Lovelace, look", {1}),
        ("thanks @ada lovelace", {1}),
        ("@ada@keel.example and @Bob", {1, 2}),
        ("@Bobby Tables", {3}),
        ("@Bob's turn", {2}),
        ("@Bobbing", set()),
        ("mail ada@keel.example", set()),
        ("@@Bob", {2}),
        ("@nobody", set()),
        ("@", set()),
        ("(@Straße)", {4, 5}),
    ],
)
def test_names_and_addresses_after_an_at_sign(text, keys):
    people = [
        Person(1, "Ada Lovelace", "ada@keel.example"),
        Person(2, "Bob", "bob@keel.example"),
        Person(3, "Bobby Tables", "bt@keel.example"),
        Person(4, "Strasse", "s1@keel.example"),
        Person(5, "STRASSE", "s2@keel.example"),
    ]
    assert mentioned(text, people) == keys


def test_everybody_with_a_role_can_speak_and_nobody_else(stage, without_role):
    for person in (stage.filer, stage.stranger, stage.engineer, stage.lead, stage.leadership):
        say(stage, by=person)
    with pytest.raises(PermissionDenied):
        say(stage, by=without_role)


def test_those_named_and_those_who_take_part_are_told_once(stage):
    say(stage, "First", by=stage.leadership)
    Notice.objects.all().delete()
    say(stage, f"@{stage.lead.email} what do you think?", by=stage.colleague)
    assert told("mention") == {stage.lead.email}
    assert told("comment") == {stage.filer.email, stage.engineer.email, stage.leadership.email}


def test_people_can_be_picked_instead_of_typed(stage):
    comment = say(stage, mentions=[stage.lead.uuid, stage.stranger.email.upper()])
    assert set(comment.mentions.all()) == {stage.lead, stage.stranger}


def test_who_may_not_see_it_is_dropped_and_nobody_is_told(stage, without_role):
    gone = factories.UserFactory(roles=["tam"], is_active=False)
    text = f"{CANARY} @{without_role.email} @{gone.email} @system@keel.invalid"
    comment = say(stage, text, mentions=[without_role.uuid, gone.uuid, "nobody@x.example"])
    assert not comment.mentions.exists()
    assert told("mention") == set()
    assert without_role.email not in told("comment")


def test_no_notice_event_or_mail_carries_what_was_said(stage):
    comment = say(stage, f"{CANARY} @{stage.lead.email}")
    edit_comment(comment, f"{CANARY} again", by=stage.filer, at=stage.now, version=1)
    kept = [
        *Event.objects.values_list("before", "after", "reason", "object_label"),
        *Notice.objects.values_list("title", "body", "path"),
    ]
    assert kept
    assert CANARY not in str(kept)
    assert not OutboxMessage.objects.filter(payload__contains=CANARY.encode()).exists()


def test_a_mention_in_a_draft_reaches_only_who_began_it(stage):
    draft = factories.ServiceRequestFactory(filed_by=stage.filer)
    assert list(selectors.people_who_see(draft)) == [stage.filer]
    with pytest.raises(PermissionDenied):
        add_comment(draft, "Hm", by=stage.filer, at=stage.now)


def test_one_says_something_or_adds_a_file(stage):
    with pytest.raises(Invalid) as refusal:
        say(stage, "  ")
    assert refusal.value.field == "text"
    file = SimpleUploadedFile("notes.txt", b"Plain text.")
    assert say(stage, "", uploads=[file]).attachments.get().name == "notes.txt"


def test_a_bad_file_keeps_the_whole_comment_out(stage):
    bad = SimpleUploadedFile("run.exe", b"MZ\x00")
    with pytest.raises(UnusableFile):
        say(stage, "See this", uploads=[SimpleUploadedFile("a.txt", b"A"), bad])
    assert not Comment.objects.exists()
    assert not Attachment.objects.exists()


def test_control_characters_and_novels_are_refused(stage):
    for text in ("a\x00b", "\u202e", "x" * 10_001):
        with pytest.raises(Invalid):
            say(stage, text)


def test_own_words_can_be_edited_and_say_so(stage):
    comment = say(stage, f"@{stage.lead.email}")
    Notice.objects.all().delete()
    later = stage.now + dt.timedelta(minutes=5)
    text = f"@{stage.lead.email} @{stage.stranger.email}"
    edit_comment(comment, text, by=stage.filer, at=later, version=comment.version)
    comment.refresh_from_db()
    assert (comment.text, comment.edited_at, comment.version) == (text, later, 2)
    assert told("mention") == {stage.stranger.email}
    assert Event.objects.filter(verb="request.comment_edited").exists()


def test_an_edit_over_an_edit_is_refused(stage):
    comment = say(stage)
    edit_comment(comment, "One", by=stage.filer, at=stage.now, version=1)
    with pytest.raises(StaleWrite):
        edit_comment(comment, "Two", by=stage.filer, at=stage.now, version=1)


def test_nobody_edits_anothers_words(stage):
    comment = say(stage)
    for person in (stage.colleague, stage.lead, stage.administrator):
        with pytest.raises(PermissionDenied):
            edit_comment(comment, "Other", by=person, at=stage.now, version=1)


@pytest.mark.parametrize("who", ["filer", "lead"])
def test_what_is_withdrawn_is_gone_and_its_place_stays(stage, who):
    comment = say(stage, CANARY, uploads=[SimpleUploadedFile("a.txt", b"A")])
    withdraw_comment(comment, by=getattr(stage, who), at=stage.now)
    comment = selectors.comments_of(stage.request).get()
    assert (comment.text, comment.deleted_at) == ("", stage.now)
    assert not Attachment.objects.exists()
    with pytest.raises(Gone):
        edit_comment(comment, "Back", by=stage.filer, at=stage.now, version=comment.version)


def test_others_do_not_withdraw_it(stage):
    comment = say(stage)
    for person in (stage.colleague, stage.engineer, stage.leadership):
        with pytest.raises(PermissionDenied):
            withdraw_comment(comment, by=person, at=stage.now)
