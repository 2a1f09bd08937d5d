"""Who does this, beside intake, on the request's page and over the API."""

import uuid
from decimal import Decimal

import pytest
from django.utils import timezone

from accounts.models import AccountFacts
from engagements import services
from engagements.models import RoutingDecision
from events.models import Event
from events.workflow import Given
from tests.factories import AccountFactory, AssignmentFactory, ServiceRequestFactory

pytestmark = pytest.mark.django_db
CHECK = "/requests/scope-check/"
PREVIEW = "/api/v1/service-requests/route/preview/"


@pytest.fixture
def halden():
    account = AccountFactory(name="Halden")
    AccountFacts.objects.create(account=account, arr=Decimal(412_000), data_state="fresh")
    return account


def submitted(tam, account, **facts):
    request = ServiceRequestFactory(filed_by=tam, account=account, **facts)
    services.move(request, "submit", by=tam, at=timezone.now())
    return request


def support(**more):
    return {"type": "support", "critical": False, "licence_matter": False, **more}


class TestScopeCheck:
    def ask(self, client, **sent):
        answer = client.post(CHECK, sent, HTTP_HX_REQUEST="true", HTTP_HX_TARGET="scope")
        assert answer.status_code == 200
        return answer.content.decode()

    def test_the_form_as_it_stands(self, login, tam, halden):
        text = self.ask(
            login(tam),
            account=halden.number,
            type="one_off",
            inside_product="false",
            over_one_day="true",
        )

        assert text.lstrip().startswith('<section class="card" id="scope"')
        assert "In scope for Deployment Engineering" in text
        assert "Halden is at $412,000." in text
        assert "If it were one day of work or less" in text

    def test_fields_sent_win_over_those_stored(self, login, tam, halden):
        draft = ServiceRequestFactory(filed_by=tam, account=halden)

        text = self.ask(login(tam), request=draft.number, inside_product="true")

        assert "This belongs to R&amp;D Engineering" in text
        assert "Prior approval by Product Engineering" in text

    def test_it_names_the_accounts_person(self, login, tam, halden):
        AssignmentFactory(account=halden, user=tam, role="TAM")

        text = self.ask(
            login(tam), account=halden.uuid, type="onboarding", standard_environment="true",
            escalated="true", escalation_reason=" ",
        )  # fmt: skip

        assert "This is yours: TAM" in text
        assert "TAM (you)" in text
        assert "If it were escalated to Deployment Engineering, with the reason" in text

    def test_what_is_missing_is_said(self, login, tam):
        text = self.ask(login(tam), type="support")

        assert "It depends" in text
        assert "Critical, About licences or renewal" in text

    def test_without_scripts_it_is_a_page(self, login, tam):
        page = login(tam).post(CHECK, {"type": "feedback"})

        assert "<h1" in page.content.decode()
        assert "This belongs to Product" in page.content.decode()

    @pytest.mark.parametrize(
        "sent",
        [
            {},
            {"type": "\x00"},
            {"type": "lunch", "critical": "perhaps"},
            {"request": "REQ-999999999999999999", "account": "ACC-999999999999999999"},
            {"request": "REQ-0", "account": "' OR 1=1"},
            {"account": "\ud800".encode("utf-8", "surrogatepass")},
        ],
    )
    def test_nonsense_is_nothing(self, login, tam, sent):
        assert "Choose what the customer is asking for" in self.ask(login(tam), **sent)

    def test_a_draft_of_another_is_not_looked_into(self, login, tam, person, halden):
        draft = ServiceRequestFactory(filed_by=tam, account=halden)

        assert "Halden" not in self.ask(login(person("csm")), request=draft.number)


class TestCard:
    def test_the_text_to_hand_over_can_be_copied(self, login, tam, halden):
        request = submitted(tam, halden, **support())

        page = login(tam).get(f"/requests/{request.number}/").content.decode()

        assert "Who does this" in page
        assert "The rule “Regular support, tiers 1 to 4”" in page
        assert "Support ticket context, ready to hand over" in page
        assert 'data-copy="hand-over-1"' in page
        assert "Support ticket request" in page

    def test_of_an_escalation_what_support_gets_too(self, login, tam, halden):
        request = submitted(tam, halden, type="critical", critical=True)

        page = login(tam).get(f"/requests/{request.number}/").content.decode()

        assert "Critical deployment escalation" in page
        assert "Support ticket request, ready to hand over" in page

    def test_an_appeal_and_its_answer(self, login, tam, de_lead, halden):
        request = submitted(tam, halden, **support())
        for name, by, why in (
            ("appeal", tam, "It is a cluster of twelve."),
            ("refuse_appeal", de_lead, "It is support."),
        ):
            services.move(request, name, by=by, at=timezone.now(), given=Given(reason=why))
        page = login(tam).get(f"/requests/{request.number}/").content.decode()

        assert "The appeal was refused" in page
        assert "It is a cluster of twelve." in page

    def test_against_the_rule_says_what_the_rule_had(self, login, tam, de_lead, halden):
        request = submitted(tam, halden)
        given = Given(reason="Theirs.", values={"owner": "tam"})
        services.move(request, "route_out", by=de_lead, at=timezone.now(), given=given)

        page = login(tam).get(f"/requests/{request.number}/").content.decode()

        assert "Against the rule" in page
        assert "Deployment Engineering, by “One-off solution or integration”" in page


class TestApi:
    def test_the_decision_with_the_rule_and_near_misses(self, api_client, tam, halden):
        request = submitted(tam, halden, **support())

        answer = api_client(tam, "request:read").get(
            f"/api/v1/service-requests/{request.uuid}/route/"
        )

        body = answer.json()
        assert answer.status_code == 200
        assert (body["number"], body["owner"], body["how"]) == (request.number, "support", "rule")
        assert body["hand_over"].startswith("Support ticket context")
        assert body["answer"]["rule"] == {
            "slug": "regular-support",
            "name": "Regular support, tiers 1 to 4",
            "since": "2000-01-01",
        }
        assert body["answer"]["near_misses"][0]["if"] == "If it were critical"
        assert body["answer"]["near_misses"][0]["facts"] == ["critical"]
        assert body["answer"]["facts"]["arr"] == "412000.00"
        assert body["answer"]["facts"]["over_one_day"] is None

    def test_of_a_draft_it_is_todays_answer(self, api_client, tam, halden):
        draft = ServiceRequestFactory(filed_by=tam, account=halden)

        body = api_client(tam).get(f"/api/v1/service-requests/{draft.uuid}/route/").json()

        assert (body["owner"], body["how"], body["hand_over"]) == ("de", None, "")
        assert body["decided_at"] is None

    def test_of_anothers_draft_there_is_none(self, api_client, tam, person, halden):
        draft = ServiceRequestFactory(filed_by=tam, account=halden)
        client = api_client(person("csm"))

        there = client.get(f"/api/v1/service-requests/{draft.uuid}/route/")
        nowhere = client.get(f"/api/v1/service-requests/{uuid.uuid4()}/route/")

        assert there.status_code == nowhere.status_code == 404
        assert there.json()["detail"] == nowhere.json()["detail"]

    def test_a_granted_appeal(self, api_client, tam, de_lead, halden):
        request = submitted(tam, halden, **support())
        for name, by in (("appeal", tam), ("grant_appeal", de_lead)):
            services.move(request, name, by=by, at=timezone.now(), given=Given(reason="So."))

        body = api_client(tam).get(f"/api/v1/service-requests/{request.uuid}/route/").json()

        assert (body["owner"], body["how"], body["appeal"]) == ("de", "appeal", "granted")
        assert body["answer"]["owner"] == "support"

    def test_a_preview_writes_nothing(self, api_client, tam):
        before = Event.objects.count()
        sent = {"type": "critical", "critical": True, "arr": "50000.00"}

        answer = api_client(tam, "request:read").post(PREVIEW, sent, format="json")

        body = answer.json()
        assert answer.status_code == 200
        assert (body["owner"], body["rule"]["slug"]) == ("support", "critical-small")
        assert body["near_misses"][0] == {
            "rule": {
                "slug": "critical-escalation",
                "name": "Critical deployment escalation",
                "since": "2000-01-01",
            },
            "owner": "de",
            "fast_path": True,
            "if": "If the account's ARR were above $50,000",
            "facts": ["arr_above"],
            "unknown": [],
        }
        # Its token was used for the first time.
        assert Event.objects.exclude(verb__startswith="token").count() <= before
        assert not RoutingDecision.objects.exists()

    @pytest.mark.parametrize(
        ("sent", "field"),
        [
            ({}, "type"),
            ({"type": "lunch"}, "type"),
            ({"type": "support", "critical": "yes"}, "critical"),
            ({"type": "support", "arr": 50000}, "arr"),
            ({"type": "support", "colour": "red"}, "colour"),
            ({"type": "support", "product_approval": None}, "product_approval"),
        ],
    )
    def test_what_is_wrong_is_named(self, api_client, tam, sent, field):
        answer = api_client(tam).post(PREVIEW, sent, format="json")

        assert answer.status_code == 400
        assert [error["field"] for error in answer.json()["errors"]] == [field]
