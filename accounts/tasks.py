from celery import shared_task
from django.utils import timezone

from accounts.imports import purging, working

# The largest file takes a few minutes.
SOFT_LIMIT, LIMIT = 1200, 1260


@shared_task(name=working.TASK, soft_time_limit=SOFT_LIMIT, time_limit=LIMIT)
def run_import(import_id: int) -> bool:
    """Check, apply or undo the import, whichever its status says; nothing where it is done."""
    return working.run(import_id, now=timezone.now())


@shared_task(name="accounts.sweep_imports")
def sweep_imports() -> int:
    """Ring again for imports that wait for a worker: a ring was lost, or a worker died."""
    return working.sweep()


@shared_task(name="accounts.purge_imports")
def purge_imports() -> int:
    return purging.purge(now=timezone.now())
