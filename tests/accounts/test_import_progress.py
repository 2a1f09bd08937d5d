"""How far an import is: told through Valkey where there is one, and no matter where not."""

import socket
import time

import pytest
import redis

from accounts.imports import progress
from accounts.imports.progress import Progress, Teller, progress_of
from accounts.models import Import
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def import_():
    return factories.ImportFactory(status=Import.Status.CHECKING)


@pytest.fixture(autouse=True)
def _fresh():
    progress._client.cache_clear()
    yield
    progress._client.cache_clear()


@pytest.fixture
def valkey():
    try:
        progress._client().ping()
    except redis.RedisError:
        pytest.skip("no Valkey here")


def test_it_is_told_and_forgotten(import_, valkey):
    tell = Teller(import_)
    tell("Reading", 5, 0)
    assert progress_of(import_) == Progress("Reading", 5, 0)
    # The same phase again at once is not worth a call, another phase is.
    tell("Reading", 6, 0)
    assert progress_of(import_).done == 5
    tell("Writing", 1, 9)
    assert progress_of(import_) == Progress("Writing", 1, 9)
    assert 0 < progress._client().ttl(progress._key(import_)) <= progress.KEPT_SECONDS
    tell.end()
    assert progress_of(import_) is None


def test_only_of_what_somebody_works_on(import_, valkey):
    Teller(import_)("Reading", 5, 0)
    import_.status = Import.Status.CHECKED
    assert progress_of(import_) is None


def test_what_is_no_progress_is_none(import_, valkey):
    for rubbish in ("", "x", "[1]", "{}"):
        progress._client().set(progress._key(import_), rubbish, ex=5)
        assert progress_of(import_) is None


def test_without_valkey_there_is_none_and_nobody_waits(import_, settings):
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        settings.BROKER_URL = f"redis://127.0.0.1:{nobody.getsockname()[1]}/0"
        tell = Teller(import_)
        for number in range(1000):
            tell(f"Phase {number}", number, 1000)
        assert progress_of(import_) is None
        tell.end()


def test_one_that_hangs_is_asked_once_and_then_left_alone(import_, settings):
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen(50)
        settings.BROKER_URL = f"redis://127.0.0.1:{silent.getsockname()[1]}/0"
        began = time.monotonic()
        tell = Teller(import_)
        for number in range(100):
            tell(f"Phase {number}", number, 100)
        assert time.monotonic() - began < 5
