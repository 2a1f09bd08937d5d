"""What happens by itself."""

from celery import shared_task
from django.utils import timezone

from projects.services import overriding, scoring


@shared_task(name="projects.follow_score_policy")
def follow_score_policy() -> int:
    """Bring scores in line with a policy that began, and end moves by hand that ran out."""
    now = timezone.now()
    overriding.end_what_ran_out(at=now)
    return scoring.rescore_open(at=now)
