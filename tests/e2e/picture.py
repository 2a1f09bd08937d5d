"""Makes docs/pictures/dashboard.png from a running demo.

python -m tests.e2e.picture http://localhost:8000 PASSWORD
"""

import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

from tests.e2e import chromium

PICTURE = Path("docs/pictures/dashboard.png")
WHO = "tariq.nasser@demo.keel.example"
WIDTH, MARGIN = 1440, 12


def main(address, password):
    with sync_playwright() as playwright:
        browser = chromium.launch(playwright)
        size = {"width": WIDTH, "height": 900}
        page = browser.new_page(base_url=address, viewport=size, color_scheme="light")
        page.goto("/")
        page.locator("[name=login]").fill(WHO)
        page.locator("[name=password]").fill(password)
        page.get_by_role("button", name="Sign in").click()
        page.locator("#metric").wait_for()
        page.goto("/metric/")
        last = page.get_by_role("region", name="Closest to 80%").bounding_box()
        page.set_viewport_size({**size, "height": round(last["y"] + last["height"]) + MARGIN})
        page.screenshot(path=PICTURE)
        browser.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
