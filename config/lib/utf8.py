"""Addresses and forms are UTF-8, whatever a request's Content-Type calls them."""

from django.core.handlers.wsgi import WSGIHandler, WSGIRequest


class Utf8Request(WSGIRequest):
    """Never decoded with a codec of the sender's choice.

    Python has some that raise (`hex`, `idna`) and some that make half characters
    (`utf-7`, `unicode_escape`), and Django would try them while it makes the request,
    before there is a middleware to answer for it. JSON says for itself what it takes.
    """

    @property
    def encoding(self) -> str:
        return "utf-8"

    @encoding.setter
    def encoding(self, _: str | None) -> None:
        pass


class Utf8Handler(WSGIHandler):
    request_class = Utf8Request
