import datetime as dt
import threading
import uuid
from decimal import Decimal

import pytest
import structlog
from django.db import IntegrityError, connection, transaction
from django.db.utils import InternalError
from django.utils import timezone

from events import selectors
from events.models import Event, SubjectKey
from events.services import (
    Draft,
    acting_token,
    destroy_subject_key,
    json_safe,
    record,
    record_all,
    record_many,
)
from people.models import Role, User
from tests.factories import ApiTokenFactory, UserFactory

NOON = dt.datetime(2026, 3, 2, 12, tzinfo=dt.UTC)


def test_an_event_tells_who_did_what_with_before_and_after(administrator):
    token = ApiTokenFactory(name="Sync")

    event = record(
        "token.renamed", token, by=administrator, before={"name": "Old"}, after={"name": "Sync"}
    )

    event.refresh_from_db()
    assert (event.actor_id, event.verb, event.object_type, event.object_id) == (
        administrator.pk,
        "token.renamed",
        "people.apitoken",
        token.uuid,
    )
    assert (event.before, event.after) == ({"name": "Old"}, {"name": "Sync"})
    assert event.object_label == f"Sync ({token.key})"
    assert event.subject is None


def test_the_request_and_the_token_are_noted(administrator):
    token = ApiTokenFactory()
    reset = acting_token.set("abc")
    with structlog.contextvars.bound_contextvars(request_id="request-1"):
        event = record("token.renamed", token, by=administrator)
    acting_token.reset(reset)

    assert (event.request_id, event.token_key) == ("request-1", "abc")


@pytest.mark.django_db(transaction=True)
def test_no_event_outside_the_transaction_of_its_change():
    user = UserFactory()

    with pytest.raises(transaction.TransactionManagementError):
        record("user.renamed", user, by=user)

    assert not Event.objects.exists()


def test_many_are_logged_as_one_by_one(administrator):
    token, person = ApiTokenFactory(name="Tab\t\\ and\nline"), UserFactory()
    drafts = [
        Draft(verb="token.renamed", obj=token, before={"name": "\\N"}, after={"name": "é\t"}),
        Draft(
            verb="user.changed",
            obj=person,
            after={"name": "Ada", "at": NOON, "amount": Decimal("1.50"), "on": NOON.date()},
            account_id=7,
            reason="Because\nof it",
        ),
    ]
    columns = ("actor_id", "token_key", "request_id", "verb", "object_type", "object_id",
               "object_label", "account_id", "before", "reason", "subject_id")  # fmt: skip
    reset = acting_token.set("abc")
    with structlog.contextvars.bound_contextvars(request_id="request-1"):
        record_all(drafts, by=administrator)
        record_many(drafts, by=administrator)
    acting_token.reset(reset)

    events = list(Event.objects.filter(verb__in=["token.renamed", "user.changed"]).order_by("id"))
    for one, of_many in zip(events[:2], events[2:], strict=True):
        for name in columns:
            assert getattr(one, name) == getattr(of_many, name)
        told = [selectors.readable(event, may_open=True).after for event in (one, of_many)]
        assert told[0] == told[1]
        assert one.uuid != of_many.uuid


@pytest.mark.parametrize(
    "change", ["UPDATE events_event SET verb = 'x'", "DELETE FROM events_event"]
)
@pytest.mark.as_owner
@pytest.mark.django_db
def test_not_even_the_owner_of_the_table_can_change_an_event(change):
    user = UserFactory()
    record("user.renamed", user, by=user)

    with (
        pytest.raises((InternalError, IntegrityError), match="append only"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(change)

    assert Event.objects.count() == 1


def test_personal_values_are_sealed_and_others_are_not(administrator):
    person = UserFactory(name="Ada Canary", email="ada.canary@keel.example")

    record(
        "user.created",
        person,
        by=administrator,
        after={"name": person.name, "email": person.email, "theme": "dark", "nick": None},
    )

    with connection.cursor() as cursor:
        cursor.execute("SELECT row_to_json(events_event)::text FROM events_event")
        row = cursor.fetchone()[0]
    assert "canary" not in row.lower()
    assert '"theme": "dark"' in row
    event = Event.objects.select_related("subject").get()
    assert event.object_label == ""
    opened = selectors.readable(event, may_open=True)
    assert opened.after == {
        "name": "Ada Canary",
        "email": "ada.canary@keel.example",
        "theme": "dark",
        "nick": None,
    }
    assert opened.before is None
    hidden = selectors.readable(event, may_open=False)
    assert hidden.after["name"] == selectors.HIDDEN


def test_one_person_has_one_key(administrator):
    person = UserFactory()

    for name in ("Ada", "Eva"):
        record("user.renamed", person, by=administrator, after={"name": name})

    assert SubjectKey.objects.filter(subject_id=person.uuid).count() == 1


def test_destroying_the_key_erases_what_was_and_what_will_be_logged(administrator):
    person = UserFactory(name="Ada")
    record("user.created", person, by=administrator, after={"name": "Ada", "theme": "dark"})

    destroy_subject_key(person, at=NOON)
    record("user.renamed", person, by=administrator, before={"name": "Ada"})

    events = Event.objects.select_related("subject").order_by("id")
    created, renamed = (selectors.readable(event, may_open=True) for event in events)
    assert created.after == {"name": selectors.ERASED, "theme": "dark"}
    assert renamed.before == {"name": selectors.ERASED}
    with connection.cursor() as cursor:
        cursor.execute("SELECT string_agg(row_to_json(e)::text, '') FROM events_event e")
        assert "Ada" not in cursor.fetchone()[0]


def test_a_key_destroyed_twice_stays_as_it_was_the_first_time(administrator):
    person = UserFactory()

    destroy_subject_key(person, at=NOON)
    destroy_subject_key(person, at=NOON + dt.timedelta(days=1))

    assert SubjectKey.objects.get().destroyed_at == NOON


def test_a_destroyed_key_has_no_bytes_left(administrator):
    person = UserFactory()
    destroy_subject_key(person, at=NOON)

    with pytest.raises(IntegrityError), transaction.atomic():
        SubjectKey.objects.update(wrapped_key=b"back again")


def test_thousands_of_events_take_a_handful_of_statements(
    administrator, django_assert_max_num_queries
):
    people = User.objects.bulk_create(
        [User(email=f"p{n}@keel.example", name=f"P {n}") for n in range(3000)]
    )

    with django_assert_max_num_queries(10):
        record_all(
            [Draft(verb="user.created", obj=p, after={"name": p.name}) for p in people],
            by=administrator,
        )

    assert Event.objects.count() == 3000
    last = Event.objects.select_related("subject").get(object_id=people[-1].uuid)
    assert selectors.readable(last, may_open=True).after == {"name": "P 2999"}


@pytest.mark.django_db(transaction=True)
def test_two_first_events_about_a_person_at_once_share_a_key():
    person, actor = UserFactory(), UserFactory()
    barrier = threading.Barrier(4)
    errors = []

    def work():
        try:
            barrier.wait()
            with transaction.atomic():
                record("user.renamed", person, by=actor, after={"name": "Ada"})
        except Exception as error:  # noqa: BLE001
            errors.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert errors == []
    assert SubjectKey.objects.count() == 1
    for event in Event.objects.select_related("subject"):
        assert selectors.readable(event, may_open=True).after == {"name": "Ada"}


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (None, None),
        (True, True),
        (7, 7),
        (Decimal("50000.10"), "50000.10"),
        (Decimal("1E+3"), "1000"),
        (dt.date(2026, 3, 2), "2026-03-02"),
        (NOON, "2026-03-02T12:00:00+00:00"),
        (uuid.UUID(int=1), "00000000-0000-0000-0000-000000000001"),
        (Role.TAM, "tam"),
        ("a\x00b\ud800", "ab?"),
        ({"b", "a"}, ["a", "b"]),
        ({"n": (1, Decimal(2))}, {"n": [1, "2"]}),
    ],
)
def test_values_are_written_as_json_has_them(value, written):
    assert json_safe(value) == written


@pytest.mark.parametrize("value", [0.5, b"bytes", object()])
def test_what_json_cannot_hold_exactly_is_refused(value):
    with pytest.raises(TypeError, match="no place in the event log"):
        json_safe(value)


def test_events_of_an_account_come_newest_first(administrator, django_assert_num_queries):
    people = UserFactory.create_batch(3)
    for person in people:
        record("user.created", person, by=administrator, after={"name": "A"}, account_id=7)
    record("user.created", people[0], by=administrator, account_id=8)

    with django_assert_num_queries(1):
        events = list(selectors.events_of_account(7))
        for event in events:
            selectors.readable(event, may_open=True)
            str(event.actor)

    assert [event.object_id for event in events] == [p.uuid for p in reversed(people)]
    assert selectors.events_of_object(people[0]).count() == 2


def test_the_events_time_is_that_of_the_database(administrator):
    event = record("user.created", administrator, by=administrator)

    assert abs(timezone.now() - event.at) < dt.timedelta(minutes=5)
