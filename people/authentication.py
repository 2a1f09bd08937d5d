"""How a request to the API says who it is, and what its token may be used for."""

from typing import TYPE_CHECKING, Any

from allauth.core.internal import ratelimit
from django.core.exceptions import PermissionDenied
from django.utils import timezone
from rest_framework import exceptions
from rest_framework.authentication import BaseAuthentication
from rest_framework.authentication import SessionAuthentication as DrfSessionAuthentication
from rest_framework.permissions import SAFE_METHODS, BasePermission

from events.services import acting_token
from people import permissions, selectors, services
from people.models import ApiToken, User

if TYPE_CHECKING:
    # Django REST framework's views import this module while they are being imported.
    from rest_framework.request import Request
    from rest_framework.views import APIView

WRONG_TOKENS = {"wrong_token": "60/m/ip"}
SENTENCE = "Sign in or send a valid token."


class TokenAuthentication(BaseAuthentication):
    """`Authorization: Bearer keel_...`; a token that is no good is not told why."""

    def authenticate(self, request: "Request") -> tuple[User, ApiToken] | None:
        scheme, _, text = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            return None
        now = timezone.now()
        token = selectors.token_of(text.strip())
        if token is None or not token.is_usable(now) or not token.owner.is_active:
            self._count_failure(request)
            raise exceptions.AuthenticationFailed(SENTENCE)
        services.note_token_use(token, at=now)
        acting_token.set(token.key)
        if token.account_ids is not None:
            token.owner.limited_to = frozenset(token.account_ids)
        return token.owner, token

    def authenticate_header(self, request: "Request") -> str:
        return "Bearer"

    def _count_failure(self, request: "Request") -> None:
        # Guessing 256 bits is hopeless; this only keeps the guessers from being a load.
        if not ratelimit.consume(
            request._request,  # noqa: SLF001
            app="people",
            action="wrong_token",
            config=WRONG_TOKENS,
            limit_get=True,
        ):
            raise exceptions.Throttled(wait=60)


class SessionAuthentication(DrfSessionAuthentication):
    """The signed-in person of a page, with the CSRF token for anything that writes."""


class HasScope(BasePermission):
    """The view's `scope`, and `write_scope` for what writes, is what a token must have.

    `scope = ""` lets any token read; without a `write_scope` none writes. Whoever is
    signed in needs a role, unless the view says `for_anybody = True`. A token limited to
    some accounts gets to views only that say `for_limited_tokens = True`.
    """

    def has_permission(self, request: "Request", view: "APIView") -> bool:
        if not isinstance(request.user, User):
            return False
        if not getattr(view, "for_anybody", False) and not permissions.has_any_role(request.user):
            raise PermissionDenied(permissions.has_any_role.__doc__)
        if isinstance(request.auth, ApiToken):
            _check_scope(request.auth, request.method or "", view)
        return True


def _check_scope(token: ApiToken, method: str, view: Any) -> None:
    if not hasattr(view, method.lower()):
        return  # answered with 405
    if token.account_ids is not None and not getattr(view, "for_limited_tokens", False):
        raise PermissionDenied(permissions.is_unlimited.__doc__)
    wanted = getattr(view, "scope" if method in SAFE_METHODS else "write_scope", None)
    if wanted is None:
        raise PermissionDenied("No token may do this.")
    if wanted and wanted not in token.scopes:
        raise PermissionDenied(f"This token has no scope {wanted}.")


def revoke_leaked(text: str) -> None:
    """Revoke a token that came in an address."""
    services.revoke_leaked_token(text, at=timezone.now())
