"""Requests through the whole of the application, in its own process. Runs in a worker."""

import io
import json
import uuid
from dataclasses import dataclass
from functools import cache
from typing import Any

from django.test import Client
from django.utils import timezone

from config.lib.utf8 import Utf8Handler
from people import services
from people.models import Scope, User

OWNER = 101
READER = 102


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@cache
def handler() -> Utf8Handler:
    return Utf8Handler()


@cache
def token_of(user: int) -> str:
    owner = User.objects.get(pk=user)
    _, text = services.create_token(
        owner=owner, name="bench", scopes=Scope.values, by=owner, at=timezone.now()
    )
    return text


@cache
def cookie_of(user: int) -> str:
    client = Client()
    client.force_login(User.objects.get(pk=user))
    return "; ".join(f"{name}={morsel.value}" for name, morsel in client.cookies.items())


def api(
    method: str, path: str, body: Any = None, *, user: int = READER, keyed: bool = True
) -> Answer:
    headers = {"HTTP_AUTHORIZATION": f"Bearer {token_of(user)}"}
    if method == "POST" and keyed:
        headers["HTTP_IDEMPOTENCY_KEY"] = str(uuid.uuid4())
    return _called(method, path, b"" if body is None else json.dumps(body).encode(), headers)


def page(path: str, *, user: int = READER) -> Answer:
    return _called("GET", path, b"", {"HTTP_COOKIE": cookie_of(user)})


def _called(method: str, path: str, body: bytes, headers: dict[str, str]) -> Answer:
    path, _, query = path.partition("?")
    environ = {
        "REQUEST_METHOD": method,
        "PATH_INFO": path,
        "QUERY_STRING": query,
        "SCRIPT_NAME": "",
        "SERVER_NAME": "testserver",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        "CONTENT_TYPE": "application/json",
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.input": io.BytesIO(body),
        "wsgi.errors": io.StringIO(),
        "wsgi.url_scheme": "http",
        "wsgi.multithread": False,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
        "wsgi.version": (1, 0),
        **headers,
    }
    told: list[str] = []
    response = handler()(environ, lambda status, _headers: told.append(status))
    try:
        content = b"".join(response)
    finally:
        response.close()
    return Answer(int(told[0].split()[0]), content)
