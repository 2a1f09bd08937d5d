"""Promises mails until it is killed: `python -m chaos.client JOURNAL KIND`."""

import os
import sys
import time
import uuid
from pathlib import Path

from chaos.journal import ACKNOWLEDGED, INVOKED, Journal

PAUSE = 0.2


def main(path: str, kind: str) -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    import django

    django.setup()
    from django.db import transaction

    from events.services import send_notice

    journal = Journal(Path(path))
    while True:
        name = f"chaos-{kind}-{uuid.uuid4()}"
        journal.note(INVOKED, name)
        with transaction.atomic():
            send_notice(to="somebody@keel.example", subject=name, body="Chaos.")
        journal.note(ACKNOWLEDGED, name)
        time.sleep(PAUSE)


if __name__ == "__main__":
    main(*sys.argv[1:])
