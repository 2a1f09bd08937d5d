"""Work at Risk: asked for, decided by another, listed, ended by itself."""

import csv
import datetime as dt
import io
from decimal import Decimal

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connection
from django.test.utils import CaptureQueriesContext

from config.lib.errors import Conflict
from engagements import services, tasks
from engagements.models import RequestState, SignOffPolicy, WorkAtRisk
from engagements.services import risks
from events import workflow
from events.models import Event, Notice
from events.workflow import Given
from tests import factories
from tests.engagements.ready import Stage, given

pytestmark = pytest.mark.django_db
DAY = dt.timedelta(days=1)
TERMS = {
    "reason": "The freeze starts on Monday.",
    "exposure": "A week of one engineer.",
    "exposure_days": Decimal("4.5"),
}


@pytest.fixture
def stage():
    return Stage()


def ask(stage, *, by=None, days=7, **more):
    terms = TERMS | {"expires_on": stage.today + days * DAY} | more
    return risks.ask_for_risk(stage.request, **terms, by=by or stage.lead, at=stage.now)


def live(stage, *, state="awaiting_signoff", days=7):
    """Work at Risk that is approved, on a request in the state."""
    stage.at("awaiting_signoff")
    risk = factories.WorkAtRiskFactory(
        request=stage.request,
        state="approved",
        asked_by=stage.lead,
        decided_by=stage.leadership,
        expires_on=stage.today + days * DAY,
    )
    workflow.place(stage.request, state)
    return risk


class TestAsking:
    def test_is_kept_logged_and_told_to_those_who_decide(self, stage):
        stage.at("awaiting_signoff")
        Notice.objects.all().delete()

        risk = ask(stage)

        assert (risk.state, risk.asked_by, risk.exposure_days) == ("asked", stage.lead, 4.5)
        event = Event.objects.get(verb="work_at_risk.asked")
        assert event.account_id == stage.account.pk
        assert event.reason == TERMS["reason"]
        notice = Notice.objects.get()
        assert (notice.to, notice.kind) == (stage.leadership, "risk")
        assert "4.5 days" in notice.body

    @pytest.mark.parametrize("who", ["filer", "engineer", "leadership", "administrator"])
    def test_is_a_leads(self, who, stage):
        stage.at("awaiting_signoff")

        with pytest.raises(PermissionDenied, match="Only DE leads"):
            ask(stage, by=getattr(stage, who))

    @pytest.mark.parametrize("state", RequestState.values)
    def test_is_possible_where_a_sign_off_is_owed(self, state, stage):
        stage.request.paused_from = "triaged"
        stage.request.save(update_fields=["paused_from"])
        workflow.place(stage.request, state)

        if state in risks.CAN_ASK:
            assert ask(stage).state == "asked"
        else:
            with pytest.raises(Conflict, match="Work at Risk is for"):
                ask(stage)

    def test_is_possible_once_the_sign_off_is_superseded(self, stage):
        stage.at("scheduled")
        with pytest.raises(Conflict, match="has signed off"):
            ask(stage)

        stage.edited()

        assert ask(stage).state == "asked"

    def test_not_on_the_fast_path(self, stage):
        stage.at("triaged")
        type(stage.request).objects.update(fast_path=True)

        with pytest.raises(Conflict, match="fast path"):
            ask(stage)

    def test_not_twice(self, stage):
        stage.at("awaiting_signoff")
        ask(stage)

        with pytest.raises(Conflict, match="waits for a decision"):
            ask(stage)

    @pytest.mark.parametrize(("days", "is_fine"), [(-1, False), (0, True), (5, True), (6, False)])
    def test_ends_within_what_policy_allows(self, days, is_fine, stage):
        SignOffPolicy.objects.update(risk_days=5)
        stage.at("awaiting_signoff")

        if is_fine:
            assert ask(stage, days=days)
        else:
            with pytest.raises(ValidationError, match=r"is over|too late"):
                ask(stage, days=days)
            assert not WorkAtRisk.objects.exists()


class TestDeciding:
    def test_is_never_by_who_asked(self, stage, person):
        both = person("de_lead", "leadership")
        stage.at("awaiting_signoff")
        risk = ask(stage, by=both)

        with pytest.raises(PermissionDenied, match="nobody on what they asked for"):
            services.move(risk, "approve", by=both, at=stage.now)

        services.move(risk, "approve", by=stage.leadership, at=stage.now)
        assert (risk.state, risk.decided_by) == ("approved", stage.leadership)


class TestEnding:
    @pytest.mark.parametrize("state", ["asked", "approved"])
    def test_comes_by_itself_after_the_last_day(self, state, stage):
        stage.at("awaiting_signoff")
        risk = factories.WorkAtRiskFactory(
            request=stage.request, state=state, asked_by=stage.lead, expires_on=stage.today
        )

        assert risks.end_what_ran_out(at=stage.now) == 0
        assert risks.end_what_ran_out(at=stage.now + DAY) == 1
        assert risks.end_what_ran_out(at=stage.now + DAY) == 0

        risk.refresh_from_db()
        assert (risk.state, risk.end_code) == ("ended", "expired")
        assert Notice.objects.filter(to=stage.lead, title__contains="has run out").exists()

    def test_stops_work_that_stood_on_it_alone(self, stage):
        live(stage, state="in_progress", days=0)

        risks.end_what_ran_out(at=stage.now + DAY)

        stage.request.refresh_from_db()
        assert (stage.request.state, stage.request.hold_code) == ("on_hold", "risk_ended")

    def test_leaves_the_others_alone_where_one_cannot_end(self, stage, monkeypatch):
        stage.at("awaiting_signoff")
        other = factories.ServiceRequestFactory(state="awaiting_signoff")
        for request in (stage.request, other):
            factories.WorkAtRiskFactory(request=request, expires_on=stage.today - DAY)
        make = risks.move

        def once_refused(risk, *args, **kwargs):
            if risk.request_id == stage.request.pk:
                raise Conflict("Somebody was quicker.")
            return make(risk, *args, **kwargs)

        monkeypatch.setattr(risks, "move", once_refused)

        assert risks.end_what_ran_out(at=stage.now) == 1

    def test_is_told_before_once(self, stage):
        live(stage, days=1)
        Notice.objects.all().delete()

        assert risks.warn_of_the_end(at=stage.now) == 1
        assert risks.warn_of_the_end(at=stage.now) == 0

        told = Notice.objects.filter(title__contains=", ends on ")
        assert {each.to for each in told} == {stage.lead, stage.filer}

    @pytest.mark.parametrize("state", ["asked", "approved"])
    def test_is_not_told_long_before_nor_of_what_was_only_asked(self, state, stage):
        stage.at("awaiting_signoff")
        days = 30 if state == "approved" else 1
        factories.WorkAtRiskFactory(
            request=stage.request, state=state, expires_on=stage.today + days * DAY
        )

        assert risks.warn_of_the_end(at=stage.now) == 0

    def test_is_what_the_task_does(self, stage):
        live(stage, days=-1)

        assert tasks.end_risks() == 1


class TestRegister:
    @pytest.mark.parametrize(
        ("view", "shown"),
        [
            ("", {"Live one"}),
            ("live", {"Live one"}),
            ("asked", {"Asked one"}),
            ("over", {"Old one", "Refused one", "Forgotten one"}),
            ("all", {"Live one", "Asked one", "Old one", "Refused one", "Forgotten one"}),
            ("nonsense", {"Live one"}),
        ],
    )
    def test_shows_what_is_live_what_waits_and_what_is_over(self, view, shown, stage, login):
        for title, state, days in (
            ("Live one", "approved", 3),
            ("Asked one", "asked", 3),
            ("Old one", "ended", -9),
            ("Refused one", "refused", 3),
            # Its day is over, and the task has not come by yet.
            ("Forgotten one", "approved", -1),
        ):
            request = factories.ServiceRequestFactory(title=title, state="awaiting_signoff")
            factories.WorkAtRiskFactory(
                request=request, state=state, expires_on=stage.today + days * DAY
            )

        answer = login(stage.stranger).get("/requests/work-at-risk/", {"view": view})

        assert {row.risk.request.title for row in answer.context["rows"]} == shown
        assert "1 request may be worked on" in answer.content.decode()
        assert '<b class="num">3 days</b>' in answer.content.decode()

    def test_shows_an_owed_sign_off_as_owed(self, stage, login):
        live(stage)
        client = login(stage.filer)

        def label():
            (row,) = client.get("/requests/work-at-risk/").context["rows"]
            return row.sign_off.label

        assert label() == "Owed"
        stage.signed(stage.request.sows.get())
        assert label() == "Signed"
        stage.edited()
        assert label() == "Owed"

    @pytest.mark.parametrize(
        ("query", "found"), [("frost", 1), ("REQ-{}", 1), ("plants frost", 1), ("nowhere", 0)]
    )
    def test_is_narrowed_by_request_and_account(self, query, found, stage, login):
        request = factories.ServiceRequestFactory(
            title="Proxy for plants",
            account=factories.AccountFactory(name="Frost Rail"),
            state="awaiting_signoff",
        )
        factories.WorkAtRiskFactory(request=request, state="approved")

        answer = login(stage.filer).get("/requests/work-at-risk/", {"q": query.format(request.pk)})

        assert len(answer.context["rows"]) == found

    def test_costs_the_same_however_long(self, stage, login):
        client = login(stage.filer)

        def more(count):
            for _ in range(count):
                request = factories.ServiceRequestFactory(state="awaiting_signoff")
                factories.SowVersionFactory(request=request, frozen_at=stage.now)
                factories.WorkAtRiskFactory(request=request, state="approved")

        more(2)
        client.get("/requests/work-at-risk/")
        with CaptureQueriesContext(connection) as few:
            client.get("/requests/work-at-risk/")
        more(8)
        with CaptureQueriesContext(connection) as many:
            client.get("/requests/work-at-risk/")

        assert len(few) == len(many)

    def test_offers_a_decision_to_those_who_may_make_it(self, stage, login):
        stage.at("awaiting_signoff")
        risk = ask(stage)
        address = f"/requests/work-at-risk/{risk.uuid}/approve/"

        for name in ("filer", "lead", "leadership"):
            answer = login(getattr(stage, name)).get("/requests/work-at-risk/?view=asked")
            assert (address in answer.content.decode()) is (name == "leadership")

    def test_comes_as_a_file(self, stage, login):
        live(stage)
        type(stage.request).objects.update(title="=cmd|' /C calc'!A0")

        answer = login(stage.filer).get("/requests/work-at-risk.csv")

        text = b"".join(answer.streaming_content).decode("utf-8-sig")
        (row,) = csv.DictReader(io.StringIO(text))
        assert row["request"] == stage.request.number
        assert row["title"].startswith("'=cmd")
        assert (row["exposure_days"], row["sign_off"]) == ("3.0", "owed")
        assert row["decided_by"] == stage.leadership.name

    @pytest.mark.parametrize("query", ["q=%00", "cursor=nonsense", "q=REQ-9999999999999999999999"])
    def test_nonsense_is_no_error(self, query, stage, login):
        assert login(stage.filer).get(f"/requests/work-at-risk/?{query}").status_code == 200


class TestPages:
    def asked_for(self, stage, **changes):
        return {
            "reason": TERMS["reason"],
            "exposure": TERMS["exposure"],
            "exposure_days": "4.5",
            "expires_on": str(stage.today + DAY),
        } | changes

    def test_ask(self, stage, login):
        stage.at("awaiting_signoff")
        address = f"/requests/{stage.request.number}/risk/"
        client = login(stage.lead)
        assert client.get(address).status_code == 200

        answer = client.post(address, self.asked_for(stage))

        assert answer.url == f"/requests/{stage.request.number}/"
        assert WorkAtRisk.objects.get().exposure_days == Decimal("4.5")

    @pytest.mark.parametrize(
        ("field", "value", "words"),
        [
            ("reason", "", "Enter why work has to start"),
            ("exposure", " ", "Enter what is lost"),
            ("exposure_days", "", "Enter how many days"),
            ("exposure_days", "0", "Enter more than 0 days"),
            ("exposure_days", "4,5", "4,5"),
            ("exposure_days", "99999", "99999"),
            ("expires_on", "soon", "soon"),
            ("expires_on", "2020-01-01", "is over"),
            ("expires_on", "2099-01-01", "is too late"),
        ],
    )
    def test_ask_names_what_is_wrong_and_keeps_what_was_typed(
        self, field, value, words, stage, login
    ):
        stage.at("awaiting_signoff")

        answer = login(stage.lead).post(
            f"/requests/{stage.request.number}/risk/", self.asked_for(stage, **{field: value})
        )

        text = answer.content.decode()
        assert answer.status_code == 422
        assert words in text
        assert "freeze starts on Monday" in text or field == "reason"
        assert not WorkAtRisk.objects.exists()

    def test_ask_says_why_not(self, stage, login):
        stage.at("signed_off")
        client = login(stage.lead)
        address = f"/requests/{stage.request.number}/risk/"

        assert "Not possible now" in client.get(address).content.decode()
        answer = client.post(address, self.asked_for(stage))
        assert answer.status_code == 409
        assert "freeze starts on Monday" in answer.content.decode()

    def test_decide(self, stage, login):
        stage.at("awaiting_signoff")
        risk = ask(stage)
        client = login(stage.leadership)
        address = f"/requests/work-at-risk/{risk.uuid}/approve/"
        assert "What is asked" in client.get(address).content.decode()

        answer = client.post(address, {"version": risk.version})

        assert answer.url == "/requests/work-at-risk/"
        risk.refresh_from_db()
        assert risk.state == "approved"

    @pytest.mark.parametrize(
        ("decision", "sent", "status"),
        [
            ("refuse", {}, 422),
            ("approve", {"version": "99"}, 412),
            ("end", {}, 403),
            ("nonsense", {}, 404),
        ],
    )
    def test_decide_refuses_what_is_wrong(self, decision, sent, status, stage, login):
        stage.at("awaiting_signoff")
        risk = ask(stage)

        answer = login(stage.leadership).post(
            f"/requests/work-at-risk/{risk.uuid}/{decision}/", sent
        )

        assert answer.status_code == status
        risk.refresh_from_db()
        assert risk.state == "asked"

    def test_decide_is_too_late_once_somebody_has(self, stage, login):
        stage.at("awaiting_signoff")
        risk = ask(stage)
        services.move(
            risk, "refuse", by=stage.leadership, at=stage.now, given=Given(reason="Wait.")
        )

        client = login(stage.leadership)
        address = f"/requests/work-at-risk/{risk.uuid}/approve/"

        assert "Not possible now" in client.get(address).content.decode()
        assert client.post(address, {}).status_code == 409

    def test_the_requests_page_shows_it_and_who_may_do_what(self, stage, login):
        stage.at("awaiting_signoff")
        address = f"/requests/{stage.request.number}/"
        assert "Ask leadership" in login(stage.lead).get(address).content.decode()
        assert "Ask leadership" not in login(stage.filer).get(address).content.decode()

        risk = ask(stage)

        shown = {
            name: login(getattr(stage, name)).get(address).content.decode()
            for name in ("filer", "lead", "leadership")
        }
        assert all("Waits for leadership" in text for text in shown.values())
        approve = f"/requests/work-at-risk/{risk.uuid}/approve/"
        assert {name: approve in text for name, text in shown.items()} == {
            "filer": False,
            "lead": False,
            "leadership": True,
        }

    def test_of_somebody_elses_draft_nobody_knows(self, stage, login):
        assert login(stage.lead).get(f"/requests/{stage.request.number}/risk/").status_code == 404


def test_a_risk_lets_work_start_and_the_sign_off_ends_it(stage):
    """From the ask to the customer's answer, through the moves alone."""
    stage.at("awaiting_signoff")
    risk = ask(stage)
    services.move(risk, "approve", by=stage.leadership, at=stage.now)
    scored = given(impact=2, effort="low", confidence="high")
    services.move(stage.request, "triage_at_risk", by=stage.lead, at=stage.now, given=scored)
    dates = given(lead=stage.engineer.email, start=str(stage.today), end=str(stage.today + 3 * DAY))
    services.move(stage.request, "schedule", by=stage.lead, at=stage.now, given=dates)
    services.move(stage.request, "start", by=stage.engineer, at=stage.now)

    assert stage.request.state == "in_progress"
