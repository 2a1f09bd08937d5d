"""The demo company: the same everywhere, honest in both times, and never among real data."""

import datetime as dt
import html
import io
from collections import Counter
from itertools import pairwise

import pytest
from django.contrib.auth import authenticate
from django.core.management import CommandError, call_command
from django.db import transaction
from django.test import override_settings
from django.utils import timezone

from accounts.models import (
    Account,
    AccountFacts,
    Assignment,
    Company,
    Contact,
    SeatReading,
    Subscription,
    Tier,
)
from engagements.models import RoutingRule
from events.models import Event
from metrics import rules
from metrics.demo import nights, people
from metrics.demo.customers import tell_all
from metrics.demo.story import ZONE, Story
from metrics.models import MetricRow, MetricRun
from metrics.selectors import late, rows, runs
from metrics.selectors.explaining import explanation
from people.models import Role, User
from projects.models import (
    Allocation,
    PreEmption,
    Project,
    ProjectArtefact,
    ProjectCheck,
    ProjectState,
    RankOverride,
    Review,
    VoteRound,
)
from projects.models.projects import ProjectVersion
from tests.conftest import become_the_application
from tests.factories import AccountFactory, UserFactory

TABLES = (
    Account, AccountFacts, Assignment, Contact, Event, MetricRow, MetricRun, SeatReading,
    Subscription, Tier, User,
)  # fmt: skip


def demo(*arguments):
    out, beside = io.StringIO(), io.StringIO()
    call_command("demo", *arguments, stdout=out, stderr=beside)
    return out.getvalue(), beside.getvalue()


def counts():
    return {model.__name__: model.objects.count() for model in TABLES}


@pytest.fixture
def on(monkeypatch):
    """Set the clock, also the one by which knowledge is cut."""

    def at(now):
        monkeypatch.setattr(timezone, "now", lambda: now)
        monkeypatch.setattr("metrics.services.runs.take_cut", lambda: now)
        monkeypatch.setattr("metrics.selectors.late.inputs.FAR_FUTURE", now)
        return now

    return at


def few(story, now):
    """Return the first of the nights and the last ones."""
    yesterday = now.astimezone(ZONE).date() - dt.timedelta(days=1)
    return [
        story.day(0),
        story.day(180),
        *(yesterday - dt.timedelta(days=i) for i in (2, 1, 0)),
    ]


@pytest.fixture
def quick(monkeypatch):
    monkeypatch.setattr(nights, "_days", few)


@pytest.fixture(scope="class")
def printed(django_db_setup, django_db_blocker):
    """What `demo` printed: the company is made once, for all tests of a class that read it."""
    md5 = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    # As Django marks those of its own test cases: durable blocks may open in it.
    around = transaction.atomic()
    around._from_testcase = True
    with django_db_blocker.unblock(), pytest.MonkeyPatch.context() as patch:
        patch.setattr("events.outbox.ring", lambda *_: None)
        patch.setattr(nights, "_days", few)
        with around, override_settings(PASSWORD_HASHERS=md5):
            become_the_application()
            yield demo()[0]
            transaction.set_rollback(True)


def seats_runs():
    """What nights have computed, not what back-tests have."""
    return MetricRun.objects.filter(
        definition__slug="seats-deployed", definition__number__isnull=False
    )


class TestStory:
    def told(self, anchor=dt.date(2026, 5, 1), size=120):
        story = Story(anchor=anchor, size=size)
        tell_all(story)
        return story

    def test_is_the_same_every_time(self):
        first, second = self.told(), self.told()
        assert first.told == second.told
        assert first.meters == second.meters

    @pytest.mark.parametrize("size", [30, 120, 333])
    def test_has_as_many_customers_as_asked_for(self, size):
        told = Counter(t.model for t in self.told(size=size).told if t.is_new)
        assert told["account"] == size

    def test_names_no_two_customers_alike(self):
        names = [
            t.values["name"] for t in self.told(size=3000).told if t.model == "account" and t.is_new
        ]
        assert len(set(names)) == len(names) == 3000

    def test_tells_nothing_before_what_it_hangs_on(self):
        told = self.told().told
        known = {(t.model, t.key): t.known for t in told if t.is_new}
        for fact in told:
            if not fact.is_new:
                assert known[fact.model, fact.key] < fact.known
            if account := fact.values.get("account"):
                assert known["account", account] <= fact.known

    def test_goes_on_for_years(self):
        story = self.told()
        since, until = story.moment(365 + 690), story.moment(365 + 700)
        later = list(story.counts(since, until))
        assert later
        assert all(since < count.known <= until for count in later)


@pytest.mark.django_db
class TestCompanyOfOneDay:
    def test_is_lively(self, printed):
        first, last = runs.series("seats-deployed")[0], runs.run_on("seats-deployed")
        assert first.day == last.day - dt.timedelta(days=365)
        assert 0.50 <= first.numerator / first.denominator <= 0.56
        assert 0.64 <= last.numerator / last.denominator <= 0.70
        assert 80 <= first.denominator <= last.denominator <= 100
        assert last.unknown >= 3
        reasons = Counter(row.reason for row in rows.rows_of(last))
        assert set(reasons) >= {
            "passes", "below", "over_deployed", "partial", "stale", "no_reading", "unlimited",
            "prospect", "internal", "archived", "churned", "missing_rate", "missing_amount",
            "arr_not_above",
        }  # fmt: skip
        exact = AccountFacts.objects.get(account__external_id="D90001")
        assert (exact.arr, exact.eligible) == (50_000, False)
        assert Account.objects.count() == 120
        assert Account.objects.exclude(region="").values("region").distinct().count() == 3
        assert Tier.objects.count() == 4
        for by, least in (("tier", 3), ("region", 3), ("tam", 5)):
            assert len([s for s in rows.segments_of(last, by) if s.key]) >= least
        assert set(Subscription.objects.values_list("kind", flat=True)) == {"paid", "trial", "poc"}
        assert Subscription.objects.filter(tcv__isnull=False).exists()
        assert runs.target_of("seats-deployed").value > last.numerator / last.denominator
        assert Event.objects.filter(reason__contains="14,000").exists()

        for role in Role:
            email = people.email_of(next(name for name, r in people.PEOPLE if r == role))
            assert f"{Role(role).label}  " in printed
            assert email in printed
            assert User.objects.get(email=email).roles == {role}
        assert people.PASSWORD in printed

    def test_moves_the_number_for_many_reasons(self, printed):
        days = list(seats_runs().order_by("day"))
        found = [explanation(*pair) for pair in pairwise(days)]
        causes = {str(each.cause) for change in found for each in change.contributions}
        assert causes >= {
            "seats_gained", "seats_lost", "licences_grew", "licences_shrank", "reading_stale",
            "new_customer", "churned", "archived", "restored", "arr_up", "arr_down",
            "became_unlimited",
        }  # fmt: skip
        assert any(change.contraction for change in found)

    def test_has_projects_in_every_state(self, printed):
        assert set(Project.objects.values_list("state", flat=True)) == set(ProjectState.values)
        assert Project.objects.filter(kind="internal").exists()
        assert Project.objects.exclude(lift=None).exists()
        assert Project.objects.exclude(blocked_by="").exists()
        for is_there in (Allocation, PreEmption, ProjectArtefact, RankOverride, VoteRound):
            assert is_there.objects.exists()
        assert set(Review.objects.values_list("state", flat=True)) == {"held", "planned"}
        verdicts = set(ProjectCheck.objects.values_list("verdict", flat=True))
        assert verdicts == {"", "achieved", "partly", "missed"}

    def test_was_there_a_month_ago(self, printed, client):
        """What is looked back at was known then, not only told today."""
        then = timezone.now() - dt.timedelta(days=30)
        client.force_login(User.objects.get(email=people.email_of("Astrid Berg")))

        def looked_at(path):
            answer = client.get(f"{path}?as_of={then.date()}&known_at={then:%Y-%m-%dT%H:%M}")
            assert answer.status_code == 200
            return answer.content.decode()

        begun = ProjectVersion.objects.filter(known_from__lt=then, state="in_progress")
        running = begun.exclude(known_to__lt=then).values_list("title", flat=True)
        board = looked_at("/board/")
        assert running
        assert all(title in board for title in running)
        assert "Diamond" in looked_at("/settings/tiers/")
        rule = RoutingRule.objects.order_by("priority").first()
        assert html.escape(rule.name) in looked_at("/settings/routing/")
        mine = Assignment.objects.filter(role="TAM", end=None).order_by("pk").first()
        assert mine.user.name in looked_at(f"/accounts/{mine.account.number}/people/")
        assert not ProjectVersion.objects.filter(known_from__gt=timezone.now()).exists()

    def test_lets_its_people_sign_in(self, printed, rf):
        amara = people.email_of("Amara Obi")
        assert authenticate(rf.get("/"), email=amara, password=people.PASSWORD).email == amara


@pytest.mark.django_db
class TestCompany:
    def test_has_a_year_of_nights_that_knew_what_was_known(self, on):
        now = on(dt.datetime(2026, 4, 15, 9, 30, tzinfo=dt.UTC))
        demo("--accounts", "40")
        made = runs.series("seats-deployed")
        assert [run.day for run in made] == [
            dt.date(2025, 4, 15) + dt.timedelta(days=i) for i in range(366)
        ]
        for run in seats_runs().exclude(day=made[-1].day):
            night = rules.start_of(run.day + dt.timedelta(days=1), ZONE)
            assert night < run.known_at < run.computed_at < now
            if run.revision == 1:
                assert run.computed_at < night + dt.timedelta(hours=1)
        assert seats_runs().filter(revision__gt=1).exists()
        assert late.late_days("seats-deployed", now=now, most=35) == []
        assert Company.objects.get().time_zone == ZONE.key

        # Again: everything is found.
        before = counts()
        printed, beside = demo("--accounts", "40")
        assert counts() == before
        assert "brought up to today" in beside
        assert people.PASSWORD in printed

        # Days later: readings and nights go on where they were left.
        on(now + dt.timedelta(days=4, hours=3))
        demo()
        after = counts()
        assert after["SeatReading"] > before["SeatReading"]
        assert runs.run_on("seats-deployed").day == dt.date(2026, 4, 19)
        newest = {run.day: run for run in runs.series("seats-deployed", start=dt.date(2026, 4, 15))}
        assert len(newest) == 5
        for day in list(newest)[:-1]:
            assert newest[day].known_at >= rules.start_of(day + dt.timedelta(days=1), ZONE)
        assert after["Account"] == before["Account"]
        assert after["User"] == before["User"]

        # What was published before stands as it was published.
        assert late.late_days("seats-deployed", now=timezone.now(), most=35) == []

    def test_takes_up_an_interrupted_start(self, on, monkeypatch):
        now = on(dt.datetime(2026, 4, 15, 9, 30, tzinfo=dt.UTC))
        days = nights._days

        def broken(story, now):
            for number, day in enumerate(days(story, now)):
                if number == 20:
                    raise KeyboardInterrupt
                yield day

        with monkeypatch.context() as patched:
            patched.setattr(nights, "_days", broken)
            with pytest.raises(KeyboardInterrupt):
                demo("--accounts", "30")
        monkeypatch.setattr(nights, "_days", lambda story, now: list(days(story, now))[:40])
        demo("--accounts", "30")
        made = runs.series("seats-deployed", end=dt.date(2025, 5, 20))
        assert len(made) == 36
        assert now.year == 2026

    def test_a_large_one_has_month_ends_and_recent_days(self, monkeypatch):
        monkeypatch.setattr("metrics.demo.story.LARGE", 50)
        monkeypatch.setattr("metrics.management.commands.demo.LARGE", 50)
        demo("--accounts", "60")
        made = runs.series("seats-deployed")
        assert nights.RECENT + 11 <= len(made) <= nights.RECENT + 13
        assert Account.objects.count() == 60


@pytest.mark.django_db
class TestRefusals:
    def test_of_other_accounts(self):
        AccountFactory()
        before = counts()
        with pytest.raises(CommandError, match="holds 1 account of your own"):
            demo()
        assert counts() == before

    def test_of_other_people(self):
        UserFactory(email="ada@company.example")
        before = counts()
        with pytest.raises(CommandError, match=r"such as ada@company\.example"):
            demo()
        assert counts() == before

    def test_of_a_real_installation(self, settings):
        settings.IN_PRODUCTION = True
        with pytest.raises(CommandError, match="never goes into a real installation"):
            demo()
        assert not Account.objects.exists()

    @pytest.mark.parametrize("number", ["0", "-5", "29", "1000000"])
    def test_of_a_number_of_customers_that_makes_no_company(self, number):
        with pytest.raises(CommandError, match="--accounts must be from 30 to"):
            demo("--accounts", number)

    def test_what_was_added_to_a_demo_by_hand_stays(self, quick, monkeypatch):
        monkeypatch.setattr("metrics.management.commands.demo.LARGE", 0)
        demo("--accounts", "30")
        AccountFactory(name="Mine")
        demo()
        assert Account.objects.get(source="import").name == "Mine"
