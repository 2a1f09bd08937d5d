"""Settings of the templates that statements of work start from."""

import pytest

from engagements.models import SowTemplate
from tests.engagements.test_sow_pages import said

pytestmark = pytest.mark.django_db


class TestTemplates:
    @pytest.fixture
    def client(self, login, administrator):
        return login(administrator)

    def filled(self, **changes):
        return {
            "name": "Training", "type": "onboarding", "act": "save",
            "deliverables__0__what": "Two days on site", "deliverables__0__by_whom": "DE",
            "deliverables__0__by_when": "10", "timeframe__start": "0", "timeframe__end": "10",
        } | changes  # fmt: skip

    def test_are_listed_added_changed_and_switched_off(self, client):
        assert "Critical problem: find and fix" in said(client.get("/settings/sow-templates/"))
        client.post("/settings/sow-templates/new/", self.filled())
        template = SowTemplate.objects.get(name="Training")
        assert template.content["deliverables"][0] == {
            "key": "d1", "what": "Two days on site", "detail": "", "by_whom": "DE", "by_when": 10,
        }  # fmt: skip
        address = f"/settings/sow-templates/{template.uuid}/"
        assert 'value="Two days on site"' in client.get(address).content.decode()
        sent = self.filled(name="Training on site", version=template.version)
        client.post(address, sent | {"deliverables__0__key": "d1"})
        client.post("/settings/sow-templates/", {"template": template.pk, "do": "off"})
        template.refresh_from_db()
        assert (template.name, template.is_active) == ("Training on site", False)

    def test_what_is_wrong_is_named_and_comes_back(self, client):
        sent = self.filled(name="", deliverables__0__by_when="soon")
        response = client.post("/settings/sow-templates/new/", sent)
        assert response.status_code == 422
        assert "“soon” is not a whole number" in said(response)
        assert 'value="soon"' in response.content.decode()

    def test_a_name_is_there_once(self, client):
        sent = self.filled(name="critical problem: find and fix")
        response = client.post("/settings/sow-templates/new/", sent)
        assert response.status_code == 422
        assert "There is a template called" in said(response)

    def test_a_stale_one_is_not_overwritten(self, client):
        template = SowTemplate.objects.get(type="critical")
        response = client.post(
            f"/settings/sow-templates/{template.uuid}/", self.filled(version=template.version + 5)
        )
        assert response.status_code == 409

    def test_a_row_is_added_before_it_is_saved(self, client):
        response = client.post("/settings/sow-templates/new/", self.filled(act="add"))
        assert "Deliverable 2" in said(response)
        assert not SowTemplate.objects.filter(name="Training").exists()
