import os
import subprocess
import sys

import pytest
from django.conf import settings as django_settings
from django.core.management import call_command
from django.core.management.base import SystemCheckError
from django.db import connection

from config import checks
from stack.state import new_secrets

GOOD_SECRETS = new_secrets()


@pytest.fixture
def production(settings, monkeypatch):
    settings.MODE = "production"
    settings.SECRET_KEY = GOOD_SECRETS["SECRET_KEY"]
    settings.ENCRYPTION_KEY = GOOD_SECRETS["ENCRYPTION_KEY"]
    settings.TOKEN_PEPPERS = {"1": GOOD_SECRETS["TOKEN_PEPPERS"].removeprefix("1:")}
    settings.ALLOWED_HOSTS = ["keel.example.com", ".example.org"]
    settings.BASE_URL = "https://keel.example.com"
    settings.DEBUG = False
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.DEFAULT_FROM_EMAIL = "Keel <keel@example.com>"
    with_password(monkeypatch, GOOD_SECRETS["KEEL_APP_PASSWORD"])
    return settings


def with_password(monkeypatch, password):
    # Not through the fixture `settings`, which would tell the connections.
    monkeypatch.setattr(django_settings, "DATABASES", {"default": {"PASSWORD": password}})


def codes(faults):
    return [fault.code for fault in faults]


def test_safe_settings_are_accepted(production):
    assert codes(checks.unsafe_settings()) == []


@pytest.mark.parametrize(
    ("code", "setting", "value"),
    [
        ("E001", "MODE", "prod"),
        ("E002", "SECRET_KEY", ""),
        ("E002", "SECRET_KEY", "short-but-random-8c1f0a"),
        ("E002", "SECRET_KEY", "x" * 60),
        ("E002", "SECRET_KEY", "django-insecure-" + "a1b2c3d4e5" * 5),
        ("E003", "ENCRYPTION_KEY", ""),
        ("E003", "ENCRYPTION_KEY", "A" * 43 + "="),
        ("E003", "ENCRYPTION_KEY", "not base64!"),
        ("E004", "TOKEN_PEPPERS", {}),
        ("E004", "TOKEN_PEPPERS", {"1": "short"}),
        ("E004", "TOKEN_PEPPERS", {"1": "only-for-tests" + "abcdefgh" * 4}),
        ("E006", "BROKER_URL", "redis://:changeme-changeme@valkey:6379/0"),
        ("E007", "DEBUG", True),
        ("E008", "ALLOWED_HOSTS", ["keel.example.com", "*"]),
        ("E009", "BASE_URL", ""),
        ("E009", "BASE_URL", "http://keel.example.com"),
        ("E010", "BASE_URL", "https://other.example.com"),
        ("E011", "EMAIL_BACKEND", "django.core.mail.backends.console.EmailBackend"),
        ("E012", "DEFAULT_FROM_EMAIL", "Keel <keel@localhost>"),
        ("E013", "CELERY_TASK_TIME_LIMIT", 1801),
        ("E013", "CELERY_BROKER_TRANSPORT_OPTIONS", {}),
    ],
)
def test_each_unsafe_setting_is_refused_by_a_sentence(production, code, setting, value):
    setattr(production, setting, value)
    [fault] = checks.unsafe_settings()
    assert fault.code == code
    assert fault.sentence.endswith(".")


@pytest.mark.parametrize("password", ["keel", "postgres", "keel_app_keel_app", "xxxxxxxxxxxxx"])
def test_a_guessable_database_password_is_refused(production, monkeypatch, password):
    with_password(monkeypatch, password)
    assert codes(checks.unsafe_settings()) == ["E005"]


def test_a_database_without_a_password_is_not(production, monkeypatch):
    with_password(monkeypatch, "")
    assert codes(checks.unsafe_settings()) == []


def test_no_hosts_are_refused_and_leave_base_url_unnamed(production):
    production.ALLOWED_HOSTS = []
    assert codes(checks.unsafe_settings()) == ["E008", "E010"]


@pytest.mark.parametrize("host", ["example.org", "keel.example.org"])
def test_a_host_pattern_covers_base_url(production, host):
    production.BASE_URL = f"https://{host}"
    assert codes(checks.unsafe_settings()) == []


def test_celerys_own_variable_is_refused(production, monkeypatch):
    monkeypatch.setenv("CELERY_BROKER_URL", "redis://elsewhere")
    assert codes(checks.unsafe_settings()) == ["E014"]


def test_celerys_own_variable_may_say_the_same(production, monkeypatch):
    monkeypatch.setenv("CELERY_BROKER_URL", production.BROKER_URL)
    assert codes(checks.unsafe_settings()) == []


def test_all_faults_are_named_at_once(production):
    production.SECRET_KEY = ""
    production.BASE_URL = "http://keel.example.com"
    with pytest.raises(SystemExit) as refusal:
        checks.refuse_to_start_unsafe(with_servers=False)
    assert "E002  SECRET_KEY" in str(refusal.value)
    assert "E009  BASE_URL" in str(refusal.value)


@pytest.mark.parametrize("mode", ["demo", "test"])
def test_demo_and_test_refuse_nothing(settings, mode):
    settings.MODE = mode
    settings.SECRET_KEY = ""
    checks.refuse_to_start_unsafe(with_servers=True)


@pytest.mark.django_db
def test_migrate_refuses_unsafe_settings(production):
    production.ENCRYPTION_KEY = ""
    with pytest.raises(SystemCheckError, match="ENCRYPTION_KEY"):
        call_command("migrate", plan=True, skip_checks=False)


@pytest.mark.as_owner
@pytest.mark.django_db
def test_a_role_that_may_change_the_log_is_refused(production):
    found = codes(checks.unsafe_servers(broker=False))
    with connection.cursor() as cursor:
        cursor.execute("SELECT rolsuper FROM pg_roles WHERE rolname = current_user")
        is_superuser = cursor.fetchone() == (True,)
    assert found == ["E016" if is_superuser else "E017"]


@pytest.mark.django_db
def test_the_applications_role_is_accepted(production):
    assert codes(checks.unsafe_servers(broker=False)) == []


@pytest.mark.django_db
def test_a_broker_that_drops_work_is_refused(production):
    with checks.broker_client() as client:
        client.config_set("maxmemory-policy", "allkeys-lru")
        try:
            assert codes(checks.unsafe_servers())[-1:] == ["E015"]
        finally:
            client.config_set("maxmemory-policy", "noeviction")


@pytest.mark.django_db
def test_a_broker_that_is_down_is_no_fault(production):
    production.BROKER_URL = "redis://127.0.0.1:1/0"
    assert "E015" not in codes(checks.unsafe_servers())


@pytest.mark.parametrize(
    "command",
    [
        ["-c", "import config.wsgi"],
        ["-m", "celery", "-A", "config", "worker"],
        ["-m", "celery", "-A", "config", "beat"],
    ],
    ids=["web", "worker", "beat"],
)
def test_no_process_starts_in_production_without_its_environment(command):
    bare = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    done = subprocess.run(
        [sys.executable, *command], env=bare, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    for name in ["SECRET_KEY", "ENCRYPTION_KEY", "TOKEN_PEPPERS", "ALLOWED_HOSTS", "EMAIL_URL"]:
        assert name in done.stdout + done.stderr
