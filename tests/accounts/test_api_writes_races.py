"""Writers who meet: one after the other or refused, never a mix, never lost."""

import threading

import pytest
from django.db import connection, connections, transaction
from rest_framework.test import APIClient

from accounts.models import Account, Subscription
from accounts.services import upserts
from accounts.services.storing import take_turn
from config.lib import retries
from events.models import Event
from tests.accounts.test_api_writes import API, KINDS, send
from tests.accounts.test_api_writes_bulk import bulk
from tests.factories import AccountFactory, SubscriptionFactory


@pytest.fixture
def writer(api_client, metric_owner):
    return api_client(metric_owner)


@pytest.fixture
def acme(db):
    return AccountFactory(source="crm", external_id="A-1", name="Acme")


def at_once(*works):
    """Run them in threads that start together; return their results in order."""
    start = threading.Barrier(len(works))
    results = [None] * len(works)

    def run(place, work):
        start.wait(10)
        try:
            results[place] = work()
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=each) for each in enumerate(works)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return results


def twin_of(client):
    """Return another client with the same token: one is not for two threads."""
    twin = APIClient()
    twin.credentials(**client._credentials)
    return twin


@pytest.mark.django_db(transaction=True)
class TestAtOnce:
    def test_of_two_bulk_edits_from_one_version_one_wins(self, writer, acme):
        """The winner's edit stands on every item, the other's on none."""
        for number in range(30):
            SubscriptionFactory(account=acme, source="billing", external_id=f"S-{number}")

        def edit(word, order, version):
            items = [
                {"source": "billing", "external_id": f"S-{number}", "product": word}
                | ({"version": version} if version else {})
                for number in order
            ]
            return bulk(twin_of(writer), "subscriptions", items, key=f"{word}{version}").status_code

        up, down = range(30), range(29, -1, -1)
        statuses = at_once(lambda: edit("One", up, 1), lambda: edit("Two", down, 1))

        assert sorted(statuses) == [200, 412]
        winner = ("One", "Two")[statuses.index(200)]
        assert set(Subscription.objects.values_list("product", "version")) == {(winner, 2)}

        statuses = at_once(lambda: edit("One", up, None), lambda: edit("Two", down, None))

        assert statuses == [200, 200]
        assert len(set(Subscription.objects.values_list("product", flat=True))) == 1

    def test_a_stale_change_never_overwrites_another(self, writer, acme):
        """H01: both count up from what they read; each success must be in the sum."""
        subscription = SubscriptionFactory(account=acme, seats=0)
        path = f"subscriptions/{subscription.uuid}/"

        def count_up(times):
            client, refused = twin_of(writer), 0
            while times:
                read = client.get(f"{API}/{path}")
                body = {"seats": read.json()["seats"] + 1}
                answer = send(client, "patch", path, body, if_match=read.headers["ETag"])
                assert answer.status_code in {200, 412}, answer.content
                times -= answer.status_code == 200
                refused += answer.status_code == 412
            return refused

        at_once(lambda: count_up(50), lambda: count_up(50))

        subscription.refresh_from_db()
        assert (subscription.seats, subscription.version) == (100, 101)
        assert Event.objects.filter(object_id=subscription.uuid).count() == 100

    def test_of_two_that_create_the_same_one_does(self, writer, acme):
        body = KINDS["accounts"][0]

        def create():
            return send(twin_of(writer), "post", "accounts/", body).status_code

        assert sorted(at_once(create, create)) == [201, 409]
        assert Account.objects.filter(external_id="N-1").count() == 1

    def test_two_that_put_the_same_make_one(self, writer, acme):
        def put():
            path = "accounts/by-external-id/crm/N-1/"
            return send(twin_of(writer), "put", path, {"name": "New"}).status_code

        assert sorted(at_once(put, put)) == [200, 201]

    def test_who_must_wait_too_long_is_told_to_come_back(self, writer, acme):
        at_work, go_on = threading.Event(), threading.Event()

        def hold():
            with transaction.atomic():
                take_turn("accounts")
                at_work.set()
                assert go_on.wait(10)
            connections.close_all()

        holder = threading.Thread(target=hold)
        holder.start()
        assert at_work.wait(10)
        with connection.cursor() as cursor:
            cursor.execute("SET lock_timeout = '50ms'")
        try:
            answers = [
                send(writer, "post", "accounts/", KINDS["accounts"][0]),
                send(writer, "post", "accounts/", KINDS["accounts"][0], idempotency_key="k"),
                bulk(writer, "accounts", [KINDS["accounts"][0]]),
            ]
        finally:
            go_on.set()
            holder.join()
            connection.close()
        for answer in answers:
            assert (answer.status_code, answer.json()["code"]) == (409, "busy")
            assert answer.headers["Retry-After"] == "5"
        again = send(writer, "post", "accounts/", KINDS["accounts"][0], idempotency_key="k")
        assert again.status_code == 201


@pytest.fixture
def giving_way(monkeypatch):
    """Let the database make a write give way as often as asked, with this error's code."""
    monkeypatch.setattr(retries, "PAUSE", 0)
    left = []

    def take_turn_or_give_way(kind):
        if left:
            with connection.cursor() as cursor:
                cursor.execute(
                    f"DO $$ BEGIN RAISE EXCEPTION 'x' USING ERRCODE = '{left.pop()}'; END $$"
                )
        take_turn(kind)

    monkeypatch.setattr(upserts, "take_turn", take_turn_or_give_way)
    return left.extend


@pytest.mark.parametrize("headers", [{}, {"idempotency_key": "key"}])
class TestGivingWay:
    @pytest.mark.parametrize("code", ["40P01", "40001"])
    def test_is_tried_again(self, writer, acme, giving_way, headers, code):
        giving_way([code] * 3)
        answer = send(writer, "post", "accounts/", KINDS["accounts"][0], **headers)
        assert answer.status_code == 201, answer.content
        assert Account.objects.filter(external_id="N-1").count() == 1
        assert Event.objects.filter(object_id=answer.json()["id"]).count() == 1

    def test_for_ever_is_answered_with_later(self, writer, acme, giving_way, headers):
        giving_way(["40P01"] * 4)
        answer = send(writer, "post", "accounts/", KINDS["accounts"][0], **headers)
        assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
        assert answer.headers["Retry-After"]
        assert send(writer, "post", "accounts/", KINDS["accounts"][0], **headers).status_code == 201
