"""A file comes in with bad rows, is mended and applied, moves the number, and is undone."""

import datetime as dt
import re
from io import StringIO

from django.core.management import call_command
from django.utils import timezone
from playwright.sync_api import expect

from accounts.models import Account, Instance
from tests.e2e.test_journeys import arrive

HEADER = "Installation,Seen at,Active seats"


def a_file(*lines):
    content = "\n".join([HEADER, *lines])
    return {"name": "telemetry.csv", "mimeType": "text/csv", "buffer": content.encode()}


def recompute():
    call_command("recompute_metrics", stdout=StringIO())


def test_a_file_with_bad_rows_is_mended_applied_and_undone(visit):
    ravello = Account.objects.get(name="Ravello Foods")
    instance = Instance.objects.get(account=ravello).external_id
    other = Instance.objects.get(account__name="Saltmarsh Ports").external_id
    seen = (timezone.now() - dt.timedelta(hours=1)).isoformat(timespec="seconds")
    good, bad, mended = (f"{i},{seen},{n}" for i, n in
                         ((instance, "85"), (other, "1,0l2"), (other, "51")))  # fmt: skip
    bad = bad.replace("1,0l2", '"1,0l2"')

    page = visit("metric_owner@keel.example", "/metric/")
    expect(page.locator("main")).to_contain_text("6 of 10 accounts")
    page.get_by_role("link", name="Imports").click()
    arrive(page, "Imports")
    page.get_by_role("link", name="New import").click()
    arrive(page, "New import")
    upload(page, a_file(good, bad))

    arrive(page, "Match the columns")
    match_columns(page)
    page.get_by_label("Keep this mapping as").fill("Telemetry export")
    page.get_by_role("button", name="Check the rows").click()

    arrive(page, "telemetry.csv")
    rows = page.get_by_role("region", name="Rows of the file")
    expect(page.get_by_text("1 bad row of 2.")).to_be_visible()
    expect(rows.get_by_role("row").last).to_contain_text("“1,0l2” is not a whole number")
    expect(page.get_by_role("link", name="Apply")).to_have_count(0)
    rows.get_by_role("link", name="Create").click()
    expect(rows.get_by_role("row").last).to_contain_text("85")
    expect(rows.get_by_role("link", name="Create")).to_be_focused()

    page.get_by_role("link", name="Upload a corrected file").click()
    arrive(page, "New import")
    upload(page, a_file(good, mended), is_known=True)

    arrive(page, "telemetry.csv")
    effect = page.get_by_role("region", name="Effect on the number")
    expect(effect).to_contain_text("60.0%")
    expect(effect).to_contain_text("70.0%")
    expect(effect.get_by_role("link", name="Ravello Foods")).to_be_visible()
    page.get_by_role("link", name="Apply 2 changes").press("Enter")
    question = page.get_by_role("dialog", name="Apply this import?")
    expect(question).to_contain_text("You can undo it for 24 hours.")
    question.get_by_role("button", name="Apply 2 changes").press("Enter")
    expect(page.get_by_text("2 changes applied by Tariq Nasser")).to_be_visible()
    receipt = page.url

    recompute()
    page.goto(f"/accounts/{ravello.number}/")
    expect(page.locator(".stats")).to_contain_text("85 of 100")
    page.goto("/metric/")
    expect(page.locator("main")).to_contain_text("7 of 10 accounts")

    page.goto(receipt)
    page.get_by_role("link", name="Undo").click()
    question = page.get_by_role("dialog", name="Undo this import?")
    question.get_by_role("button", name="Undo 2 changes").click()
    expect(page.get_by_text("2 facts are as before")).to_be_visible()
    arrive(page, "telemetry.csv")

    recompute()
    page.goto(f"/accounts/{ravello.number}/")
    expect(page.locator(".stats")).to_contain_text("74 of 100")
    page.goto("/metric/")
    expect(page.locator("main")).to_contain_text("6 of 10 accounts")


def upload(page, file, *, is_known=False):
    page.get_by_label("File", exact=True).set_input_files(file)
    if not is_known:
        page.get_by_label("Seat readings").check()
        page.get_by_label("Where it comes from").fill("import")
    page.get_by_role("button", name="Upload and check").click()


def match_columns(page):
    """Choose what Keel could not know; each choice shows its samples at once."""
    for ours, theirs in (
        ("instance_external_id", "Installation"),
        ("observed_at", "Seen at"),
        ("seats", "Active seats"),
    ):
        choice = page.get_by_label(ours, exact=True)
        choice.focus()
        choice.select_option(theirs)
        row = page.get_by_role("row").filter(has=page.get_by_label(ours, exact=True))
        expect(row.locator(".sample").first).to_be_visible()
        expect(choice).to_be_focused()
    expect(page.get_by_text(re.compile("85")).first).to_be_attached()
