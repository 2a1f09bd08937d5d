"""What happens by itself."""

from celery import shared_task
from django.utils import timezone

from engagements.services import chasing, closing, digest, risks
from events.services import digests


@shared_task(name="engagements.send_digests")
def send_digests() -> int:
    """Send everybody their mail of the day, once it is time."""
    return digest.send_daily(at=timezone.now())


@shared_task(name="engagements.purge_notices")
def purge_notices() -> int:
    return digests.purge(at=timezone.now())


@shared_task(name="engagements.end_risks")
def end_risks() -> int:
    """End Work at Risk that has run out, and tell of what is about to."""
    now = timezone.now()
    ended = risks.end_what_ran_out(at=now)
    risks.warn_of_the_end(at=now)
    return ended


@shared_task(name="engagements.chase_sign_offs")
def chase_sign_offs() -> int:
    """Remind customers, tell of links that expired, and mail those whose hold is over."""
    return sum(chasing.chase(at=timezone.now()).values())


@shared_task(name="engagements.accept_silent")
def accept_silent() -> int:
    """Take deliveries as accepted where the customer agreed that silence is a yes."""
    return closing.accept_silent(at=timezone.now())
