"""Imports beside each other, and workers that are killed in the middle of one."""

import io
import os
import signal
import subprocess
import sys
import threading
import time

import pytest
from django.conf import settings
from django.db import connection
from django.utils import timezone

from accounts.imports import lifecycle, moves, working
from accounts.imports.running import PlanChanged
from accounts.models import Account, Import, ImportRow
from config.lib.errors import DomainError
from events.models import Event
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db(transaction=True)
Status = Import.Status
ROWS = "".join(f"A-{number},Customer {number}\n" for number in range(300))


@pytest.fixture
def owner():
    return UserFactory(roles=["metric_owner"])


def upload(owner, content="external_id,name\n" + ROWS):
    return lifecycle.upload(
        kind="accounts",
        file=io.BytesIO(content.encode()),
        filename="accounts.csv",
        by=owner,
        at=timezone.now(),
    )


def left_to_a_worker(import_, status, **values):
    Import.objects.filter(pk=import_.pk).update(**{"status": status, "attempts": 0, **values})


def apply(import_, owner):
    return lifecycle.request_apply(
        import_, plan_hash=import_.plan_hash, by=owner, at=timezone.now()
    )


def at_once(*works):
    """Do all of it at the same moment; return what came of each, refusals among them."""
    barrier = threading.Barrier(len(works))
    found = [None] * len(works)

    def work(place):
        barrier.wait(5)
        try:
            found[place] = works[place]()
        except DomainError as refusal:
            found[place] = refusal
        finally:
            connection.close()

    threads = [threading.Thread(target=work, args=[place]) for place in range(len(works))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return found


def test_of_two_who_apply_it_one_does_and_the_other_is_told(owner):
    for turn in range(4):
        import_ = upload(owner, f"external_id,name\nT-{turn},Customer\n" + ROWS)
        found = at_once(lambda: apply(import_, owner), lambda: apply(import_, owner))  # noqa: B023

        refused = [each for each in found if isinstance(each, DomainError)]
        assert len(refused) == 1, found
        assert (refused[0].status, type(refused[0])) in {(409, moves.Busy), (409, moves.NotNow)}
    assert Account.objects.count() == 304
    assert Event.objects.filter(verb="import.applied").count() == 4


def test_two_imports_of_the_same_accounts_do_not_interleave(owner):
    names = ("Ash", "Oak")
    imports = [upload(owner, "external_id,name\n" + ROWS.replace("Customer", n)) for n in names]
    found = at_once(*(lambda each=each: apply(each, owner) for each in imports))

    for each in imports:
        each.refresh_from_db()
    # The second one finds the facts changed, or is left to a worker, which will find it.
    for each in imports:
        if each.status == Status.APPLYING:
            working.run(each.pk, now=timezone.now())
            each.refresh_from_db()
    assert sorted(each.status for each in imports) == [Status.APPLIED, Status.CHECKED], found
    assert all(isinstance(each, Import | PlanChanged) for each in found)
    assert len({name.split()[0] for name in Account.objects.values_list("name", flat=True)}) == 1


def test_two_workers_of_one_import_do_it_once(owner):
    import_ = upload(owner)
    left_to_a_worker(import_, Status.APPLYING, applied_by=owner)
    for _ in range(2):
        at_once(*[lambda: working.run(import_.pk, now=timezone.now())] * 3)

    import_.refresh_from_db()
    assert (import_.status, import_.attempts) == (Status.APPLIED, 1)
    assert Account.objects.count() == 300
    assert Event.objects.filter(verb="import.applied").count() == 1


KILLED = """
import sys, time
import django
django.setup()
from django.utils import timezone
from accounts.imports import moves, working
step = sys.argv[2]
original = getattr(working, step, None) or getattr(moves, step)

def stopped(*args, **kwargs):
    result = original(*args, **kwargs)
    print("here", flush=True)
    time.sleep(60)
    return result

setattr(working if hasattr(working, step) else moves, step, stopped)
working.run(int(sys.argv[1]), now=timezone.now())
"""


def killed_after(step, import_):
    """Let a worker take up the import and kill it, with -9, when the step is done."""
    url = "postgres://{USER}:{PASSWORD}@{HOST}:{PORT}/{NAME}".format(**connection.settings_dict)
    process = subprocess.Popen(
        [sys.executable, "-c", KILLED, str(import_.pk), step],
        env={**os.environ, "DATABASE_URL": url, "DJANGO_SETTINGS_MODULE": "config.settings"},
        cwd=settings.BASE_DIR,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout.readline() == "here\n"
        process.send_signal(signal.SIGKILL)
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def taken_up_again(import_):
    """The server notices a killed client when it next reads from it."""
    for _ in range(50):
        if working.sweep() == 1:
            break
        time.sleep(0.1)
    assert working.run(import_.pk, now=timezone.now())
    import_.refresh_from_db()
    return import_


@pytest.mark.parametrize("step", ["mapping_of", "apply_import", "apply", "tell"])
def test_a_worker_killed_while_it_writes_loses_and_doubles_nothing(step, owner):
    import_ = upload(owner)
    left_to_a_worker(import_, Status.APPLYING, applied_by=owner)
    killed_after(step, import_)

    import_.refresh_from_db()
    assert (import_.status, import_.attempts) == (Status.APPLYING, 1)
    assert not Account.objects.exists()
    assert not Event.objects.exclude(verb__startswith="import.").exists()

    import_ = taken_up_again(import_)
    assert (import_.status, import_.attempts) == (Status.APPLIED, 2)
    assert Account.objects.filter(last_import=import_).count() == 300
    assert Event.objects.filter(verb="import.applied").count() == 1
    assert Event.objects.filter(verb="account.created").count() == 300


def test_a_worker_killed_while_it_checks_leaves_the_rows_of_the_next_check(owner):
    import_ = upload(owner)
    left_to_a_worker(import_, Status.CHECKING)
    killed_after("preview_import", import_)
    import_ = taken_up_again(import_)

    assert (import_.status, import_.creates) == (Status.CHECKED, 300)
    assert ImportRow.objects.filter(file=import_).count() == 300


def test_a_worker_that_kills_itself_over_it_is_stopped_after_three(owner):
    import_ = upload(owner)
    left_to_a_worker(import_, Status.APPLYING, applied_by=owner, attempts=2)
    killed_after("mapping_of", import_)
    for _ in range(50):
        if working.sweep() == 1:
            break
        time.sleep(0.1)
    working.run(import_.pk, now=timezone.now())

    import_.refresh_from_db()
    assert import_.status == Status.FAILED
    assert "Nothing was written" in import_.failure
    assert not Account.objects.exists()
