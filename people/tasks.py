from celery import shared_task
from django.core.management import call_command
from django.utils import timezone

from people import services
from people.services import absences


@shared_task(name="people.clear_sessions")
def clear_sessions() -> None:
    """Delete the sessions that ended."""
    call_command("clearsessions")


@shared_task(name="people.forget_old_keys")
def forget_old_keys() -> None:
    """Delete the answers kept for requests that might be sent again."""
    services.forget_old_keys(now=timezone.now())


@shared_task(name="people.turn_absences")
def turn_absences() -> int:
    """Begin and end absences whose day has come in the company's time zone."""
    return absences.begin_and_end(at=timezone.now())
