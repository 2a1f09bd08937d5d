"""What becomes of a request when it is submitted, and when people decide otherwise."""

import datetime as dt
from decimal import Decimal

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.utils import timezone

from accounts.models import AccountFacts
from engagements import services
from engagements.models import RoutingDecision, RoutingRule
from engagements.selectors import routing
from events.models import Event, Notice
from events.workflow import Blocked, Given
from tests.factories import AccountFactory, AssignmentFactory, ServiceRequestFactory

pytestmark = pytest.mark.django_db
How = RoutingDecision.How


@pytest.fixture
def file(tam):
    def submit(arr="412000", account=None, **facts):
        account = account or AccountFactory(name="Halden")
        if arr is not None:
            AccountFacts.objects.update_or_create(
                account=account, defaults={"arr": Decimal(arr), "data_state": "fresh"}
            )
        request = ServiceRequestFactory(filed_by=tam, account=account, **facts)
        move(request, "submit", tam)
        return request

    return submit


def move(thing, name, by, reason="", **values):
    given = Given(reason=reason, values=values)
    return services.move(thing, name, by=by, at=timezone.now(), given=given)


def support(**more):
    return {"type": "support", "critical": False, "licence_matter": False, **more}


class TestSubmitted:
    def test_what_is_ours_goes_on_to_the_sow(self, file):
        request = file()

        decision = request.decisions.get()
        assert (request.state, request.owner) == ("sow_drafting", "de")
        assert request.routed_at is not None
        assert (decision.how, decision.rule.slug, decision.by) == (How.RULE, "one-off", None)
        assert decision.reason == (
            "One-off solutions of more than one day of work are in scope for accounts above the "
            "ARR line. Halden is at $412,000."
        )

    def test_what_is_not_ours_is_routed_with_owner_person_reason_and_text(self, file, person):
        account = AccountFactory(name="Halden")
        cre = person("cre")
        AssignmentFactory(account=account, user=cre, role="CRE")
        request = file(account=account, **support())

        decision = request.decisions.get()
        assert (request.state, request.owner, request.owner_user) == ("routed_out", "support", cre)
        assert decision.rule.slug == "regular-support"
        assert decision.hand_over.startswith("Support ticket context")
        assert "Halden" in decision.hand_over
        event = Event.objects.get(verb="request.routed_out")
        assert event.reason == decision.reason
        assert event.actor.is_system

    def test_a_person_decides_where_the_rules_do_not(self, file, de_lead):
        request = file(arr="50000.00")

        decision = request.decisions.get()
        assert (request.state, request.owner) == ("submitted", "")
        assert (decision.how, decision.owner, decision.hand_over) == (How.PERSON, "", "")
        assert "a person decides" in decision.reason
        assert Notice.objects.filter(to=de_lead, title__contains=request.number).exists()
        assert Event.objects.filter(verb="request.left_to_a_lead").exists()

    def test_arr_that_is_not_known_leaves_it_to_a_person(self, file):
        request = file(arr=None, type="critical", critical=True)

        assert request.state == "submitted"
        assert "ARR is not known" in request.decisions.get().reason

    def test_an_escalation_waits_for_a_lead_to_put_it_on_the_fast_path(self, file, de_lead):
        request = file(type="critical", critical=True)

        assert (request.state, request.decisions.get().owner) == ("submitted", "de")
        assert Notice.objects.filter(to=de_lead, title__contains="fast path").exists()
        move(request, "fast_path", de_lead, "Search is down.", impact=1, effort="low")
        assert request.state == "triaged"
        assert request.decisions.latest("id").how == How.RULE

    def test_an_escalation_without_its_reason_is_none(self, tam):
        request = ServiceRequestFactory(
            type="onboarding", standard_environment=True, escalated=True
        )

        assert routing.facts_of(request).escalated is False
        request.escalation_reason = "The TAM is away."
        assert routing.facts_of(request).escalated is True

    def test_rules_of_the_day_are_asked(self, file):
        today = timezone.now().date()
        RoutingRule.objects.filter(slug="feedback").update(end=today)
        assert file(type="feedback").state == "submitted"

    @pytest.mark.parametrize(
        ("role", "owner"), [("TAM", "tam"), ("CSM", "csm_tam"), ("AE", "ae"), ("CRE", "support")]
    )
    def test_the_owners_person_is_who_is_assigned(self, person, role, owner):
        account, user = AccountFactory(), person(role.lower())
        AssignmentFactory(account=account, user=user, role=role)
        today = timezone.now().date()

        assert routing.owner_user(account, owner, on=today) == user
        assert routing.owner_user(account, "rd", on=today) is None
        assert routing.owner_user(account, owner, on=dt.date(2024, 1, 1)) is None


class TestDecided:
    def test_a_lead_decides_what_was_left_to_a_person(self, file, de_lead):
        request = file(arr="10000")

        move(request, "take", de_lead)

        decision = request.decisions.latest("id")
        assert (decision.how, decision.by, decision.owner) == (How.PERSON, de_lead, "de")
        assert decision.hand_over.startswith(request.title)

    def test_against_the_rule_takes_a_reason_and_counts_against_it(self, file, de_lead):
        request = file()

        with pytest.raises(ValidationError):
            move(request, "route_out", de_lead, owner="tam")
        move(request, "route_out", de_lead, "The playbook has it.", owner="tam")

        assert request.decisions.latest("id").how == How.OVERRIDE
        assert routing.precision()["one-off"] == routing.Precision(1, 1)

    def test_taking_what_a_rule_gives_to_others_takes_a_reason(self, file, de_lead):
        request = file(type="critical", critical=True)
        request.decisions.update(owner="support")

        with pytest.raises(ValidationError) as refused:
            move(request, "take", de_lead)
        assert "gives it to Customer Support" in str(refused.value)
        request.refresh_from_db()
        assert request.state == "submitted"
        move(request, "take", de_lead, "We know this cluster.")
        assert request.decisions.latest("id").how == How.OVERRIDE

    def test_a_text_of_the_leads_own_is_handed_over_as_written(self, file, de_lead):
        request = file()

        move(request, "route_out", de_lead, "Theirs.", owner="rd", hand_over="Build it, please.")

        assert request.decisions.latest("id").hand_over == "Build it, please."
        assert not Event.objects.filter(after__hand_over__isnull=False).exists()


class TestAppeal:
    def test_a_granted_appeal_counts_against_the_rule(self, file, tam, de_lead):
        request = file(**support())
        move(request, "appeal", tam, "It is a cluster of twelve.")
        move(request, "grant_appeal", de_lead, "It is.")

        first, second = request.decisions.order_by("id")
        assert (request.state, request.owner) == ("sow_drafting", "de")
        assert (first.appeal_granted, first.appeal_answer) == (True, "It is.")
        assert (second.how, second.owner, second.by) == (How.APPEAL, "de", de_lead)
        assert routing.precision()["regular-support"] == routing.Precision(1, 1)

    def test_a_refused_one_stands_and_is_not_asked_again(self, file, tam, de_lead):
        request = file(**support())
        move(request, "appeal", tam, "Please.")
        with pytest.raises(Blocked):
            move(request, "appeal", tam, "Please!")
        move(request, "refuse_appeal", de_lead, "It is support.")

        assert request.state == "routed_out"
        assert routing.precision()["regular-support"].share == 1
        with pytest.raises(Blocked) as refused:
            move(request, "appeal", tam, "Again.")
        assert "refused already" in str(refused.value)

    def test_nobody_decides_on_what_they_decided_or_appealed(self, file, tam, person):
        first, second = person("de_lead"), person("de_lead", "tam")
        request = file()
        move(request, "route_out", first, "Theirs.", owner="tam")
        request.filed_by = second
        request.save(update_fields=["filed_by"])
        move(request, "appeal", second, "Not so.")

        for lead in (first, second):
            with pytest.raises(PermissionDenied):
                move(request, "grant_appeal", lead, "Yes.")
        move(request, "grant_appeal", person("de_lead"), "Yes.")
        # The rule had it right: the lead, not the rule, was overruled.
        assert routing.precision()["one-off"] == routing.Precision(1, 0)


class TestShown:
    def test_nothing_before_it_is_submitted(self):
        assert routing.decision_shown(ServiceRequestFactory()) is None

    def test_the_answer_as_it_was_given(self, file):
        request = file(arr="48000")

        shown = routing.decision_shown(request)

        assert shown.needs_a_person
        assert shown.owner == "A person decides"
        assert ("If the account's ARR were above $50,000", "Deployment Engineering") in (
            shown.near_misses
        )
        assert ("ARR", "$48,000") in shown.facts

    def test_both_forms_for_support(self, file):
        texts = routing.decision_shown(file(**support())).texts

        assert [label for label, _ in texts] == [
            "Support ticket context",
            "Support ticket request",
        ]
