"""The pages for what went wrong: what happened, what is safe, what to do.

Requests below /api/ are answered by `config.lib.problems`, requests of htmx by one
sentence in plain text that the page says in its live region.
"""

import logging
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import Any

from django.core.exceptions import RequestDataTooBig
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.template.loader import render_to_string

from config.lib import problems
from config.lib.errors import DomainError, Unavailable
from config.lib.htmx import is_htmx
from config.lib.request_id import current_request_id

log = logging.getLogger(__name__)

RETRY_SOON = 60
NO_DATABASE = (OperationalError, InterfaceError)
UNTOUCHED = "Nothing was changed."
# Pages for customers, who have no account.
PUBLIC = ("/s/", "/verify/")


@dataclass(frozen=True)
class Act:
    """Something to do next."""

    label: str
    url: str


@dataclass(frozen=True)
class Page:
    """What an error page says."""

    title: str
    sentences: tuple[str, ...]
    retry: bool = False


PAGES = {
    400: Page(
        "This request could not be read",
        (
            "Something in the address or in what was sent is not as expected.",
            "Nothing was saved. Go back, reload the page and try again.",
        ),
    ),
    403: Page(
        "You may not do this",
        ("Your roles do not allow it.", UNTOUCHED),
    ),
    404: Page(
        "There is nothing here",
        (
            "The address may be mistyped, or the page may have moved.",
            "Or it is something that your roles do not let you see.",
        ),
    ),
    405: Page("This is not possible here", (UNTOUCHED,)),
    409: Page(
        "Someone was quicker",
        (
            "What you were working on has changed since you opened it.",
            "Nothing of yours was saved. Reload the page to see how it is now.",
        ),
        retry=True,
    ),
    413: Page("This is too large", ("Nothing was saved.", "Send less at once.")),
    429: Page(
        "Too many tries in a short time",
        ("To keep everybody safe this is limited. Nothing is lost.",),
        retry=True,
    ),
    500: Page(
        "Something went wrong",
        (
            "The fault is on our side and was recorded.",
            "What was saved before is safe; what you just sent was not saved.",
            "Try again in a moment. If it happens again, give an administrator this reference.",
        ),
        retry=True,
    ),
    503: Page(
        "Not available for the moment",
        (
            "A part that is needed does not answer.",
            "What was saved before is safe; what you just sent was not saved.",
            "Try again in a minute.",
        ),
        retry=True,
    ),
}
CSRF = Page(
    "This form was open too long",
    (
        "To protect you, a form can only be sent from the session it was opened in.",
        "Nothing was saved. Go back, reload the page and send it again.",
    ),
)
# Rendered by hand: for when not even a template can be.
LAST_RESORT = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>Something went wrong · Keel</title></head>
<body><h1>Something went wrong</h1>
<p>What was saved before is safe; what you just sent was not saved. Try again.</p>
<p>Reference {reference}</p></body></html>"""


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    return answer(request, 413 if isinstance(exception, RequestDataTooBig) else 400)


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Says who may, in the words of the permission that refused."""
    return answer(request, 403, _saying(403, str(exception)))


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    return answer(request, 404)


def server_error(request: HttpRequest) -> HttpResponse:
    away = isinstance(sys.exc_info()[1], NO_DATABASE)
    return answer(request, 503 if away else 500)


def too_many_requests(request: HttpRequest) -> HttpResponse:
    """What sign-in answers when it is tried too often."""
    return answer(request, 429, retry_after=RETRY_SOON)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    log.warning("CSRF check failed: %s", reason)
    return answer(request, 403, CSRF)


class ErrorPagesMiddleware:
    """Answers what services refuse, and a database that is away, with a page."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if isinstance(exception, DomainError):
            return domain_error(request, exception)
        if isinstance(exception, NO_DATABASE):
            log.error("The database does not answer", exc_info=exception)
            return answer(request, Unavailable.status)
        return None


def domain_error(request: HttpRequest, error: DomainError) -> HttpResponse:
    page = _saying(error.status, error.message)
    return answer(request, error.status, page, retry_after=error.retry_after or None)


def answer(
    request: HttpRequest,
    status: int,
    page: Page | None = None,
    *,
    retry_after: int | None = None,
) -> HttpResponse:
    """The page for this status, in the form that the asker reads; never raises."""
    page = page or PAGES.get(status) or _unlisted(status)
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        retry_after = retry_after or RETRY_SOON
    headers = {"Retry-After": str(retry_after)} if retry_after else {}
    if retry_after and status == HTTPStatus.TOO_MANY_REQUESTS:
        wait = f"Wait {retry_after} second{'' if retry_after == 1 else 's'}, then try again."
        page = replace(page, sentences=(*page.sentences, wait))
    if problems.is_api(request):
        return problems.problem_response(status, headers=headers)
    if is_htmx(request):
        reference = f" Reference {current_request_id()}." if _broken(status) else ""
        return HttpResponse(
            f"{page.title}. {page.sentences[0]}{reference}",
            status=status,
            content_type="text/plain; charset=utf-8",
            headers={**headers, "HX-Reswap": "none"},
        )
    return HttpResponse(_html(request, status, page), status=status, headers=headers)


def _html(request: HttpRequest, status: int, page: Page) -> str:
    reference = current_request_id()
    broken = _broken(status)
    context: dict[str, Any] = {
        "title": page.title,
        "sentences": _sentences(request, page),
        "acts": _acts(request, page),
        "reference": reference if broken else "",
    }
    try:
        in_app = not broken and _signed_in(request)
        context["layout"] = _layout(request, in_app=in_app)
        return render_to_string("errors/page.html", context, None if broken else request)
    except Exception:
        log.exception("The error page could not be rendered")
        return LAST_RESORT.format(reference=reference)


def _layout(request: HttpRequest, *, in_app: bool) -> str:
    """A customer's page gets no cookie and no way in, also when it fails."""
    if request.path.startswith(PUBLIC):
        return "public/base.html"
    return "base.html" if in_app else "entrance.html"


def _sentences(request: HttpRequest, page: Page) -> list[str]:
    """Who only looked wonders about no change, so the page does not speak of one."""
    first, *others = page.sentences
    looked = request.method in {"GET", "HEAD"}
    return [first, *(sentence for sentence in others if not (looked and sentence == UNTOUCHED))]


def _acts(request: HttpRequest, page: Page) -> list[Act]:
    acts = [] if request.path.startswith(PUBLIC) else [Act("Go to the start page", "/")]
    if page.retry and request.method == "GET":
        acts.insert(0, Act("Try again", request.get_full_path()))
    return acts


def _saying(status: int, message: str) -> Page:
    """The page of this status with a sentence of its own first."""
    page = PAGES.get(status) or _unlisted(status)
    if not message:
        return page
    return Page(page.title, (message, *page.sentences[1:]), page.retry)


def _unlisted(status: int) -> Page:
    return Page(HTTPStatus(status).phrase, (UNTOUCHED,))


def _signed_in(request: HttpRequest) -> bool:
    user = getattr(request, "user", None)
    return user is not None and user.is_authenticated


def _broken(status: int) -> bool:
    return status >= HTTPStatus.INTERNAL_SERVER_ERROR
