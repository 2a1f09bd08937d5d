"""Addresses and forms are UTF-8, whatever a request's Content-Type calls them."""

import codecs
from collections.abc import Callable

from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponseBase

from config.lib.problems import is_api

KNOWN = frozenset({"utf-8", "ascii"})


class Utf8Middleware:
    """Keeps Django from decoding with a codec of the sender's choice.

    Python has some that raise (`hex`, `idna`) and some that make half characters
    (`utf-7`, `unicode_escape`). JSON says for itself what it takes.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if request.encoding is not None:
            known = codecs.lookup(request.encoding).name in KNOWN
            # Also for the page that answers the exception.
            request.encoding = "utf-8"
            if not known and request.method == "POST" and not is_api(request):
                raise BadRequest("Forms are read as UTF-8 only.")
        return self.get_response(request)
