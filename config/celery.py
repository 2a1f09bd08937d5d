"""The Celery application. Tasks stand in each app's tasks.py; settings.py holds its settings."""

import logging.config
import os
from pathlib import Path
from typing import Any

from celery import Celery, signals
from django_structlog.celery.steps import DjangoStructLogInitStep

from config import checks

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

app = Celery("keel")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
app.steps["worker"].add(DjangoStructLogInitStep)


@signals.setup_logging.connect
def use_our_logging(**_: Any) -> None:
    from django.conf import settings  # noqa: PLC0415 the settings import this module's package

    logging.config.dictConfig(settings.LOGGING)


@signals.worker_init.connect
@signals.beat_init.connect
def refuse_to_start_unsafe(**_: Any) -> None:
    checks.refuse_to_start_unsafe(with_servers=True)


@signals.task_postrun.connect
def leave_sign_of_life(**_: Any) -> None:
    """A health check compares the file's age with the minute between two ticks of beat."""
    if sign := os.environ.get("WORKER_SIGN_OF_LIFE"):
        Path(sign).touch()
