"""A real Chromium, a real server, and a company with a number."""

import threading

import pytest
from django.conf import settings
from django.core.cache import cache
from django.core.management import call_command
from django.db.backends.signals import connection_created
from django.test import Client, override_settings
from playwright.sync_api import expect, sync_playwright
from pytest_django.live_server_helper import LiveServer

from people.models import User
from tests.e2e import chromium, company
from tests.stock import restock

# How long something may take to appear where many tests share few processors.
PATIENCE = 30_000
WIDE, PHONE = {"width": 1440, "height": 900}, {"width": 390, "height": 844}
# Chromium logs every answer of 400 and more as an error; those are looked at by their status.
LOGGED_ANSWER = "Failed to load resource"
REPORT_VIOLATIONS = """
    document.addEventListener("securitypolicyviolation", (event) =>
        console.error(`CSP: ${event.violatedDirective} ${event.blockedURI}`))
"""


def pytest_collection_modifyitems(items):
    for item in items:
        if "browser" in item.fixturenames:
            item.add_marker("browser")


@pytest.fixture(scope="session")
def browser():
    if not chromium.executable():
        pytest.skip("No Chromium on this machine: browser tests skipped")
    with pytest.MonkeyPatch.context() as patch, sync_playwright() as playwright:
        # Playwright keeps an event loop in this thread, where Django then sees no place to wait.
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
        expect.set_options(timeout=PATIENCE)
        running = chromium.launch(playwright)
        yield running
        running.close()


@pytest.fixture(scope="package")
def server(browser, django_db_setup, django_db_blocker):
    """Serve the company under the application's database role; everything is committed."""
    md5 = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    with django_db_blocker.unblock(), pytest.MonkeyPatch.context() as patch:
        patch.setattr("events.outbox.ring", lambda *_: None)
        restock()
        cache.clear()
        try:
            with override_settings(PASSWORD_HASHERS=md5):
                company.found()
            yield from running_server()
        finally:
            call_command("flush", verbosity=0, interactive=False, inhibit_post_migrate=True)
            restock()


def running_server():
    connection_created.connect(become_the_application)
    live = LiveServer("localhost")
    yield live
    live.stop()
    connection_created.disconnect(become_the_application)


def become_the_application(connection, **_):
    """Let the server's threads do what the application's role may, where there is one."""
    if threading.current_thread() is not threading.main_thread():
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT set_config('role', rolname, false) FROM pg_roles WHERE rolname = %s",
                [settings.APP_DB_ROLE],
            )


@pytest.fixture
def transactional_db(server):
    """Stand in for the fixture that empties the database: the company stays for all tests here."""


@pytest.fixture(scope="package")
def signed_in(browser, server):
    """Keep one signed-in browser context per person: `signed_in("tam@keel.example")`."""
    contexts = {}

    def context_of(email):
        if email not in contexts:
            contexts[email] = new_context(browser, server)
            contexts[email].add_cookies([session_of(email, server.url)])
        return contexts[email]

    yield context_of
    for context in contexts.values():
        context.close()


@pytest.fixture
def visit(browser, server, signed_in, transactional_db):
    """Open a page as a person, or as a stranger: `visit("tam@keel.example", "/metric/")`.

    What the pages complain about in their consoles fails the test, and so does every answer of
    400 or more that is not in the page's `expected`.
    """
    pages, strangers, complaints = [], [], []

    def open_page(email="", path="", *, expected=(), **options):
        if email:
            context = signed_in(email)
        else:
            context = new_context(browser, server, **options)
            strangers.append(context)
        page = context.new_page()
        page.set_viewport_size(WIDE)
        pages.append(page)
        watch(page, expected, complaints)
        if path:
            page.goto(path)
        return page

    yield open_page
    for page in pages:
        page.close()
    for context in strangers:
        context.close()
    assert complaints == []


def new_context(browser, server, **options):
    context = browser.new_context(base_url=server.url, **options)
    context.set_default_timeout(PATIENCE)
    context.add_init_script(REPORT_VIOLATIONS)
    return context


def watch(page, expected, complaints):
    def log(message):
        if message.type == "error" and not message.text.startswith(LOGGED_ANSWER):
            complaints.append(f"{page.url}: {message.text}")

    def check(response):
        if response.status >= 400 and response.status not in expected:
            complaints.append(f"{response.url}: {response.status}")

    page.on("console", log)
    page.on("pageerror", lambda error: complaints.append(f"{page.url}: {error}"))
    page.on("response", check)


def session_of(email, base_url):
    client = Client()
    client.force_login(User.objects.get(email=email))
    name = settings.SESSION_COOKIE_NAME
    return {"name": name, "value": client.cookies[name].value, "url": base_url}


def assert_fits_a_phone(page, width=PHONE["width"]):
    """The page does not scroll sideways, and is left as wide as it was."""
    before = page.viewport_size
    page.set_viewport_size({**PHONE, "width": width})
    needed = page.evaluate("document.documentElement.scrollWidth")
    page.set_viewport_size(before)
    assert needed <= width, f"{page.url} is {needed} px wide"
