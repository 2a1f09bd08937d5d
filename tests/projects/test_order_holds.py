"""The order of a column stays one permutation, whatever is moved where, and by how many at once."""

import random
import threading

import pytest
from django.db import connections
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from projects.models import Project
from projects.rules import ranks
from projects.services import lanes, ordering
from projects.services.ordering import END, LaneChanged, place
from tests.factories import ProjectFactory, UserFactory

CARDS = 6


def order():
    return list(
        Project.objects.filter(state="proposed").order_by("rank").values_list("pk", flat=True)
    )


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(moves=st.lists(st.tuples(st.integers(0, CARDS - 1), st.integers(0, CARDS)), max_size=12))
def test_moves_do_what_a_list_would(moves, db):
    lead = UserFactory(roles=["de_lead"])
    Project.objects.all().delete()
    cards = ProjectFactory.create_batch(CARDS)
    expected = [card.pk for card in cards]
    for which, where in moves:
        card = cards[which]
        before = cards[where] if where < CARDS else END
        placed = place(card, lane="proposed", before=before, by=lead, at=timezone.now())
        if before != card:
            expected.remove(card.pk)
            at = expected.index(before.pk) if before != END else len(expected)
            expected.insert(at, card.pk)
        assert order() == expected
        assert (placed.position, placed.count) == (expected.index(card.pk) + 1, CARDS)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 10**6), max_size=120))
def test_a_key_lies_between_its_neighbours(places):
    keys = []
    for number in places:
        at = number % (len(keys) + 1)
        key = ranks.between(keys[at - 1] if at else None, keys[at] if at < len(keys) else None)
        keys.insert(at, key)
    assert keys == sorted(set(keys))


def test_ten_thousand_cards_put_first_take_short_keys():
    key = None
    for _ in range(10_000):
        key, last = ranks.between(None, key), key
        assert last is None or key < last
    assert len(key) <= 5


@pytest.mark.parametrize("side", ["left", "right", "in turns"])
def test_always_into_the_same_gap_ends_in_a_spread(side, db):
    """The worst a hand can do: each card between the last one and its neighbour."""
    a, b = ProjectFactory.create_batch(2)
    low, high, longest = a.rank, b.rank, 0
    for number in range(1500):
        key = ranks.between(low, high)
        longest = max(longest, len(key))
        if len(key) > ranks.LONG:
            break
        if side == "left" or (side == "in turns" and number % 2):
            high = key
        else:
            low = key
    assert len(key) > ranks.LONG > longest - 2
    Project.objects.filter(pk=a.pk).update(rank=low)
    Project.objects.filter(pk=b.pk).update(rank=high)
    card = ProjectFactory(rank="z1")
    place(card, lane="proposed", before=b, by=UserFactory(roles=["de_lead"]), at=timezone.now())
    assert order() == [a.pk, card.pk, b.pk]
    assert max(map(len, Project.objects.values_list("rank", flat=True))) <= 3


def test_a_spread_keeps_the_order_in_three_statements(db, django_assert_num_queries):
    cards = ProjectFactory.create_batch(8)
    cards.reverse()
    for number, card in enumerate(cards):
        Project.objects.filter(pk=card.pk).update(rank=f"a0{'V' * 100}{number}")
    with django_assert_num_queries(3):
        lanes.spread("proposed")
    assert order() == [card.pk for card in cards]


@pytest.mark.django_db(transaction=True)
def test_two_leads_at_once_leave_one_order():
    leads = UserFactory.create_batch(2, roles=["de_lead"])
    cards = ProjectFactory.create_batch(8)
    start, wrong, lost = threading.Barrier(2), [], []

    def shuffle(lead, seed):
        dice = random.Random(seed)  # noqa: S311 which card is moved
        try:
            start.wait(timeout=20)
            for _ in range(25):
                card, other = dice.sample(cards, 2)
                seen = Project.objects.get(pk=card.pk)
                version = seen.version if dice.random() < 0.5 else None
                try:
                    place(
                        seen,
                        lane="proposed",
                        before=dice.choice([other, END]),
                        version=version,
                        by=lead,
                        at=timezone.now(),
                    )
                except LaneChanged:
                    lost.append(card.pk)
        except Exception as error:  # noqa: BLE001 told by the other thread
            wrong.append(error)
        finally:
            connections.close_all()

    threads = [
        threading.Thread(target=shuffle, args=(lead, seed)) for seed, lead in enumerate(leads)
    ]
    for each in threads:
        each.start()
    for each in threads:
        each.join(timeout=60)
    assert not wrong
    assert sorted(order()) == sorted(card.pk for card in cards)
    found = list(Project.objects.values_list("rank", flat=True))
    assert len(set(found)) == len(found)


@pytest.mark.django_db(transaction=True)
def test_a_card_put_there_without_asking_for_the_column_is_no_error(monkeypatch):
    """Whoever inserts a card by the same key makes the move begin anew, not fail."""
    lead = UserFactory(roles=["de_lead"])
    a, b = ProjectFactory.create_batch(2)
    taken = ranks.between(None, a.rank)
    start = threading.Event()

    def insert():
        try:
            start.wait(timeout=20)
            ProjectFactory(rank=taken)
        finally:
            connections.close_all()

    thread = threading.Thread(target=insert)
    thread.start()
    tries = []

    def slow(*args):
        key = lanes.key_before(*args)
        if not tries:
            start.set()
            thread.join(timeout=20)
        tries.append(key)
        return key

    monkeypatch.setattr(ordering, "key_before", slow)
    place(b, lane="proposed", before=a, by=lead, at=timezone.now())
    assert len(tries) == 2
    assert order().index(b.pk) == order().index(a.pk) - 1
