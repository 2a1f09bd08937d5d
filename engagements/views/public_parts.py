"""What all pages without an account share: headers, limits, and the cookie after an answer."""

import datetime as dt
import uuid
from collections.abc import Callable
from functools import wraps
from typing import Any
from zoneinfo import ZoneInfo

from allauth.core.internal import ratelimit
from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.core import signing
from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt

from accounts import selectors as accounts
from config.lib.errors import DomainError, TooMany
from engagements.models import CustomerQuestion, SignOff

COOKIE = "receipt"
COOKIE_SECONDS = 30 * 60
COOKIE_PATH = "/s/"
SALT = "engagements.receipt"
# Guessing 256 bits is hopeless; this only keeps the guessers from being a load.
LIMITS = {"link_unknown": "30/m/ip", "link_answer": "60/m/ip", "receipt_unknown": "30/m/ip"}
WAIT = 60
HEADERS = {
    "Cache-Control": "no-store, private",
    "Referrer-Policy": "no-referrer",
    "X-Robots-Tag": "noindex, nofollow, noarchive",
}
View = Callable[..., HttpResponse]


def public(view: View) -> View:
    """Open the view to everybody. No CSRF cookie: the token in the address is the secret."""

    @wraps(view)
    def wrapped(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            response = view(request, *args, **kwargs)
        except TooMany:
            response = page(request, "public/too_many.html", status=429)
            response.headers["Retry-After"] = str(WAIT)
        except BadRequest:
            response = page(request, "public/odd.html", status=400)
        except DomainError as refusal:
            context = {"message": refusal.message}
            response = page(request, "public/refused.html", context, status=refusal.status)
        for name, value in HEADERS.items():
            response.headers[name] = value
        return response

    opened: View = csrf_exempt(login_not_required(wrapped))
    return opened


def page(
    request: HttpRequest, template: str, context: dict[str, Any] | None = None, status: int = 200
) -> HttpResponse:
    """Render on the company's clocks, with the company's name on top."""
    company = accounts.company()
    with timezone.override(ZoneInfo(company.time_zone)):
        return render(request, template, {"company": company, **(context or {})}, status=status)


def count(request: HttpRequest, action: str) -> None:
    """Count towards a limit of the address the request came from. Raises TooMany beyond it."""
    if not ratelimit.consume(
        request, app="engagements", action=action, config=LIMITS, limit_get=True
    ):
        raise TooMany(retry_after=WAIT)


def unknown(request: HttpRequest) -> HttpResponse:
    """The one answer to every token that is none."""
    count(request, "link_unknown")
    return page(request, "public/unknown.html", status=404)


def remember(response: HttpResponse, kept: SignOff | CustomerQuestion) -> HttpResponse:
    """Put what was answered into a cookie, so that the token is needed no more."""
    kind = "sign_off" if isinstance(kept, SignOff) else "question"
    response.set_cookie(
        COOKIE,
        signing.dumps({kind: str(kept.uuid)}, salt=SALT),
        max_age=COOKIE_SECONDS,
        path=COOKIE_PATH,
        httponly=True,
        secure=settings.SESSION_COOKIE_SECURE,
        samesite="Lax",
    )
    return response


def remembered(request: HttpRequest) -> SignOff | CustomerQuestion | None:
    """Return what this browser answered within the last half hour."""
    try:
        kept = signing.loads(
            request.COOKIES.get(COOKIE, ""),
            salt=SALT,
            max_age=dt.timedelta(seconds=COOKIE_SECONDS),
        )
    except signing.BadSignature:
        return None
    if "question" in kept:
        questions = CustomerQuestion.objects.select_related("link__request__account")
        return questions.filter(uuid=kept["question"]).first()
    return sign_off_of_id(kept.get("sign_off", ""))


def sign_off_of_id(public_id: str) -> SignOff | None:
    try:
        key = uuid.UUID(public_id)
    except ValueError:
        return None
    found = SignOff.objects.select_related(
        "request__account", "request__filed_by", "sow", "delivery", "link__contact", "contact"
    )
    return found.filter(uuid=key).first()
