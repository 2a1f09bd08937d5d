"""What people do with lists, by the keyboard alone."""

import re

from playwright.sync_api import expect

from accounts.models import Account
from people.models import SavedView, User
from tests.e2e.conftest import assert_fits_a_phone
from tests.e2e.test_journeys import sign_in
from tests.factories import AccountFactory


def segments(names):
    return set(Account.objects.filter(name__in=names).values_list("segment", flat=True))


def test_from_the_palette_to_an_account(visit):
    page = visit("tam@keel.example", "/metric/")
    palette = page.get_by_role("dialog", name="Search or jump to")

    page.keyboard.press("Control+k")
    field = palette.get_by_role("combobox")
    expect(field).to_be_focused()
    expect(palette.get_by_role("option", name="Accounts Page")).to_be_visible()
    expect(palette.get_by_role("group", name="Do here")).to_contain_text("Definition")
    page.keyboard.type("a")
    page.keyboard.press("Escape")
    expect(palette).to_be_hidden()

    page.keyboard.press("Control+k")
    # Enter comes before the answer does; it goes to what the answer then has first.
    page.keyboard.type("ravello")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Ravello Foods")

    page.keyboard.press("Control+k")
    first = palette.get_by_role("option").first
    expect(first).to_contain_text("Ravello Foods")
    expect(first).to_have_attribute("aria-selected", "true")
    page.keyboard.press("ArrowDown")
    marked = palette.locator("[aria-selected=true]")
    expect(marked).to_have_count(1)
    expect(field).to_have_attribute("aria-activedescendant", marked.get_attribute("id"))
    page.keyboard.type("shortcuts")
    expect(palette.get_by_role("option")).to_have_count(4)
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog", name="Keyboard shortcuts")).to_be_visible()


def test_an_action_of_the_page_from_the_palette(visit):
    page = visit("leadership@keel.example", "/accounts/")

    page.keyboard.press("Control+k")
    page.keyboard.type("choose col")
    expect(page.get_by_role("option", name="Choose columns")).to_be_visible()
    page.keyboard.press("Enter")

    drawer = page.get_by_role("dialog", name="Columns")
    up = drawer.get_by_role("button", name="Move TAM up")
    up.press("Enter")
    expect(drawer.get_by_role("listitem").nth(4)).to_contain_text("TAM")
    expect(up).to_be_focused()
    drawer.get_by_role("checkbox", name="Segment").press("Space")
    drawer.get_by_role("button", name="Show these columns").press("Enter")
    expect(page).to_have_url(re.compile("columns="))
    headings = page.get_by_role("columnheader").all_inner_texts()
    assert [text.strip() for text in headings[-3:]] == ["TAM", "Renewal", "Segment"]
    assert_fits_a_phone(page)


def test_rows_are_ticked_changed_and_put_back(visit):
    made = [AccountFactory(name=f"Aardvark {n}", segment="Before").name for n in range(4)]
    page = visit("metric_owner@keel.example", "/accounts/?q=aardvark")

    page.keyboard.press("j")
    expect(page.get_by_role("link", name="Aardvark 0")).to_be_focused()
    page.keyboard.press("x")
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("Shift+x")
    expect(page.get_by_role("checkbox", checked=True)).to_have_count(3)
    bar = page.get_by_role("group", name="Selected accounts")
    expect(bar).to_contain_text("3 selected")
    expect(page.get_by_role("search", name="Filters")).to_be_hidden()
    page.keyboard.press("k")
    page.keyboard.press("x")
    expect(bar).to_contain_text("2 selected")

    page.keyboard.press("e")
    expect(bar.get_by_role("button", name="Set TAM")).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Set segment of 2 accounts")
    page.get_by_label("New segment").focus()
    page.keyboard.type("After")
    page.keyboard.press("Enter")
    confirm = page.get_by_role("region", name="2 will change").get_by_role("button")
    assert segments(made) == {"Before"}
    confirm.press("Enter")

    expect(page.get_by_role("heading", level=1)).to_have_text("2 changed")
    assert segments(made) == {"Before", "After"}
    page.get_by_role("button", name="Undo").press("Enter")
    expect(page.get_by_role("status").filter(has_text="2 put back")).to_be_visible()
    assert segments(made) == {"Before"}
    assert_fits_a_phone(page)
    page.get_by_role("link", name="Back to the list").press("Enter")
    expect(page).to_have_url(re.compile(r"q=aardvark"))
    Account.objects.filter(name__in=made).delete()


def test_a_view_is_saved_changed_and_discarded(visit):
    page = visit("tam@keel.example", "/accounts/", expected=[422])
    views = page.get_by_role("navigation", name="Views", exact=True)

    page.get_by_label("Region").select_option("AMER")
    expect(page).to_have_url(re.compile("region=AMER"))
    views.get_by_role("link", name="Save view").press("Enter")
    dialog = page.get_by_role("dialog", name="Save view")
    name = dialog.get_by_label("Name")
    name.press("Enter")
    expect(dialog.get_by_role("alert")).to_be_visible()
    name.press_sequentially("Small ones")
    page.keyboard.press("Enter")

    expect(page.get_by_role("status").filter(has_text="Small ones")).to_be_visible()
    expect(page).to_have_url(re.compile("saved="))
    side = page.get_by_role("navigation", name="Saved views")
    expect(side.get_by_role("link", name="Small ones")).to_have_attribute("aria-current", "page")
    page.get_by_label("Region").select_option("EMEA")
    expect(views.get_by_text("Changed")).to_be_visible()
    views.get_by_role("link", name="Discard").press("Enter")
    expect(page).to_have_url(re.compile("region=AMER"))
    expect(views.get_by_text("Changed")).to_have_count(0)

    page.get_by_label("Region").select_option("EMEA")
    views.get_by_role("button", name="Save", exact=True).press("Enter")
    expect(page.get_by_role("status").filter(has_text="is saved")).to_be_visible()
    view = SavedView.objects.get(owner=User.objects.get(email="tam@keel.example"))
    assert view.query == "region=EMEA"

    views.get_by_role("link", name="Edit view").press("Enter")
    page.get_by_role("link", name="Delete view").press("Enter")
    page.get_by_role("button", name="Delete view").press("Enter")
    expect(page.get_by_role("status").filter(has_text="is deleted")).to_be_visible()
    assert not SavedView.objects.filter(pk=view.pk).exists()


def test_rows_are_changed_without_any_script(visit):
    made = [AccountFactory(name=f"Zebra {n}", segment="Before").name for n in range(3)]
    page = visit(java_script_enabled=False)
    sign_in(page, "metric_owner@keel.example")
    page.goto("/accounts/")
    search = page.get_by_role("searchbox", name="Search accounts")
    search.fill("zebra")
    search.press("Enter")
    expect(page.get_by_role("button", name="Search or jump to")).to_be_hidden()

    for name in made[:2]:
        page.get_by_role("checkbox", name=f"Select {name}").check()
    page.get_by_role("button", name="Set segment").click()
    page.get_by_label("New segment").fill("After")
    page.get_by_role("button", name="Show what will change").click()
    page.get_by_role("button", name="Set segment of 2 accounts").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("2 changed")
    assert segments(made[:2]) == {"After"}
    page.get_by_role("button", name="Undo").click()
    assert segments(made) == {"Before"}

    page.get_by_role("link", name="Back to the list").click()
    page.get_by_role("link", name="Columns").click()
    page.get_by_role("button", name="Move TAM up").click()
    page.get_by_role("checkbox", name="Segment").check()
    page.get_by_role("button", name="Show these columns").click()
    expect(page.get_by_role("columnheader").last).to_have_text("Segment")
    page.get_by_role("link", name="Save view").click()
    page.get_by_label("Name").fill("Zebras")
    page.get_by_role("button", name="Save view").click()
    expect(page.get_by_role("navigation", name="Saved views")).to_contain_text("Zebras")
    Account.objects.filter(name__in=made).delete()
    SavedView.objects.filter(name="Zebras").delete()
