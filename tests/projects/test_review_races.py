"""Two leads in one review at the same moment, with threads and real commits."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connections, transaction

from config.lib.errors import DomainError
from events.models import Event
from projects import services
from projects.models import ReviewItem
from projects.services.deciding import AlreadyDecided, Wish, decide
from tests.projects.ready import given
from tests.projects.table import Table

pytestmark = pytest.mark.django_db(transaction=True)
PATIENCE = 30


@pytest.fixture
def table():
    with transaction.atomic():
        return Table()


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


def deciding(table, decision, by, **values):
    item = ReviewItem.objects.select_related("review").get(pk=table.item.pk)
    wish = Wish(decision=decision, values=values, version=item.version, as_text=True)
    return lambda: decide(item, wish, by=by, at=table.now)


def test_of_two_leads_one_decides_and_the_other_hears_what(table):
    increment = str(table.increment.uuid)
    found = together(
        deciding(table, "schedule", table.lead, increment=increment),
        deciding(table, "keep", table.second_lead),
    )

    item = ReviewItem.objects.get(pk=table.item.pk)
    refused = [each for each in found if isinstance(each, AlreadyDecided)]
    assert len(refused) == 1
    assert refused[0].details["decision"] == item.decision
    assert refused[0].details["decided_by"] == item.decided_by.name
    assert table.state() == ("scheduled" if item.decision == "schedule" else "ready")
    assert Event.objects.filter(verb="project.decided").count() == 1


def test_the_review_does_not_end_under_a_decision(table):
    """Either the item is decided before the end, or the end is refused."""
    found = together(
        deciding(table, "keep", table.lead),
        lambda: services.move(table.review, "finish", by=table.second_lead, at=table.now),
    )

    table.review.refresh_from_db()
    refusals = [each for each in found if isinstance(each, DomainError)]
    assert (table.review.state, len(refusals)) in {("held", 0), ("open", 1)}
    assert table.review.items.filter(decision="keep").exists()


def test_a_move_on_the_board_and_a_decision_wait_for_each_other_and_not_for_ever(table):
    found = together(
        deciding(table, "schedule", table.lead, increment=str(table.increment.uuid)),
        lambda: services.move(
            table.project, "unready", by=table.second_lead, at=table.now, given=given()
        ),
    )

    # Sent back first, it is made ready again on its way onto the schedule.
    assert table.state() == "scheduled"
    assert sum(isinstance(each, DomainError) for each in found) <= 1
