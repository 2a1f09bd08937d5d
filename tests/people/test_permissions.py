import inspect

import pytest

from people import permissions
from people.models import ApiToken, Role, User


def user_with(*roles, pk=1, **fields):
    user = User(pk=pk, **fields)
    user.__dict__["roles"] = frozenset(roles)
    return user


@pytest.mark.parametrize("role", Role.values)
def test_only_administrators_change_people(role):
    allowed = role == Role.ADMINISTRATOR

    assert permissions.can_change_people(user_with(role)) is allowed
    assert permissions.can_see_people(user_with(role)) is allowed
    assert permissions.can_change_roles_of(user_with(role), User(pk=2)) is allowed
    assert permissions.can_deactivate(user_with(role), User(pk=2)) is allowed


def test_nobody_changes_their_own_roles_or_shuts_themselves_out():
    administrator = user_with(Role.ADMINISTRATOR)

    assert not permissions.can_change_roles_of(administrator, administrator)
    assert not permissions.can_deactivate(administrator, administrator)


def test_the_system_is_no_person_to_change():
    system = User(pk=2, is_system=True)

    assert not permissions.can_change_roles_of(user_with(Role.ADMINISTRATOR), system)
    assert not permissions.can_deactivate(user_with(Role.ADMINISTRATOR), system)


@pytest.mark.parametrize(
    ("user", "allowed"),
    [
        (user_with(Role.TAM), True),
        (user_with(), False),
        (user_with(Role.ADMINISTRATOR, pk=2), False),
        (user_with(pk=3, is_system=True), True),
    ],
)
def test_tokens_are_made_by_their_owners(user, allowed):
    assert permissions.can_create_token_for(user, user_with(Role.TAM)) is allowed


@pytest.mark.parametrize(
    ("user", "allowed"),
    [
        (user_with(), True),
        (user_with(Role.TAM, pk=2), False),
        (user_with(Role.ADMINISTRATOR, pk=2), True),
    ],
)
def test_tokens_are_revoked_by_their_owners_and_administrators(user, allowed):
    assert permissions.can_revoke_token(user, ApiToken(owner_id=1)) is allowed


def test_an_inactive_person_has_no_role(person):
    user = person(Role.ADMINISTRATOR, is_active=False)

    assert user.roles == frozenset()


def test_every_refusal_is_a_sentence():
    for name, predicate in inspect.getmembers(permissions, inspect.isfunction):
        if predicate.__module__ == permissions.__name__:
            assert (predicate.__doc__ or "").strip().endswith("."), name
