"""Runs that look wrong: held, told of, published by hand; and what has not arrived."""

from decimal import Decimal
from fractions import Fraction

import pytest
from django.utils import timezone

from accounts.models import Import
from config.lib.errors import Conflict
from events import outbox
from events.models import Event, OutboxMessage
from metrics.rules import holding as rules
from metrics.selectors import arrivals, holding
from metrics.services import runs as run_services
from metrics.services.holding import publish_run
from metrics.services.reporting import tell_of_revisions
from people.models import system_user
from tests.factories import AssignmentFactory, ExchangeRateFactory, SubscriptionFactory
from tests.metrics.pages import DASHBOARD, said
from tests.metrics.scene import SLUG, compute, customer, day, learn, moment, number_on, read

FULL = rules.Counts(denominator=100, covered=100, missing_rate=0)


def codes(before, after, **other):
    other = {"jumps": [], "failed": [], "policy": rules.HoldPolicy()} | other
    return [reason.code for reason in rules.reasons_to_hold(before, after, **other)]


class TestRules:
    def test_coverage_may_fall_by_the_policys_share_and_no_further(self):
        assert codes(FULL, FULL._replace(covered=90)) == []
        assert codes(FULL, FULL._replace(covered=89)) == ["coverage_fell"]

    def test_coverage_of_nothing_is_not_compared(self):
        nothing = rules.Counts(0, 0, 0)
        assert codes(nothing, FULL._replace(covered=0)) == []
        assert codes(FULL, nothing) == []

    def test_a_rate_counts_only_where_it_is_newly_missing(self):
        lacking = FULL._replace(missing_rate=3)
        assert codes(FULL, lacking) == ["rate_missing"]
        assert codes(lacking, lacking) == []

    def test_names_five_accounts_and_counts_the_rest(self):
        failed = [f"Account {number}" for number in range(7)]
        (reason,) = rules.reasons_to_hold(
            FULL, FULL, jumps=[], failed=failed, policy=rules.HoldPolicy()
        )
        assert reason.detail.endswith("Account 4 and 2 more.")

    def test_policy_is_read_exactly(self):
        policy = rules.HoldPolicy.of({"coverage_fall": "1/3", "jump_factor": 9})
        assert policy == rules.HoldPolicy(coverage_fall=Fraction(1, 3), jump_factor=9)


@pytest.mark.django_db
@pytest.mark.usefixtures("morning")
class TestRuns:
    @pytest.fixture(autouse=True)
    def _three_customers(self):
        learn("03-01")
        self.accounts = [
            customer(80, at="03-08T12:00", name=name) for name in ("Abo", "Bex", "Cid")
        ]

    def test_a_first_run_is_never_held(self):
        read(self.accounts[0], 90_000, "03-09T12:00")

        assert compute("03-10").run.status == "published"

    def test_what_jumps_is_held_and_the_last_number_stays(self):
        compute("03-10")
        learn("03-11T08:00")
        read(self.accounts[0], 8_000, "03-11T07:00")
        read(self.accounts[1], 20, "03-11T07:00")

        held = compute("03-11").run

        assert held.status == "held"
        assert held.published_at is None
        assert [reason["code"] for reason in held.held_for] == ["jump"]
        assert "Abo: deployed seats 80 → 8,000" in held.held_for[0]["detail"]
        assert "Bex" not in held.held_for[0]["detail"]
        assert number_on("03-11") == (3, 3)

    def test_what_took_weeks_without_a_run_is_no_jump(self):
        compute("03-10")
        learn("03-18T02:00")
        read(self.accounts[0], 8_000, "03-17T07:00")

        assert compute("03-18").run.status == "published"

    def test_an_unlimited_licence_is_no_jump_of_seats(self):
        SubscriptionFactory(account=self.accounts[0], seats=900)
        compute("03-10")
        learn("03-11T08:00")
        self.accounts[0].subscriptions.update(unlimited=True, seats=0)

        assert compute("03-11").run.status == "published"

    def test_the_next_night_is_compared_with_what_was_published(self):
        compute("03-10")
        learn("03-11T08:00")
        read(self.accounts[0], 8_000, "03-11T07:00")
        compute("03-11")

        assert compute("03-12").run.status == "held"

    def test_amends_release_the_day_by_a_revision(self):
        compute("03-10")
        learn("03-11T08:00")
        wrong = read(self.accounts[0], 8_000, "03-11T07:00")
        held = compute("03-11").run
        learn("03-12T08:00")
        type(wrong).objects.filter(instance=wrong.instance, seats=8_000).update(
            known_to=moment("03-12T08:00")
        )
        read(self.accounts[0], 81, "03-11T07:30")

        run = compute("03-11", "03-12T09:00").run

        assert (run.revision, run.status) == (2, "published")
        assert list(holding.waiting(SLUG)) == []
        with pytest.raises(Conflict):
            publish_run(held, reason="It is right.", by=system_user(), at=timezone.now())

    def test_a_newly_missing_rate_is_held(self):
        learn("03-10T08:00")
        rate = ExchangeRateFactory(on=day("03-01"), currency="EUR", rate=Decimal("1.1"))
        SubscriptionFactory(account=self.accounts[0], currency="EUR", seats=0, arr=1)
        compute("03-10")
        learn("03-11T08:00")
        rate.delete()

        (reason,) = compute("03-11").run.held_for

        assert reason["code"] == "rate_missing"

    def test_an_account_that_fails_is_held_and_named(self):
        compute("03-10")
        learn("03-11T08:00")
        ExchangeRateFactory(on=day("03-01"), currency="XAU", rate=Decimal(999_999_999))
        beyond_any_column = Decimal(900_000_000_000)
        SubscriptionFactory(account=self.accounts[2], currency="XAU", arr=beyond_any_column)

        held_for = compute("03-11").run.held_for

        assert {"code": "failed", "detail": "Could not be computed: Cid."} in held_for

    def test_owners_are_told_once(self, metric_owner):
        compute("03-10")
        learn("03-11T08:00")
        read(self.accounts[0], 8_000, "03-11T07:00")
        now = timezone.now()
        for _ in range(2):
            run_services.recompute(SLUG, day("03-11"), by=system_user(), now=now)

        assert OutboxMessage.objects.filter(dedupe_key__startswith="held:").count() == 1

    def test_owners_are_told_of_revised_days(self, metric_owner, mailoutbox):
        compute("03-10")
        first = compute("03-11").run
        learn("03-13T08:00")
        read(self.accounts[0], 70, "03-11T07:00")
        second = compute("03-11", "03-13T09:00").run

        tell_of_revisions([first])
        assert not OutboxMessage.objects.exists()
        tell_of_revisions([first, second])
        outbox.relay()

        (mail,) = mailoutbox
        assert mail.to == [metric_owner.email]
        assert "- 11 Mar 2026: 100.0%, 3 of 3 → 66.7%, 2 of 3" in mail.body

    def test_publishing_needs_a_reason_and_leaves_a_trace(self, metric_owner, login, tam):
        compute("03-10")
        learn("03-11T08:00")
        read(self.accounts[0], 8_000, "03-11T07:00")
        held = compute("03-11").run
        address = f"/metric/runs/{held.uuid}/"
        owner = login(metric_owner)

        assert "The run of 11 Mar is held." in said(login(tam).get(DASHBOARD))
        assert f"Ask {metric_owner.name}" in said(login(tam).get(address))
        assert login(tam).post(address, {"reason": "Because."}).status_code == 403
        assert "Publish it all the same" in said(owner.get(address))
        assert owner.post(address, {"reason": " "}).status_code == 422
        assert number_on("03-11") == (3, 3)
        assert owner.post(address, {"reason": "They bought us out."}).status_code == 302

        held.refresh_from_db()
        assert (held.status, held.published_by) == ("published", metric_owner)
        assert held.numerator == 3
        assert Event.objects.get(verb="metric.published").reason == "They bought us out."
        assert "is held" not in said(owner.get(DASHBOARD))
        assert "They bought us out." in said(owner.get(address))
        again = owner.post(address, {"reason": "Twice."}, follow=True)
        assert "is published already" in said(again)

    def test_what_was_shown_while_it_was_held_can_be_shown_again(self, metric_owner, browser):
        compute("03-10")
        learn("03-11T08:00")
        read(self.accounts[0], 30, "03-11T07:00")
        read(self.accounts[1], 8_000, "03-11T07:00")
        held = compute("03-11").run
        publish_run(held, reason="Right.", by=metric_owner, at=moment("03-14T10:00"))

        assert "2 of 3 accounts" in said(browser.get(DASHBOARD))
        before = browser.get(DASHBOARD, {"known_at": "2026-03-13T00:00:00Z"})
        assert "3 of 3 accounts" in said(before)

    def test_runs_are_listed(self, browser):
        compute("03-10")
        learn("03-11T08:00")
        read(self.accounts[0], 8_000, "03-11T07:00")
        compute("03-11")

        page = said(browser.get("/metric/runs/"))
        assert page.index("11 Mar 2026") < page.index("10 Mar 2026")
        assert "10 Mar 2026" not in said(browser.get("/metric/runs/?held=1"))


@pytest.mark.django_db
@pytest.mark.usefixtures("morning")
class TestWhatHasNotArrived:
    def deliver(self, *days, kind="accounts", source="salesforce"):
        for each in days:
            Import.objects.create(
                kind=kind,
                source=source,
                filename="accounts.csv",
                sha256="0" * 64,
                by=system_user(),
                applied_at=moment(f"{each}T06:00"),
            )

    def overdue(self):
        return arrivals.overdue_files(now=moment("03-20T09:00"))

    def test_a_weekly_file_is_missed_after_half_a_week_more(self):
        self.deliver("02-16", "02-23", "03-02", "03-09")
        (late,) = self.overdue()
        assert (late.source, late.every_days, late.last) == ("salesforce", 7, moment("03-09T06:00"))

    def test_not_while_it_may_still_come(self):
        self.deliver("02-24", "03-03", "03-10")
        assert self.overdue() == []

    def test_a_rhythm_needs_three(self):
        self.deliver("02-01", "02-02")
        assert self.overdue() == []

    def test_the_dashboard_says_so(self, browser):
        learn("03-01")
        customer(80, at="03-02T12:00")
        compute("03-19")
        self.deliver("03-14", "03-15", "03-16")

        page = said(browser.get(DASHBOARD))

        assert (
            "Not arrived: Seat counts from import for 1 account, the last of them on 2 Mar" in page
        )
        assert "Accounts from salesforce, which come every day and last came on 16 Mar" in page

    def test_says_nothing_when_all_is_there(self, browser):
        learn("03-01")
        customer(80, at="03-18T12:00")
        compute("03-19")
        assert "Not arrived" not in said(browser.get(DASHBOARD))


@pytest.mark.django_db
@pytest.mark.usefixtures("morning")
class TestDataToMend:
    def test_names_who_can(self, browser, tam):
        learn("03-01")
        silent = customer(None, name="Silent Ltd")
        AssignmentFactory(account=silent, user=tam)
        customer(None, name="Orphan Ltd")
        customer(80, at="03-18T12:00", name="Fine Ltd")
        compute("03-19")

        page = said(browser.get("/metric/accounts/?band=amiss"))

        assert "Silent Ltd" in page
        assert tam.name in page
        assert "Nobody yet: the account has no TAM" in page
        assert "Fine Ltd" not in page
        lines = browser.get("/metric/accounts.csv?band=amiss").getvalue().decode().splitlines()
        assert lines[0].endswith(",mend_by,definition_version")
        assert len(lines) == 3
