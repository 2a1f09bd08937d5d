"""`/livez` and `/readyz`: for the machines that watch this one."""

from collections.abc import Callable
from functools import cache

import redis
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponseBase, JsonResponse

from config import checks


class HealthMiddleware:
    """Answers before hosts, sessions and sign-in: a probe knows the address, not the name."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if page := PAGES.get(request.path):
            return page(request)
        return self.get_response(request)


def livez(_request: HttpRequest) -> JsonResponse:
    """The process answers. Asks nobody else: a restart would not mend them."""
    return _answer({"status": "ok"}, 200)


def readyz(_request: HttpRequest) -> JsonResponse:
    """503 while requests would fail; a broker that is down only delays work: degraded, 200."""
    parts = {"database": _database(), "broker": _broker()}
    if parts["database"] != "ok":
        answer = _answer({"status": "unavailable", **parts}, 503)
        answer.headers["Retry-After"] = "5"
        return answer
    return _answer({"status": "ok" if parts["broker"] == "ok" else "degraded", **parts}, 200)


PAGES = {"/livez": livez, "/readyz": readyz}


def _answer(body: dict[str, str], status: int) -> JsonResponse:
    return JsonResponse(body, status=status, headers={"Cache-Control": "no-store"})


def _database() -> str:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        require_all_migrations()
        if any(checks.unsafe_servers(broker=False)):
            return "role unsafe"
    except MigrationsMissing:
        return "migrations missing"
    except DatabaseError:
        return "down"
    return "ok"


def _broker() -> str:
    try:
        with checks.broker_client() as client:
            client.ping()
    except redis.RedisError:
        return "down"
    return "ok"


class MigrationsMissing(Exception):
    """The code is newer than the database."""


@cache
def require_all_migrations() -> None:
    """Reads every migration file, so a process that has found them all applied asks no more."""
    executor = MigrationExecutor(connection)
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        raise MigrationsMissing
