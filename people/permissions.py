"""Who may do what among people; each docstring is what a refused person reads."""

import uuid

from events.services import acting_token
from people.models import Absence, ApiToken, Role, SavedView, User

MAKERS_OF_TEAM_VIEWS = (
    Role.DE_LEAD,
    Role.ENGINEERING_LEADERSHIP,
    Role.SUPPORT_LEADERSHIP,
    Role.PRODUCT_LEADERSHIP,
    Role.LEADERSHIP,
    Role.METRIC_OWNER,
    Role.ADMINISTRATOR,
)


def has_role(user: User, *roles: str) -> bool:
    """This needs a role you do not have."""
    return not user.roles.isdisjoint(roles)


def has_any_role(user: User) -> bool:
    """You have no role yet. An administrator can give you one."""
    return bool(user.roles)


def is_unlimited(user: User) -> bool:
    """This token is limited to some accounts."""
    return user.limited_to is None


def reaches(user: User, account_id: uuid.UUID) -> bool:
    """This token is limited to some accounts."""
    return user.limited_to is None or account_id in user.limited_to


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


def can_save_views(user: User) -> bool:
    """Only people with a role can save views."""
    return has_any_role(user)


def can_make_team_views(user: User) -> bool:
    """Only leads, leadership, metric owners and administrators can make views for the team."""
    return user.is_system or has_role(user, *MAKERS_OF_TEAM_VIEWS)


def can_change_view(user: User, view: SavedView) -> bool:
    """A personal view is its owner's; team views are kept by leads, leadership, metric owners."""
    return can_make_team_views(user) if view.is_team else user.pk == view.owner_id


def can_see_absences(user: User) -> bool:
    """Only people with a role can see who is away."""
    return user.is_system or has_any_role(user)


def can_ask_for_absence(user: User, person: User) -> bool:
    """People ask for their own absence; DE leads and leadership enter it for others."""
    is_own = user.pk == person.pk and has_any_role(user)
    return is_own or decides_on_absences(user)


def decides_on_absences(user: User) -> bool:
    """Only a DE lead or leadership decides on absences."""
    return has_role(user, Role.DE_LEAD, Role.LEADERSHIP)


def can_decide_absence(user: User, absence: Absence) -> bool:
    """Only a DE lead or leadership decides on absences, nobody on their own, never a token."""
    is_own = user.pk == absence.person_id
    return not acting_token.get() and decides_on_absences(user) and not is_own


def can_change_absence(user: User, absence: Absence) -> bool:
    """Only who is away, who entered it, a DE lead or leadership can change an absence."""
    is_own = user.pk in (absence.person_id, absence.asked_by_id) and has_any_role(user)
    return is_own or decides_on_absences(user)


def can_withdraw_absence(user: User, absence: Absence) -> bool:
    """Only who is away, or who entered it, can withdraw an absence."""
    return user.pk in (absence.person_id, absence.asked_by_id) and has_any_role(user)


def can_read_absence_note(user: User, absence: Absence) -> bool:
    """Why somebody is away is for them, who entered it, and who decides."""
    return can_change_absence(user, absence)


def is_keel(user: User, _thing: object = None) -> bool:
    """Keel does this by itself, when its day has come."""
    return user.is_system
