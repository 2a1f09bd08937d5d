import pytest
from django.db import OperationalError

from config.lib import retries
from config.lib.errors import Unavailable
from config.lib.retries import Busy, tried_again


def failure(code):
    error = OperationalError("x")
    error.__cause__ = type("Cause", (Exception,), {"pgcode": code})()
    return error


@pytest.fixture(autouse=True)
def _at_once(monkeypatch):
    monkeypatch.setattr(retries, "PAUSE", 0)


@pytest.mark.parametrize(("times", "passes"), [(0, True), (3, True), (4, False)])
def test_gives_way_three_times_then_gives_up(times, passes):
    left = [failure("40P01")] * times
    done = []

    def do():
        done.append(1)
        if left:
            raise left.pop()
        return "done"

    if passes:
        assert tried_again(do) == "done"
    else:
        with pytest.raises(Unavailable):
            tried_again(do)
    assert len(done) == min(times + 1, 4)


@pytest.mark.parametrize(("code", "raised"), [("55P03", Busy), ("57014", OperationalError)])
def test_other_failures_are_not_tried_again(code, raised):
    done = []

    def do():
        done.append(1)
        raise failure(code)

    with pytest.raises(raised):
        tried_again(do)
    assert len(done) == 1
