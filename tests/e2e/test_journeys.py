"""What people come to do, from the sign-in on, as they do it."""

import re
from io import StringIO

from django.core.management import call_command
from playwright.sync_api import expect

from accounts.models import Account
from metrics.models import MetricRun
from tests.e2e.conftest import assert_fits_a_phone
from tests.factories import PASSWORD

NOTE = "Screenshot of the admin console, sent by Ada"


def arrive(page, title):
    expect(page.get_by_role("heading", level=1)).to_contain_text(title)
    assert_fits_a_phone(page)


def sign_in(page, email, password=PASSWORD):
    page.goto("/")
    arrive(page, "Sign in")
    page.get_by_label("Email").fill(email)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()


def test_leadership_reads_the_number_and_who_would_move_it(visit):
    run = MetricRun.objects.latest("day", "revision")
    page = visit()
    sign_in(page, "leadership@keel.example")

    arrive(page, ", Helena")
    counted = f"{run.numerator} of {run.denominator} accounts"
    page.get_by_role("link", name=counted).click()
    arrive(page, "Seats deployed")
    headline = page.get_by_role("region", name="Customers above")
    expect(headline).to_contain_text(counted)
    expect(headline.locator(".big")).to_have_text(f"{run.numerator * 10}.0%")

    page.get_by_role("region", name="Closest to 80%").get_by_role("link", name="Ravello").click()
    arrive(page, "Ravello Foods")
    expect(page.get_by_text("Path to 80%.").locator("..")).to_contain_text("6 more seats")

    page.get_by_label("Breadcrumb").get_by_role("link", name="Accounts").click()
    arrive(page, "Accounts")
    page.get_by_label("Region").select_option("AMER")
    expect(page).to_have_url(re.compile("region=AMER"))
    accounts = page.get_by_role("table").get_by_role("rowheader")
    expect(accounts.first).to_contain_text("Small account 00")
    page.get_by_role("link", name="Clear filters").click()
    page.get_by_role("link", name="ARR", exact=True).click()
    expect(page).to_have_url(re.compile("sort=-?arr"))
    page.get_by_role("link", name="Next").click()
    expect(page).to_have_url(re.compile("cursor="))
    expect(page.get_by_role("link", name="Previous")).to_be_visible()
    expect(accounts).to_have_count(5)
    assert_fits_a_phone(page)

    page.get_by_role("button", name="Account menu").click()
    page.get_by_role("button", name="Sign out").click()
    arrive(page, "Sign in")
    page.go_back()
    expect(page.get_by_role("heading", level=1)).to_have_text("Sign in")
    assert "Small account" not in page.content()


def test_a_tam_enters_a_count_and_the_number_moves(visit):
    account = Account.objects.get(name="Kestrel Logistics")
    page = visit(expected=[422])
    sign_in(page, "tam@keel.example")
    arrive(page, ", Amara")
    page.goto("/metric/")
    expect(page.locator("main")).to_contain_text("6 of 10 accounts")
    page.goto("/accounts/?q=kestrel")
    page.get_by_role("link", name=account.name).click()
    arrive(page, account.name)
    expect(page.get_by_role("term").filter(has_text="Seats deployed")).to_be_visible()
    expect(page.locator(".stats")).to_contain_text("78 of 100")
    page.get_by_label("Account", exact=True).get_by_role("link", name="Readings").click()
    arrive(page, account.name)

    page.get_by_role("link", name="Enter a count").press("Enter")
    drawer = page.get_by_role("dialog", name="Enter a seat count")
    drawer.get_by_label("Active seats").press_sequentially("80")
    drawer.get_by_role("button", name="Save the count").press("Enter")

    summary = drawer.get_by_role("alert")
    expect(summary).to_be_focused()
    expect(summary.get_by_role("link")).to_have_text("Say where the count comes from.")
    note = drawer.get_by_label("Where the count comes from")
    expect(note).to_have_accessible_description(re.compile("Say where the count comes from"))
    expect(drawer.get_by_label("Active seats")).to_have_value("80")
    expect(page).to_have_title(re.compile("^Error: "))
    assert_fits_a_phone(page)

    summary.get_by_role("link").press("Enter")
    expect(note).to_be_focused()
    page.keyboard.type(NOTE)
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")

    expect(page.get_by_role("status").filter(has_text="80 seats recorded")).to_be_visible()
    expect(page.get_by_role("row").filter(has_text=NOTE)).to_contain_text("In use")
    expect(page.locator(".stats")).to_contain_text("80 of 100")

    call_command("recompute_metrics", stdout=StringIO())
    page.goto("/metric/")
    expect(page.locator("main")).to_contain_text("7 of 10 accounts")
    expect(page.locator(".hero .big")).to_have_text("70.0%")


def test_the_tam_of_others_only_reads(visit):
    account = Account.objects.get(name="Kestrel Logistics")
    readings = f"/accounts/{account.number}/readings/"
    page = visit("other-tam@keel.example", readings, expected=[403])

    arrive(page, account.name)
    expect(page.get_by_text("Ask Amara Obi (TAM)")).to_be_visible()
    expect(page.get_by_role("link", name="Enter a count")).to_have_count(0)
    page.goto(f"{readings}new/")
    arrive(page, "You may not do this")


def test_an_invited_person_sets_a_password_and_lets_a_program_in(visit, server, settings):
    settings.BASE_URL = server.url
    administrator = visit()
    sign_in(administrator, "administrator@keel.example")
    link = invite(administrator, "Ines Duarte", "ines@keel.example")

    person = visit(permissions=["clipboard-read", "clipboard-write"])
    person.goto(link)
    arrive(person, "Choose a new password")
    for field in person.locator("input[type=password]").all():
        field.fill("walnut-harbour-lantern")
    person.get_by_role("button", name="Save the new password").click()
    arrive(person, "Your password is changed")
    sign_in(person, "ines@keel.example", "walnut-harbour-lantern")
    arrive(person, ", Ines")

    token = make_token(person)
    program = visit().request
    asked = {"headers": {"Authorization": f"Bearer {token}"}}
    answer = program.get("/api/v1/metrics/seats-deployed/", **asked)
    assert answer.status == 200
    assert answer.json()["denominator"] == 10
    assert program.get("/api/v1/accounts/", **asked).status == 403

    person.get_by_role("link", name="Revoke Sync").click()
    arrive(person, "Revoke Sync?")
    person.get_by_role("button", name="Revoke this token").click()
    expect(person.get_by_role("status").filter(has_text="Sync is revoked.")).to_be_visible()
    refused = program.get("/api/v1/metrics/seats-deployed/", **asked)
    assert refused.status == 401
    assert refused.headers["content-type"] == "application/problem+json"


def invite(page, name, email):
    page.get_by_role("link", name="Settings").click()
    arrive(page, "")
    page.get_by_role("link", name="People").click()
    page.get_by_role("link", name="Invite a person").click()
    arrive(page, "Invite a person")
    page.get_by_label("Name").fill(name)
    page.get_by_label("E-mail address").fill(email)
    page.get_by_label("TAM").check()
    page.get_by_role("button", name="Invite").click()
    arrive(page, f"{name} can set a password")
    return page.get_by_role("textbox", name="One-time link").input_value()


def make_token(page):
    page.get_by_role("button", name="Account menu").click()
    page.get_by_role("link", name="API tokens").click()
    arrive(page, "API tokens")
    page.locator("main").get_by_role("link", name="New token").first.click()
    arrive(page, "New token")
    page.get_by_label("Name").fill("Sync")
    page.get_by_label("Read metrics").check()
    page.get_by_role("button", name="Create token").click()
    arrive(page, "Sync is ready")
    token = page.get_by_role("textbox", name="Token").input_value()
    page.get_by_role("button", name="Copy").click()
    expect(page.get_by_role("status")).to_have_text(re.compile("Copied"))
    assert page.evaluate("navigator.clipboard.readText()") == token
    page.get_by_role("link", name="Done").click()
    arrive(page, "API tokens")
    assert token not in page.content()
    return token
