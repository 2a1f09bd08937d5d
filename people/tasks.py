from celery import shared_task
from django.core.management import call_command
from django.utils import timezone

from people import services


@shared_task(name="people.clear_sessions")
def clear_sessions() -> None:
    """Delete the sessions that ended."""
    call_command("clearsessions")


@shared_task(name="people.forget_old_keys")
def forget_old_keys() -> None:
    """Delete the answers kept for requests that might be sent again."""
    services.forget_old_keys(now=timezone.now())
