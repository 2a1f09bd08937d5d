"""Filing a request on the pages: step by step, saved as it is typed, with or without scripts."""

import html
import re

import pytest
from django.urls import reverse
from django.utils import timezone

from engagements.models import ServiceRequest
from tests.factories import (
    AccountFactory,
    AssignmentFactory,
    ContactFactory,
    ServiceRequestFactory,
)

pytestmark = pytest.mark.django_db
NOW = timezone.now()
WHOLE = {
    "type": "one_off",
    "inside_product": "false",
    "over_one_day": "true",
    "title": "SAML for the plants",
    "problem": "No mailboxes.",
    "outcome": "They sign in.",
    "if_not": "They drop 400 seats.",
    "time_reason": "The renewal.",
    "needed_by": "",
    "links": "https://github.com/halden/x/issues/4",
    "seats_low": "100",
    "seats_likely": "200",
    "seats_high": "",
}


@pytest.fixture
def own(tam):
    account = AccountFactory(name="Halden Aerospace")
    AssignmentFactory(account=account, user=tam, role="TAM")
    return account


@pytest.fixture
def client(login, tam):
    return login(tam)


@pytest.fixture
def draft(tam, own):
    return ServiceRequest.objects.create(filed_by=tam, account=own, moved_at=NOW)


@pytest.fixture
def whole(tam, own):
    return ServiceRequestFactory(filed_by=tam, account=own)


def step(draft, name="asked"):
    return reverse("requests:intake", args=[draft.pk, name])


def save(client, draft, **answers):
    return client.post(
        reverse("requests:intake-save", args=[draft.pk]),
        answers,
        headers={"HX-Request": "true", "HX-Target": "saved"},
    )


def text(response):
    """What the page says, without markup."""
    plain = re.sub(r"<[^>]+>", " ", response.content.decode())
    return " ".join(html.unescape(plain).split())


def fresh(draft):
    return ServiceRequest.objects.get(pk=draft.pk)


def test_from_the_account_to_the_request_in_four_steps(client, own):
    begun = client.post(reverse("requests:new"), {"account": own.number})
    draft = ServiceRequest.objects.get()
    assert begun.url == step(draft)

    asked = client.post(step(draft), {"version": draft.version, **WHOLE})
    assert asked.url == step(draft, "scope")
    assert "Who does this?" in text(client.get(asked.url))

    check = client.get(step(draft, "check"))
    for words in ("SAML for the plants", "200, at least 100", "GitHub: https://github.com/halden"):
        assert words in text(check)
    sent = client.post(step(draft, "check"), {"version": fresh(draft).version})
    assert sent.url == reverse("requests:detail", args=[draft.pk])
    assert fresh(draft).submitted_at
    # The link to go on with it leads to the request now.
    for name in ("requests:resume", "requests:discard"):
        assert client.get(reverse(name, args=[draft.pk])).url == sent.url
    assert client.get(step(draft)).url == sent.url


def test_a_link_fills_in_the_account_the_seats_and_the_type(client, own):
    address = reverse("requests:new") + f"?account={own.number}&seats=86&type=one_off"
    page = client.get(address)
    assert f'value="{own.number}"' in page.content.decode()
    assert "checked" in page.content.decode()

    client.post(reverse("requests:new"), {"account": own.number, "seats": "86", "type": "one_off"})
    draft = ServiceRequest.objects.get()
    assert (draft.account, draft.type, draft.seats_likely) == (own, "one_off", 86)


@pytest.mark.parametrize(
    "query",
    ["account=ACC-999999", "account=nonsense", "account=ACC-99999999999999999999",
     "seats=-1&type=odd", "seats=9999999999", "q=%00", "q=" + "x" * 500, "account=%F0%9F%98%80"],
)  # fmt: skip
def test_nonsense_in_the_address_fills_in_nothing(client, own, query):
    page = client.get(f"{reverse('requests:new')}?{query}")
    assert page.status_code == 200
    assert not re.search(r"name=\"account\"[^>]*checked", page.content.decode())


def test_own_accounts_come_first_and_others_are_found_by_typing(client, own):
    other = AccountFactory(name="Zeta Works")
    assert own.name in text(client.get(reverse("requests:new")))
    assert other.name not in text(client.get(reverse("requests:new")))
    # The same without scripts, as a page, and for htmx as the list alone.
    found = client.get(reverse("requests:new"), {"q": "zeta"})
    assert other.name in text(found)
    part = client.get(
        reverse("requests:new"),
        {"q": "zeta"},
        headers={"HX-Request": "true", "HX-Target": "accounts"},
    )
    assert other.name in text(part)
    assert "<html" not in part.content.decode()


def test_choosing_shows_the_facts_and_what_is_open(client, own):
    ServiceRequestFactory(account=own, title="Move to Frankfurt", state="triaged")
    part = client.get(
        reverse("requests:new"),
        {"account": own.number},
        headers={"HX-Request": "true", "HX-Target": "chosen"},
    )
    assert "Halden Aerospace" in text(part)
    assert "Move to Frankfurt" in text(part)


def test_without_an_account_one_is_told_so(client):
    page = client.post(reverse("requests:new"), {})
    assert page.status_code == 422
    assert "<title>Error:" in page.content.decode()
    assert not ServiceRequest.objects.exists()


def test_a_form_sent_twice_begins_one_draft(client, own):
    once = re.search(
        r'name="once" value="([^"]+)"', client.get(reverse("requests:new")).content.decode()
    )
    form = {"account": own.number, "once": once[1]}
    first = client.post(reverse("requests:new"), form)
    assert client.post(reverse("requests:new"), form).url == first.url
    assert ServiceRequest.objects.count() == 1


def test_what_is_typed_is_saved_and_the_answer_follows(client, draft):
    answer = save(client, draft, version=1, type="one_off", title="SAML", seats_likely="2oo")

    assert answer.status_code == 200
    assert re.search(r"Saved \d\d:\d\d, 1 answer to correct", text(answer))
    stored = fresh(draft)
    assert (stored.type, stored.title, stored.typed) == ("one_off", "SAML", {"seats_likely": "2oo"})
    body = answer.content.decode()
    # The version for the next save, and the questions of this type.
    assert f'value="{stored.version}"' in body
    assert 'id="facts" hx-swap-oob="true"' in body
    assert "Who does this?" in text(answer)
    # Nothing of the form is replaced while one writes.
    again = save(client, stored, version=stored.version, type="one_off", title="SAML and groups")
    assert 'id="facts"' not in again.content.decode()


def test_an_answer_that_is_not_valid_comes_back_as_typed_with_the_same_words(client, draft):
    wrong = client.post(step(draft), {**WHOLE, "version": 1, "seats_likely": "2oo"})
    page = client.get(step(draft))

    for response, status in ((wrong, 422), (page, 200)):
        assert response.status_code == status
        assert "<title>Error:" in response.content.decode()
        assert 'value="2oo"' in response.content.decode()
        # In the summary, which links to the field, and at the field.
        assert text(response).count("“2oo” is not a whole number like 1200.") == 2
    assert 'href="#answer_seats_likely"' in wrong.content.decode()
    check = client.get(step(draft, "check"))
    assert "“2oo” is not a whole number like 1200." in text(check)


def test_what_is_missing_is_named_and_what_is_there_stays(client, draft):
    page = client.post(step(draft), {"version": 1, "title": "SAML", "needed_by": "soon"})

    assert page.status_code == 422
    for words in ("Select what the customer is asking for.", "Enter why the customer needs this."):
        assert text(page).count(words) == 2
    assert 'value="SAML"' in page.content.decode()
    # A date picker would hide what is no date.
    assert re.search(r'<input type="text" name="needed_by" value="soon"', page.content.decode())
    assert fresh(draft).title == "SAML"


def test_a_newer_version_is_not_overwritten_and_both_are_shown(client, draft):
    save(client, draft, version=1, title="From another window")

    assert save(client, draft, version=1, title="From here").status_code == 409
    page = client.post(step(draft), {**WHOLE, "version": 1, "title": "From here"})
    assert page.status_code == 409
    assert 'value="From here"' in page.content.decode()
    assert "From another window" in text(page)
    assert fresh(draft).title == "From another window"

    version = re.search(r'name="version"[^>]*value="(\d+)"', page.content.decode())[1]
    client.post(step(draft), {**WHOLE, "version": version, "title": "From here"})
    assert fresh(draft).title == "From here"


@pytest.mark.parametrize("version", ["", "x", "-1", "9" * 30, "\x00"])
def test_no_version_breaks_it(client, draft, version):
    assert client.post(step(draft), {**WHOLE, "version": version}).status_code in {302, 409}


def test_leaving_saves_and_resuming_leads_on(client, draft):
    left = client.post(step(draft), {"version": 1, "title": "SAML", "leave": "yes"})
    assert left.url == reverse("requests:list")
    assert fresh(draft).title == "SAML"
    assert "SAML" in text(client.get(reverse("requests:new")))

    resume = reverse("requests:resume", args=[draft.pk])
    assert client.get(resume).url == step(draft)
    client.post(step(draft), {**WHOLE, "version": fresh(draft).version})
    assert client.get(resume).url == step(draft, "check")
    ServiceRequest.objects.filter(pk=draft.pk).update(account=None)
    assert client.get(resume).url == step(draft, "account")
    assert client.get(step(draft)).url == step(draft, "account")


def test_sending_too_early_says_what_is_missing(client, draft):
    page = client.post(step(draft, "check"), {"version": 1})
    assert page.status_code == 422
    assert "Enter a short title." in text(page)
    assert f'href="{step(draft)}#answer_title"' in page.content.decode()
    assert fresh(draft).state == "draft"


def test_sending_what_was_changed_meanwhile_shows_it_first(client, whole):
    save(client, whole, version=whole.version, title="Another title")
    page = client.post(step(whole, "check"), {"version": whole.version})
    assert page.status_code == 409
    assert "Another title" in text(page)
    assert fresh(whole).state == "draft"


def test_an_archived_account_is_told_before_sending(client, whole):
    type(whole.account).objects.filter(pk=whole.account_id).update(archived=True)
    page = client.post(step(whole, "check"), {"version": whole.version})
    assert page.status_code == 422
    assert "is archived" in text(page)


def test_what_looks_alike_is_shown_with_links(client, whole, own):
    like = ServiceRequestFactory(account=own, title=f"{whole.title} again", state="triaged")
    hidden = ServiceRequestFactory(account=own, title=f"{whole.title} again")
    page = client.get(step(whole)).content.decode()
    assert reverse("requests:detail", args=[like.pk]) in page
    assert hidden.number not in page


def test_contacts_are_offered_of_own_accounts_only(client, tam, draft):
    mine, other = ContactFactory(account=draft.account), ContactFactory()
    ContactFactory(account=draft.account)
    page = client.get(step(draft))
    assert mine.name in text(page)
    draft = ServiceRequest.objects.create(filed_by=tam, account=other.account)
    page = client.get(step(draft))
    assert other.name not in text(page)
    assert "own accounts only" in text(page)


def test_a_pasted_mail_becomes_a_draft_with_marked_suggestions(client, own):
    mail = "Subject: Re: SAML for the plants\n\nSee https://github.com/halden/x/issues/4"
    page = client.post(
        reverse("requests:paste"), {"came_by": "email", "text": mail, "account": own.number}
    )
    draft = ServiceRequest.objects.get()
    assert page.url == step(draft)
    page = client.get(page.url)
    assert text(page).count("Suggested from the text you pasted. Check it.") == 2
    assert "Subject: Re: SAML for the plants" in text(page)
    # Once it is changed it is nobody's suggestion any more.
    save(client, draft, version=draft.version, title="SAML")
    assert text(client.get(step(draft))).count("Suggested") == 1


@pytest.mark.parametrize("mail", ["", "x" * 50_001, "<script>alert(1)</script>"])
def test_any_text_can_be_pasted(client, mail):
    page = client.post(reverse("requests:paste"), {"came_by": "chat", "text": mail})
    if page.status_code == 302:
        page = client.get(step(ServiceRequest.objects.get(), "account"))
    assert page.status_code in {200, 422}
    assert b"<script>alert" not in page.content


def test_a_draft_thrown_away_is_gone(client, draft):
    address = reverse("requests:discard", args=[draft.pk])
    assert "Throw away this draft?" in text(client.get(address))
    client.post(address)
    assert not ServiceRequest.objects.exists()
    assert client.get(address).status_code == 404


@pytest.mark.parametrize(
    "name", ["requests:resume", "requests:discard", "requests:intake-save", "requests:intake"]
)
def test_a_draft_of_others_is_not_there(login, person, draft, name):
    arguments = [draft.pk, "asked"] if name == "requests:intake" else [draft.pk]
    other = login(person("tam", "de_lead"))
    assert other.post(reverse(name, args=arguments)).status_code in {404, 405}
    assert other.get(reverse(name, args=arguments)).status_code in {404, 405}


def test_a_request_of_others_leads_to_its_page_and_is_not_changed(login, person):
    sent = ServiceRequestFactory(state="triaged")
    other = login(person("csm"))
    page = reverse("requests:detail", args=[sent.pk])
    assert other.get(step(sent)).url == page
    assert other.post(step(sent), {"title": "Mine"}).url == page
    assert save(other, sent, title="Mine").status_code == 403
    assert fresh(sent).title == sent.title


@pytest.mark.parametrize("role", ["de_engineer", "de_lead", "leadership", "metric_owner"])
def test_only_requesters_find_the_form(login, person, role):
    other = login(person(role))
    for name in ("requests:new", "requests:paste"):
        refused = other.get(reverse(name))
        assert refused.status_code == 403
        assert "Only TAMs, CSMs, CREs, AEs and SAs can file requests." in text(refused)


def test_requests_begin_at_an_account_too(client, login, person, own):
    page = client.get(reverse("accounts:account-detail", args=[own.pk])).content.decode()
    assert f"{reverse('requests:new')}?account={own.number}" in page
    page = login(person("de_lead")).get(reverse("accounts:account-detail", args=[own.pk]))
    assert reverse("requests:new") not in page.content.decode()


def test_an_unknown_step_is_not_there(client, draft):
    assert client.get(step(draft, "statement")).status_code == 404
