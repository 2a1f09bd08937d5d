"""Customers and our people at the same moment, with threads and real commits."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.core.cache import cache
from django.db import connection, connections, transaction
from django.test import Client

from config.lib.errors import DomainError
from engagements import selectors, services
from engagements.models import SignOff, SignOffLink
from engagements.services import answering, links, recording
from engagements.services.recording import Evidence
from events import workflow
from events.workflow import Given
from tests import factories
from tests.engagements.letters import tokens
from tests.engagements.ready import Stage
from tests.engagements.test_public_pages import AGREES, hidden

pytestmark = pytest.mark.django_db(transaction=True)
PATIENCE = 30


@pytest.fixture
def stage():
    cache.clear()
    with transaction.atomic():
        stage = Stage()
        stage.at("awaiting_signoff")
    return stage


def together(*works):
    """Run these at the same moment, each with a connection of its own; return what each gave."""
    ready = threading.Barrier(len(works))

    def run(work):
        try:
            ready.wait(PATIENCE)
            return work()
        except DomainError as refusal:
            return refusal
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(works)) as pool:
        return [each.result(PATIENCE) for each in [pool.submit(run, work) for work in works]]


@pytest.fixture
def halfway(monkeypatch):
    """Stop the first answer that has locked its rows, until it is let go."""
    reached, goes_on = threading.Event(), threading.Event()
    real = answering._use

    def wait(link, **more):
        if not reached.is_set():
            reached.set()
            assert goes_on.wait(PATIENCE)
        real(link, **more)

    monkeypatch.setattr(answering, "_use", wait)
    yield reached, goes_on
    goes_on.set()


def wait_until_somebody_waits():
    pause = threading.Event()
    for _ in range(PATIENCE * 50):
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(*) FROM pg_stat_activity"
                " WHERE datname = current_database() AND wait_event_type = 'Lock'"
            )
            if cursor.fetchone()[0]:
                return
        pause.wait(0.02)
    raise AssertionError("nobody waits")


def sent(stage, contact=None):
    links.send_link(stage.request, contact or stage.contact, by=stage.filer, at=stage.now)
    return tokens()[-1]


def opened(token):
    """Return what sends the form of the page, as the browser that opened it."""
    client = Client()
    form = hidden(client.get(f"/s/{token}/")) | AGREES
    return lambda: client.post(f"/s/{token}/", form)


def agreed():
    return SignOff.objects.filter(state="agreed").count()


def holds(stage):
    """What must hold however it came out: signed off, if and only if that is live."""
    stage.request.refresh_from_db()
    live = selectors.live_sign_off(stage.request, on=stage.today) is not None
    assert live == (stage.request.state == "signed_off")
    return live


@pytest.mark.parametrize("_round", range(4))
def test_a_double_click_is_one_sign_off_and_one_receipt(stage, _round):
    send = opened(sent(stage))

    answers = together(send, send)

    assert sorted(answer.status_code for answer in answers) == [200, 303]
    receipt = SignOff.objects.get().receipt
    shown = next(answer for answer in answers if answer.status_code == 200)
    assert receipt in shown.content.decode()
    assert holds(stage)


@pytest.mark.parametrize("_round", range(4))
def test_of_two_signers_one_signs(stage, _round):
    other = factories.ContactFactory(account=stage.account, email="other@halden.example")
    first, second = sent(stage), sent(stage, other)

    answers = together(opened(first), opened(second))

    assert sorted(answer.status_code for answer in answers) == [303, 410]
    assert agreed() == 1
    assert holds(stage)


@pytest.mark.parametrize("_round", range(4))
def test_signing_against_revoking_ends_as_one_of_them(stage, _round):
    token = sent(stage)
    link = SignOffLink.objects.get()

    answer, refusal = together(
        opened(token), lambda: links.revoke_link(link, by=stage.filer, at=stage.now)
    )

    link.refresh_from_db()
    if answer.status_code == 303:
        assert isinstance(refusal, DomainError)
        assert link.revoked_at is None
    else:
        assert answer.status_code == 410
        assert link.used_at is None
    assert holds(stage) == (answer.status_code == 303)


def revised(stage):
    given = Given(reason="More plants")
    return services.move(stage.request, "revise", by=stage.filer, at=stage.now, given=given)


@pytest.mark.parametrize("_round", range(4))
def test_an_edit_and_a_signature_come_one_after_the_other(stage, _round):
    answer, _ = together(opened(sent(stage)), lambda: revised(stage))

    stage.request.refresh_from_db()
    assert stage.request.state == "sow_drafting"
    assert answer.status_code in (303, 409)
    assert agreed() == (answer.status_code == 303)


def test_an_edit_beside_a_signature_waits_for_it(stage, halfway):
    reached, goes_on = halfway
    send = opened(sent(stage))
    outcome = {}

    def revise():
        assert reached.wait(PATIENCE)
        return revised(stage)

    def sign():
        outcome["answer"] = send()
        return outcome["answer"]

    def let_go():
        assert reached.wait(PATIENCE)
        wait_until_somebody_waits()
        goes_on.set()

    together(sign, revise, let_go)

    assert outcome["answer"].status_code == 303
    stage.request.refresh_from_db()
    # It was signed first, and written anew after that: what was signed stays to be seen.
    assert stage.request.state == "sow_drafting"
    assert agreed() == 1


@pytest.mark.parametrize("_round", range(4))
def test_confirming_beside_signing_deadlocks_nobody(stage, _round):
    evidence = Evidence(
        contact=stage.contact, name="Kari Solberg", answered_at=stage.now, note="All plants"
    )
    verbal = recording.record_verbal(stage.request, evidence, by=stage.filer, at=stage.now)

    answer, confirmed = together(
        opened(sent(stage)),
        lambda: recording.confirm(verbal, by=stage.colleague, at=stage.now),
    )

    assert answer.status_code == 303
    assert confirmed.state == "agreed"
    assert agreed() == 2
    assert holds(stage)


def test_cancelling_beside_signing_leaves_no_open_link(stage):
    given = Given(values={"code": "customer_withdrew"})
    answer, _ = together(
        opened(sent(stage)),
        lambda: services.move(stage.request, "cancel", by=stage.filer, at=stage.now, given=given),
    )

    stage.request.refresh_from_db()
    assert stage.request.state == "cancelled"
    assert answer.status_code in (303, 410)
    assert not SignOffLink.objects.filter(used_at=None, revoked_at=None).exists()


@pytest.mark.parametrize("_round", range(3))
def test_ending_work_at_risk_beside_signing_deadlocks_nobody(stage, _round):
    with transaction.atomic():
        risk = stage.risk()
        workflow.place(stage.request, "in_progress")

    answer, _ = together(
        opened(sent(stage)),
        lambda: services.move(
            risk, "withdraw", by=stage.lead, at=stage.now, given=Given(reason="Not needed.")
        ),
    )

    assert answer.status_code == 303
    risk.refresh_from_db()
    assert risk.state in ("withdrawn", "ended")
    assert selectors.live_sign_off(stage.request, on=stage.today)
