"""A token in an address ends up in logs and histories: refused, and reported as leaked."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponseBase

from config.lib.problems import is_api, problem_response

NAMES = frozenset(
    {
        "access_token",
        "api_key",
        "api_token",
        "apikey",
        "auth",
        "auth_token",
        "authorization",
        "bearer",
        "key",
        "token",
    }
)

LeakHandler = Callable[[str], None]
_handlers: list[LeakHandler] = []


def on_leaked_token(handler: LeakHandler) -> None:
    """Register what happens to a token seen in an address: it gets the token's text.

    Called by an app at start-up. The text is whatever a stranger sent; the handler
    looks it up as for signing in and does nothing when it finds none.
    """
    _handlers.append(handler)


class QueryTokenMiddleware:
    """Answers 400 to API requests that carry a token in the query string."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if is_api(request) and request.META.get("QUERY_STRING"):
            sent = [name for name in request.GET if name.lower() in NAMES]
            for name in sent:
                for text in request.GET.getlist(name):
                    for handler in _handlers:
                        handler(text)
            if sent:
                return problem_response(
                    400,
                    code="token_in_address",
                    detail="Send the token in the Authorization header. "
                    "One that was sent in an address is revoked.",
                )
        return self.get_response(request)
