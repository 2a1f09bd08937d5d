import datetime as dt
import threading

import pytest
from allauth.account.models import EmailAddress
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.utils import timezone

from config.lib.errors import Invalid
from events import outbox, selectors
from events.models import Event, OutboxMessage
from people import services
from people.models import Role, User, system_user
from tests.factories import ApiTokenFactory, UserFactory

NOON = dt.datetime(2026, 3, 2, 12, tzinfo=dt.UTC)


def last_event():
    return Event.objects.select_related("subject").order_by("id").last()


def create(by, **fields):
    values = {"email": "ada@keel.example", "name": "Ada", "roles": [Role.TAM]} | fields
    return services.create_user(by=by, **values)


def test_create_user(administrator):
    user = create(administrator, roles=[Role.TAM, Role.CSM, Role.TAM])

    assert user.roles == {Role.TAM, Role.CSM}
    assert not user.has_usable_password()
    assert EmailAddress.objects.filter(user=user, email=user.email, primary=True).exists()
    event = last_event()
    assert (event.verb, event.actor) == ("user.created", administrator)
    assert selectors.readable(event, may_open=True).after == {
        "email": "ada@keel.example",
        "name": "Ada",
        "roles": ["csm", "tam"],
    }
    assert "sealed" in event.after["email"]


def test_create_user_is_for_administrators(tam):
    with pytest.raises(PermissionDenied, match="Only administrators"):
        create(tam)


def test_one_person_per_address_in_any_case(administrator):
    create(administrator)

    with pytest.raises(services.AlreadyThere, match="already has an account"):
        create(administrator, email="ADA@keel.example")

    assert User.objects.filter(email__iexact="ada@keel.example").count() == 1


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"email": "ada"}, "email"),
        ({"email": "ada@keel.example\nBcc: x@y.example"}, "email"),
        ({"name": ""}, "name"),
        ({"name": "A\x00"}, "name"),
        ({"roles": ["king"]}, "roles"),
    ],
)
def test_create_user_refuses(administrator, fields, field):
    with pytest.raises(Invalid) as refusal:
        create(administrator, **fields)

    assert refusal.value.field == field


def test_change_roles(administrator, tam):
    services.change_roles(tam, roles=[Role.CSM], by=administrator)

    assert tam.roles == {Role.CSM}
    event = last_event()
    assert (event.before, event.after) == ({"roles": ["tam"]}, {"roles": ["csm"]})


def test_the_same_roles_are_no_change(administrator, tam):
    services.change_roles(tam, roles=[Role.TAM], by=administrator)

    assert not Event.objects.exists()


def test_nobody_changes_their_own_roles(administrator):
    with pytest.raises(PermissionDenied, match="nobody their own"):
        services.change_roles(administrator, roles=[], by=administrator)


@pytest.mark.parametrize(
    "change",
    [
        lambda person: services.change_roles(person, roles=[Role.TAM], by=system_user()),
        lambda person: services.deactivate(person, by=system_user(), at=NOON),
    ],
    ids=["roles", "deactivate"],
)
def test_the_last_administrator_stays(administrator, change):
    with pytest.raises(services.LastAdministrator):
        change(administrator)

    administrator.refresh_from_db()
    assert administrator.is_active
    assert administrator.groups.filter(name=Role.ADMINISTRATOR).exists()


def test_an_inactive_administrator_does_not_count(administrator, person):
    person(Role.ADMINISTRATOR, is_active=False)

    with pytest.raises(services.LastAdministrator):
        services.deactivate(administrator, by=system_user(), at=NOON)


@pytest.mark.django_db(transaction=True)
def test_two_administrators_cannot_remove_each_other_at_once():
    first, second = UserFactory.create_batch(2, roles=[Role.ADMINISTRATOR])
    barrier = threading.Barrier(2)
    outcomes = []

    def remove(victim, by):
        by = User.objects.get(pk=by.pk)
        assert Role.ADMINISTRATOR in by.roles
        barrier.wait()
        try:
            services.change_roles(victim, roles=[Role.TAM], by=by)
            outcomes.append("done")
        except services.LastAdministrator:
            outcomes.append("refused")
        finally:
            connection.close()

    threads = [
        threading.Thread(target=remove, args=pair) for pair in [(first, second), (second, first)]
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(outcomes) == ["done", "refused"]
    assert User.objects.filter(groups__name=Role.ADMINISTRATOR).count() == 1


def test_deactivate_revokes_tokens(administrator, tam):
    token = ApiTokenFactory(owner=tam)

    services.deactivate(tam, by=administrator, at=NOON)

    tam.refresh_from_db()
    token.refresh_from_db()
    assert not tam.is_active
    assert token.revoked_at == NOON
    assert sorted(Event.objects.values_list("verb", flat=True)) == [
        "token.revoked",
        "user.deactivated",
    ]


def test_deactivate_and_reactivate_twice_change_once(administrator, tam):
    for _ in range(2):
        services.deactivate(tam, by=administrator, at=NOON)
    for _ in range(2):
        services.reactivate(tam, by=administrator)

    assert list(Event.objects.order_by("id").values_list("verb", flat=True)) == [
        "user.deactivated",
        "user.reactivated",
    ]
    assert tam.roles == {Role.TAM}


@pytest.mark.parametrize("service", ["deactivate", "reactivate"])
def test_deactivating_is_for_administrators(tam, csm, service):
    kwargs = {"at": NOON} if service == "deactivate" else {}

    with pytest.raises(PermissionDenied):
        getattr(services, service)(csm, by=tam, **kwargs)


def test_set_theme(tam):
    services.set_theme(tam, "dark")
    services.set_theme(tam, "dark")

    tam.refresh_from_db()
    assert tam.theme == "dark"
    assert Event.objects.count() == 1
    with pytest.raises(Invalid):
        services.set_theme(tam, "neon")


def test_set_password_tells_the_owner(tam):
    services.set_password(tam, "an-entirely-new-password", by=tam)

    tam.refresh_from_db()
    assert tam.check_password("an-entirely-new-password")
    assert OutboxMessage.objects.count() == 1
    assert last_event().after is None


def test_nobody_sets_anothers_password(administrator, tam):
    with pytest.raises(PermissionDenied):
        services.set_password(tam, "an-entirely-new-password", by=administrator)


def test_an_invitation_is_mailed_and_logged_without_its_link(administrator, mailoutbox):
    user = create(administrator)

    link = services.send_invitation(user, by=administrator)
    outbox.relay()

    (mail,) = mailoutbox
    assert mail.to == ["ada@keel.example"]
    assert link in mail.body
    key = link.rstrip("/").split("-", 1)[1]
    for event in Event.objects.all():
        assert key not in f"{event.before} {event.after} {event.reason}"


def test_create_token(tam):
    token, text = services.create_token(
        owner=tam, name="Sync", scopes=["metrics:read", "account:read"], days=10, by=tam, at=NOON
    )

    assert text.startswith(f"keel_{token.key}_")
    assert token.scopes == ["account:read", "metrics:read"]
    assert token.expires_at == NOON + dt.timedelta(days=10)
    event = last_event()
    assert event.after == {
        "owner": str(tam.uuid),
        "name": "Sync",
        "scopes": ["account:read", "metrics:read"],
        "expires_at": "2026-03-12T12:00:00+00:00",
    }


def test_a_token_is_nowhere_in_the_database(tam, settings):
    _, text = services.create_token(
        owner=tam, name="Sync", scopes=["metrics:read"], by=tam, at=timezone.now()
    )
    secret = text.split("_", 2)[2]

    with connection.cursor() as cursor:
        for table in ("people_apitoken", "events_event", "events_outboxmessage"):
            cursor.execute(f"SELECT string_agg(t::text, ' ') FROM {table} t")
            assert secret not in (cursor.fetchone()[0] or "")


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"scopes": []}, "scopes"),
        ({"scopes": ["everything"]}, "scopes"),
        ({"days": 0}, "days"),
        ({"days": 366}, "days"),
        ({"name": " "}, "name"),
        ({"name": "x" * 101}, "name"),
    ],
)
def test_create_token_refuses(tam, fields, field):
    values = {"owner": tam, "name": "Sync", "scopes": ["metrics:read"], "by": tam, "at": NOON}

    with pytest.raises(Invalid) as refusal:
        services.create_token(**values | fields)

    assert refusal.value.field == field


def test_a_person_without_a_role_makes_no_token(without_role):
    with pytest.raises(PermissionDenied):
        services.create_token(
            owner=without_role, name="Sync", scopes=["metrics:read"], by=without_role, at=NOON
        )


def test_revoke_token_once(tam, csm):
    token = ApiTokenFactory(owner=tam)

    for _ in range(2):
        services.revoke_token(token, by=tam, at=NOON)

    assert Event.objects.filter(verb="token.revoked").count() == 1
    with pytest.raises(PermissionDenied):
        services.revoke_token(token, by=csm, at=NOON)


def test_token_use_is_noted_once_a_minute(tam):
    token = ApiTokenFactory(owner=tam)

    for seconds in (0, 30, 61):
        token.refresh_from_db()
        services.note_token_use(token, at=NOON + dt.timedelta(seconds=seconds))
        token.refresh_from_db()
        expected = NOON if seconds < 60 else NOON + dt.timedelta(seconds=61)
        assert token.last_used_at == expected


@pytest.mark.django_db(transaction=True)
def test_noting_the_use_waits_for_nobody():
    token = ApiTokenFactory()
    locked, release = threading.Event(), threading.Event()

    def hold():
        with connection.cursor() as cursor:
            cursor.execute("BEGIN")
            cursor.execute("SELECT 1 FROM people_apitoken FOR UPDATE")
            locked.set()
            release.wait(10)
            cursor.execute("ROLLBACK")
        connection.close()

    holder = threading.Thread(target=hold)
    holder.start()
    assert locked.wait(5)
    services.note_token_use(token, at=NOON)
    release.set()
    holder.join()

    token.refresh_from_db()
    assert token.last_used_at is None


def test_the_system_user_is_one_and_cannot_sign_in(db, client):
    system = system_user()

    assert system_user() == system
    assert not system.has_usable_password()
    assert system.roles == frozenset()
