"""My work: what needs whom, oldest first, in a constant number of statements."""

import datetime as dt

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import AccountFacts
from engagements import services
from engagements.models import ChangeRequest, OutcomeCheck, SignOffLink
from engagements.selectors import asked, work, work_lists
from engagements.services.asking import ask_move
from engagements.views.work_words import ACTS
from engagements.workflows import REQUEST
from tests import factories
from tests.engagements.ready import Stage, given

pytestmark = pytest.mark.django_db
DAY = dt.timedelta(days=1)


@pytest.fixture
def stage():
    return Stage()


def at(stage, state, **fields):
    stage.at(state)
    type(stage.request).objects.filter(pk=stage.request.pk).update(moved_at=stage.now, **fields)
    stage.request.refresh_from_db()


def link(stage, *, days=14, **fields):
    return SignOffLink.objects.create(
        request=stage.request,
        purpose="sow",
        sow=stage.request.sows.get(),
        contact=stage.contact,
        sent_to="kari@halden.example",
        pepper_id="1",
        token_digest=b"%032d" % SignOffLink.objects.count(),
        created_by=stage.filer,
        created_at=stage.now - DAY,
        expires_at=stage.now + days * DAY,
        **fields,
    )


def acts(stage, who):
    """Return what needs the person, in words for a test."""
    person = getattr(stage, who)
    needs = work.needs_of(person, at=stage.now, hats=work.hats_of(person))
    assert work.count_for(person, at=stage.now) == len(needs)
    assert {need.request_id for need in needs} <= {stage.request.pk}
    return [need.act for need in needs]


def everybody(stage):
    names = ("filer", "colleague", "stranger", "engineer", "other_engineer", "lead", "leadership")
    return {name: found for name in names if (found := acts(stage, name))}


class TestNeeds:
    @pytest.mark.parametrize(
        ("state", "expected"),
        [
            ("draft", {"filer": ["draft"]}),
            ("submitted", {"lead": ["route"]}),
            ("routed_out", {}),
            ("sow_drafting", {"filer": ["write"]}),
            ("awaiting_signoff", {"filer": ["record"]}),
            ("signed_off", {"lead": ["triage"]}),
            ("triaged", {"lead": ["schedule"]}),
            ("on_hold", {}),
            ("delivered", {}),
            ("accepted", {"engineer": ["close"]}),
            ("closed", {}),
            ("declined", {}),
            ("cancelled", {}),
        ],
    )
    def test_by_state(self, state, expected, stage):
        at(stage, state)

        assert everybody(stage) == expected

    def test_a_question_needs_who_is_asked(self, stage):
        stage.at("sow_drafting")
        services.move(
            stage.request, "ask", by=stage.lead, at=stage.now,
            given=given(question="Which?", asked_of=stage.colleague.email),
        )  # fmt: skip

        assert everybody(stage) == {"colleague": ["answer"]}

    @pytest.mark.parametrize(
        ("moved", "days", "expected"),
        [(1, 14, {}), (8, 14, {"filer": ["chase"]}), (1, 2, {"filer": ["chase"]})],
    )
    def test_a_link_is_chased_when_half_its_days_are_over_or_it_ends(
        self, moved, days, expected, stage
    ):
        at(stage, "awaiting_signoff")
        link(stage, days=days)
        type(stage.request).objects.update(moved_at=stage.now - moved * DAY)

        assert everybody(stage) == expected

    def test_an_expired_link_is_no_link(self, stage):
        at(stage, "awaiting_signoff")
        link(stage, days=-0.5)

        assert everybody(stage) == {"filer": ["record"]}

    def test_a_new_link_that_the_customer_asks_for(self, stage):
        at(stage, "awaiting_signoff")
        link(stage, days=-0.5, renewal_asked_at=stage.now)

        assert set(everybody(stage)["filer"]) == {"record", "new_link"}

    def test_a_verbal_sign_off_needs_a_second_person(self, stage):
        at(stage, "awaiting_signoff")
        stage.signed(stage.request.sows.get(), way="verbal", state="recorded")

        assert everybody(stage) == {"colleague": ["confirm"], "lead": ["confirm"]}

    def test_a_change_the_customer_asks_for(self, stage):
        at(stage, "awaiting_signoff")
        stage.signed(stage.request.sows.get(), state="rejected")

        assert everybody(stage) == {"filer": ["revise"]}

    def test_a_superseded_sign_off_is_sent_and_chased(self, stage):
        at(stage, "scheduled", start=stage.today + 5 * DAY, end=stage.today + 9 * DAY)
        stage.edited()
        assert everybody(stage) == {"filer": ["send_change"]}

        draft = stage.request.sows.order_by("-number").first()
        draft.frozen_at = stage.now
        draft.save()
        assert everybody(stage) == {"filer": ["chase"]}

    def test_a_larger_change_needs_another_lead(self, stage):
        at(stage, "scheduled", start=stage.today + 5 * DAY, end=stage.today + 9 * DAY)
        before = stage.request.sows.get()
        ChangeRequest.objects.create(
            request=stage.request, kind="larger", before=before, after=before,
            reason="More plants.", by=stage.second_lead, at=stage.now,
        )  # fmt: skip

        assert everybody(stage) == {"lead": ["decide_change"]}
        assert acts(stage, "second_lead") == []

    @pytest.mark.parametrize(("ahead", "expected"), [(0, {"engineer": ["start"]}), (1, {})])
    def test_work_starts_on_its_day(self, ahead, expected, stage):
        day = stage.today + ahead * DAY
        at(stage, "scheduled", start=day, end=day + DAY)

        assert everybody(stage) == expected

    @pytest.mark.parametrize(("ahead", "expected"), [(0, {"engineer": ["deliver"]}), (1, {})])
    def test_work_is_delivered_on_its_last_day(self, ahead, expected, stage):
        at(stage, "in_progress", start=stage.today - DAY, end=stage.today + ahead * DAY)

        assert everybody(stage) == expected

    def test_an_acceptance_is_chased(self, stage):
        at(stage, "delivered")
        type(stage.request).objects.update(moved_at=stage.now - 8 * DAY)

        assert everybody(stage) == {"filer": ["chase_acceptance"]}

    @pytest.mark.parametrize(("ahead", "expected"), [(0, {"filer": ["check"]}), (1, {})])
    def test_outcomes_are_looked_at_when_they_are_due(self, ahead, expected, stage):
        at(stage, "closed")
        OutcomeCheck.objects.create(
            request=stage.request, days=30, due_on=stage.today + ahead * DAY
        )

        assert everybody(stage) == expected

    def test_an_appeal_needs_a_second_lead(self, stage):
        at(stage, "routed_out")
        stage.appealed()

        decided_by = stage.request.decisions.get().by
        leads = {"lead": acts(stage, "lead"), "second_lead": acts(stage, "second_lead")}
        assert leads == {
            name: [] if getattr(stage, name) == decided_by else ["appeal"] for name in leads
        }

    def test_work_at_risk_needs_leadership_then_a_lead(self, stage):
        at(stage, "awaiting_signoff")
        link(stage)
        risk = factories.WorkAtRiskFactory(request=stage.request, asked_by=stage.lead)
        assert everybody(stage) == {"leadership": ["decide_risk"]}

        services.move(risk, "approve", by=stage.leadership, at=stage.now)
        assert everybody(stage) == {"lead": ["triage_at_risk"]}

    def test_nobody_decides_on_what_they_asked_for(self, stage, person):
        stage.leadership = person("leadership", "de_lead")
        at(stage, "awaiting_signoff")
        link(stage)
        factories.WorkAtRiskFactory(request=stage.request, asked_by=stage.leadership)

        assert acts(stage, "leadership") == []

    def test_who_looks_after_the_account_takes_over_from_who_has_left(self, stage):
        at(stage, "sow_drafting")
        stage.filer.is_active = False
        stage.filer.save()

        assert acts(stage, "colleague") == ["write"]
        assert acts(stage, "stranger") == []


class TestAskedMoves:
    @pytest.mark.parametrize(
        ("state", "name", "by", "expected"),
        [
            ("triaged", "schedule", "filer", {"lead": ["schedule", "asked"]}),
            ("sow_drafting", "send_for_signoff", "lead", {"filer": ["write", "asked"]}),
            ("accepted", "close", "stranger", {"engineer": ["close", "asked"]}),
        ],
    )
    def test_need_those_who_may_make_them(self, state, name, by, expected, stage):
        at(stage, state)
        ask_move(stage.request, name, by=getattr(stage, by), at=stage.now + DAY)

        assert everybody(stage) == expected

    def test_no_longer_when_they_are_settled(self, stage):
        at(stage, "triaged")
        ask_move(stage.request, "hold", by=stage.filer, at=stage.now)
        services.move(
            stage.request, "hold", by=stage.lead, at=stage.now, given=given(code="customer_waits")
        )

        assert everybody(stage) == {}

    def test_fall_to_somebody_whatever_is_asked_for(self):
        for transition in REQUEST.transitions:
            if transition.asks is not None:
                assert asked.falls_to(transition)


def half_signed(stage):
    at(stage, "awaiting_signoff")
    stage.signed(stage.request.sows.get(), way="verbal", state="recorded")


def changed(stage):
    at(stage, "scheduled", start=stage.today + DAY, end=stage.today + 2 * DAY)
    before = stage.request.sows.get()
    stage.edited()
    after = stage.request.sows.order_by("-number").first()
    ChangeRequest.objects.create(
        request=stage.request, kind="larger", before=before, after=after,
        reason="More plants.", by=stage.second_lead, at=stage.now,
    )  # fmt: skip


def asked_for(stage):
    at(stage, "triaged")
    ask_move(stage.request, "schedule", by=stage.filer, at=stage.now)


def at_risk(stage):
    at(stage, "awaiting_signoff")
    link(stage, days=1, renewal_asked_at=stage.now)
    factories.WorkAtRiskFactory(request=stage.request, asked_by=stage.lead)


def due(stage):
    at(stage, "closed")
    OutcomeCheck.objects.create(request=stage.request, days=30, due_on=stage.today)


def questioned(stage):
    stage.at("sow_drafting")
    services.move(stage.request, "ask", by=stage.lead, at=stage.now, given=given(question="Which?"))


@pytest.mark.parametrize(
    "prepare",
    [
        half_signed, changed, asked_for, at_risk, due, questioned,
        *(lambda stage, state=state: at(stage, state)
          for state in ("draft", "submitted", "sow_drafting", "awaiting_signoff", "signed_off",
                        "scheduled", "in_progress", "accepted")),
    ],
)  # fmt: skip
def test_every_row_leads_to_a_page_its_person_may_open(prepare, stage, login):
    prepare(stage)
    rows = 0
    for who in ("filer", "colleague", "engineer", "lead", "leadership"):
        client = login(getattr(stage, who))
        for item in client.get("/").context["items"]:
            assert client.get(item.url, follow=True).status_code == 200, item
            rows += 1

    assert rows or stage.request.state in {"scheduled", "in_progress"}


class TestPage:
    def test_greets_names_the_act_and_leads_there(self, login, stage):
        at(stage, "triaged")

        text = login(stage.lead).get("/").content.decode()

        assert f", {stage.lead.name.split()[0]}" in text
        assert "One thing needs you." in text
        assert f"Schedule {stage.request.title}" in text
        assert f'href="/requests/{stage.request.number}/moves/schedule/"' in text

    def test_says_when_nothing_does(self, login, stage):
        text = login(stage.stranger).get("/").content.decode()

        assert text.count("Nothing needs you.") == 2

    @pytest.mark.parametrize("act", ACTS)
    def test_every_act_has_its_words(self, act, stage, login):
        """What each row says is tried with everything it may name."""
        words = dict.fromkeys(
            ("request", "account", "ago", "day", "sow", "expires", "who", "move", "days"), "x"
        )
        assert ACTS[act].title.format_map(words)
        assert ACTS[act].note.format_map(words)

    def test_goes_through_all_of_ones_parts_or_one(self, login, person, stage):
        both = person("tam", "de_lead", "leadership", name="Ada Both")
        at(stage, "triaged")
        factories.ServiceRequestFactory(filed_by=both, title="My own draft")
        client = login(both)

        everything = client.get("/").content.decode()
        as_lead = client.get("/?as=lead").content.decode()
        as_tam = client.get("/?as=requester").content.decode()

        assert "My own draft" in everything
        assert f"Schedule {stage.request.title}" in everything
        assert "My own draft" not in as_lead
        assert f"Schedule {stage.request.title}" not in as_tam
        for label in ("All", "TAM", "DE lead", "Leadership"):
            assert f">{label}</a>" in everything

    @pytest.mark.parametrize("part", ["leadership", "nonsense", "\x00", ""])
    def test_nobody_takes_a_part_that_is_not_theirs(self, part, login, stage):
        at(stage, "awaiting_signoff")
        factories.WorkAtRiskFactory(request=stage.request, asked_by=stage.lead)

        answer = login(stage.stranger).get("/", {"as": part})

        assert answer.status_code == 200
        assert "Nothing needs you." in answer.content.decode()

    def test_costs_the_same_however_much_there_is(self, login, person):
        both = person("tam", "de_lead", "de_engineer", "leadership")
        client = login(both)

        def fill(count):
            states = ("draft", "submitted", "awaiting_signoff", "signed_off", "triaged")
            for state in states:
                for _ in range(count):
                    request = factories.ServiceRequestFactory(filed_by=both, state=state)
                    if state == "awaiting_signoff":
                        factories.SowVersionFactory(request=request)
                        factories.WorkAtRiskFactory(request=request)
                    ask_move(request, "cancel", by=person("cre"), at=request.created_at)

        fill(1)
        client.get("/")
        with CaptureQueriesContext(connection) as few:
            client.get("/")
        fill(4)
        with CaptureQueriesContext(connection) as many:
            answer = client.get("/")

        assert len(answer.context["items"]) > 20
        assert len(many) == len(few)

    def test_shows_what_waits_for_others_and_what_is_due(self, login, stage):
        at(stage, "awaiting_signoff", needed_by=stage.today + 3 * DAY)
        link(stage, days=9)

        text = login(stage.filer).get("/").content.decode()

        assert "The customer signs it off" in text
        assert "Needed by the customer" in text
        assert "The customer&#x27;s link expires" in text

    def test_tells_leaders_what_stands_at_risk(self, login, stage):
        at(stage, "awaiting_signoff")
        factories.WorkAtRiskFactory(request=stage.request, state="approved", exposure_days="2.5")

        text = login(stage.leadership).get("/").content.decode()

        assert "1 on Work at Risk, 2.5 days at stake." in text
        assert 'href="/metric/changes/"' in text


def test_the_count_is_one_statement_beside_the_companys_day(stage, django_assert_num_queries):
    at(stage, "triaged")
    _ = stage.lead.roles

    with django_assert_num_queries(2):
        assert work.count_for(stage.lead, at=stage.now) == 1


def test_near_accounts_are_those_within_five_points(stage):
    """An account at 76 of 100 seats is near the line of 80%; one at 74 is not."""
    for deployed in (74, 76, 80):
        account = factories.AccountFactory()
        factories.AssignmentFactory(account=account, user=stage.filer, role="TAM")
        account_facts(account, deployed)

    assert work_lists.own_accounts(stage.filer, on=stage.today, share_percent=80) == (3, 1)


def account_facts(account, deployed):
    AccountFacts.objects.update_or_create(
        account=account,
        defaults={
            "licensed": 100,
            "deployed": deployed,
            "eligible": True,
            "passes": deployed >= 80,
            "data_state": "complete",
        },
    )
