"""From what a customer asks for to what they agreed to, as the people of both sides go it."""

import datetime as dt
import re

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from accounts.models import Account
from tests.e2e.conftest import assert_fits_a_phone
from tests.e2e.test_journeys import arrive, sign_in
from tests.engagements.letters import letters

TAM, LEAD = "tam@keel.example", "de_lead@keel.example"
TICKET = "https://support.zendesk.com/agent/tickets/4711"
TODAY = timezone.now().date()


@pytest.fixture(autouse=True)
def _mails_lead_here(server, settings):
    settings.BASE_URL = server.url


def newest_link(to):
    """Return the address in the newest mail to somebody that has one for them alone."""
    found = [re.search(r"https?://\S+/s/\S+/", mail["body"]) for mail in letters(to)]
    return [match[0] for match in found if match][-1]


def contact_of(account):
    return account.contacts.get()


def begin_request(page, account):
    page.goto(f"/accounts/{account.number}/")
    page.get_by_role("link", name="Request for this account").click()
    arrive(page, "New service request")


def answer(page, question, words):
    page.get_by_role("group", name=question).get_by_label(words, exact=True).check()


def fill(page, texts):
    for label, text in texts.items():
        page.get_by_label(label).fill(text)


def send_request(page):
    """From the step of scope and owner on."""
    page.get_by_role("main").get_by_role("link", name="Continue").click()
    expect(page.get_by_role("region", name="Your answers")).to_be_visible()
    page.get_by_role("button", name="Send the request").click()


def state_of(page):
    return page.get_by_role("heading", level=1)


def toast(page, words):
    expect(page.get_by_role("status").filter(has_text=words)).to_be_visible()


def make_move(page, label, fields=()):
    """Open a move from the page's actions and send its form in the drawer."""
    page.get_by_role("main").get_by_role("link", name=label, exact=True).first.click()
    drawer = page.get_by_role("dialog", name="Next step")
    for each in fields:
        each(drawer)
    drawer.get_by_role("button", name=label, exact=True).click()
    expect(drawer).to_be_hidden()


def pick(question, words):
    return lambda where: answer(where, question, words)


def test_a_support_question_is_filed_and_routed_away(visit):
    account = Account.objects.get(name="Garrick Steel")
    title = "The sign-in page stays blank after the upgrade"
    page = visit(permissions=["clipboard-read", "clipboard-write"], expected=[422])
    sign_in(page, TAM)
    arrive(page, ", Amara")

    begin_request(page, account)
    facts = page.get_by_role("region", name="Garrick Steel")
    expect(facts).to_contain_text("100 of 100")
    page.get_by_label("Fjordline").check()
    expect(page.get_by_role("region", name="Fjordline")).to_contain_text("96 of 100")
    page.get_by_label("Garrick Steel").check()
    expect(facts).to_contain_text("100 of 100")
    page.get_by_role("button", name="Continue").click()

    who = page.get_by_role("region", name="Who does this?")
    expect(who).to_contain_text("Choose what the customer is asking for")
    page.get_by_label("A bug, an outage or a how-to question").check()
    expect(who).to_contain_text("Still to answer")
    answer(page, "Is it critical", "No")
    answer(page, "Is it about licences", "No")
    expect(who).to_contain_text("Regular support is owned by Customer Support")

    page.get_by_label("Short title").press_sequentially(title)
    # What it says of the title shows that the title is stored.
    expect(page.locator("#similar")).to_contain_text("No other request of this account")
    expect(page.locator("#saved")).to_contain_text("Saved")
    page.reload()
    expect(page.get_by_label("Short title")).to_have_value(title)
    expect(who).to_contain_text("Regular support is owned by Customer Support")
    assert_fits_a_phone(page)

    page.get_by_role("button", name="Continue").click()
    summary = page.locator(".errsum")
    expect(summary).to_be_focused()
    expect(page).to_have_title(re.compile("^Error: "))
    summary.get_by_role("link", name="Enter why the customer needs this.").press("Enter")
    expect(page.get_by_label("Why do they need it?")).to_be_focused()
    page.keyboard.type("Nobody of the night shift can sign in.")
    fill(
        page,
        {
            "What do they want to have in the end?": "A sign-in page that works.",
            "What happens if we do not do it?": "They use another chat.",
            "Is there a date that matters": "No date matters.",
            "Tickets and threads": TICKET,
        },
    )
    page.get_by_role("navigation", name="Steps").get_by_role("link", name="Check").click()
    page.get_by_role("button", name="Send the request").click()
    expect(summary).to_be_focused()
    expect(summary).to_contain_text("Choose the customer's contact.")
    summary.get_by_role("link", name="Choose the customer's contact.").click()
    page.get_by_label("Customer contact").select_option(str(contact_of(account).uuid))
    page.get_by_role("button", name="Continue").click()
    expect(who).to_contain_text("Regular support")
    send_request(page)

    arrive(page, title)
    toast(page, "It belongs to Customer Support.")
    expect(state_of(page)).to_contain_text("Routed")
    decision = page.get_by_role("region", name="Who does this", exact=True)
    expect(decision).to_contain_text("Customer Support")
    text = decision.get_by_label("Support ticket context").first
    expect(text).to_have_value(re.compile(f"Garrick Steel[^$]*{TICKET}"))
    decision.get_by_role("button", name="Copy Support ticket context").click()
    toast(page, "Copied")
    assert page.evaluate("navigator.clipboard.readText()") == text.input_value()

    page.goto("/")
    expect(page.get_by_role("main")).not_to_contain_text(title)


WORDS_OF_SOW = {
    "What": "SAML sign-in for plant accounts",
    "By whom": "Sam Eriksen",
    "By when": str(TODAY + dt.timedelta(days=24)),
    "Detail": "Tested with **20 accounts**.",
}
