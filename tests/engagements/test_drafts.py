"""Drafts: begun, saved by the answer, filed by programs, thrown away."""

import datetime as dt

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.utils import timezone

from config.lib.errors import StaleWrite
from engagements import selectors
from engagements.models import RoutingDecision, ServiceRequest
from engagements.services import move
from engagements.services.requests import (
    NotADraft,
    create_draft,
    create_from_text,
    discard_draft,
    file_request,
    save_draft,
)
from events.models import Event
from tests.factories import (
    AccountFactory,
    AssignmentFactory,
    ContactFactory,
    ServiceRequestFactory,
)

NOW = timezone.now()
TODAY = NOW.date()
WHOLE = {
    "type": "one_off",
    "inside_product": False,
    "over_one_day": True,
    "title": "SAML for the plants",
    "problem": "No mailboxes.",
    "outcome": "They sign in.",
    "if_not": "They drop 400 seats.",
    "time_reason": "The renewal.",
    "seats_likely": 200,
}

pytestmark = pytest.mark.django_db


@pytest.fixture
def own(tam):
    account = AccountFactory()
    AssignmentFactory(account=account, user=tam, role="TAM")
    return account


@pytest.fixture
def draft(tam, own):
    return create_draft(by=tam, at=NOW, answers={"account": own})


def typed(draft, by, **answers):
    return save_draft(draft, answers, by=by, at=NOW, as_text=True)


def verbs(request):
    return list(
        Event.objects.filter(object_id=request.uuid).order_by("id").values_list("verb", flat=True)
    )


def test_a_draft_is_seen_by_its_author_alone(draft, tam, person, de_lead):
    assert list(selectors.requests_visible_to(tam)) == [draft]
    for other in (person("csm"), de_lead):
        assert not selectors.requests_visible_to(other).exists()
    # Its events do not tell of it on the account's timeline either.
    assert not Event.objects.filter(object_id=draft.uuid).exclude(account_id=None).exists()


@pytest.mark.parametrize("role", ["de_engineer", "de_lead", "leadership", "administrator"])
def test_only_requesters_file(person, role):
    with pytest.raises(PermissionDenied):
        create_draft(by=person(role), at=NOW)


def test_the_one_contact_of_an_own_account_is_chosen(tam, own):
    contact = ContactFactory(account=own)
    assert create_draft(by=tam, at=NOW, answers={"account": own}).contact == contact
    ContactFactory(account=own)
    assert create_draft(by=tam, at=NOW, answers={"account": own}).contact is None
    # Those of others' accounts are nobody's to see.
    other = ContactFactory().account
    assert create_draft(by=tam, at=NOW, answers={"account": other}).contact is None


def test_another_account_forgets_the_contact(draft, tam):
    other = AccountFactory()
    AssignmentFactory(account=other, user=tam, role="TAM")
    draft.contact = ContactFactory(account=draft.account)
    draft.save()
    assert typed(draft, tam, account=other.number).contact is None
    with pytest.raises(ValidationError) as error:
        save_draft(draft, {"contact": ContactFactory().uuid}, by=tam, at=NOW)
    assert error.value.error_dict["contact"][0].code == "unknown"


def test_what_is_valid_is_stored_and_what_is_not_comes_back_as_typed(draft, tam):
    typed(
        draft, tam, title=" SAML ", seats_likely="2oo", needed_by="soon", links="http://a.example"
    )

    assert (draft.title, draft.seats_likely, draft.needed_by, draft.links) == (
        "SAML",
        None,
        None,
        [],
    )
    assert draft.typed == {"seats_likely": "2oo", "needed_by": "soon", "links": "http://a.example"}
    wrong = selectors.missing_answers(draft, on=TODAY)
    assert wrong["seats_likely"] == "“2oo” is not a whole number like 1200."
    assert wrong["needed_by"] == "“soon” is not a day written like 2026-03-31."

    typed(draft, tam, seats_likely="200", needed_by="", links="https://github.com/a")
    assert (draft.seats_likely, draft.typed) == (200, {})
    assert draft.links == [{"kind": "github", "url": "https://github.com/a"}]


def test_estimates_out_of_order_come_back_too(draft, tam):
    typed(draft, tam, type="one_off", seats_low="500", seats_likely="200", seats_high="100")

    assert (draft.seats_low, draft.seats_likely, draft.seats_high) == (500, None, None)
    assert draft.typed == {"seats_likely": "200", "seats_high": "100"}
    missing = selectors.missing_answers(draft, on=TODAY)
    assert missing["seats_likely"] == "Likely: 200 is less than the low estimate of 500."
    typed(draft, tam, seats_low="50", seats_likely="200", seats_high="300")
    assert (draft.seats_low, draft.seats_likely, draft.seats_high) == (50, 200, 300)


@pytest.mark.parametrize(
    "text",
    [
        "x" * 60_000,
        "nul \x00 in it",
        "\u202eevil",
        "\U0001f600" * 300,
    ],
)
def test_whatever_is_typed_can_be_kept(draft, tam, text):
    typed(draft, tam, problem=text, title=text, seats_likely=text, type=text, critical=text)
    draft.refresh_from_db()
    assert draft.state == "draft"


def test_a_program_is_told_of_everything_that_is_wrong_and_nothing_is_saved(draft, tam):
    answers = {"title": "New", "seats_low": 5, "seats_likely": 4, "type": "odd", "frob": 1}
    with pytest.raises(ValidationError) as error:
        save_draft(draft, answers, by=tam, at=NOW)
    assert error.value.error_dict.keys() == {"seats_likely", "type", "frob"}
    draft.refresh_from_db()
    assert (draft.title, draft.version) == ("", 1)


def test_an_older_version_does_not_overwrite(draft, tam):
    typed(draft, tam, title="From one window")
    with pytest.raises(StaleWrite) as error:
        save_draft(draft, {"title": "From another"}, by=tam, at=NOW, version=1, as_text=True)
    assert error.value.etag == f'"{draft.uuid}.2"'
    # The same again is no overwriting: a form and what it saved on the way may overtake each other.
    saved = save_draft(draft, {"title": "From one window"}, by=tam, at=NOW, version=1, as_text=True)
    assert saved.version == 2
    with pytest.raises(StaleWrite):
        save_draft(draft, {"title": "From one window"}, by=tam, at=NOW, version=1)


def test_saving_nothing_new_leaves_no_trace(draft, tam):
    typed(draft, tam, title="SAML")
    typed(draft, tam, title="SAML")
    assert draft.version == 2
    assert verbs(draft) == ["request.drafted", "request.draft_saved"]
    # The log names the answers, not what they say.
    event = Event.objects.get(verb="request.draft_saved")
    assert event.after == {"answers": ["title"]}


def test_only_its_author_changes_or_throws_away_a_draft(draft, person):
    other = person("tam")
    with pytest.raises(PermissionDenied):
        typed(draft, other, title="Mine")
    with pytest.raises(PermissionDenied):
        discard_draft(draft, by=other)


def test_what_was_submitted_keeps_its_answers(tam, own):
    request = file_request({**WHOLE, "account": own}, by=tam, at=NOW, submit=True)
    with pytest.raises(NotADraft):
        save_draft(request, {"title": "Other"}, by=tam, at=NOW)
    with pytest.raises(NotADraft):
        discard_draft(request, by=tam)


def test_a_draft_thrown_away_is_gone(draft, tam):
    discard_draft(draft, by=tam)
    assert not ServiceRequest.objects.exists()
    assert Event.objects.filter(verb="request.draft_discarded").exists()


def test_a_program_files_and_sends_in_one(tam, own):
    request = file_request({**WHOLE, "account": own.uuid}, by=tam, at=NOW, submit=True)

    assert request.state != "draft"
    assert (request.came_by, request.submitted_at) == ("api", NOW)
    assert RoutingDecision.objects.filter(request=request).count() == 1
    # From here on the account's timeline tells of it.
    assert Event.objects.filter(verb="request.submitted", account_id=own.pk).exists()


def test_a_program_that_sends_too_little_leaves_nothing(tam, own):
    with pytest.raises(ValidationError) as error:
        file_request({"account": own, "type": "one_off"}, by=tam, at=NOW, submit=True)
    missing = set(error.value.error_dict)
    assert {"title", "problem", "outcome", "if_not", "time_reason", "seats_likely"} <= missing
    assert not ServiceRequest.objects.exists()


def test_a_limited_token_drafts_for_its_accounts_only(tam, own):
    tam.limited_to = frozenset({own.uuid})
    with pytest.raises(ValidationError) as error:
        file_request({"title": "For nobody"}, by=tam, at=NOW)
    assert error.value.error_dict.keys() == {"account"}
    with pytest.raises(ValidationError):
        file_request({"account": AccountFactory().uuid}, by=tam, at=NOW)
    mine = file_request({"account": own.uuid}, by=tam, at=NOW)
    with pytest.raises(ValidationError):
        save_draft(mine, {"account": None}, by=tam, at=NOW)


def test_a_pasted_text_is_kept_with_what_it_suggests(tam, own):
    day = TODAY + dt.timedelta(days=20)
    text = f"Subject: Re: SAML for plants\n\nSee https://github.com/a by {day:%Y-%m-%d}.\x00"
    draft = create_from_text(text, came_by="email", by=tam, at=NOW, account=own)

    assert (draft.came_by, draft.title, draft.needed_by) == ("email", "SAML for plants", day)
    assert draft.links == [{"kind": "github", "url": "https://github.com/a"}]
    assert draft.source_text.endswith(f"by {day:%Y-%m-%d}.")
    # A log is no place for what customers write.
    assert "plants" not in str(list(Event.objects.values_list("after", flat=True)))


@pytest.mark.parametrize("text", ["", " \n ", "x" * 50_001])
def test_a_text_that_cannot_be_kept_is_refused_in_words(tam, text):
    with pytest.raises(ValidationError) as error:
        create_from_text(text, came_by="chat", by=tam, at=NOW)
    assert "aste" in str(error.value.message_dict["text"])


def test_what_is_missing_is_what_the_guard_of_submitting_says(draft, tam):
    missing = selectors.missing_answers(draft, on=TODAY)
    assert list(missing)[:2] == ["type", "title"]
    draft.refresh_from_db()
    with pytest.raises(Exception, match="Select what the customer is asking for") as error:
        move(draft, "submit", by=tam, at=NOW)
    assert [guard["code"] for guard in error.value.details["guards"]] == ["complete"]


def test_the_contact_is_asked_for_where_the_filer_sees_one(draft, tam):
    assert "contact" not in selectors.missing_answers(draft, on=TODAY)
    ContactFactory(account=draft.account)
    assert "contact" in selectors.missing_answers(draft, on=TODAY)
    draft.account = ContactFactory().account
    assert "contact" not in selectors.missing_answers(draft, on=TODAY)


def test_an_escalation_needs_its_reason(draft, tam):
    typed(draft, tam, type="onboarding", escalated="true", standard_environment="true")
    assert "escalation_reason" in selectors.missing_answers(draft, on=TODAY)
    typed(draft, tam, escalated="false")
    assert "escalation_reason" not in selectors.missing_answers(draft, on=TODAY)


def test_similar_requests_are_open_or_recent_and_of_the_account(tam, own):
    like = ServiceRequestFactory(account=own, title="SAML for plant staff", state="triaged")
    done = ServiceRequestFactory(account=own, title="SAML sign-in for staff", state="closed",
                                 moved_at=NOW - dt.timedelta(days=10))  # fmt: skip
    ServiceRequestFactory(account=own, title="SAML for staff", state="closed",
                          moved_at=NOW - dt.timedelta(days=900))  # fmt: skip
    other = ServiceRequestFactory(account=own, title="Move to Frankfurt", state="sow_drafting")
    ServiceRequestFactory(title="SAML for plant staff", state="triaged")
    ServiceRequestFactory(account=own, title="SAML for plant staff")

    found = selectors.similar_requests(own, "SAML for the plant staff", tam, at=NOW)
    assert found == [like, done]
    assert selectors.similar_requests(own, "", tam, at=NOW) == [other, like]
    assert selectors.similar_requests(own, "", tam, at=NOW, but=like.pk) == [other]


def test_accounts_to_choose_are_ones_own_first(tam, own):
    other = AccountFactory(name="Zeta Works")
    AssignmentFactory(user=tam, account=AccountFactory(archived=True), role="TAM")
    assert selectors.accounts_to_choose(tam, "", on=TODAY) == [own]
    assert selectors.accounts_to_choose(tam, "zeta", on=TODAY) == [other]
    assert selectors.accounts_to_choose(tam, other.number, on=TODAY) == [other]
