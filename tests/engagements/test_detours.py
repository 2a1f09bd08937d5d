"""Ways round a rule that lead over several moves, each of them allowed."""

import copy
import datetime as dt
from decimal import Decimal

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.files.uploadedfile import SimpleUploadedFile

from config.lib.errors import Conflict, Missing
from engagements import selectors, services
from engagements.selectors import work
from engagements.services import (
    changing,
    conversation,
    delivering,
    links,
    recording,
    requests,
    sows,
)
from engagements.services.delivering import Evidence
from engagements.workflows import REQUEST
from events import services as events
from events import workflow
from events.workflow import Blocked
from people.models import system_user
from tests import factories
from tests.engagements.ready import Stage, given

pytestmark = pytest.mark.django_db


@pytest.fixture
def stage():
    return Stage()


def make(stage, name, who, **values):
    stage.request.refresh_from_db()
    return services.move(stage.request, name, by=who, at=stage.now, given=given(**values))


def is_open(stage, name, who):
    stage.request.refresh_from_db()
    return workflow.option(REQUEST, stage.request, name, who, at=stage.now).is_open


def change(stage, **parts):
    """Begin a change, with these parts of the content otherwise."""
    begun = changing.begin_change(stage.request, by=stage.filer, at=stage.now, reason="Asked for.")
    content = copy.deepcopy(begun.after.content) | parts
    sows.save_draft(begun.after, content, by=stage.filer, at=stage.now)
    begun.refresh_from_db()
    return begun


def later(stage, days):
    frame = selectors.current_sow(stage.request).content["timeframe"]
    end = dt.date.fromisoformat(frame["end"]) + dt.timedelta(days=days)
    return frame | {"end": end.isoformat()}


def heard(stage):
    evidence = recording.Evidence(
        contact=stage.contact, name="Kari Solberg", answered_at=stage.now, note="Yes."
    )
    return recording.record_verbal(stage.request, evidence, by=stage.filer, at=stage.now)


def heard_and_confirmed(stage):
    return recording.confirm(heard(stage), by=stage.colleague, at=stage.now)


class TestChanges:
    def test_a_later_date_is_not_made_wording_by_a_second_change(self, stage):
        stage.at("in_progress")
        first = change(stage, timeframe=later(stage, 30))
        make(stage, "send_change", stage.filer)
        heard_and_confirmed(stage)

        second = changing.begin_change(
            stage.request, by=stage.filer, at=stage.now, reason="The same again."
        )

        assert (second.kind, second.before) == ("longer", first.before)
        assert selectors.live_sign_off(stage.request, on=stage.today) is None

    def test_the_first_version_is_not_sent_as_a_change_while_it_waits(self, stage):
        stage.at("sow_drafting")
        make(stage, "hold", stage.lead, code="customer_waits")

        with pytest.raises(Blocked, match="go on first"):
            make(stage, "send_change", stage.filer)

    def test_more_effort_is_not_found_once_the_customer_has_the_change(self, stage):
        stage.at("in_progress")
        sows.estimate(stage.request.sows.get(), Decimal(3), by=stage.engineer, at=stage.now)
        begun = change(stage, in_scope=["Four plants"])
        make(stage, "send_change", stage.filer)

        with pytest.raises(Conflict, match="approval of a DE lead"):
            sows.estimate(begun.after, Decimal(30), by=stage.engineer, at=stage.now)

        begun.after.refresh_from_db()
        assert begun.after.effort_days == Decimal(3)

    def test_an_approval_ends_with_another_estimate(self, stage):
        stage.at("in_progress")
        sows.estimate(stage.request.sows.get(), Decimal(3), by=stage.engineer, at=stage.now)
        begun = change(stage, in_scope=["Four plants"])
        sows.estimate(begun.after, Decimal(5), by=stage.engineer, at=stage.now)
        begun.refresh_from_db()
        changing.decide(begun, "approve", by=stage.lead, at=stage.now)

        sows.estimate(begun.after, Decimal(30), by=stage.engineer, at=stage.now)

        begun.refresh_from_db()
        assert begun.state == "proposed"

    def test_a_lead_who_wrote_it_does_not_approve_it(self, stage):
        stage.at("in_progress")
        both = factories.UserFactory(roles=["de_lead", "csm"])
        factories.AssignmentFactory(account=stage.account, user=both, role="CSM", primary=False)
        begun = changing.begin_change(stage.request, by=stage.filer, at=stage.now, reason="More.")
        content = begun.after.content | {"timeframe": later(stage, 200)}
        sows.save_draft(begun.after, content, by=both, at=stage.now)
        begun.refresh_from_db()

        with pytest.raises(PermissionDenied):
            changing.decide(begun, "approve", by=both, at=stage.now)

        changing.decide(begun, "approve", by=stage.lead, at=stage.now)


class TestDelivering:
    def test_what_is_agreed_to_is_to_be_delivered_not_what_was_sent_since(self, stage):
        stage.at("in_progress")
        agreed = stage.request.sows.get()
        change(stage, deliverables=[agreed.content["deliverables"][0] | {"what": "Nothing"}])
        make(stage, "send_change", stage.filer)
        change(stage, **agreed.content)

        assert selectors.live_sign_off(stage.request, on=stage.today)
        promised = [each.what for each in selectors.deliverables_of(stage.request)]
        assert promised == [each["what"] for each in agreed.content["deliverables"]]

    def test_work_at_risk_delivers_what_is_being_written(self, stage):
        stage.at("sow_drafting")
        stage.risk()
        make(stage, "triage_at_risk", stage.lead, impact=1, effort="low", confidence="low")
        day = stage.today.isoformat()
        make(stage, "schedule", stage.lead, lead=stage.engineer.email, start=day, end=day)
        make(stage, "start", stage.engineer)
        delivering.roll_out(
            stage.request, note="There.", done_on=stage.today, by=stage.engineer, at=stage.now
        )

        with pytest.raises(Blocked, match="Tick each"):
            make(stage, "deliver", stage.engineer, summary="All of it.")

    def test_withdrawn_evidence_takes_the_acceptance_with_it(self, stage):
        stage.at("in_progress")
        make(stage, "deliver", stage.engineer, summary="All of it.")
        accepted = heard_and_confirmed(stage)

        recording.withdraw(accepted, "It was about another one.", by=stage.filer, at=stage.now)

        stage.request.refresh_from_db()
        assert (stage.request.state, stage.request.accepted_at) == ("delivered", None)
        heard_and_confirmed(stage)
        stage.request.refresh_from_db()
        assert stage.request.state == "accepted"

    def test_what_is_accepted_already_is_not_confirmed_again(self, stage):
        stage.at("in_progress")
        make(stage, "deliver", stage.engineer, summary="All of it.")
        waiting = heard(stage)
        delivery = stage.request.deliveries.get()
        by_link = delivery.sign_offs.create(
            request=stage.request, purpose="delivery", digest=delivery.digest, way="link",
            recorded_at=stage.now,
        )  # fmt: skip
        services.move(by_link, "agree", by=system_user(), at=stage.now)

        with pytest.raises(Blocked, match="accepted already"):
            recording.confirm(waiting, by=stage.colleague, at=stage.now)

    def test_a_comment_is_withdrawn_and_its_evidence_stays(self, stage):
        stage.at("in_progress")
        stage.request.ticks.all().delete()
        upload = SimpleUploadedFile("log.txt", b"It runs at all plants.")
        comment = conversation.add_comment(
            stage.request, "Look.", by=stage.engineer, at=stage.now, uploads=[upload]
        )
        file = comment.attachments.get()
        key = selectors.deliverables_of(stage.request)[0].key
        evidence = Evidence(text="See the log.", done_on=stage.today, attachment=file)
        delivering.tick(stage.request, key, evidence, by=stage.engineer, at=stage.now)

        conversation.withdraw_comment(comment, by=stage.engineer, at=stage.now)

        file.refresh_from_db()
        assert file.comment is None
        assert stage.request.ticks.get().attachment == file


class TestWaiting:
    def test_work_is_not_declined_or_routed_away_by_way_of_a_question(self, stage):
        stage.at("in_progress")
        make(stage, "ask", stage.engineer, question="Which realm?")

        assert not is_open(stage, "decline", stage.lead)
        assert not is_open(stage, "route_out", stage.lead)
        assert is_open(stage, "cancel", stage.lead)


class TestFourEyes:
    def test_a_lead_does_not_decide_the_appeal_of_what_they_filed(self, stage):
        both = factories.UserFactory(roles=["de_lead", "tam"])
        stage.request.filed_by = both
        stage.request.save(update_fields=["filed_by"])
        stage.at("routed_out")
        make(stage, "appeal", stage.colleague)

        assert not is_open(stage, "grant_appeal", both)
        assert is_open(stage, "grant_appeal", stage.second_lead)

    @pytest.mark.parametrize(("writer", "is_held"), [("filer", True), ("colleague", False)])
    def test_a_link_to_an_address_one_entered_oneself_waits_for_a_second(
        self, stage, writer, is_held
    ):
        stage.at("awaiting_signoff")
        contact = factories.ContactFactory(account=stage.account, email="cfo@halden.example")
        events.record(
            "contact.added", contact, by=getattr(stage, writer), after={"email": contact.email}
        )

        link = links.send_link(stage.request, contact, by=stage.filer, at=stage.now)

        assert (link.mailed_at is None) == is_held


class TestSeeing:
    def test_nobody_holds_a_request_for_one_they_may_not_see(self, stage):
        stage.at("triaged")
        other = factories.ServiceRequestFactory(state="triaged")
        stage.lead.limited_to = frozenset({stage.account.uuid})

        with pytest.raises(ValidationError, match="no other request"):
            make(stage, "hold", stage.lead, code="preempted", preempted_by=other.number)

    def test_drafts_of_who_left_stay_their_own(self, stage):
        type(stage.request).objects.filter(pk=stage.request.pk).update(filed_by=stage.stranger)
        type(stage.stranger).objects.filter(pk=stage.stranger.pk).update(is_active=False)
        hats = work.hats_of(stage.colleague)

        assert not work.needs_of(stage.colleague, at=stage.now, hats=hats)


class TestReasons:
    @pytest.mark.parametrize(
        ("reason", "code"),
        [
            ("No\x00", "unsafe_character"),
            ("No\u202e", "unsafe_character"),
            ("x" * 4001, "max_length"),
        ],
    )
    def test_a_reason_that_cannot_be_kept_is_named(self, stage, reason, code):
        stage.at("scheduled")
        with pytest.raises(ValidationError) as refusal:
            services.move(
                stage.request, "unschedule", by=stage.lead, at=stage.now,
                given=workflow.Given(reason=reason),
            )  # fmt: skip

        assert [error.code for error in refusal.value.error_dict["reason"]] == [code]

    def test_the_page_says_so_and_keeps_it(self, stage, login):
        stage.at("scheduled")
        page = login(stage.lead).post(
            f"/requests/{stage.request.number}/moves/unschedule/", {"reason": "No\x00pe"}
        )

        assert page.status_code == 422


class TestThrownAway:
    def test_a_draft_that_is_gone_is_neither_submitted_nor_saved(self, stage):
        here, there = stage.request, type(stage.request).objects.get(pk=stage.request.pk)
        requests.discard_draft(there, by=stage.filer)

        with pytest.raises(Missing, match="thrown away"):
            services.move(here, "submit", by=stage.filer, at=stage.now)
        with pytest.raises(Missing, match="thrown away"):
            requests.save_draft(here, {"title": "More"}, by=stage.filer, at=stage.now)
