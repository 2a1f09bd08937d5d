"""How long a session lasts, and what somebody without a role sees."""

import time
from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import render

from config.lib.problems import is_api
from events.services import acting_token
from people import permissions, selectors
from people.http import SEEN_AT, SIGNED_IN_AT, stamp_session
from people.models import User

IDLE_SECONDS = 60 * 60
LONGEST_SECONDS = 12 * 60 * 60
# Seen at least this often, so that not every page writes its session.
STAMP_SECONDS = 5 * 60
# The page's own look at what is new is nobody's activity.
BELL = "bell"
ENDED = {
    "idle": "You were signed out after an hour without activity.",
    "age": "You were signed out after twelve hours. Sign in again to go on.",
}
WITHOUT_ROLE = frozenset({"people:theme"})


class SessionLifetimeMiddleware:
    """Ends a session after an hour without a request, and twelve hours after the sign-in."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        # A thread serves many requests: the token of the last one is not this one's.
        acting_token.set("")
        if request.user.is_authenticated:
            reason = _reason_to_end(request, time.time())
            if reason:
                logout(request)
                request.META["keel.session_ended"] = reason
        return self.get_response(request)

    def process_view(self, request: HttpRequest, *_: Any) -> None:
        """Say why, now that messages can be kept."""
        reason = request.META.pop("keel.session_ended", "")
        if reason and not is_api(request):
            messages.info(request, ENDED[reason])


class RoleRequiredMiddleware:
    """Shows a person without a role one page, which says who can give one."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: Callable[..., HttpResponseBase], *_: Any
    ) -> HttpResponseBase | None:
        user = request.user
        if not isinstance(user, User) or is_api(request) or _open_without_role(request, view):
            return None
        if permissions.has_any_role(user):
            return None
        context = {"administrators": selectors.administrators()}
        return render(request, "people/no_role.html", context, status=403)


def _reason_to_end(request: HttpRequest, now: float) -> str:
    """Return "idle", "age" or "", and keep the stamps up to date."""
    session = request.session
    if SIGNED_IN_AT not in session:
        stamp_session(request, now)
    signed_in_at, seen_at = session[SIGNED_IN_AT], session[SEEN_AT]
    if now - signed_in_at >= LONGEST_SECONDS:
        return "age"
    if now - seen_at >= IDLE_SECONDS:
        return "idle"
    if now - seen_at >= STAMP_SECONDS and request.headers.get("HX-Trigger") != BELL:
        session[SEEN_AT] = int(now)
    return ""


def _open_without_role(request: HttpRequest, view: Callable[..., HttpResponseBase]) -> bool:
    if not getattr(view, "login_required", True):
        return True
    match = request.resolver_match
    name = match.view_name if match else ""
    return name in WITHOUT_ROLE or name.startswith("account_")
