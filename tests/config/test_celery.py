import time

import pytest
from django.conf import settings
from kombu.exceptions import OperationalError

from config import celery_app
from config.celery import leave_sign_of_life


def test_work_travels_as_json_and_is_answered_when_done():
    conf = celery_app.conf
    assert conf.accept_content == ["json"]
    assert conf.task_serializer == "json"
    assert conf.task_acks_late
    assert conf.task_reject_on_worker_lost
    assert conf.worker_prefetch_multiplier == 1
    assert conf.task_ignore_result


def test_a_task_ends_before_it_could_be_handed_out_again():
    options = celery_app.conf.broker_transport_options
    assert celery_app.conf.task_soft_time_limit < celery_app.conf.task_time_limit
    assert 2 * celery_app.conf.task_time_limit < options["visibility_timeout"]


def test_every_scheduled_task_exists():
    celery_app.loader.import_default_modules()
    for entry in settings.CELERY_BEAT_SCHEDULE.values():
        assert entry["task"] in celery_app.tasks


def test_a_worker_leaves_a_sign_of_life(monkeypatch, tmp_path):
    leave_sign_of_life()
    monkeypatch.setenv("WORKER_SIGN_OF_LIFE", str(tmp_path / "alive"))
    leave_sign_of_life()
    assert (tmp_path / "alive").exists()


def test_publishing_to_a_broker_that_is_down_gives_up_at_once():
    with celery_app.connection_for_write("redis://127.0.0.1:1/0") as nowhere:
        started = time.monotonic()
        with pytest.raises(OperationalError):
            celery_app.send_task("nowhere", connection=nowhere)
        assert time.monotonic() - started < 2
