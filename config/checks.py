"""What production refuses to start with, one plain sentence each, all of them at once.

What the settings alone tell is a Django check too, so that `manage.py migrate` refuses as well.
What only the servers can tell is asked by the worker, beat and `/readyz`.
"""

import base64
import binascii
import os
from collections.abc import Iterator
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import redis
from django.apps import apps
from django.conf import settings
from django.core.checks import CheckMessage, Error, register
from django.core.exceptions import ImproperlyConfigured
from django.db import OperationalError, connection
from redis.backoff import NoBackoff
from redis.retry import Retry

MODES = ("production", "demo", "test")
SECRET_KEY_LENGTH = 50
ENCRYPTION_KEY_BYTES = 32
PEPPER_LENGTH = 32
PASSWORD_LENGTH = 12
DIFFERENT_CHARACTERS = 5
MADE_UP = ("only-for-tests", "change", "django-insecure", "secret", "password", "example", "keel")
NO_REAL_MAIL = ("console", "dummy", "locmem")
MAY_CHANGE = """
    SELECT name FROM unnest(%s::text[]) AS name
    WHERE has_table_privilege(to_regclass(quote_ident(name)), 'UPDATE, DELETE, TRUNCATE')
    ORDER BY name
"""


class Fault(NamedTuple):
    code: str
    sentence: str


@register()
def safe_settings(**_: Any) -> list[CheckMessage]:
    return [Error(fault.sentence, id=f"keel.{fault.code}") for fault in unsafe_settings()]


def refuse_to_start_unsafe(*, with_servers: bool) -> None:
    """Raises SystemExit with every sentence that applies."""
    faults = [*unsafe_settings(), *(unsafe_servers() if with_servers else ())]
    if faults:
        lines = "\n".join(f"  {fault.code}  {fault.sentence}" for fault in faults)
        raise SystemExit(f"Keel does not start like this:\n{lines}\nSee docs/operations.md.")


def unsafe_settings() -> Iterator[Fault]:
    if settings.MODE not in MODES:
        yield Fault("E001", f"KEEL_MODE is {settings.MODE!r}: production, demo or test it must be.")
    if settings.MODE == "production":
        yield from _unsafe_secrets()
        yield from _unsafe_addresses()
        yield from _unsafe_jobs()


def _unsafe_secrets() -> Iterator[Fault]:
    if len(_secret_key()) < SECRET_KEY_LENGTH or _is_made_up(_secret_key()):
        yield Fault(
            "E002",
            f"SECRET_KEY is missing, shorter than {SECRET_KEY_LENGTH} characters or made up: "
            "`make secrets` prints a good one.",
        )
    key = _decoded(settings.ENCRYPTION_KEY)
    if len(key) != ENCRYPTION_KEY_BYTES or not any(key):
        yield Fault(
            "E003",
            "ENCRYPTION_KEY is missing or not 32 random bytes in urlsafe base64: "
            "`make secrets` prints one. Keep a copy apart from the backups.",
        )
    peppers = settings.TOKEN_PEPPERS.values()
    if not peppers or any(len(p) < PEPPER_LENGTH or _is_made_up(p) for p in peppers):
        yield Fault(
            "E004",
            f"TOKEN_PEPPERS is missing, or one is shorter than {PEPPER_LENGTH} characters or "
            "made up: `make secrets` prints one.",
        )
    if _is_guessable(settings.DATABASES["default"].get("PASSWORD", "")):
        yield Fault("E005", "The password in DATABASE_URL is easily guessed: use a random one.")
    if _is_guessable(urlsplit(settings.BROKER_URL).password or ""):
        yield Fault("E006", "The password in BROKER_URL is easily guessed: use a random one.")


def _unsafe_addresses() -> Iterator[Fault]:
    if settings.DEBUG:
        yield Fault("E007", "DEBUG is on: error pages would show settings and source code.")
    hosts = settings.ALLOWED_HOSTS
    if not hosts or "*" in hosts:
        yield Fault(
            "E008",
            "ALLOWED_HOSTS is empty or *: name the hosts people use, such as keel.example.com.",
        )
    base = urlsplit(settings.BASE_URL)
    if base.scheme != "https" or not base.hostname:
        yield Fault(
            "E009",
            "BASE_URL is not an https address: give the one people use, such as "
            "https://keel.example.com. Links in mail start with it.",
        )
    elif not any(_host_matches(pattern, base.hostname) for pattern in hosts):
        yield Fault("E010", f"BASE_URL names {base.hostname}, which ALLOWED_HOSTS leaves out.")
    if any(name in settings.EMAIL_BACKEND for name in NO_REAL_MAIL):
        yield Fault(
            "E011",
            "EMAIL_URL is missing, so nobody could reset a password: give a mail server, such as "
            "smtp+tls://user:password@mail.example.com:587.",
        )
    if settings.DEFAULT_FROM_EMAIL.rstrip(">").endswith("@localhost"):
        yield Fault("E012", "DEFAULT_FROM_EMAIL is missing: name the address mail comes from.")


def _unsafe_jobs() -> Iterator[Fault]:
    hidden = settings.CELERY_BROKER_TRANSPORT_OPTIONS.get("visibility_timeout", 0)
    longest = settings.CELERY_TASK_TIME_LIMIT
    if hidden < 2 * longest:
        yield Fault(
            "E013",
            f"visibility_timeout ({hidden} s) is shorter than twice the task time limit "
            f"({longest} s): a long task would run twice at once.",
        )
    # Celery's own command line sets it to the value of BROKER_URL.
    if os.environ.get("CELERY_BROKER_URL", settings.BROKER_URL) != settings.BROKER_URL:
        yield Fault(
            "E014",
            "CELERY_BROKER_URL is not BROKER_URL, and Celery would follow it instead: unset it.",
        )


def unsafe_servers(*, broker: bool = True) -> Iterator[Fault]:
    """In production; a server that does not answer is no fault here, `/readyz` tells of it."""
    if settings.MODE == "production":
        yield from _unsafe_database_role()
        if broker:
            yield from _unsafe_broker()


def _unsafe_broker() -> Iterator[Fault]:
    try:
        with broker_client() as client:
            policy = client.info("memory")["maxmemory_policy"]
    except redis.RedisError:
        return
    if policy != "noeviction":
        yield Fault(
            "E015",
            f"Valkey's maxmemory-policy is {policy}, which deletes queued work without a word: "
            "set it to noeviction.",
        )


def _unsafe_database_role() -> Iterator[Fault]:
    """What the role of this process may do that the application never needs."""
    tables = [
        model._meta.db_table  # noqa: SLF001 Django documents it
        for model in apps.get_models()
        if getattr(model, "APPEND_ONLY", False)
    ]
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT rolsuper FROM pg_roles WHERE rolname = current_user")
            superuser = cursor.fetchone() == (True,)
            cursor.execute(MAY_CHANGE, [tables])
            changeable = [name for (name,) in cursor.fetchall()]
    except OperationalError:
        return
    if superuser:
        yield Fault("E016", "The role in DATABASE_URL is a superuser: use keel_app.")
    elif changeable:
        yield Fault(
            "E017",
            f"The role in DATABASE_URL may change {', '.join(changeable)}, which only grow: "
            "use keel_app, after `manage.py grant_app_role` as the owner.",
        )


def broker_client(seconds: float = 1.0) -> redis.Redis:
    """A client that gives up at once: for asking how the broker is, never for work."""
    return redis.Redis.from_url(
        settings.BROKER_URL,
        socket_timeout=seconds,
        socket_connect_timeout=seconds,
        retry=Retry(NoBackoff(), 0),
    )


def _secret_key() -> str:
    try:
        return str(settings.SECRET_KEY)
    except ImproperlyConfigured:  # Django's answer to an empty one
        return ""


def _is_made_up(secret: str) -> bool:
    return secret.lower().startswith(MADE_UP) or len(set(secret)) < DIFFERENT_CHARACTERS


def _is_guessable(password: str) -> bool:
    # No password at all is another way in: a socket, a certificate.
    return bool(password) and (len(password) < PASSWORD_LENGTH or _is_made_up(password))


def _decoded(key: str) -> bytes:
    try:
        return base64.urlsafe_b64decode(key)
    except (binascii.Error, ValueError):
        return b""


def _host_matches(pattern: str, host: str) -> bool:
    return host == pattern or (pattern.startswith(".") and f".{host}".endswith(pattern))
