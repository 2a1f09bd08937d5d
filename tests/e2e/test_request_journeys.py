"""From what a customer asks for to what they agreed to, as the people of both sides go it."""

import datetime as dt
import re

import pytest
from django.db import transaction
from django.utils import timezone
from playwright.sync_api import expect

from accounts.models import Account
from people.models import User
from tests.e2e.conftest import PHONE, assert_fits_a_phone
from tests.e2e.test_journeys import arrive, sign_in
from tests.engagements.letters import letters
from tests.factories import ServiceRequestFactory, SowVersionFactory

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


def fill(page, texts, *, exact=False):
    for label, text in texts.items():
        page.get_by_label(label, exact=exact).fill(text)


def send_request(page):
    """From the step of scope and owner on."""
    page.get_by_role("main").get_by_role("link", name="Continue").click()
    expect(page.get_by_role("region", name="Your answers")).to_be_visible()
    page.get_by_role("button", name="Send the request").click()


def state_of(page):
    return page.get_by_role("heading", level=1)


def toast(page, words):
    expect(page.get_by_role("status").filter(has_text=words)).to_be_visible()


def make_move(page, label, fill_in=()):
    """Open a move from the page's actions and send its form in the drawer."""
    link = page.get_by_role("main").get_by_role("link", name=label, exact=True)
    expect(page.get_by_role("region", name="Next step")).to_be_visible()
    if not link.first.is_visible():
        page.get_by_role("button", name="More").click()
    link.first.click()
    drawer = page.get_by_role("dialog", name="Next step")
    button = drawer.get_by_role("button", name=label, exact=True)
    expect(button).to_be_visible()
    for name, words in dict(fill_in).items():
        put(drawer, name, words)
    button.click()
    expect(drawer).to_be_hidden()


def put(form, name, words):
    """Answer a field, whether its choices are buttons, a list, or it has none."""
    buttons = form.get_by_role("group", name=name)
    if buttons.count():
        buttons.get_by_label(words, exact=True).check()
        return
    field = form.get_by_label(name)
    if field.evaluate("field => field.matches('select')"):
        words = field.locator("option").filter(has_text=words).first.get_attribute("value")
        field.select_option(words)
    else:
        field.fill(words)


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
            "What happens if we do not do it?": "They use another chat.",
            "Is there a date that matters": "No date matters.",
            "Tickets and threads": TICKET,
        },
    )
    page.get_by_role("navigation", name="Steps").get_by_role("link", name="Check").click()
    page.get_by_role("button", name="Send the request").click()
    expect(summary).to_be_focused()
    summary.get_by_role("link", name="Enter what they want to have in the end.").click()
    # Of the one contact there is none to choose.
    expect(page.get_by_label("Customer contact")).to_have_value(str(contact_of(account).uuid))
    page.get_by_label("What do they want to have in the end?").fill("A page that works.")
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


# The first row of the deliverables stands there already.
ROW = {
    "What": "SAML sign-in for plant accounts",
    "By whom": "Sam Eriksen",
    "By when": str(TODAY + dt.timedelta(days=24)),
    "Detail": "Tested with **20 accounts**.",
}
PARTS = {
    "First day": str(TODAY + dt.timedelta(days=7)),
    "Last day": str(TODAY + dt.timedelta(days=28)),
    "In scope": "The plant in Odda",
    "Not included": "Other identity providers",
    "Acceptance criteria": "20 people of the plant sign in by SAML",
    "Assumptions": "The test realm is there in time",
    "Owner at the customer": "Kari Solberg",
}


def file_a_one_off(page, account, title):
    begin_request(page, account)
    page.get_by_role("button", name="Continue").click()
    page.get_by_label("A one-off script, plugin or integration").check()
    answer(page, "Does it change the product itself?", "No")
    answer(page, "Is it more than one day of work?", "Yes")
    fill(
        page,
        {
            "Short title": title,
            "Why do they need it?": "People of the plants have no mailbox.",
            "What do they want to have in the end?": "They sign in with SAML.",
            "What happens if we do not do it?": "They drop 400 seats.",
            "Is there a date that matters": "The renewal.",
            "Likely": "200",
        },
    )
    page.get_by_role("button", name="Continue").click()
    send_request(page)
    arrive(page, title)
    toast(page, "It belongs to Deployment Engineering.")


def write_sow(page):
    page.get_by_role("link", name="Write the statement of work").first.click()
    page.get_by_label("Start from").select_option(label="An empty page")
    page.get_by_role("button", name="Start writing").click()
    missing = page.get_by_role("region", name="What is missing")
    expect(missing).to_contain_text("acceptance criteria")
    fill(page.get_by_role("group", name="Deliverable 1"), ROW)
    fill(page, PARTS, exact=True)
    page.get_by_label("Who maintains it").select_option(label="The customer")
    page.get_by_label("Does it depend on the version").select_option(label="No")
    expect(missing).to_contain_text("All parts are there")

    page.get_by_role("button", name="Add a deliverable").click()
    second = page.get_by_role("group", name="Deliverable 2")
    fill(second, {**ROW, "What": "A runbook"})
    page.get_by_role("button", name="Move deliverable 2 up").click()
    expect(page.get_by_role("group", name="Deliverable 1").get_by_label("What")).to_have_value(
        "A runbook"
    )
    assert_fits_a_phone(page)
    page.get_by_role("button", name="Save and read it").click()
    expect(page.get_by_role("region", name="Statement of work v1")).to_contain_text("A runbook")


def test_a_sow_is_written_signed_by_link_changed_and_signed_again(visit):
    account = Account.objects.get(name="Elsinore Bank")
    contact = contact_of(account)
    title = "SAML for the plants"
    page = visit(TAM)
    file_a_one_off(page, account, title)
    request = page.url
    write_sow(page)
    make_move(page, "Send for sign-off", {"Send a link to": contact.email})
    expect(state_of(page)).to_contain_text("Waiting for sign-off")

    first_link = newest_link(contact.email)
    phone = visit(expected=[422])
    phone.set_viewport_size(PHONE)
    phone.goto(first_link)
    arrive(phone, title)
    expect(phone.get_by_role("table")).to_contain_text("Tested with 20 accounts.")
    expect(phone.get_by_role("main")).to_contain_text("Other identity providers")
    sign(phone, "Sign off version 1", leave_out="Your job title")
    expect(phone.locator(".errsum")).to_contain_text("Enter your job title.")
    assert_fits_a_phone(phone)
    sign(phone, "Sign off version 1")
    arrive(phone, "Thank you. Your agreement is recorded.")
    receipt = phone.locator("dd code.b").inner_text()
    for person in (contact.email, TAM):
        assert receipt in letters(person)[-1]["body"]

    phone.get_by_role("link", name="Check this receipt").click()
    expect(phone.get_by_role("main")).to_contain_text("Fits the document")
    phone.get_by_role("link", name="Check another receipt").click()
    arrive(phone, "Check a receipt")
    phone.get_by_label("Code").fill(receipt.lower())
    phone.get_by_role("button", name="Check").click()
    expect(phone.get_by_role("main")).to_contain_text("Elsinore Bank, K. S.")

    page.goto(request)
    expect(state_of(page)).to_contain_text("Signed off")
    evidence = page.get_by_role("region", name="Sign-off", exact=True)
    expect(evidence).to_contain_text("v1 signed")
    expect(evidence).to_contain_text("Kari Solberg")
    expect(evidence).to_contain_text("Unchanged")

    make_move(page, "Write a new version", {"Why": "A second plant."})
    page.get_by_label("Request", exact=True).get_by_role("link", name="Statement of work").click()
    page.get_by_role("link", name="Edit", exact=True).click()
    page.get_by_label("In scope").fill("The plants in Odda and Sandnes")
    page.get_by_role("button", name="Save and read it").click()
    expect(evidence).to_contain_text("Superseded")
    make_move(page, "Send for sign-off", {"Send a link to": contact.email})
    expect(evidence).to_contain_text("version 2 has to be agreed to anew")

    lead = visit(LEAD, request)
    expect(lead.get_by_role("region", name="Sign-off", exact=True)).to_contain_text("Superseded")
    for move in ("Triage", "Schedule", "Start work"):
        expect(lead.get_by_role("link", name=move, exact=True)).to_have_count(0)
    lead.goto(f"{request}moves/start/")
    expect(lead.get_by_role("alert")).to_contain_text("Not possible now.")
    expect(lead.get_by_role("button", name="Start work")).to_have_count(0)

    somebody = visit(expected=[410])
    somebody.goto(first_link)
    expect(somebody.get_by_role("button", name="Sign off")).to_have_count(0)
    phone.goto(newest_link(contact.email))
    arrive(phone, title)
    news = phone.locator(".note").filter(has_text="Changed since version 1")
    expect(news).to_contain_text("Sandnes")
    sign(phone, "Sign off version 2")
    arrive(phone, "Thank you. Your agreement is recorded.")

    lead.goto(request)
    triage_and_start(lead)
    page.goto(request)
    expect(state_of(page)).to_contain_text("In progress")
    expect(evidence).to_contain_text("v2 signed")


def sign(page, button, leave_out=""):
    page.get_by_label("Yes, I agree to this statement of work").check()
    named = {"Your full name": "Kari Solberg", "Your job title": "Head of IT"}
    fill(page, {label: "" if label == leave_out else text for label, text in named.items()})
    page.get_by_label("I can agree to this on behalf of").check()
    page.get_by_role("button", name=button).click()


def triage_and_start(page):
    scores = {"Impact": "Medium", "Effort": "Low", "Confidence": "High"}
    make_move(page, "Triage", scores)
    expect(state_of(page)).to_contain_text("Triaged")
    days = {"First day": str(TODAY), "Last day": str(TODAY + dt.timedelta(days=9))}
    make_move(page, "Schedule", {"Lead": "Sam Eriksen", **days})
    expect(state_of(page)).to_contain_text("Scheduled")
    make_move(page, "Start work")
    expect(state_of(page)).to_contain_text("In progress")


@transaction.atomic
def request_sent(account_name, state="awaiting_signoff"):
    """Make a request of the TAM's, with a statement of work that was sent."""
    account = Account.objects.get(name=account_name)
    request = ServiceRequestFactory(
        account=account,
        contact=contact_of(account),
        filed_by=User.objects.get(email=TAM),
        state=state,
    )
    if state == "awaiting_signoff":
        SowVersionFactory(request=request, frozen_at=timezone.now())
    return request


def test_what_was_agreed_by_voice_is_confirmed_and_objected_to(visit):
    asked = request_sent("Dunmore Rail")
    contact = asked.contact
    now = timezone.now()
    page = visit(TAM, f"/requests/{asked.number}/", expected=[422])
    page.get_by_role("link", name="Verbal").click()
    record = page.get_by_role("button", name="Record it and tell the customer")
    record.click()
    expect(page.locator(".errsum")).to_be_focused()
    put(page, "Who agreed", contact.email)
    page.get_by_label("Their full name").fill("Kari Solberg")
    page.get_by_label("On", exact=True).fill(str(now.date()))
    page.get_by_label("At", exact=True).fill(f"{now:%H:%M}")
    page.get_by_label("What was understood").fill("All plants, in two weeks.")
    record.click()
    toast(page, "A second person has to confirm it.")
    expect(state_of(page)).to_contain_text("Waiting for sign-off")
    expect(page.get_by_role("link", name="Read and confirm")).to_have_count(0)

    lead = visit(LEAD, f"/requests/{asked.number}/")
    lead.get_by_role("link", name="Read and confirm").click()
    expect(lead.get_by_role("main")).to_contain_text("All plants, in two weeks.")
    lead.get_by_role("button", name="Confirm").click()
    toast(lead, "Confirmed.")
    expect(state_of(lead)).to_contain_text("Signed off")
    triage_and_start(lead)

    phone = visit(expected=[422])
    phone.set_viewport_size(PHONE)
    phone.goto(newest_link(contact.email))
    expect(phone.get_by_role("main")).to_contain_text("All plants, in two weeks.")
    assert_fits_a_phone(phone)
    objects = phone.get_by_role("button", name="That is not what I agreed to")
    objects.click()
    expect(phone.locator(".errsum")).to_contain_text("Say what is not right.")
    phone.get_by_label("What is not right?").fill("One plant only, and not before March.")
    objects.click()
    arrive(phone, "Thank you. Your objection is recorded.")

    for person in (page, lead):
        person.goto(f"/requests/{asked.number}/")
        expect(state_of(person)).to_contain_text("On hold")
        expect(person.get_by_role("region", name="Sign-off", exact=True)).to_contain_text(
            "One plant only"
        )
        expect(person.get_by_role("link", name="Start work", exact=True)).to_have_count(0)


def test_a_customer_answers_without_any_script(visit):
    asked = request_sent("Corvid Press")
    page = visit(java_script_enabled=False)
    sign_in(page, TAM)
    page.goto(f"/requests/{asked.number}/links/new/")
    put(page, "Send it to", asked.contact.email)
    page.get_by_role("button", name="Send the link").click()
    toast(page, "The link is on its way.")

    phone = visit(java_script_enabled=False, expected=[422])
    phone.set_viewport_size(PHONE)
    phone.goto(newest_link(asked.contact.email))
    expect(phone.get_by_role("radio", checked=True)).to_have_count(0)
    expect(phone.get_by_role("button")).to_have_count(0)
    phone.get_by_label("I have a question first").check()
    phone.get_by_label("Your question").fill("Which realm do you mean?")
    phone.get_by_role("button", name="Send my question").click()
    arrive(phone, "Your question is on its way")

    phone.goto(newest_link(asked.contact.email))
    phone.get_by_label("I would like something changed").check()
    expect(phone.get_by_label("Your full name")).to_be_hidden()
    phone.get_by_role("button", name="Ask for a change").click()
    expect(phone.locator(".errsum")).to_contain_text("Say what should change.")
    phone.get_by_label("What should change?").fill("Odda before Sandnes.")
    phone.get_by_role("button", name="Ask for a change").click()
    arrive(phone, "Thank you. We will look at what you asked for.")

    page.goto(f"/requests/{asked.number}/")
    expect(page.get_by_role("region", name="Links")).to_contain_text("Which realm do you mean?")
    expect(page.get_by_role("region", name="Sign-off", exact=True)).to_contain_text(
        "Odda before Sandnes."
    )


def test_a_move_is_made_by_the_keyboard_alone(visit):
    asked = request_sent("Brightwater Care", "submitted")
    page = visit(LEAD, f"/requests/{asked.number}/", expected=[422])
    drawer = page.get_by_role("dialog", name="Next step")

    tab_to(page.get_by_role("button", name="More"))
    page.keyboard.press("Enter")
    tab_to(page.get_by_role("link", name="Route to another team"))
    page.keyboard.press("Enter")
    send = drawer.get_by_role("button", name="Route to another team")
    expect(send).to_be_visible()
    tab_to(send)
    page.keyboard.press("Enter")
    summary = drawer.locator(".errsum")
    expect(summary).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    owner = drawer.get_by_label("Where it goes")
    expect(owner).to_be_focused()
    page.keyboard.type("Customer")
    expect(owner).to_have_value("support")
    tab_to(drawer.get_by_label("Why"))
    page.keyboard.type("An outage of one plant.")
    tab_to(send)
    page.keyboard.press("Enter")

    expect(drawer).to_be_hidden()
    expect(state_of(page)).to_contain_text("Routed")
    expect(page.get_by_role("region", name="Who does this", exact=True)).to_contain_text(
        "An outage of one plant."
    )


def tab_to(target, most=80):
    for _ in range(most):
        if target.evaluate("element => element === document.activeElement"):
            return
        target.page.keyboard.press("Tab")
    pytest.fail(f"The focus does not come to {target} by {most} tabs")
