"""What the server must know of htmx: pages or fragments, redirects, messages."""

from collections.abc import Callable, Collection
from typing import Any
from urllib.parse import urlencode, urlsplit

from django.conf import settings
from django.contrib.messages import get_messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import resolve_url
from django.template.loader import render_to_string
from django.template.response import TemplateResponse
from django.utils.cache import patch_vary_headers
from django.utils.safestring import SafeString


class FragmentResponse(TemplateResponse):
    """A part of a page, followed by the messages for the live region of the page."""

    @property
    def rendered_content(self) -> SafeString:
        return SafeString(super().rendered_content + toast_fragment(self._request))


def render(
    request: HttpRequest,
    template: str,
    context: dict[str, Any],
    *,
    partial: str | Collection[str] = (),
    status: int = 200,
) -> TemplateResponse:
    """Render the whole page, or only one of its partials when htmx asked for that.

    A partial's name is also the id of the element it fills, so one word in the view,
    the template and hx-target ties the three together.
    """
    names = {partial} if isinstance(partial, str) else set(partial)
    asked_for = request.headers.get("HX-Target", "")
    if asked_for in names:
        response: TemplateResponse = FragmentResponse(
            request, f"{template}#{asked_for}", context, status=status
        )
    else:
        response = TemplateResponse(request, template, context, status=status)
    patch_vary_headers(response, ["HX-Target"])
    return response


def is_htmx(request: HttpRequest) -> bool:
    return "HX-Request" in request.headers


def toast_fragment(request: HttpRequest) -> SafeString:
    """The pending messages as an out-of-band swap into the live region; may be empty."""
    messages = list(get_messages(request))
    if not messages:
        return SafeString("")
    return render_to_string("components/toast.html", {"messages": messages, "out_of_band": True})


class HtmxRedirectMiddleware:
    """Send htmx to the page a view redirects to, not that page into the target."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        if not is_htmx(request) or "Location" not in response.headers:
            return response
        headers = dict(response.headers)
        headers["HX-Redirect"] = _whole_page(request, headers.pop("Location"))
        answer = HttpResponse(headers=headers)
        answer.cookies = response.cookies
        return answer


def _whole_page(request: HttpRequest, location: str) -> str:
    """After sign-in one returns to the page one was on, not to a fragment of it."""
    login = resolve_url(settings.LOGIN_URL)
    if urlsplit(location).path != login:
        return location
    try:
        here = urlsplit(request.headers.get("HX-Current-URL", ""))
    except ValueError:
        return login
    back = here._replace(scheme="", netloc="", fragment="").geturl() or "/"
    return f"{login}?{urlencode({'next': back})}"
