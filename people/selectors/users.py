"""Reading people and tokens, and telling whether a token or a one-time link is good."""

import hashlib
import hmac
import re

from django.conf import settings
from django.contrib.auth.models import Group
from django.contrib.auth.tokens import PasswordResetTokenGenerator
from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import OuterRef, Q, QuerySet
from django.urls import reverse
from django.utils.http import base36_to_int, int_to_base36

from people.models import ApiToken, Role, User

INVITATION_DAYS = 7
RESET_MINUTES = 60
DIGEST_BYTES = 32
TOKEN = re.compile(r"keel_(?P<key>[0-9a-f]{12})_[A-Za-z0-9_-]{43}")


class PasswordLinks(PasswordResetTokenGenerator):
    """One-time links: good until the password, address or last sign-in changes.

    A person who has a password must use theirs within the hour; an invitation waits for
    days (PASSWORD_RESET_TIMEOUT).
    """

    key_salt = "people.PasswordLinks"

    def check_token(self, user: User | None, token: str | None) -> bool:
        if user is None or not user.is_active or user.is_system:
            return False
        if not super().check_token(user, token):
            return False
        return not user.has_usable_password() or self._age(token or "") <= RESET_MINUTES * 60

    def _age(self, token: str) -> int:
        made = base36_to_int(token.partition("-")[0])
        return self._num_seconds(self._now()) - made


def password_link(user: User) -> str:
    """Return the absolute address where the person sets a password, once."""
    path = reverse(
        "account_reset_password_from_key",
        kwargs={"uidb36": int_to_base36(user.pk), "key": PasswordLinks().make_token(user)},
    )
    return f"{settings.BASE_URL}{path}"


def active_user_by_email(email: str) -> User | None:
    return User.objects.filter(email__iexact=email, is_active=True, is_system=False).first()


def people() -> QuerySet[User]:
    """Return everybody but the system, by name."""
    return User.objects.filter(is_system=False).prefetch_related("groups").order_by("name", "id")


def administrators() -> QuerySet[User]:
    return people().filter(is_active=True, groups__name=Role.ADMINISTRATOR)


def people_with_role(role: Role) -> QuerySet[User]:
    """Return the active people of a role, to be written to."""
    return people().filter(groups__name=role, is_active=True).order_by("pk")


def colleagues() -> QuerySet[User]:
    """Return who can be given something to do: active and with a role, by name."""
    rows = User.objects.filter(is_system=False, is_active=True, groups__isnull=False)
    return rows.distinct().order_by("name", "id")


def people_named(text: str) -> QuerySet[User]:
    """Return those with these words in their name or address."""
    found = people()
    for word in text.replace("\x00", "").split():
        found = found.filter(Q(name__icontains=word) | Q(email__icontains=word))
    return found


def tokens_of(user: User) -> QuerySet[ApiToken]:
    """Return the person's tokens, newest first; revoked and expired ones too."""
    return user.tokens.order_by("-created_at", "-id")


def all_tokens(*, owner_email: str = "") -> QuerySet[ApiToken]:
    """Return everybody's tokens, or one person's, newest first."""
    tokens = ApiToken.objects.select_related("owner").order_by("-created_at", "-id")
    return tokens.filter(owner__email__iexact=owner_email) if owner_email else tokens


def newest_pepper_id() -> str:
    return str(list(settings.TOKEN_PEPPERS)[-1])


def token_digest(text: str, pepper_id: str) -> bytes:
    pepper: str = settings.TOKEN_PEPPERS[pepper_id]
    return hmac.digest(pepper.encode(), text.encode(errors="replace"), hashlib.sha256)


def token_of(text: str) -> ApiToken | None:
    """Return the token with its owner, usable or not, if there is one with this text.

    Takes as long for a key nobody has as for a wrong secret.
    """
    match = TOKEN.fullmatch(text)
    token = None
    if match:
        # With the owner's roles, so that a request asks for both at once.
        roles = Group.objects.filter(people=OuterRef("owner")).values("name")
        tokens = ApiToken.objects.select_related("owner").annotate(roles=ArraySubquery(roles))
        token = tokens.filter(key=match["key"]).first()
    if token is None or token.pepper_id not in settings.TOKEN_PEPPERS:
        hmac.compare_digest(token_digest(text, newest_pepper_id()), bytes(DIGEST_BYTES))
        return None
    if token.owner.is_active:
        token.owner.roles = frozenset(token.roles)
    digest = token_digest(text, token.pepper_id)
    return token if hmac.compare_digest(digest, bytes(token.digest)) else None
