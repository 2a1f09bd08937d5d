import re

import pytest
from django.urls import reverse

from events import outbox
from events.models import Event
from people.models import ApiToken, Role, User
from tests.factories import ApiTokenFactory

TOKENS = reverse("people:token-list")
NEW_TOKEN = reverse("people:token-create")
PEOPLE = reverse("people:person-list")
INVITE = reverse("people:person-create")
THEME = reverse("people:theme")


def test_an_empty_list_of_tokens_says_what_to_do(login, tam):
    page = login(tam).get(TOKENS).content.decode()

    assert "No tokens yet" in page
    assert NEW_TOKEN in page


def test_a_token_is_shown_once(login, tam):
    client = login(tam)

    created = client.post(NEW_TOKEN, {"name": "Sync", "scopes": ["metrics:read"], "days": "30"})

    text = re.search(r"keel_[0-9a-f]{12}_[\w-]{43}", created.content.decode())[0]
    assert "no-store" in created.headers["Cache-Control"]
    token = ApiToken.objects.get()
    assert (token.owner, token.scopes) == (tam, ["metrics:read"])
    listed = client.get(TOKENS).content.decode()
    assert "Sync" in listed
    assert text.split("_", 2)[2] not in listed


def test_a_form_with_a_mistake_keeps_what_was_typed(login, tam):
    response = login(tam).post(NEW_TOKEN, {"name": "Sync <b>", "days": "30"})

    page = response.content.decode()
    assert response.status_code == 422
    assert "Sync &lt;b&gt;" in page
    assert "Choose at least one thing it may do." in page
    assert not ApiToken.objects.exists()


@pytest.mark.parametrize("days", ["31", "0", "-1", "x", "1e9"])
def test_only_the_offered_lifetimes(login, tam, days):
    fields = {"name": "Sync", "scopes": ["metrics:read"], "days": days}

    assert login(tam).post(NEW_TOKEN, fields).status_code == 422


def test_revoking_asks_by_name_first(login, tam):
    token = ApiTokenFactory(owner=tam, name="Sync")
    url = reverse("people:token-revoke", args=[token.uuid])
    client = login(tam)

    assert "Revoke Sync?" in client.get(url).content.decode()
    token.refresh_from_db()
    assert token.revoked_at is None

    client.post(url)
    token.refresh_from_db()
    assert token.revoked_at is not None


@pytest.mark.parametrize("method", ["get", "post"])
def test_anothers_token_is_not_known(login, tam, csm, method):
    token = ApiTokenFactory(owner=csm)
    url = reverse("people:token-revoke", args=[token.uuid])

    assert getattr(login(tam), method)(url).status_code == 404
    token.refresh_from_db()
    assert token.revoked_at is None


@pytest.mark.parametrize("count", [1, 3])
def test_the_list_of_tokens_costs_the_same_for_any_number(
    login, tam, count, django_assert_num_queries
):
    ApiTokenFactory.create_batch(count, owner=tam)
    client = login(tam)
    client.get(TOKENS)

    with django_assert_num_queries(4):
        client.get(TOKENS)


def test_the_theme_is_kept(login, tam):
    response = login(tam).post(THEME, {"theme": "dark", "next": "/accounts/?q=a"})

    tam.refresh_from_db()
    assert tam.theme == "dark"
    assert response.url == "/accounts/?q=a"
    assert response.cookies["theme"].value == "dark"


@pytest.mark.parametrize("goal", ["https://evil.example/", "//evil.example", "javascript:x", ""])
def test_the_theme_leads_nowhere_else(login, tam, goal):
    response = login(tam).post(THEME, {"theme": "dark", "next": goal})

    assert response.url == reverse("home")


def test_no_other_theme(login, tam):
    assert login(tam).post(THEME, {"theme": "neon"}).status_code == 400
    assert login(tam).get(THEME).status_code == 405


def test_an_administrator_invites(login, administrator, mailoutbox):
    response = login(administrator).post(
        INVITE, {"name": "Ada", "email": "ada@keel.example", "roles": ["tam", "csm"]}
    )

    user = User.objects.get(email="ada@keel.example")
    link = re.search(r"http://\S+/account/password/reset/key/[^\s\"]+", response.content.decode())[
        0
    ]
    assert user.roles == {Role.TAM, Role.CSM}
    outbox.relay()
    assert link in mailoutbox[0].body
    assert "no-store" in response.headers["Cache-Control"]


def test_an_address_taken_is_said_at_the_form(login, administrator, tam):
    response = login(administrator).post(
        INVITE, {"name": "Ada", "email": tam.email, "roles": ["tam"]}
    )

    assert response.status_code == 422
    assert "already has an account" in response.content.decode()
    assert 'value="Ada"' in response.content.decode()


def test_roles_are_changed(login, administrator, tam):
    url = reverse("people:person-edit", args=[tam.uuid])
    client = login(administrator)
    page = client.get(url).content.decode()
    assert re.search(r'value="tam"[^>]*checked', page)

    client.post(url, {"roles": ["csm"]})

    assert User.objects.get(pk=tam.pk).roles == {Role.CSM}


def test_an_administrator_sees_why_not_their_own_roles(login, administrator):
    url = reverse("people:person-edit", args=[administrator.uuid])
    client = login(administrator)

    assert "nobody their own" in client.get(url).content.decode()
    assert client.post(url, {"roles": ["tam"]}).status_code == 403


def test_deactivating_and_back(login, administrator, tam):
    client = login(administrator)

    client.post(reverse("people:person-deactivate", args=[tam.uuid]))
    tam.refresh_from_db()
    assert not tam.is_active
    assert "Deactivated" in client.get(PEOPLE).content.decode()

    client.post(reverse("people:person-reactivate", args=[tam.uuid]))
    tam.refresh_from_db()
    assert tam.is_active


def test_a_new_link_for_who_lost_theirs(login, administrator, tam):
    response = login(administrator).post(reverse("people:person-link", args=[tam.uuid]))

    assert "/account/password/reset/key/" in response.content.decode()
    assert Event.objects.filter(verb="user.invited").exists()


@pytest.mark.parametrize("role", [role for role in Role.values if role != Role.ADMINISTRATOR])
def test_people_are_for_administrators(login, person, role):
    other = person(Role.TAM)
    client = login(person(role))

    assert client.get(PEOPLE).status_code == 403
    assert client.get(INVITE).status_code == 403
    assert client.post(INVITE, {}).status_code == 403
    for name in ("person-edit", "person-deactivate", "person-reactivate", "person-link"):
        url = reverse(f"people:{name}", args=[other.uuid])
        assert client.post(url).status_code == 403


def test_the_search_finds_names_and_addresses(login, administrator, person):
    person(Role.TAM, name="Ada Lovelace")
    person(Role.TAM, name="Grace Hopper", email="hopper@ada.example")
    person(Role.TAM, name="Alan Turing")

    page = login(administrator).get(PEOPLE, {"q": "ada"}).content.decode()

    assert "Ada Lovelace" in page
    assert "Grace Hopper" in page
    assert "Alan Turing" not in page


@pytest.mark.parametrize("q", ["nobody-of-this-name", "%", "\x00", "'; --"])
def test_a_search_that_finds_nobody(login, administrator, q):
    assert login(administrator).get(PEOPLE, {"q": q, "page": "junk"}).status_code == 200


@pytest.mark.parametrize("count", [1, 3])
def test_the_list_of_people_costs_the_same_for_any_number(
    login, administrator, person, count, django_assert_num_queries
):
    for _ in range(count):
        person(Role.TAM, Role.CSM)
    client = login(administrator)
    client.get(PEOPLE)

    with django_assert_num_queries(6):
        client.get(PEOPLE)
