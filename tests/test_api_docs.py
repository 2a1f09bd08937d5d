"""The examples of docs/api.md, run against a real server."""

import datetime as dt
import json
import re
import shlex
import urllib.error
import urllib.request
from pathlib import Path

import pytest
from django.utils import timezone

from accounts.models import SeatReading
from metrics.services.current import refresh_current_facts
from metrics.services.runs import recompute
from people import services as people_services
from people.models import Scope, system_user
from tests import factories

BLOCKS = re.findall(r"```(sh|json)\n(.*?)```", Path("docs/api.md").read_text(), re.DOTALL)
EXAMPLES = [
    pytest.param(
        text.strip().splitlines(),
        BLOCKS[place + 1][1]
        if place + 1 < len(BLOCKS) and BLOCKS[place + 1][0] == "json"
        else None,
        id=text.split('"$KEEL')[1].split('"')[0],
    )
    for place, (kind, text) in enumerate(BLOCKS)
    if kind == "sh"
]


def call(command, server, token):
    words = shlex.split(command.replace("$KEEL", server.url).replace("$TOKEN", token))
    assert words[0] == "curl"
    assert words[1] == "-H"
    name, _, value = words[2].partition(": ")
    request = urllib.request.Request(words[3], headers={name: value})  # noqa: S310 -- our own server
    try:
        with urllib.request.urlopen(request) as response:  # noqa: S310
            return response.status, response.headers["Content-Type"], response.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.headers["Content-Type"], error.read().decode()


def assert_same_shape(documented, answered, where="answer"):
    if isinstance(documented, dict):
        assert isinstance(answered, dict), where
        missing = documented.keys() - answered.keys()
        if not re.fullmatch(r"answer\.excluded", where):
            assert not missing, f"{where} lacks {missing}"
        for key in documented.keys() & answered.keys():
            assert_same_shape(documented[key], answered[key], f"{where}.{key}")
    elif isinstance(documented, list) and documented and answered:
        assert_same_shape(documented[0], answered[0], f"{where}[0]")
    elif documented is not None and answered is not None:
        assert type(documented) is type(answered), where


@pytest.fixture
def company_with_a_number(transactional_db):
    now = timezone.now()
    owner = factories.UserFactory(roles=["metric_owner"])
    for seats in (85, 70):
        account = factories.AccountFactory()
        factories.SubscriptionFactory(
            account=account, seats=100, arr=90_000, start=dt.date(2026, 1, 1), end=None
        )
        instance = factories.InstanceFactory(account=account)
        factories.SeatReadingFactory(
            instance=instance, seats=seats, observed_at=now - dt.timedelta(hours=3)
        )
    recompute("seats-deployed", now.date(), by=system_user(), now=now)
    refresh_current_facts(now=now)
    assert SeatReading.objects.count() == 2
    _, token = people_services.create_token(
        owner=owner, name="docs", scopes=Scope.values, days=1, by=owner, at=now
    )
    return token


@pytest.mark.parametrize(("commands", "documented"), EXAMPLES)
def test_the_examples_do_what_the_page_says(
    commands, documented, company_with_a_number, live_server
):
    for command in commands:
        status, content_type, body = call(command, live_server, company_with_a_number)
        if "format=csv" in command:
            assert status == 200
            assert content_type.startswith("text/csv")
            assert len(body.splitlines()) == 3
            continue
        answer = json.loads(body)
        expected = json.loads(documented) if documented else {}
        assert status == expected.get("status", 200) if "colour" in command else status == 200
        assert_same_shape(expected, answer)
