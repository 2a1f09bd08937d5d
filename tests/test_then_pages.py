"""Looking back, page by page: the bar, what is hidden, what it costs."""

import datetime as dt
import html
import re

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext

from config.lib.versions import pretend_known_at
from tests import factories

pytestmark = pytest.mark.django_db
NOW = dt.datetime(2030, 3, 20, 12, tzinfo=dt.UTC)
DAY = "2030-03-12"


@pytest.fixture(autouse=True)
def _noon():
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def page(client):
    client.force_login(factories.UserFactory(roles=["administrator", "de_lead", "tam"]))

    def get(path):
        response = client.get(path)
        assert response.status_code == 200, path
        text = b"".join(response).decode()
        return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", text)).split()), text

    return get


def learn(day):
    pretend_known_at(dt.datetime(2030, 3, day, 12, tzinfo=dt.UTC))


def customer(**values):
    account = factories.AccountFactory(**values)
    factories.SubscriptionFactory(account=account)
    factories.InstanceFactory(account=account)
    factories.AssignmentFactory(account=account)
    factories.ProjectAccountFactory(account=account)
    return account


def test_the_bar_says_the_day_and_the_knowledge(page):
    learn(1)
    customer()
    words, _ = page("/accounts/")
    assert "As of today · change" in words
    assert "Back to now" not in words
    words, text = page(f"/accounts/?as_of={DAY}&known_at=2030-03-15T14:00&q=x")
    assert "As of 12 Mar 2030 , as known on 15 Mar 2030, 14:00 UTC. Back to now" in words
    assert 'href="/accounts/?q=x">Back to now' in text
    assert 'aria-label="The day shown"' in text


@pytest.mark.parametrize(
    ("query", "note"),
    [
        ("as_of=2030-04-01", "1 Apr 2030 has not come yet. This is today."),
        ("as_of=yesterday", "as_of: “yesterday” is not a day"),
        ("as_of=%00", "as_of: "),
        ("known_at=2031-01-01T00:00:00Z", "known_at lies ahead. This is today."),
        ("known_at=2030-13-01T00:00", "known_at: "),
    ],
)
@pytest.mark.parametrize(
    "path", ["/accounts/", "/board/", "/settings/tiers/", "/settings/routing/"]
)
def test_what_cannot_be_followed_is_said_and_now_is_shown(page, client, path, query, note):
    words, _ = page(f"{path}?{query}")
    assert note in re.sub(r"What will be known later is not known yet: ", "", words)
    assert "Back to now" not in words
    assert client.get(f"/accounts/export.csv?{query}").status_code == 400


def test_the_list_shows_names_as_they_were_and_accounts_deleted_since(page):
    learn(1)
    renamed, gone = (
        factories.AccountFactory(name="Halden"),
        factories.AccountFactory(name="Kestrel"),
    )
    number = gone.number
    learn(15)
    renamed.name = "Norrland"
    renamed.save()
    gone.delete()
    factories.AccountFactory(name="Newcomer")
    words, _ = page(f"/accounts/?as_of={DAY}&known_at=2030-03-13T00:00:00Z")
    assert "Halden" in words
    assert "Kestrel" in words
    assert "Norrland" not in words
    assert "Newcomer" not in words
    found, _ = page(f"/accounts/?as_of={DAY}&known_at=2030-03-13T00:00:00Z&q=halden&tier=x")
    assert "Kestrel" not in found
    assert "Left out of this address: Tier." in found
    one, _ = page(f"/accounts/{number}/?as_of={DAY}&known_at=2030-03-13T00:00:00Z")
    assert "Kestrel" in one
    # Known now: of the newcomer its first attributes, of the deleted nothing.
    words, _ = page(f"/accounts/?as_of={DAY}")
    assert "Halden" in words
    assert "Newcomer" in words
    assert "Kestrel" not in words


def test_nothing_can_be_changed_while_looking_back(page):
    learn(1)
    account = customer()
    back = f"?as_of={DAY}"
    for path, act in (
        (f"/accounts/{account.number}/", "Request for this account"),
        ("/settings/tiers/", "New tier"),
        ("/settings/routing/", "New rule"),
        ("/board/", "data-move-menu"),
    ):
        assert act in "".join(page(path))
        words, text = page(path + back)
        assert act not in words + text
        assert 'method="post"' not in re.search(r"<main.*</main>", text, re.DOTALL)[0]
        assert "This is a look back, so nothing can be changed here." in words


def test_tabs_and_rows_keep_the_day(page):
    learn(1)
    account = customer()
    back = f"?as_of={DAY}"
    _, text = page(f"/accounts/{back}")
    assert f'href="/accounts/{account.number}/{back}"' in text
    _, text = page(f"/accounts/{account.number}/{back}")
    assert f'href="/accounts/{account.number}/people/{back}"' in text
    assert "hx-get" not in re.search(r"<main.*</main>", text, re.DOTALL)[0]


def test_the_board_before_it_was_kept_says_from_when_on(page):
    learn(14)
    factories.ProjectFactory(title="Runbook")
    words, text = page(f"/board/?as_of={DAY}&view=matrix&owner=me")
    assert "The first day kept: 14 Mar 2030" in words
    assert 'href="?as_of=2030-03-14"' in text
    assert "Of another day only the columns can be shown." in words
    assert "Left out of this address: Owner." in words
    assert "Runbook" in page("/board/?as_of=2030-03-14")[0]


def test_a_lift_that_stays_the_same_makes_no_version():
    learn(1)
    project = factories.ProjectFactory()
    type(project).objects.filter(pk=project.pk).update(lift_seats=4, summary="Other words")
    assert project.versions.count() == 1
    learn(2)
    type(project).objects.filter(pk=project.pk).update(score=4)
    assert project.versions.count() == 2


def test_the_api_tells_now_and_then_alike(api_client):
    learn(1)
    first = customer(name="Halden")
    client = api_client(factories.UserFactory(roles=["de_lead"]))
    names = ("accounts", "assignments", "tiers", "board", "routing-rules")
    now = {name: client.get(f"/api/v1/{name}/").json() for name in names}
    learn(21)
    first.name = "Norrland"
    first.save()
    customer()
    first.assignments.update(end=dt.date(2030, 3, 1))
    with time_machine.travel(NOW + dt.timedelta(days=9), tick=False):
        for name in names:
            path = f"/api/v1/{name}/?as_of=2030-03-20&known_at=2030-03-20T12:00:00Z"
            then = client.get(path).json()
            if name == "accounts":
                # Facts are stored now, and worked out then.
                (was,), (told,) = now[name]["results"], then["results"]
                assert told["name"] == was["name"] == "Halden"
                assert told["assignments"] == was["assignments"]
                assert told["updated_at"] == was["updated_at"]
            elif name == "board":
                assert [lane["cards"] for lane in then["lanes"]] == [
                    lane["cards"] for lane in now[name]["lanes"]
                ]
            else:
                assert then == now[name]


def statements(client, path):
    with CaptureQueriesContext(connection) as seen:
        assert client.get(path).status_code == 200
    return len(seen)


def test_a_page_costs_the_same_with_five_and_with_fifty(client):
    learn(1)
    client.force_login(factories.UserFactory(roles=["administrator", "de_lead"]))
    paths = [f"/accounts/?as_of={DAY}", f"/board/?as_of={DAY}", f"/api/v1/accounts/?as_of={DAY}"]
    for _ in range(5):
        customer()
    for path in paths:
        client.get(path)
    few = [statements(client, path) for path in paths]
    for _ in range(45):
        customer()
    assert [statements(client, path) for path in paths] == few


@pytest.mark.parametrize("name", ["accounts", "assignments", "tiers", "routing-rules", "board"])
def test_a_day_that_has_not_come_is_no_answer(name, api_client):
    client = api_client(factories.UserFactory(roles=["tam"]))
    answer = client.get(f"/api/v1/{name}/?as_of=2030-03-21")
    assert answer.status_code == 400
    assert answer.json()["code"] == "future_day"
    assert client.get(f"/api/v1/{name}/?as_of=2030-03-20").status_code == 200


@pytest.mark.parametrize("method", ["post", "put", "patch"])
def test_nothing_is_written_on_another_day(method, api_client):
    account = customer(name="Halden")
    client = api_client(factories.UserFactory(roles=["administrator"]))
    path = "/api/v1/accounts/" + (f"{account.uuid}/" if method != "post" else "")
    for query in (f"as_of={DAY}", "known_at=2030-03-15T14:00:00Z"):
        sent = {"source": "import", "external_id": "X", "name": "Other"}
        answer = getattr(client, method)(
            f"{path}?{query}", sent, format="json", headers={"if_match": "*"}
        )
        assert answer.status_code == 400, answer.content
    assert type(account).objects.get().name == "Halden"


def test_whom_nobody_lets_in_no_other_day_lets_in(client):
    account = customer(name="Halden")
    client.force_login(factories.UserFactory())
    for path in ("/accounts/", f"/accounts/{account.number}/", "/board/", "/settings/tiers/",
                 "/settings/routing/", f"/accounts/{account.number}/people/"):  # fmt: skip
        for query in (f"as_of={DAY}", "known_at=2030-03-15T14:00:00Z"):
            answer = client.get(f"{path}?{query}")
            assert answer.status_code == 403, path
            assert "Halden" not in answer.content.decode()
