"""Who may do what among people; each docstring is what a refused person reads."""

from people.models import ApiToken, Role, User


def has_role(user: User, *roles: str) -> bool:
    """This needs a role you do not have."""
    return not user.roles.isdisjoint(roles)


def has_any_role(user: User) -> bool:
    """You have no role yet. An administrator can give you one."""
    return bool(user.roles)


def can_see_people(user: User) -> bool:
    """Only administrators can see the list of people."""
    return has_role(user, Role.ADMINISTRATOR)


def can_change_people(user: User) -> bool:
    """Only administrators can change people."""
    return user.is_system or has_role(user, Role.ADMINISTRATOR)


def can_change_roles_of(user: User, person: User) -> bool:
    """Only administrators can change roles, and nobody their own."""
    return can_change_people(user) and user.pk != person.pk and not person.is_system


def can_deactivate(user: User, person: User) -> bool:
    """Only administrators can deactivate people, and nobody themselves."""
    return can_change_people(user) and user.pk != person.pk and not person.is_system


def can_create_token_for(user: User, owner: User) -> bool:
    """A token can be created only by its owner, who needs a role."""
    return user.is_system or (user.pk == owner.pk and has_any_role(user))


def can_revoke_token(user: User, token: ApiToken) -> bool:
    """A token can be revoked only by its owner or an administrator."""
    return user.is_system or user.pk == token.owner_id or has_role(user, Role.ADMINISTRATOR)


def can_set_password_of(user: User, person: User) -> bool:
    """People set their own passwords only."""
    return user.pk == person.pk and not user.is_system
