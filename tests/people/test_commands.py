import re
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from rest_framework.test import APIClient

from events.models import Event
from people.models import ApiToken, Role, User


def run(*args):
    out, err = StringIO(), StringIO()
    call_command(*args, stdout=out, stderr=err)
    return out.getvalue(), err.getvalue()


def create(*args):
    return run("user", "create", "ada@keel.example", "--name", "Ada", *args)


@pytest.mark.parametrize(
    "roles",
    [
        ["--role", "metric_owner", "tam"],
        ["--role", "metric-owner", "--role", "TAM"],
    ],
)
def test_user_create(db, roles, settings):
    settings.BASE_URL = "https://keel.example"

    out, _ = create(*roles)

    assert User.objects.get(email="ada@keel.example").roles == {Role.METRIC_OWNER, Role.TAM}
    link = out.strip().splitlines()[-1]
    assert link.startswith("https://keel.example/account/password/reset/key/")
    path = link.removeprefix("https://keel.example")
    assert "token_fail" not in Client().get(path, follow=True).context
    assert Event.objects.get(verb="user.created").actor.is_system


def test_user_create_twice_says_so(db):
    create("--role", "tam")

    with pytest.raises(CommandError, match="already has an account") as refusal:
        create("--role", "tam")

    assert refusal.value.returncode == 1


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["--role", "king"], "no role 'king'"),
        ([], "required"),
    ],
)
def test_user_create_refuses(db, args, words):
    with pytest.raises(CommandError, match=words):
        create(*args)

    assert not User.objects.filter(is_system=False).exists()


def test_user_link(tam):
    out, _ = run("user", "link", tam.email.upper())

    assert "/account/password/reset/key/" in out
    with pytest.raises(CommandError, match="Nobody active"):
        run("user", "link", "nobody@keel.example")


def test_user_list(tam, without_role):
    out, _ = run("user", "list")

    assert f"{tam.email}\t{tam.name}\ttam" in out
    assert "keel.invalid" not in out


def test_token_create_prints_the_token_alone(tam):
    out, err = run("token", "create", "--user", tam.email, "--name", "BI", "--scope", "read")

    assert re.fullmatch(r"keel_[0-9a-f]{12}_[\w-]{43}\n", out)
    assert "account:read, contact:read, request:read, project:read, metrics:read" in err
    answer = APIClient().get("/api/v1/me/", HTTP_AUTHORIZATION=f"Bearer {out.strip()}")
    assert answer.json()["email"] == tam.email


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["--user", "nobody@keel.example", "--scope", "read"], "Nobody active"),
        (["--user", "tam@keel.example", "--scope", "everything"], "no scope 'everything'"),
        (["--user", "tam@keel.example", "--scope", "read", "--expires", "0"], "between 1 and 365"),
        (["--user", "tam@keel.example", "--scope", "read", "--expires", "x"], "invalid int"),
    ],
)
def test_token_create_refuses(tam, args, words):
    with pytest.raises(CommandError, match=words):
        run("token", "create", "--name", "BI", *args)

    assert not ApiToken.objects.exists()


def test_token_list_and_revoke(tam, csm):
    for user in (tam, csm):
        run("token", "create", "--user", user.email, "--name", "BI", "--scope", "write")
    key = ApiToken.objects.get(owner=tam).key

    run("token", "revoke", key)

    out, _ = run("token", "list", "--user", tam.email)
    assert out.startswith(f"{key}\tended\t{tam.email}\tBI\taccount:write,contact:write,seats:write")
    assert len(run("token", "list")[0].splitlines()) == 2
    with pytest.raises(CommandError, match="no token with the key"):
        run("token", "revoke", "000000000000")
