"""The examples of docs/api.md, run against a real server."""

import argparse
import datetime as dt
import json
import re
import shlex
import urllib.error
import urllib.request
from decimal import Decimal
from pathlib import Path
from string import Template

import pytest
from django.utils import timezone

from accounts.models import SeatReading
from metrics.selectors.figures import SLUGS
from metrics.services import figures
from metrics.services.current import refresh_current_facts
from metrics.services.runs import recompute, set_target
from people import services as people_services
from people.models import Scope, system_user
from tests import factories

BLOCKS = re.findall(r"```(sh|json)\n(.*?)```", Path("docs/api.md").read_text(), re.DOTALL)
EXAMPLES = [
    pytest.param(
        text.replace("\\\n", " ").strip().splitlines(),
        BLOCKS[place + 1][1]
        if place + 1 < len(BLOCKS) and BLOCKS[place + 1][0] == "json"
        else None,
        id=text.split('"$KEEL')[1].split('"')[0],
    )
    for place, (kind, text) in enumerate(BLOCKS)
    if kind == "sh"
]


CURL = argparse.ArgumentParser()
CURL.add_argument("curl")
CURL.add_argument("-H", action="append")
CURL.add_argument("-X", default="GET")
CURL.add_argument("-d", default=None)
CURL.add_argument("-F", action="append", default=[])
CURL.add_argument("url")


BOUNDARY = "boundary-of-the-parts"
# The page shows what is in it.
FILES = {"accounts.csv": "external_id,name\n001Zp,Halden\n"}


def form(fields):
    parts = []
    for name, value in fields.items():
        head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"'
        is_file = value.startswith("@")
        head += f'; filename="{value[1:]}"' if is_file else ""
        parts.append(f"{head}\r\n\r\n{FILES[value[1:]] if is_file else value}\r\n")
    return "".join([*parts, f"--{BOUNDARY}--\r\n"]).encode()


def call(command, known):
    """Send what curl would; `known` fills in the variables and learns of id and ETag."""
    # An ETag has quotes of its own.
    escaped = {name: value.replace('"', '\\"') for name, value in known.items()}
    words = CURL.parse_args(shlex.split(Template(command).substitute(escaped)))
    assert words.curl == "curl"
    headers = dict(header.split(": ", 1) for header in words.H)
    data = words.d and words.d.encode()
    if words.F:
        headers["Content-Type"] = f"multipart/form-data; boundary={BOUNDARY}"
        data = form(dict(field.split("=", 1) for field in words.F))
    request = urllib.request.Request(  # noqa: S310 -- our own server
        words.url, headers=headers, method="POST" if words.F else words.X, data=data
    )
    try:
        with urllib.request.urlopen(request) as response:  # noqa: S310
            body = response.read().decode()
            if etag := response.headers["ETag"]:
                answer = json.loads(body)
                known |= {"ETAG": etag, "ID": answer.get("id", "")}
                known |= {"PLAN_HASH": answer.get("plan_hash", "")}
            return response.status, response.headers["Content-Type"], body
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
    owner = factories.UserFactory(roles=["metric_owner", "tam"])
    for seats in (85, 70):
        account = factories.AccountFactory()
        factories.SubscriptionFactory(
            account=account, seats=100, arr=90_000, start=dt.date(2026, 1, 1), end=None
        )
        instance = factories.InstanceFactory(account=account)
        factories.SeatReadingFactory(
            instance=instance, seats=seats, observed_at=now - dt.timedelta(hours=3)
        )
    for day in (dt.date(2026, 1, 2), now.date()):
        recompute("seats-deployed", day, by=system_user(), now=now)
    list(figures.recompute(SLUGS, [now.date()], by=system_user(), now=now))
    for slug, value in (("seats-deployed", Decimal("0.75")), ("arr-at-risk", Decimal(0))):
        set_target(slug, value, dt.date(2031, 1, 1), by=system_user())
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
    known = {"KEEL": live_server.url, "TOKEN": company_with_a_number}
    for command in commands:
        status, content_type, body = call(command, known)
        if "format=csv" in command:
            assert status == 200
            assert content_type.startswith("text/csv")
            assert len(body.splitlines()) == 3
            continue
        answer = json.loads(body)
        expected = json.loads(documented) if documented else {}
        allowed = {expected["status"]} if "colour" in command else {200, 201, 202}
        assert status in allowed, body
    if documented:
        assert_same_shape(expected, answer)
