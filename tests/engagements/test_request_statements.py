"""How many statements the page of a request takes: what guards ask again and again is read once."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from config.lib.reading import one_reading
from engagements import selectors
from tests.engagements.ready import Stage

pytestmark = pytest.mark.django_db
MOST = 30


@pytest.mark.parametrize("state", ["awaiting_signoff", "signed_off", "scheduled", "in_progress"])
@pytest.mark.parametrize("who", ["lead", "filer", "engineer"])
def test_the_page_takes_few_statements(state, who, login):
    stage = Stage()
    stage.at(state)
    client, path = login(getattr(stage, who)), f"/requests/{stage.request.number}/"
    client.get(path)
    with CaptureQueriesContext(connection) as seen:
        assert client.get(path).status_code == 200
    assert len(seen) <= MOST


def test_what_was_read_is_forgotten_with_the_reading():
    stage = Stage()
    stage.at("awaiting_signoff")
    with one_reading():
        assert selectors.live_sign_off(stage.request, on=stage.today) is None
        stage.signed(selectors.current_sow(stage.request))
        assert selectors.live_sign_off(stage.request, on=stage.today) is None
    assert selectors.live_sign_off(stage.request, on=stage.today) is not None
