import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.factories import (
    AccountFactory,
    ImportFactory,
    ProjectFactory,
    SavedViewFactory,
    ServiceRequestFactory,
)

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true", "HX-Target": "palette-list"}


@pytest.fixture
def ask(login):
    def asked(user, text="", **more):
        page = login(user).get("/palette/", {"q": text}, headers=HTMX)
        assert page.status_code == 200
        return items(page)

    return asked


def items(page):
    """Return [label, address] of each option."""
    found = re.findall(
        r'<(?:a|button)[^>]*role="option"(.*?)<span class="trunc">(.*?)</span>',
        page.content.decode(),
        re.S,
    )
    return [
        [label, (re.search(r'href="([^"]*)"', attributes) or [0, ""])[1]]
        for attributes, label in found
    ]


def labels(found):
    return [label for label, _ in found]


def test_at_first_the_pages_and_own_views(ask, tam, leadership):
    SavedViewFactory(owner=tam, name="My small ones")
    SavedViewFactory(owner=leadership, name="Of somebody else")
    found = labels(ask(tam))
    assert {"Seats deployed", "Accounts", "My small ones", "Keyboard shortcuts"} <= set(found)
    assert "Of somebody else" not in found


def test_accounts_looked_at_last_come_first(login, tam):
    first, second = AccountFactory(name="First"), AccountFactory(name="Second")
    browser = login(tam)
    for account in (first, second, first):
        browser.get(f"/accounts/{account.number}/")
    found = items(browser.get("/palette/", headers=HTMX))
    assert found[:2] == [
        ["First", f"/accounts/{first.number}/"],
        ["Second", f"/accounts/{second.number}/"],
    ]
    first.delete()
    assert labels(items(browser.get("/palette/", headers=HTMX)))[0] == "Second"


def test_few_are_remembered_and_the_same_one_is_not_written_again(login, tam):
    browser = login(tam)
    accounts = AccountFactory.create_batch(9)
    for account in accounts:
        browser.get(f"/accounts/{account.number}/")
    assert browser.session["recent_accounts"] == [a.pk for a in accounts[:2:-1]]
    with CaptureQueriesContext(connection) as statements:
        browser.get(f"/accounts/{accounts[-1].number}/")
    assert not [q for q in statements if "UPDATE" in q["sql"]]


@pytest.mark.parametrize(
    ("text", "best"),
    [
        ("hal", "Halden Aerospace"),
        ("HALDEN AERO", "Halden Aerospace"),
        ("space", "Halden Aerospace"),
        ("seats", "Seats deployed"),
        ("acc", "Accounts"),
        ("api t", "API tokens"),
        ("100%", "100% Wood"),
    ],
)
def test_the_best_first(ask, tam, text, best):
    for name in ("Halden Aerospace", "The Shalden Group", "Accent", "100% Wood"):
        AccountFactory(name=name)
    assert labels(ask(tam, text))[0] == best


def test_by_number_and_outer_id(ask, tam):
    account = AccountFactory(name="Alder", external_id="CRM-4711")
    for text in (account.number, str(account.pk), account.number.lower(), "4711"):
        assert ["Alder", f"/accounts/{account.number}/"] in ask(tam, text)


def test_the_last_resorts_are_the_lists(ask, tam):
    assert ask(tam, "a&b")[-3:] == [
        ["Search accounts for “a&amp;b”", "/accounts/?q=a%26b"],
        ["Search requests for “a&amp;b”", "/requests/?view=all&amp;q=a%26b"],
        ["Search projects for “a&amp;b”", "/projects/?view=all&amp;q=a%26b"],
    ]


def test_a_project_is_found_by_number_and_by_title(ask, tam):
    made = ProjectFactory(title="Runbook for the plants")
    found = ["Runbook for the plants", f"/projects/{made.number}/"]
    for text in (made.number, made.number.lower(), "plants runb"):
        assert found in ask(tam, text)
    assert found not in ask(tam, "PRJ-999999999999999999")
    assert ["Propose a project", "/projects/new/"] in ask(tam, "propose")
    assert ["Reviews", "/reviews/"] in ask(tam, "reviews")


def test_imports_for_those_who_see_them(ask, tam, metric_owner):
    made = ImportFactory(filename="licences.csv")
    assert [f"{made.number} licences.csv", f"/imports/{made.number}/"] in ask(metric_owner, "licen")
    assert [made.number] == [
        label.split()[0] for label in labels(ask(metric_owner, made.number)) if "IMP" in label
        and "Search" not in label
    ]  # fmt: skip
    assert not [label for label in labels(ask(tam, "licen")) if "IMP" in label]


def test_pages_by_role(ask, tam, administrator):
    assert "Settings" in labels(ask(administrator, "sett"))
    assert "Settings" not in labels(ask(tam, "sett"))


@pytest.mark.parametrize(
    "text", ["\x00", "%", "_", "\\", "x" * 5000, "<script>", "ACC-" + "9" * 30]
)
def test_nothing_typed_breaks_it(ask, tam, text):
    AccountFactory()
    found = ask(tam, text)
    assert "<script>" not in str(found)


def test_without_script_it_is_the_list(login, tam):
    answer = login(tam).get("/palette/", {"q": "hal den"})
    assert (answer.status_code, answer.url) == (302, "/accounts/?q=hal+den")


def test_few_statements(login, tam):
    for number in range(20):
        AccountFactory(name=f"Halden {number}")
    browser = login(tam)
    browser.get("/palette/", headers=HTMX)
    with CaptureQueriesContext(connection) as statements:
        found = items(browser.get("/palette/", {"q": "halden"}, headers=HTMX))
    assert len(found) <= 12
    assert len(statements) <= 6


def test_requests_by_number_and_title_but_no_drafts_of_others(ask, tam):
    found = ServiceRequestFactory(title="SAML for the plant", state="sow_drafting")
    draft = ServiceRequestFactory(title="SAML in a drawer")
    assert ["SAML for the plant", f"/requests/{found.number}/"] in ask(tam, "saml")
    assert "SAML in a drawer" not in labels(ask(tam, "saml"))
    assert labels(ask(tam, found.number.lower()))[0] == "SAML for the plant"
    assert "SAML in a drawer" not in labels(ask(tam, draft.number))
