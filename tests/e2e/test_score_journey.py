"""Why a card scores what it does, and moving it in the matrix by keys alone."""

import re
from decimal import Decimal

import pytest
from django.db import transaction
from django.utils import timezone
from playwright.sync_api import expect

from people.models import User
from projects.models import Project
from projects.services.scoring import score_project
from tests import factories

LEAD = "de_lead@keel.example"


@pytest.fixture
def project(server, transactional_db):
    lead = User.objects.get(email=LEAD)
    with transaction.atomic():
        made = factories.ProjectFactory(title="Scored: SAML guide", proposed_by=lead)
        score_project(made, impact=3, effort="low", days=Decimal(2), by=lead, at=timezone.now())
    return made


def test_the_matrix_by_keys_and_the_score_that_explains_itself(visit, project):
    page = visit(LEAD, "/board/?view=matrix&q=Scored", expected=[422])
    page.locator(f"#{project.number} a").first.focus()
    page.keyboard.press("Alt+ArrowUp")
    expect(page.locator("#score_reason")).to_be_focused()
    page.get_by_role("button", name="Save the score").click()
    expect(page.locator(".errsum")).to_contain_text("Say why the score changes.")
    page.fill("#score_reason", "Two more plants ask for it.")
    page.get_by_role("button", name="Save the score").click()
    cell = page.locator('.mcell[data-impact="2"][data-effort="low"]')
    expect(cell.locator(f"#{project.number} a").first).to_be_focused()
    assert Project.objects.get(pk=project.pk).score == 80

    page.get_by_role("link", name="Ranked", exact=True).click()
    score = page.get_by_role("link", name=re.compile(f"{project.number} scores 80"))
    score.click()
    why = page.get_by_role("dialog", name="Why 80")
    expect(why).to_contain_text("Two more plants ask for it.")
    page.keyboard.press("Escape")
    expect(score).to_be_focused()
