import json
import logging
import logging.config

import pytest
import structlog
from celery import current_app
from django.db import IntegrityError
from django.http import HttpResponse
from django.urls import resolve

from config.lib.logging import logging_settings
from config.lib.request_id import RequestIdMiddleware, current_request_id, path_without_secrets


@pytest.fixture
def lines():
    """What the JSON formatter makes of everything logged since."""
    made = []
    formatter = logging_settings("json")["formatters"]["line"]
    factory = formatter.pop("()")
    keys = {"foreign_pre_chain", "processors"}
    shape = factory(**{key: formatter[key] for key in keys})

    class Collector(logging.Handler):
        def emit(self, record):
            made.append(shape.format(record))

    collector, root = Collector(), logging.getLogger()
    level = root.level
    root.addHandler(collector)
    root.setLevel(logging.INFO)
    yield made
    root.removeHandler(collector)
    root.setLevel(level)


def only(lines, event):
    return [record for record in map(json.loads, lines) if record["event"] == event]


@pytest.fixture
def answer(rf):
    def ask(view=lambda _request: HttpResponse("ok"), path="/accounts/", **headers):
        return RequestIdMiddleware(view)(rf.get(path, headers=headers))

    return ask


def test_a_well_formed_id_is_kept_and_answered(answer):
    assert answer(x_request_id="trace-0123.ab_C").headers["X-Request-ID"] == "trace-0123.ab_C"


@pytest.mark.parametrize(
    "given", ["", "short", "x" * 65, "two words 123", "line\nbreak-1234", "<script>alert</script>"]
)
def test_any_other_id_is_replaced(answer, given):
    made = answer(x_request_id=given).headers["X-Request-ID"]
    assert made != given
    assert len(made) == 32


def test_two_requests_get_two_ids(answer):
    assert answer().headers["X-Request-ID"] != answer().headers["X-Request-ID"]


def test_code_under_a_request_knows_its_id(answer):
    seen = []
    answer(lambda _: seen.append(current_request_id()) or HttpResponse(), x_request_id="abcdefgh")
    assert seen == ["abcdefgh"]


def test_one_line_a_request_without_its_query(answer, lines):
    answer(path="/accounts/?token=hunter2&search=Ada", x_request_id="abcdefgh")
    [line] = only(lines, "request")
    assert (line["method"], line["path"], line["status"]) == ("GET", "/accounts/", 200)
    assert line["request_id"] == "abcdefgh"
    assert "hunter2" not in "".join(lines)
    assert "Ada" not in "".join(lines)


def test_one_time_keys_in_a_path_are_left_out(rf):
    request = rf.get("/account/password/reset/key/1-c9v2dk-deadbeef/")
    request.resolver_match = resolve(request.path)
    assert "deadbeef" not in path_without_secrets(request)


def test_control_characters_cannot_forge_a_line(lines):
    logging.getLogger("forger").info('name\n{"event": "forged"}\x1b[2J\u2028\x00')
    [line] = lines
    assert "\n" not in line
    assert not [character for character in line if ord(character) < 32]
    assert only(lines, "forged") == []


@pytest.mark.parametrize(
    "text",
    [
        "Authorization: Bearer hunter2hunter2",
        "token keel_0123456789ab_hunter2hunter2hunter2hunter2 was refused",
        "redis://:hunter2@127.0.0.1:6379/0 refused",
        "postgres://keel_app:hunter2@db/keel refused",
    ],
)
def test_secrets_in_text_are_withheld(lines, text):
    logging.getLogger("leak").warning(text)
    assert "hunter2" not in lines[0]


@pytest.mark.parametrize("name", ["password", "new_password", "api_token", "Authorization"])
def test_secrets_by_name_are_withheld(lines, name):
    structlog.get_logger("leak").warning("sent", **{name: "hunter2"})
    assert "hunter2" not in lines[0]


def test_the_row_of_a_refused_insert_is_withheld(lines):
    refused = IntegrityError("duplicate key\nDETAIL:  Key (email)=(ada@example.com) exists.")
    logging.getLogger("leak").error("failed", exc_info=refused)
    assert "ada@example.com" not in lines[0]
    assert "duplicate key" in lines[0]


def fail_with(secret):
    return 1 // (len(secret) - len(secret))


def test_local_variables_of_a_failure_stay_out(lines):
    try:
        fail_with("hunter" + "2")
    except ZeroDivisionError:
        logging.getLogger("leak").exception("failed")
    assert "hunter2" not in lines[0]


def test_the_id_travels_with_a_task():
    """Published to the real broker, and read back from there."""
    with current_app.connection_for_write() as broker:
        queue = broker.SimpleQueue("keel-test-request-id")
        try:
            with structlog.contextvars.bound_contextvars(request_id="abcdefgh"):
                current_app.send_task("nowhere", queue="keel-test-request-id", connection=broker)
            message = queue.get(timeout=5)
            assert message.headers["__django_structlog__"]["request_id"] == "abcdefgh"
        finally:
            queue.queue.delete()
            queue.close()
