"""The list of notices, the bell, the settings; and when the daily mail goes out."""

import datetime as dt

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import Company
from engagements.models import Holiday
from engagements.services import digest
from events.models import Notice, NoticeSetting
from events.services import notify
from events.services.notices import KINDS
from people.http import SEEN_AT
from people.middleware import IDLE_SECONDS

pytestmark = pytest.mark.django_db
NOW = dt.datetime(2026, 11, 18, 9, tzinfo=dt.UTC)


def tell(*people, title="Ada mentions you", **more):
    return notify(people, "mention", title=title, at=NOW, **more)


class TestList:
    def test_shows_ones_own_and_what_is_new_first(self, login, tam, csm):
        tell(tam, title="Seen before")
        Notice.objects.update(seen_at=NOW)
        tell(tam, title="Quite new", path="/requests/REQ-3/")
        tell(csm, title="For others")

        text = login(tam).get("/notices/").content.decode()

        assert text.index("Quite new") < text.index("Seen before")
        assert 'href="/requests/REQ-3/"' in text
        assert "For others" not in text

    def test_pages_go_on_after_the_last_row(self, login, tam):
        for n in range(60):
            tell(tam, title=f"Notice {n:02}")
        client = login(tam)

        first = client.get("/notices/")
        second = client.get(f"/notices/{first.context['list'].next}")

        shown = [notice.title for page in (first, second) for notice, _ in page.context["rows"]]
        assert shown == [f"Notice {n:02}" for n in reversed(range(60))]

    def test_costs_the_same_however_long(self, login, tam):
        client = login(tam)
        tell(tam)
        client.get("/notices/")
        with CaptureQueriesContext(connection) as few:
            client.get("/notices/")
        for _ in range(30):
            tell(tam)
        with CaptureQueriesContext(connection) as many:
            client.get("/notices/")

        assert len(few) == len(many)

    def test_says_what_will_stand_here(self, login, tam):
        assert "No notices yet" in login(tam).get("/notices/").content.decode()


class TestSeen:
    def test_marks_all_of_ones_own(self, login, tam, csm):
        tell(tam, csm)

        answer = login(tam).post("/notices/seen/")

        assert answer.url == "/notices/"
        assert [each.to for each in Notice.objects.filter(seen_at=None)] == [csm]

    @pytest.mark.parametrize("whose", ["tam", "csm"])
    def test_marks_one_of_ones_own(self, whose, login, tam, csm):
        (first, _), others = tell(tam, csm), tell(tam)
        first.refresh_from_db()

        login({"tam": tam, "csm": csm}[whose]).post("/notices/seen/", {"notice": first.uuid})

        assert Notice.objects.exclude(seen_at=None).count() == (whose == "tam")
        assert others

    def test_a_script_gets_no_page(self, login, tam):
        answer = login(tam).post("/notices/seen/", headers={"HX-Request": "true"})

        assert answer.status_code == 204

    @pytest.mark.parametrize("notice", ["nonsense", "\x00", "1" * 5000])
    def test_nonsense_marks_nothing(self, notice, login, tam):
        tell(tam)

        assert login(tam).post("/notices/seen/", {"notice": notice}).status_code == 302
        assert Notice.objects.filter(seen_at=None).exists()


class TestBell:
    @pytest.mark.parametrize(
        ("count", "words"),
        [(0, 'aria-label="Notices"'), (3, "Notices, 3 new"), (120, "Notices, more than 99 new")],
    )
    def test_counts_what_is_new(self, count, words, login, tam):
        Notice.objects.bulk_create(
            Notice(to=tam, kind="comment", title="x", at=NOW) for _ in range(count)
        )

        assert words in login(tam).get("/notices/bell/").content.decode()
        assert words in login(tam).get("/notices/").content.decode()

    def test_keeps_nobody_signed_in(self, login, tam):
        client = login(tam)
        session = client.session
        session[SEEN_AT] = seen_at = int(timezone.now().timestamp()) - IDLE_SECONDS + 60
        session["signed_in_at"] = seen_at
        session.save()

        client.get("/notices/bell/", headers={"HX-Trigger": "bell"})
        assert client.session[SEEN_AT] == seen_at

        client.get("/notices/")
        assert client.session[SEEN_AT] > seen_at


class TestSettings:
    def test_keep_what_differs(self, login, tam):
        wanted = {kind.name: kind.how for kind in KINDS.values()} | {"mention": "here"}

        answer = login(tam).post("/notices/settings/", wanted)

        assert answer.url == "/notices/settings/"
        row = NoticeSetting.objects.get()
        assert (row.person, row.kind, row.how) == (tam, "mention", "here")
        assert 'value="here"' in login(tam).get("/notices/settings/").content.decode()

    def test_name_what_is_wrong_and_save_nothing(self, login, tam):
        wanted = dict.fromkeys(KINDS, "here") | {"mention": "by pigeon"}
        del wanted["comment"]

        answer = login(tam).post("/notices/settings/", wanted)

        assert answer.status_code == 422
        text = answer.content.decode()
        assert "“by pigeon” is none of the ways" in text
        assert "Choose how you are told: “Somebody comments" in text
        assert not NoticeSetting.objects.exists()


class TestWhenTheDailyMailGoesOut:
    @pytest.mark.parametrize(
        ("moment", "is_time"),
        [
            ("2026-11-18T06:59:00+00:00", False),
            ("2026-11-18T07:03:00+00:00", True),
            # It was missed in the morning.
            ("2026-11-18T16:03:00+00:00", True),
            # Saturday; and a holiday.
            ("2026-11-21T09:00:00+00:00", False),
            ("2026-11-19T09:00:00+00:00", False),
        ],
    )
    def test_from_eight_on_a_business_day(self, moment, is_time, tam):
        Company.objects.update(time_zone="Europe/Berlin")
        Holiday.objects.create(day=dt.date(2026, 11, 19), name="A holiday")
        at = dt.datetime.fromisoformat(moment)
        notify([tam], "comment", title="Ada comments", at=at)

        assert digest.send_daily(at=at) == is_time
