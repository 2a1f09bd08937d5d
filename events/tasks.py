from celery import shared_task

from events import outbox


@shared_task(name="events.relay_outbox")
def relay_outbox() -> None:
    outbox.relay()
    outbox.purge()
