import datetime as dt
from collections.abc import Iterable

from allauth.account.models import EmailAddress
from django.contrib.auth import SESSION_KEY
from django.contrib.auth.models import Group
from django.contrib.sessions.models import Session
from django.db import IntegrityError, transaction
from django.db.models.functions import Now

from config.lib.authz import require
from config.lib.errors import Conflict, Invalid, StaleWrite
from config.lib.values import BadValue, parse_email, parse_name
from events.services import Draft, record, record_all
from people import permissions
from people.models import Role, User


class AlreadyThere(Conflict):
    """Somebody has this e-mail address already."""

    code = "email_taken"


class LastAdministrator(Conflict):
    """Nobody could change people any more."""

    code = "last_administrator"
    default_message = "This is the last administrator. Make somebody else one first."


@transaction.atomic
def create_user(*, email: str, name: str, roles: Iterable[str], by: User) -> User:
    """Add a person who has no password yet; see password_link for their way in."""
    require(permissions.can_change_people, by)
    email = _parsed("email", email)
    name = _parsed("name", name)
    groups = _groups(roles)
    user = User(email=email, name=name)
    user.set_unusable_password()
    try:
        with transaction.atomic():
            user.save()
    except IntegrityError as error:
        raise AlreadyThere(f"{email} already has an account.") from error
    user.groups.set(groups)
    EmailAddress.objects.create(user=user, email=email, verified=True, primary=True)
    names = sorted(group.name for group in groups)
    record("user.created", user, by=by, after={"email": email, "name": name, "roles": names})
    return user


@transaction.atomic
def change_roles(
    person: User, *, roles: Iterable[str], by: User, seen: Iterable[str] | None = None
) -> None:
    """Give the person these roles and no others.

    Raises LastAdministrator, and StaleWrite where the roles are no longer those `seen`.
    """
    require(permissions.can_change_roles_of, by, person)
    groups = _groups(roles)
    _lock_administrators()
    before = set(person.groups.values_list("name", flat=True))
    after = {group.name for group in groups}
    if seen is not None and set(seen) != before:
        raise StaleWrite
    if before == after:
        return
    person.groups.set(groups)
    _keep_an_administrator()
    _forget_roles(person)
    record(
        "user.roles_changed",
        person,
        by=by,
        before={"roles": sorted(before)},
        after={"roles": sorted(after)},
    )


@transaction.atomic
def deactivate(person: User, *, by: User, at: dt.datetime) -> None:
    """Let the person no longer in; their sessions end and their tokens are revoked."""
    require(permissions.can_deactivate, by, person)
    _lock_administrators()
    if not _set_active(person, active=False):
        return
    _keep_an_administrator()
    _end_sessions(person)
    open_tokens = list(person.tokens.select_for_update().filter(revoked_at=None).order_by("pk"))
    person.tokens.filter(pk__in=[token.pk for token in open_tokens]).update(revoked_at=at)
    drafts = [
        Draft(verb="user.deactivated", obj=person, before={"active": True}, after={"active": False})
    ]
    drafts += [
        Draft(verb="token.revoked", obj=token, after={"revoked_at": at}) for token in open_tokens
    ]
    record_all(drafts, by=by)


@transaction.atomic
def reactivate(person: User, *, by: User) -> None:
    """Let the person in again, with the password and roles they had."""
    require(permissions.can_deactivate, by, person)
    if _set_active(person, active=True):
        record("user.reactivated", person, by=by, before={"active": False}, after={"active": True})


@transaction.atomic
def set_theme(user: User, theme: str) -> None:
    """Remember the colours this person wants to see."""
    if theme not in User.Theme.values:
        raise Invalid("Choose system, light or dark.", field="theme")
    before = user.theme
    if before == theme:
        return
    user.theme = theme
    user.save(update_fields=["theme"])
    record("user.theme_changed", user, by=user, before={"theme": before}, after={"theme": theme})


def _parsed(field: str, value: str) -> str:
    try:
        return parse_email(value) if field == "email" else parse_name(value)
    except BadValue as error:
        raise Invalid(error.detail, field=field, code=error.code) from error


def _groups(roles: Iterable[str]) -> list[Group]:
    wanted = sorted(set(roles))
    if unknown := [role for role in wanted if role not in Role.values]:
        raise Invalid(f"There is no role {unknown[0]!r}.", field="roles", code="unknown_role")
    return [Group.objects.get_or_create(name=role)[0] for role in wanted]


def _lock_administrators() -> None:
    """One change to who is an administrator at a time, so that not both of two go."""
    Group.objects.get_or_create(name=Role.ADMINISTRATOR)
    Group.objects.select_for_update().get(name=Role.ADMINISTRATOR)


def _keep_an_administrator() -> None:
    if not User.objects.filter(is_active=True, groups__name=Role.ADMINISTRATOR).exists():
        raise LastAdministrator


def _set_active(person: User, *, active: bool) -> bool:
    changed = User.objects.filter(pk=person.pk, is_active=not active).update(is_active=active)
    person.is_active = active
    _forget_roles(person)
    return bool(changed)


def _end_sessions(person: User) -> None:
    """Delete them, so that none comes back to life with the person."""
    key = str(person.pk)
    sessions = Session.objects.filter(expire_date__gt=Now())
    ended = [s.pk for s in sessions.iterator() if s.get_decoded().get(SESSION_KEY) == key]
    Session.objects.filter(pk__in=ended).delete()


def _forget_roles(person: User) -> None:
    person.__dict__.pop("roles", None)
