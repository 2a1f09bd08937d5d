import ipaddress
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.utils.http import url_has_allowed_host_and_scheme

from people.models import ApiToken, User

SIGNED_IN_AT = "signed_in_at"
SEEN_AT = "seen_at"


def user_of(request: HttpRequest) -> User:
    """Return the signed-in person; LoginRequiredMiddleware saw to it that there is one."""
    assert isinstance(request.user, User)  # noqa: S101
    return request.user


def principal_of(request: Any) -> str:
    """Name who asks, the token rather than its owner; "" for nobody."""
    token = getattr(request, "auth", None)
    if isinstance(token, ApiToken):
        return f"token:{token.key}"
    return f"user:{request.user.pk}" if isinstance(request.user, User) else ""


def stamp_session(request: HttpRequest, now: float) -> None:
    """Note when the person signed in, and was last seen, in seconds since the epoch."""
    request.session[SIGNED_IN_AT] = request.session[SEEN_AT] = int(now)


def client_ip(request: HttpRequest) -> str:
    """Return the address the request came from, as told by as many proxies as are ours.

    What stands further left in X-Forwarded-For was written by the client.
    """
    hops = request.headers.get("X-Forwarded-For", "").split(",")
    count = settings.TRUSTED_PROXY_COUNT
    given = hops[-count] if 0 < count <= len(hops) else request.META.get("REMOTE_ADDR", "")
    try:
        return str(ipaddress.ip_address(given.strip()))
    except ValueError:
        return "unknown"


def is_own_path(url: str | None) -> bool:
    """Whether it is a path on this site, so that one may be sent there."""
    return bool(url and url.startswith("/")) and url_has_allowed_host_and_scheme(url, None)
