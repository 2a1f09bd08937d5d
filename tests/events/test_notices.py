"""Who is told, where, and by mail at once, once a day or not at all."""

import datetime as dt
import threading

import pytest
from django.core import mail
from django.db import connection

from events import outbox
from events.models import Notice, NoticeSetting, OutboxMessage
from events.services import digests, notices, notify
from tests.factories import UserFactory

AT = dt.datetime(2026, 11, 18, 9, tzinfo=dt.UTC)
DAY = AT.date()
How = NoticeSetting.How


def told(people, kind="mention", **more):
    return notify(people, kind, title="Ruth mentions you", path="/requests/REQ-3/", at=AT, **more)


def mails():
    outbox.relay()
    return mail.outbox


@pytest.mark.django_db
class TestWhoIsTold:
    def test_everybody_once_but_not_who_did_it(self, tam, csm, de_lead):
        told([tam, csm, tam, de_lead], by=de_lead)

        assert list(Notice.objects.values_list("to", flat=True)) == [tam.pk, csm.pk]

    def test_nobody_who_has_left_or_may_see_nothing(self, tam, csm, without_role):
        csm.is_active = False
        csm.save()

        told([tam, csm, without_role])

        assert [each.to for each in Notice.objects.all()] == [tam]

    def test_nobody_at_all(self, db):
        assert told([]) == []

    @pytest.mark.parametrize("title", ["a\nBcc: x@y.example", "x" * 300, "a\u3000b\u2028c"])
    def test_any_title_makes_a_subject(self, title, tam):
        notify([tam], "mention", title=title, at=AT)

        (sent,) = mails()
        assert sent.subject.isprintable()
        assert len(sent.subject) <= notices.TITLE_MAX


@pytest.mark.django_db
class TestMailsAtOnce:
    def test_says_what_where_and_how_to_change_it(self, tam, settings):
        settings.BASE_URL = "https://keel.example"

        told([tam], body="@TAM can you ask them?")

        (sent,) = mails()
        assert sent.to == [tam.email]
        assert sent.subject == "Ruth mentions you"
        assert sent.body == (
            "Ruth mentions you\n\n@TAM can you ask them?\n\n"
            "https://keel.example/requests/REQ-3/\n\n"
            "You are told of this at once: “Somebody mentions you in a conversation”. "
            "Change it:\nhttps://keel.example/notices/settings/"
        )

    @pytest.mark.parametrize("kind", notices.KINDS)
    def test_each_kind_as_it_is_until_somebody_sets_it(self, kind, tam):
        told([tam], kind)

        is_mailed = notices.KINDS[kind].how == How.AT_ONCE
        assert len(mails()) == is_mailed
        assert (Notice.objects.get().mailed_at == AT) is is_mailed

    @pytest.mark.parametrize("how", [How.DAILY, How.HERE])
    def test_not_where_the_person_wants_it_otherwise(self, how, tam, csm):
        notices.set_how(tam, {"mention": how})

        told([tam, csm])

        assert [each.to for each in mails()] == [[csm.email]]

    def test_a_flood_becomes_a_digest(self, tam, csm):
        for _ in range(notices.MOST_MAILS + 3):
            told([tam])
        told([csm])

        assert len(mails()) == notices.MOST_MAILS + 1
        assert Notice.objects.filter(mailed_at=None).count() == 3
        assert digests.send_digests(day=DAY, at=AT) == 1

    def test_an_address_that_takes_no_mail_stops_nothing(self, tam):
        tam.email = "somebody@a.b"
        tam.save()

        told([tam])

        assert Notice.objects.get().mailed_at is None


@pytest.mark.django_db
def test_settings_are_kept_where_they_differ(tam):
    notices.set_how(tam, {"mention": How.HERE, "comment": How.DAILY})
    assert notices.how_told([tam])[tam.pk]["mention"] == How.HERE
    assert NoticeSetting.objects.count() == 1

    notices.set_how(tam, {"mention": How.AT_ONCE})
    assert NoticeSetting.objects.count() == 0


@pytest.mark.django_db
class TestDigest:
    def test_is_one_mail_with_what_is_new_by_kind(self, tam, csm, settings):
        settings.BASE_URL = "https://keel.example"
        notify([tam], "request_moved", title="REQ-1 is triaged", path="/requests/REQ-1/", at=AT)
        notify([tam], "comment", title="Ada comments", path="/requests/REQ-2/", at=AT)
        notify([tam], "mention", title="mailed already", at=AT)
        mails().clear()

        assert digests.send_digests(day=DAY, at=AT) == 1

        (sent,) = mails()
        assert sent.to == [tam.email]
        assert sent.subject == "2 things are new in Keel"
        assert sent.body == (
            "Somebody comments on a request you take part in\n"
            "- Ada comments\n  https://keel.example/requests/REQ-2/\n\n"
            "A request of yours moves on\n"
            "- REQ-1 is triaged\n  https://keel.example/requests/REQ-1/\n\n"
            "All of them: https://keel.example/notices/\n\n"
            "Change how you are told: https://keel.example/notices/settings/"
        )

    def test_is_sent_once_a_day_whoever_rings(self, tam):
        told([tam], "comment")
        assert digests.send_digests(day=DAY, at=AT) == 1
        told([tam], "comment")

        later = AT + dt.timedelta(hours=1)
        assert digests.send_digests(day=DAY, at=later) == 0
        tomorrow = AT + dt.timedelta(days=1)
        assert digests.send_digests(day=tomorrow.date(), at=tomorrow) == 1
        assert len(mails()) == 2

    def test_leaves_out_what_was_seen_is_wanted_here_only_or_is_old(
        self, tam, csm, de_lead, person
    ):
        told([tam, csm, de_lead], "comment")
        notices.mark_seen(Notice.objects.filter(to=tam), at=AT)
        notices.set_how(csm, {"comment": How.HERE})
        Notice.objects.filter(to=de_lead).update(at=AT - dt.timedelta(days=20))

        assert digests.send_digests(day=DAY, at=AT) == 0

    def test_goes_to_nobody_who_has_left_since(self, tam):
        told([tam], "comment")
        tam.is_active = False
        tam.save()

        assert digests.send_digests(day=DAY, at=AT) == 0

    def test_ends_with_how_many_there_are_beyond_a_hundred(self, tam):
        for n in range(103):
            notify([tam], "comment", title=f"Comment {n}", at=AT)

        digests.send_digests(day=DAY, at=AT)

        (sent,) = mails()
        assert sent.subject == "103 things are new in Keel"
        assert "And 3 more." in sent.body

    def test_old_notices_are_deleted(self, tam):
        told([tam])
        Notice.objects.update(at=AT - dt.timedelta(days=200))
        told([tam])

        assert digests.purge(at=AT) == 1
        assert Notice.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_two_ticks_at_once_send_one_digest():
    people = [UserFactory(roles=["tam"]) for _ in range(4)]
    told(people, "comment")
    gate = threading.Barrier(3)
    counts = []

    def tick():
        try:
            gate.wait()
            counts.append(digests.send_digests(day=DAY, at=AT))
        finally:
            connection.close()

    threads = [threading.Thread(target=tick) for _ in range(3)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()

    assert sum(counts) == len(people)
    assert OutboxMessage.objects.filter(dedupe_key__startswith="digest:").count() == len(people)
