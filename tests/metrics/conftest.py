import pytest
import time_machine


@pytest.fixture
def morning():
    """Let it be nine in the morning of 20 March 2026, so that what is dated before is past."""
    with time_machine.travel("2026-03-20 09:00Z", tick=False):
        yield


@pytest.fixture
def browser(login, tam):
    return login(tam)
