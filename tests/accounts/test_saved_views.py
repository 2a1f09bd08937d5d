import re
from urllib.parse import parse_qs, urlsplit

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from config.lib.errors import Conflict, Invalid
from events.models import Event
from metrics.services.runs import recompute
from people.models import Role, SavedView, system_user
from people.services import saved_views
from tests.accounts.lists import NOW, account, names
from tests.factories import SavedViewFactory

pytestmark = pytest.mark.django_db
LIST = "/accounts/"
MOST_STATEMENTS = 8


@pytest.fixture
def browser(login, tam):
    return login(tam)


@pytest.fixture
def three():
    return [
        account("Alder", region="EMEA"),
        account("Birch", region="APAC"),
        account("Cedar", region="EMEA"),
    ]


def chips(response):
    """Return the label and address of each view above the list."""
    row = re.search(r'<nav class="filters".*?</nav>', response.content.decode(), re.S)[0]
    found = re.findall(r'<a class="chip"[^>]*href="([^"]*)"[^>]*>(.*?)</a>', row, re.S)
    return {
        re.sub(r"<[^>]+>|\s+", " ", label).strip(): url.replace("&amp;", "&")
        for url, label in found
    }


class TestServices:
    def test_kept_with_what_the_list_shows(self, tam):
        view = saved_views.create_view(
            page="accounts", name=" Mine ", query="view=mine", columns=["arr"], by=tam, at=NOW
        )
        assert (view.name, view.query, view.columns, view.is_team) == (
            "Mine", "view=mine", ["arr"], False,
        )  # fmt: skip
        assert Event.objects.get().verb == "view.created"

    def test_a_name_once_a_person_and_list(self, tam, csm):
        given = {"page": "accounts", "name": "Mine", "query": "", "at": NOW}
        saved_views.create_view(**given, by=tam)
        with pytest.raises(Conflict, match="“Mine”"):
            saved_views.create_view(**given, by=tam)
        saved_views.create_view(**given, by=csm)
        saved_views.create_view(**given | {"page": "flips"}, by=tam)

    @pytest.mark.parametrize("name", ["", "   ", "x" * 61, "a\nb", "a\x00b"])
    def test_names_are_lines(self, tam, name):
        with pytest.raises(Invalid):
            saved_views.create_view(page="accounts", name=name, query="", by=tam, at=NOW)

    def test_not_without_end(self, tam):
        SavedViewFactory.create_batch(saved_views.MOST_OWN, owner=tam)
        with pytest.raises(Conflict, match="Delete one"):
            saved_views.create_view(page="accounts", name="One more", query="", by=tam, at=NOW)

    def test_nothing_new_leaves_no_event(self, tam):
        view = SavedViewFactory(owner=tam)
        saved_views.change_view(view, name=view.name, query=view.query, by=tam, at=NOW)
        assert not Event.objects.exists()


class TestWhoMay:
    MAKERS = ("de_lead", "leadership", "metric_owner", "administrator", "engineering_leadership")

    @pytest.mark.parametrize("role", Role.values)
    def test_make_views_of_the_team(self, login, person, role):
        user = person(role)
        login(user).post("/views/new/", {"page": "accounts", "name": "Ours", "is_team": "on"})
        view = SavedView.objects.filter(owner=user).get()
        assert view.is_team == (role in (*self.MAKERS, "support_leadership", "product_leadership"))

    def test_others_use_them_and_cannot_change_them(self, browser, leadership):
        view = SavedViewFactory(owner=leadership, is_team=True, name="Ours")
        assert "Ours" in browser.get(LIST).content.decode()
        for url in (f"/views/{view.uuid}/", f"/views/{view.uuid}/delete/"):
            assert browser.get(url).status_code == 403
            assert browser.post(url, {"name": "Mine"}).status_code == 403
        assert browser.post(f"/views/{view.uuid}/save/").status_code == 403
        view.refresh_from_db()
        assert view.name == "Ours"

    def test_personal_ones_are_seen_by_their_owner_only(self, browser, leadership, login):
        view = SavedViewFactory(owner=leadership, name="Secret plans")
        assert "Secret plans" not in browser.get(LIST).content.decode()
        assert browser.get(f"/views/{view.uuid}/").status_code == 404
        assert browser.post(f"/views/{view.uuid}/delete/").status_code == 404
        assert "Secret plans" in login(leadership).get(LIST).content.decode()

    def test_a_lead_keeps_the_views_of_another(self, login, de_lead, leadership):
        view = SavedViewFactory(owner=leadership, is_team=True)
        login(de_lead).post(f"/views/{view.uuid}/", {"name": "Better", "is_team": "on"})
        view.refresh_from_db()
        assert (view.name, view.is_team, view.owner) == ("Better", True, leadership)


class TestInTheList:
    def test_save_open_change_discard_save(self, browser, three, tam):
        answer = browser.post(
            "/views/new/",
            {"page": "accounts", "name": "EMEA", "region": "EMEA", "sort": "-name",
             "columns": "region,arr", "cursor": "nonsense"},
        )  # fmt: skip
        view = SavedView.objects.get()
        assert (view.query, view.columns) == ("region=EMEA&sort=-name", ["region", "arr"])
        assert urlsplit(answer.url).path == LIST

        page = browser.get(answer.url)
        assert names(page) == ["Cedar", "Alder"]
        assert b"Changed" not in page.content
        assert b"Edit view" in page.content

        changed = browser.get(f"{answer.url}&tam=none")
        text = changed.content.decode()
        assert "Changed" in text
        assert ">Discard<" in text
        browser.post(
            f"/views/{view.uuid}/save/",
            {"region": "APAC", "columns": "region,arr"},
        )
        view.refresh_from_db()
        assert view.query == "region=APAC"
        assert names(browser.get(chips(browser.get(LIST))["EMEA"])) == ["Birch"]

    def test_the_order_of_parameters_and_usual_values_change_nothing(self, browser, tam):
        view = SavedViewFactory(owner=tam, query="view=below&region=EMEA")
        address = f"{LIST}?region=EMEA&saved={view.uuid}&sort=name&view=below&cursor=x&q="
        usual = "&columns=tier,arr,share,to_go,renewal,tam"
        for query in (address, address + usual):
            browser.get(LIST)
            assert b"Changed" not in browser.get(query).content

    def test_a_link_shows_everybody_what_its_sender_saw(self, login, csm, tam, three):
        view = SavedViewFactory(owner=tam, name="Private", query="region=APAC", columns=["region"])
        url = chips(login(tam).get(LIST))["Private"]
        assert parse_qs(urlsplit(url).query)["saved"] == [str(view.uuid)]
        shared = login(csm).get(url)
        assert names(shared) == ["Birch"]
        assert "Private" not in shared.content.decode()
        view.delete()
        assert names(login(csm).get(url)) == ["Birch"]

    @pytest.mark.parametrize("saved", ["x", "00000000-0000-0000-0000-000000000000", "\x00"])
    def test_no_such_view(self, browser, three, saved):
        page = browser.get(LIST, {"saved": saved})
        assert page.status_code == 200
        assert len(names(page)) == 3

    def test_the_side_bar_has_them(self, browser, tam, leadership):
        SavedViewFactory(owner=tam, name="Own one")
        SavedViewFactory(owner=leadership, is_team=True, name="Team one")
        page = browser.get("/metric/").content.decode()
        section = page[page.index('aria-label="Saved views"') :].partition("</nav>")[0]
        assert section.index("Own one") < section.index("Team one") < section.index("All views")

    def test_htmx_gets_the_row_of_views_anew(self, browser, tam, three):
        view = SavedViewFactory(owner=tam, query="region=EMEA")
        answer = browser.get(
            LIST,
            {"saved": view.uuid, "region": "APAC"},
            headers={"HX-Request": "true", "HX-Target": "list"},
        ).content.decode()
        assert 'hx-swap-oob="true"' in answer
        assert "Changed" in answer

    def test_markup_in_names_is_text(self, browser, tam):
        SavedViewFactory(owner=tam, name="<script>alert(1)</script>")
        for url in (LIST, "/views/", "/metric/"):
            assert b"<script>alert(1)" not in browser.get(url).content

    @pytest.mark.parametrize("role", ["tam", "metric_owner", "administrator"])
    def test_small_and_quick_with_a_full_page_and_many_views(
        self, login, person, tam, leadership, role
    ):
        user = person(role)
        browser = login(user)
        for number in range(51):
            account(f"Account number {number:03}", tam=tam)
        for number in range(12):
            SavedViewFactory(owner=user, name=f"A view of mine, {number}", query="view=mine")
            SavedViewFactory(owner=leadership, name=f"A view of ours, {number}", is_team=True)
        browser.get(LIST)
        with CaptureQueriesContext(connection) as statements:
            page = browser.get(LIST)
        assert len(names(page)) == 50
        assert len(statements) <= MOST_STATEMENTS
        assert len(page.content) < 60 * 1024


class TestPages:
    def test_errors_keep_what_was_typed_and_what_the_list_shows(self, browser, tam):
        SavedViewFactory(owner=tam, name="Taken")
        for name in ("", "Taken"):
            answer = browser.post(
                "/views/new/", {"page": "accounts", "name": name, "region": "EMEA"}
            )
            assert answer.status_code == 422
            assert 'name="region" value="EMEA"' in answer.content.decode()
            assert f'value="{name}"' in answer.content.decode() or not name

    def test_rename_and_delete(self, browser, tam):
        view = SavedViewFactory(owner=tam, name="Old")
        browser.post(f"/views/{view.uuid}/", {"name": "New"})
        page = browser.get("/views/").content.decode()
        assert "New" in page
        assert "Old" not in page
        assert "New" in browser.get(f"/views/{view.uuid}/delete/").content.decode()
        browser.post(f"/views/{view.uuid}/delete/")
        assert not SavedView.objects.exists()
        assert [event.verb for event in Event.objects.order_by("id")] == [
            "view.updated",
            "view.deleted",
        ]

    @pytest.mark.parametrize("page", ["", "nothing", "\x00"])
    def test_no_such_list(self, browser, page):
        assert browser.get("/views/new/", {"page": page}).status_code == 404
        assert browser.post("/views/new/", {"page": page, "name": "X"}).status_code == 404
        assert browser.get("/views/columns/", {"page": page}).status_code == 404


class TestAnotherList:
    def test_the_flip_list_keeps_views_too(self, browser, tam):
        sent = {"page": "flips", "name": "About to fall", "side": "fall", "sort": "-arr"}
        answer = browser.post("/views/new/", {**sent, "as_of": "2026-01-01", "columns": "arr"})
        view = SavedView.objects.get()
        assert (view.page, view.query, view.columns) == ("flips", "side=fall&sort=-arr", [])
        assert answer.url == f"/metric/flips/?saved={view.uuid}&side=fall&sort=-arr"
        assert "About to fall" in browser.get("/views/").content.decode()
        assert "About to fall" not in chips(browser.get(LIST))

    def test_its_row_of_views(self, browser, tam):
        recompute("seats-deployed", NOW.date(), by=system_user(), now=NOW)
        view = SavedViewFactory(owner=tam, page="flips", name="Mine", query="region=EMEA")
        page = browser.get("/metric/flips/", {"saved": view.uuid, "side": "fall"})
        assert "Changed" in page.content.decode()
        assert chips(page)["Mine"] == f"/metric/flips/?saved={view.uuid}&region=EMEA"
