"""Writing, freezing and throwing away versions of a statement of work, and changing them."""

import copy
import datetime as dt
from decimal import Decimal

import pytest
from django.core.exceptions import PermissionDenied, ValidationError

from config.lib.errors import StaleWrite
from engagements import selectors, services
from engagements.models import ChangeRequest, SignOffLink, SowTemplate, SowVersion
from engagements.rules import sow as rules
from engagements.rules import sow_reading
from engagements.services import changing, sows
from events import workflow
from events.models import Event, Notice
from events.workflow import Blocked, Given
from tests import factories
from tests.engagements.ready import Stage

pytestmark = pytest.mark.django_db


@pytest.fixture
def stage():
    return Stage()


def save(stage, sow, by=None, **values):
    content = copy.deepcopy(sow.content) | values.pop("content", {})
    return sows.save_draft(sow, content, by=by or stage.filer, at=stage.now, **values).sow


def longer(sow, end):
    return {"timeframe": sow.content["timeframe"] | {"end": end}}


def link_to(stage, sow):
    link = SignOffLink.objects.create(
        request=stage.request, purpose="sow", sow=sow, contact=stage.contact,
        sent_to=stage.contact.email, pepper_id="1", token_digest=bytes([sow.number]) * 32,
        created_by=stage.filer, created_at=stage.now,
        expires_at=stage.now + dt.timedelta(days=14),
    )  # fmt: skip
    return SignOffLink.objects.get(pk=link.pk)


def change_begun(stage, state="in_progress", **values):
    """Put the request to work, and begin a change of what was agreed to."""
    stage.at(state)
    return changing.begin_change(
        stage.request, by=stage.filer, at=stage.now, reason="One more plant", **values
    )


class TestStart:
    def test_empty_with_what_is_known(self, stage):
        workflow.place(stage.request, "sow_drafting")
        sow = sows.start_draft(stage.request, by=stage.filer, at=stage.now)
        assert (sow.number, sow.content["title"]) == (1, stage.request.title)
        assert sow.content["customer_owner"] == stage.contact.name
        assert Event.objects.get(verb="sow.drafted").account_id == stage.account.pk

    def test_from_a_template_with_its_days_as_dates(self, stage):
        workflow.place(stage.request, "sow_drafting")
        template = SowTemplate.objects.get(type="one_off")
        sow = sows.start_draft(
            stage.request, by=stage.filer, at=stage.now, template=template,
            start=dt.date(2026, 11, 23),
        )  # fmt: skip
        assert sow.content["deliverables"][0]["by_when"] == "2026-11-28"
        assert sow.keys_used == 4
        assert rules.missing_parts(sow.content) == []

    @pytest.mark.parametrize("who", ["stranger", "engineer", "lead", "leadership", "administrator"])
    def test_only_the_requester_writes(self, stage, who):
        workflow.place(stage.request, "sow_drafting")
        with pytest.raises(PermissionDenied):
            sows.start_draft(stage.request, by=getattr(stage, who), at=stage.now)

    @pytest.mark.parametrize(
        "state", ["draft", "submitted", "routed_out", "awaiting_signoff", "signed_off", "delivered",
                  "closed", "cancelled", "declined"],
    )  # fmt: skip
    def test_only_while_it_is_written(self, stage, state):
        workflow.place(stage.request, state)
        with pytest.raises(sows.NotWritable):
            sows.start_draft(stage.request, by=stage.filer, at=stage.now)

    def test_once(self, stage):
        stage.at("sow_drafting")
        with pytest.raises(sows.NotWritable, match="Version 1 is being written already"):
            sows.start_draft(stage.request, by=stage.filer, at=stage.now)

    def test_the_fast_path_needs_none(self, stage):
        stage.request.fast_path = True
        stage.request.save(update_fields=["fast_path"])
        workflow.place(stage.request, "triaged")
        with pytest.raises(sows.NotWritable, match="fast path"):
            sows.start_draft(stage.request, by=stage.filer, at=stage.now)

    def test_at_risk_it_is_written_after_triage(self, stage):
        stage.risk()
        workflow.place(stage.request, "triaged")
        sow = sows.start_draft(stage.request, by=stage.filer, at=stage.now)
        save(stage, sow, content=factories.sow_content() | {"deliverables": []})

    @pytest.mark.parametrize("name", ["one_off", "non_standard", "critical"])
    def test_shipped_templates_are_whole(self, stage, name):
        content = SowTemplate.objects.get(type=name).content
        found = sow_reading.read(content, used=9, in_days=True)
        assert (found.errors, found.content) == ({}, content)
        missing = [each.path for each in rules.missing(content)]
        assert missing == ["title", "customer_owner"]


class TestSave:
    def test_what_is_stored_is_what_is_hashed(self, stage):
        stage.at("sow_drafting")
        sow = stage.request.sows.get()
        saved = save(stage, sow, content={"title": "SAML for all"}, version=sow.version)
        assert (saved.content["title"], saved.version) == ("SAML for all", sow.version + 1)
        assert saved.digest == rules.digest_of(
            saved.content, request=stage.request.number, account=stage.account.name
        )
        event = Event.objects.get(verb="sow.saved")
        assert event.after["changed"] == ["title"]
        assert "SAML for all" not in str(event.after)

    def test_the_same_again_is_no_new_version(self, stage):
        stage.at("sow_drafting")
        sow = save(stage, stage.request.sows.get(), content={"title": "SAML"})
        again = save(stage, sow, content={"title": "  SAML "})
        assert again.version == sow.version
        assert Event.objects.filter(verb="sow.saved").count() == 1

    def test_a_stale_save_is_refused(self, stage):
        stage.at("sow_drafting")
        sow = stage.request.sows.get()
        save(stage, sow, content={"title": "One"}, by=stage.colleague)
        with pytest.raises(StaleWrite, match=stage.colleague.name):
            save(stage, sow, content={"title": "Two"}, version=sow.version)

    def test_what_was_typed_and_is_wrong_comes_back(self, stage):
        stage.at("sow_drafting")
        sow = stage.request.sows.get()
        typed = {"title": "SAML", "timeframe": {"start": "next week", "end": "2026-12-04"}}
        saved = sows.save_draft(sow, typed, by=stage.filer, at=stage.now, as_text=True)
        assert saved.errors["timeframe.start"].code == "not_a_date"
        assert saved.sow.typed == {"timeframe.start": "next week"}
        assert saved.sow.content["title"] == "SAML"
        with pytest.raises(Blocked, match="a valid “First day”"):
            services.move(stage.request, "send_for_signoff", by=stage.filer, at=stage.now)

    def test_a_program_is_refused_all_of_it(self, stage):
        stage.at("sow_drafting")
        sow = stage.request.sows.get()
        with pytest.raises(ValidationError) as wrong:
            sows.save_draft(sow, {"title": 1, "x": 2}, by=stage.filer, at=stage.now)
        assert set(wrong.value.message_dict) == {"title", "x"}
        sow.refresh_from_db()
        assert sow.content["title"] == "SAML for the plants"

    def test_what_was_sent_does_not_change(self, stage):
        stage.at("awaiting_signoff")
        with pytest.raises(sows.Frozen):
            save(stage, stage.request.sows.get(), content={"title": "Another"})

    def test_a_key_never_comes_back(self, stage):
        stage.at("sow_drafting")
        rows = stage.request.sows.get().content["deliverables"]
        sow = save(stage, stage.request.sows.get(), content={"deliverables": [*rows, {}]})
        sow = save(stage, sow, content={"deliverables": rows})
        sow = save(stage, sow, content={"deliverables": [*rows, {"what": "Runbook"}]})
        assert [row["key"] for row in sow.content["deliverables"]] == ["d1", "d3"]

    def test_a_template_takes_the_place_of_it_all(self, stage):
        stage.at("sow_drafting")
        template = SowTemplate.objects.get(type="critical")
        sow = sows.fill_from_template(
            stage.request.sows.get(), template, by=stage.filer, at=stage.now
        )
        assert [row["key"] for row in sow.content["deliverables"]] == ["d2", "d3", "d4"]

    def test_other_content_ends_the_links_to_the_version_before(self, stage):
        stage.at("awaiting_signoff")
        link = link_to(stage, stage.request.sows.get())
        services.move(
            stage.request, "revise", by=stage.filer, at=stage.now, given=Given(reason="Dates")
        )
        draft = selectors.current_sow(stage.request)
        link.refresh_from_db()
        assert link.revoked_at is None
        save(stage, draft, content={"title": "Another"})
        link.refresh_from_db()
        assert link.revoked_at == stage.now
        assert Event.objects.filter(verb="link.revoked").exists()


class TestFreeze:
    def test_it_is_frozen_hashed_and_told(self, stage):
        stage.at("sow_drafting")
        services.move(stage.request, "send_for_signoff", by=stage.filer, at=stage.now)
        sow = stage.request.sows.get()
        assert (sow.frozen_at, sow.frozen_by) == (stage.now, stage.filer)
        assert Event.objects.get(verb="sow.sent").after["digest"] == sow.digest

    def test_the_next_version_is_a_copy_and_still_signed(self, stage):
        stage.at("signed_off")
        services.move(
            stage.request, "revise", by=stage.filer, at=stage.now, given=Given(reason="Dates")
        )
        draft = selectors.current_sow(stage.request)
        assert (draft.number, draft.note) == (2, "Dates")
        assert selectors.live_sign_off(stage.request, on=stage.today)
        draft = save(stage, draft, content={"title": "Another"})
        assert not selectors.live_sign_off(stage.request, on=stage.today)
        save(stage, draft, content={"title": "SAML for the plants"})
        assert selectors.live_sign_off(stage.request, on=stage.today)

    def test_a_number_is_given_once(self, stage):
        stage.at("signed_off")
        for _ in range(2):
            services.move(
                stage.request, "revise", by=stage.filer, at=stage.now, given=Given(reason="Dates")
            )
            services.move(stage.request, "discard_draft", by=stage.filer, at=stage.now)
        assert stage.request.state == "signed_off"
        numbers = stage.request.sows.order_by("number").values_list("number", "discarded_at")
        assert list(numbers) == [(1, None), (2, stage.now), (3, stage.now)]

    def test_a_first_draft_can_be_thrown_away(self, stage):
        stage.at("sow_drafting")
        sows.discard_draft(stage.request.sows.get(), by=stage.filer, at=stage.now)
        assert selectors.current_sow(stage.request) is None
        assert sows.start_draft(stage.request, by=stage.filer, at=stage.now).number == 2

    def test_a_later_draft_goes_by_its_move(self, stage):
        stage.at("signed_off")
        services.move(
            stage.request, "revise", by=stage.filer, at=stage.now, given=Given(reason="Dates")
        )
        with pytest.raises(sows.NotWritable, match="Keep the version sent"):
            sows.discard_draft(selectors.current_sow(stage.request), by=stage.filer, at=stage.now)


class TestChange:
    def test_begins_with_what_was_agreed_to(self, stage):
        change = change_begun(stage, asked_by_customer=True)
        assert (change.kind, change.state, str(change.before), str(change.after)) == (
            "wording", "proposed", "v1", "v2",
        )  # fmt: skip
        assert change.asked_by_customer
        event = Event.objects.get(verb="change.proposed")
        assert (event.reason, event.account_id) == ("One more plant", stage.account.pk)

    @pytest.mark.parametrize("who", ["stranger", "engineer", "lead", "leadership"])
    def test_only_the_requester_begins_one(self, stage, who):
        stage.at("triaged")
        with pytest.raises(PermissionDenied):
            changing.begin_change(
                stage.request, by=getattr(stage, who), at=stage.now, reason="More"
            )

    @pytest.mark.parametrize("state", ["sow_drafting", "signed_off", "delivered", "closed"])
    def test_only_from_triage_to_delivery(self, stage, state):
        with pytest.raises(changing.NoChange):
            change_begun(stage, state)

    def test_one_at_a_time(self, stage):
        change_begun(stage)
        with pytest.raises(changing.NoChange, match="Version 2 is being written already"):
            changing.begin_change(stage.request, by=stage.filer, at=stage.now, reason="More")

    @pytest.mark.parametrize("reason", ["", "  ", "x" * 2_001, "a\x00b"])
    def test_says_why(self, stage, reason):
        stage.at("triaged")
        with pytest.raises(ValidationError) as wrong:
            changing.begin_change(stage.request, by=stage.filer, at=stage.now, reason=reason)
        assert set(wrong.value.message_dict) == {"reason"}

    @pytest.mark.parametrize(
        ("end", "kind"), [("2026-12-04", "wording"), ("2026-12-20", "longer"),
                          ("2027-02-04", "larger")],
    )  # fmt: skip
    def test_every_save_weighs_it_anew(self, stage, end, kind):
        change = change_begun(stage)
        save(stage, change.after, content=longer(change.after, end))
        change.refresh_from_db()
        assert change.kind == kind

    def test_more_effort_makes_it_larger_and_leads_are_told(self, stage):
        stage.at("in_progress")
        stage.request.sows.update(effort_days=5)
        change = changing.begin_change(stage.request, by=stage.filer, at=stage.now, reason="More")
        sows.estimate(change.after, Decimal("6.5"), by=stage.engineer, at=stage.now)
        change.refresh_from_db()
        assert change.kind == "larger"
        assert Notice.objects.filter(to=stage.lead, title__contains="Decide on a change").exists()

    def test_a_larger_one_is_approved_before_it_is_sent(self, stage):
        change = change_begun(stage)
        save(stage, change.after, content=longer(change.after, "2027-03-01"))
        with pytest.raises(Blocked, match="DE lead has to approve it first"):
            services.move(stage.request, "send_change", by=stage.filer, at=stage.now)
        change.refresh_from_db()
        changing.decide(change, "approve", by=stage.lead, at=stage.now)
        services.move(stage.request, "send_change", by=stage.filer, at=stage.now)
        assert selectors.current_sow(stage.request).is_frozen

    def test_a_smaller_one_needs_no_approval(self, stage):
        change = change_begun(stage)
        with pytest.raises(Blocked, match="needs no approval"):
            changing.decide(change, "approve", by=stage.lead, at=stage.now)

    def test_an_approval_holds_for_what_was_approved(self, stage):
        change = change_begun(stage)
        sow = save(stage, change.after, content=longer(change.after, "2027-03-01"))
        change.refresh_from_db()
        changing.decide(change, "approve", by=stage.lead, at=stage.now)
        save(stage, sow, content=longer(sow, "2027-06-01"))
        change.refresh_from_db()
        assert (change.state, change.decided_by) == ("proposed", None)

    def test_nobody_decides_on_their_own(self, stage):
        both = factories.UserFactory(roles=["tam", "de_lead"])
        factories.AssignmentFactory(account=stage.account, user=both, primary=False)
        stage.at("triaged")
        change = changing.begin_change(stage.request, by=both, at=stage.now, reason="More")
        sow = save(stage, change.after, content=longer(change.after, "2027-03-01"))
        change.refresh_from_db()
        with pytest.raises(PermissionDenied):
            changing.decide(change, "approve", by=both, at=stage.now)
        assert sow.by == stage.filer

    @pytest.mark.parametrize(("name", "who"), [("refuse", "lead"), ("withdraw", "filer")])
    def test_what_will_not_be_is_thrown_away(self, stage, name, who):
        change = change_begun(stage)
        save(stage, change.after, content={"title": "Another"})
        assert not selectors.live_sign_off(stage.request, on=stage.today)
        change.refresh_from_db()
        changing.decide(
            change, name, by=getattr(stage, who), at=stage.now, given=Given(reason="Not now")
        )
        assert selectors.current_sow(stage.request).number == 1
        assert selectors.live_sign_off(stage.request, on=stage.today)

    def test_what_was_sent_gives_way_to_what_was_agreed_to(self, stage):
        change = change_begun(stage)
        save(stage, change.after, content={"title": "Another"})
        services.move(stage.request, "send_change", by=stage.filer, at=stage.now)
        sent = selectors.current_sow(stage.request)
        link = link_to(stage, sent)
        change.refresh_from_db()
        changing.decide(change, "withdraw", by=stage.filer, at=stage.now)
        now = selectors.current_sow(stage.request)
        link.refresh_from_db()
        assert (now.number, now.is_frozen, now.content["title"]) == (3, True, "SAML for the plants")
        assert selectors.live_sign_off(stage.request, on=stage.today)
        assert link.revoked_at == stage.now

    def test_a_new_version_of_what_was_sent_takes_the_place_of_the_change(self, stage):
        first = change_begun(stage)
        save(stage, first.after, content={"title": "Another"})
        services.move(stage.request, "send_change", by=stage.filer, at=stage.now)
        second = changing.begin_change(
            stage.request, by=stage.filer, at=stage.now, reason="They want it otherwise"
        )
        first.refresh_from_db()
        assert (first.state, second.before.number, second.after.number) == ("withdrawn", 1, 3)
        assert second.after.content["title"] == "Another"

    def test_the_customer_agrees(self, stage):
        change = change_begun(stage)
        changing.agreed(change.after, at=stage.now)
        change.refresh_from_db()
        assert change.state == "agreed"
        changing.agreed(change.after, at=stage.now)

    def test_without_a_change_agreeing_does_nothing(self, stage):
        stage.at("signed_off")
        changing.agreed(stage.request.sows.get(), at=stage.now)
        assert not ChangeRequest.objects.exists()

    def test_discarding_the_draft_withdraws_the_change(self, stage):
        change = change_begun(stage)
        sows.discard_draft(change.after, by=stage.filer, at=stage.now)
        change.refresh_from_db()
        assert change.state == "withdrawn"
        assert SowVersion.objects.get(pk=change.after_id).discarded_at

    def test_an_estimate_is_des(self, stage):
        stage.at("sow_drafting")
        with pytest.raises(PermissionDenied):
            sows.estimate(stage.request.sows.get(), Decimal(3), by=stage.filer, at=stage.now)
        with pytest.raises(ValidationError):
            sows.estimate(stage.request.sows.get(), Decimal(-1), by=stage.lead, at=stage.now)
