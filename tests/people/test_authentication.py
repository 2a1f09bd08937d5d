import datetime as dt

import pytest
import time_machine
from django.utils import timezone
from rest_framework.test import APIClient

from events.models import Event
from people import selectors, services
from people.models import ApiToken, Role

ME = "/api/v1/me/"
TOKENS = "/api/v1/tokens/"
USERS = "/api/v1/users/"


def token_for(user, *scopes, days=30):
    return services.create_token(
        owner=user,
        name="Sync",
        scopes=scopes or ["token:read"],
        days=days,
        by=user,
        at=timezone.now(),
    )


def get(text, path=ME):
    return APIClient().get(path, HTTP_AUTHORIZATION=f"Bearer {text}")


def test_a_token_signs_its_owner_in(tam):
    token, text = token_for(tam)

    answer = get(text)

    assert answer.status_code == 200
    assert answer.json() == {
        "id": str(tam.uuid),
        "name": tam.name,
        "email": tam.email,
        "roles": ["tam"],
        "scopes": ["token:read"],
        "accounts": None,
    }
    token.refresh_from_db()
    assert token.last_used_at is not None


def test_a_session_signs_in_too(login, tam):
    assert login(tam).get(ME).json()["scopes"] is None


def test_nobody_is_asked_to_sign_in(db):
    answer = APIClient().get(ME)

    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")


@pytest.mark.parametrize("fault", ["unknown", "secret", "expired", "revoked", "owner", "pepper"])
def test_every_token_that_is_no_good_gets_the_same_answer(tam, fault, settings):
    token, text = token_for(tam)
    if fault == "unknown":
        text = text.replace(token.key, "0" * 12)
    elif fault == "secret":
        text = text[:-4] + ("AAAA" if not text.endswith("AAAA") else "BBBB")
    elif fault == "expired":
        ApiToken.objects.update(
            created_at=timezone.now() - dt.timedelta(days=9),
            expires_at=timezone.now() - dt.timedelta(days=1),
        )
    elif fault == "revoked":
        services.revoke_token(token, by=tam, at=timezone.now())
    elif fault == "owner":
        tam.is_active = False
        tam.save(update_fields=["is_active"])
    else:
        settings.TOKEN_PEPPERS = {"9": "another"}

    answer = get(text)

    assert answer.status_code == 401
    body = answer.json()
    assert (body["detail"], body["code"]) == ("Sign in or send a valid token.", "unauthenticated")


@pytest.mark.parametrize("text", ["", "keel_", "keel_x_y", "ü" * 30, "x" * 20_000, "keel_\ud800"])
def test_nonsense_is_no_token(db, text):
    assert selectors.token_of(text) is None


def test_a_token_works_until_it_expires(tam):
    with time_machine.travel("2026-03-02 12:00Z", tick=False) as clock:
        _, text = token_for(tam, days=1)
        clock.shift(dt.timedelta(hours=23, minutes=59))
        assert get(text).status_code == 200
        clock.shift(dt.timedelta(minutes=1))
        assert get(text).status_code == 401


def test_peppers_rotate(tam, settings):
    settings.TOKEN_PEPPERS = {"1": "old"}
    _, old = token_for(tam)
    settings.TOKEN_PEPPERS = {"1": "old", "2": "new"}
    token, new = token_for(tam)

    assert token.pepper_id == "2"
    assert get(old).status_code == get(new).status_code == 200

    settings.TOKEN_PEPPERS = {"2": "new"}
    assert get(old).status_code == 401
    assert get(new).status_code == 200


def test_an_unknown_key_costs_a_digest_as_a_known_one_does(tam, monkeypatch):
    _, text = token_for(tam)
    digests = []
    real = selectors.token_digest
    monkeypatch.setattr(
        selectors.users, "token_digest", lambda *args: digests.append(args) or real(*args)
    )

    for attempt in (text, text[:-1] + "?", "keel_000000000000_" + "A" * 43, "nonsense"):
        digests.clear()
        selectors.token_of(attempt)
        assert len(digests) == 1


def test_a_scope_the_token_lacks_is_refused(tam):
    _, text = token_for(tam, "metrics:read")

    answer = get(text, TOKENS)

    assert answer.status_code == 403
    assert answer.json()["detail"] == "This token has no scope token:read."


def test_a_scope_gives_no_right_its_owner_lacks(tam, administrator):
    scopes = ["account:read", "token:read"]

    assert get(token_for(tam, *scopes)[1], USERS).status_code == 403
    assert get(token_for(administrator, *scopes)[1], USERS).status_code == 200


def test_a_demoted_owners_token_can_do_less_at_once(administrator, person):
    other = person(Role.ADMINISTRATOR)
    _, text = token_for(other, "account:read")
    assert get(text, USERS).status_code == 200

    services.change_roles(other, roles=[Role.TAM], by=administrator)
    assert get(text, USERS).status_code == 403

    services.change_roles(other, roles=[], by=administrator)
    assert get(text, TOKENS).status_code == 403
    assert get(text).status_code == 200


def test_writing_with_a_session_needs_the_csrf_token(tam):
    client = APIClient(enforce_csrf_checks=True)
    client.force_login(tam)

    assert client.post(ME).status_code == 403


def test_a_reading_endpoint_answers_405_to_writes(api_client, tam):
    assert api_client(tam).post(ME).status_code == 405
    assert api_client(tam).delete(TOKENS).status_code == 405


def test_a_token_in_an_address_is_refused_and_revoked(tam):
    token, text = token_for(tam)

    answer = APIClient().get(ME, {"token": text})

    assert answer.status_code == 400
    token.refresh_from_db()
    assert token.revoked_at is not None
    assert Event.objects.get(verb="token.revoked").reason == "It was sent in an address."
    assert get(text).status_code == 401


def test_knowing_the_key_is_not_enough_to_revoke(tam):
    token, _ = token_for(tam)

    APIClient().get(ME, {"token": f"keel_{token.key}_" + "A" * 43})

    token.refresh_from_db()
    assert token.revoked_at is None


def test_guessing_tokens_is_slowed_down_but_the_good_one_works(tam, clean_cache):
    _, text = token_for(tam)
    statuses = {get("nonsense").status_code for _ in range(70)}

    assert statuses == {401, 429}
    assert get(text).status_code == 200


def test_events_name_the_token_and_forget_it_after_the_request(tam, login):
    token, text = token_for(tam)
    get(text)
    login(tam).post("/me/preferences/theme", {"theme": "dark"})

    assert Event.objects.get(verb="user.theme_changed").token_key == ""
    assert not Event.objects.filter(token_key=token.key).exists()


def test_own_tokens_are_listed_without_secrets(tam, csm):
    _, text = token_for(tam)
    token_for(csm)

    body = get(text, TOKENS).json()

    assert [row["name"] for row in body["results"]] == ["Sync"]
    assert text.split("_", 2)[2] not in str(body)
    assert set(body["results"][0]) == {
        "id", "name", "key", "scopes", "accounts", "created_at", "expires_at", "last_used_at",
        "revoked_at",
    }  # fmt: skip


def test_people_are_listed_for_administrators(api_client, administrator, tam, without_role):
    body = api_client(administrator).get(USERS).json()

    assert {row["email"]: row["roles"] for row in body["results"]} == {
        administrator.email: ["administrator"],
        tam.email: ["tam"],
        without_role.email: [],
    }


@pytest.mark.parametrize("path", [TOKENS, USERS])
def test_lists_as_csv(api_client, administrator, path):
    answer = api_client(administrator).get(path, {"format": "csv"})

    assert answer.status_code == 200
    assert b"".join(answer.streaming_content).count(b"\n") >= 2


@pytest.mark.parametrize("count", [1, 3])
def test_the_list_of_people_costs_the_same_for_any_number(
    api_client, administrator, person, count, django_assert_num_queries
):
    for _ in range(count):
        person(Role.TAM)
    client = api_client(administrator)
    client.get(USERS)

    with django_assert_num_queries(2):
        client.get(USERS)
