"""Makes docs/pictures of the pages from a running demo, and begins its next review for one of them.

python -m tests.e2e.picture http://localhost:8000 PASSWORD [dashboard|changes|lab|request|board ...]

Each is to have 200,000 bytes at most: where one has more, fewer colours do (pngquant).
"""

import sys
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from tests.e2e import chromium

PICTURES = Path("docs/pictures")
WIDTH, HEIGHT, MARGIN = 1440, 900, 12


def dashboard(page: Page) -> None:
    page.goto("/metric/")
    last = page.get_by_role("region", name="Closest to 80%").bounding_box()
    assert last is not None
    height = round(last["y"] + last["height"]) + MARGIN
    page.set_viewport_size({"width": WIDTH, "height": height})


def changes(page: Page) -> None:
    page.goto("/metric/changes/")
    last = page.locator("#main table").first.bounding_box()
    assert last is not None
    height = round(last["y"] + last["height"]) + MARGIN
    page.set_viewport_size({"width": WIDTH, "height": height})


def lab(page: Page) -> None:
    page.goto("/metric/lab/DEF-3/")


def request(page: Page) -> None:
    page.goto("/requests/REQ-13/sow/?v=2&compare=1")


def board(page: Page) -> None:
    page.goto("/board/?view=columns")


def review(page: Page) -> None:
    page.goto("/board/?view=review")
    begin = page.get_by_role("button", name="Begin the review")
    if begin.is_visible():
        begin.click()
        for heading in ("1 of", "2 of"):
            page.get_by_text("Note for the minutes").wait_for()
            page.keyboard.press("2")
            page.get_by_text(heading).wait_for()
    page.goto("/board/?view=review&at=3")


def what_if(page: Page) -> None:
    page.goto("/metric/what-if/?project=PRJ-18&project=PRJ-16")


SIGHTS = {
    "dashboard": ("tariq.nasser", dashboard),
    "changes": ("tariq.nasser", changes),
    "lab": ("helena.marsh", lab),
    "request": ("amara.obi", request),
    "board": ("ruth.adeyemi", board),
    "review": ("ruth.adeyemi", review),
    "what-if": ("ruth.adeyemi", what_if),
}


def main(address: str, password: str, *names: str) -> None:
    with sync_playwright() as playwright:
        browser = chromium.launch(playwright)
        for name in names or SIGHTS:
            who, show = SIGHTS[name]
            size = {"width": WIDTH, "height": HEIGHT}
            page = browser.new_page(base_url=address, viewport=size, color_scheme="light")
            page.goto("/")
            page.locator("[name=login]").fill(f"{who}@demo.keel.example")
            page.locator("[name=password]").fill(password)
            page.get_by_role("button", name="Sign in").click()
            page.locator("#main h1").wait_for()
            show(page)
            page.wait_for_load_state("networkidle")
            page.screenshot(path=PICTURES / f"{name}.png")
            page.close()
        browser.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
