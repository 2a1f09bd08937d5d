"""The weekly review with two leads at once, triage by keys alone, and the board on a phone."""

import re

import pytest
from django.db import transaction
from django.utils import timezone
from playwright.sync_api import expect

from people.models import User
from projects.models import Project, Review
from tests import factories
from tests.e2e.conftest import PHONE, assert_fits_a_phone
from tests.e2e.project_scenes import CHARTER

LEAD, SECOND = "de_lead@keel.example", "second_lead@keel.example"
MARK = "Journey"


@pytest.fixture
def leads(server, transactional_db):
    if not User.objects.filter(email=SECOND).exists():
        factories.UserFactory(roles=["de_lead"], name="Ole Brandt", email=SECOND)
    return User.objects.get(email=LEAD), User.objects.get(email=SECOND)


@transaction.atomic
def chartered(lead, title, state="proposed", **columns):
    """An internal project with all that its charter needs."""
    project = factories.ProjectFactory(
        state=state,
        title=f"{MARK}: {title}",
        proposed_by=lead,
        owner=lead,
        roll_out_on=timezone.now().date(),
        moved_at=timezone.now(),
        **CHARTER | {"kind": "internal"} | columns,
    )
    project.leads.add(lead)
    factories.StakeholderFactory(project=project)
    return project


def lane(page, name):
    return page.get_by_role("region", name=name, exact=True)


def told(page, words):
    expect(page.get_by_role("status").filter(has_text=words).first).to_be_visible()


def test_triage_by_keys_alone(visit, leads):
    ready = chartered(leads[0], "SAML guide")
    bare = factories.ProjectFactory(title=f"{MARK}: bare", proposed_by=leads[0])
    page = visit(LEAD, f"/board/?view=columns&q={MARK}", expected=[409])

    page.locator(f"#{ready.number} .ttl").focus()
    page.keyboard.press("Alt+ArrowRight")
    told(page, re.compile(rf"{ready.number} moved to Ready, position \d+ of \d+"))
    expect(lane(page, "Ready").locator(f"#{ready.number}")).to_be_visible()
    expect(page.locator(f"#{ready.number} .ttl")).to_be_focused()
    assert Project.objects.get(pk=ready.pk).state == "ready"

    page.locator(f"#{bare.number} .ttl").focus()
    page.keyboard.press("Alt+ArrowRight")
    told(page, f"Not moved. {bare.number}")
    card = lane(page, "Triage").locator(f"#{bare.number}")
    expect(card).to_contain_text("The charter lacks")
    assert Project.objects.get(pk=bare.pk).state == "proposed"

    page.locator(f"#{ready.number} .ttl").focus()
    page.keyboard.press(".")
    menu = page.locator("#move-menu")
    expect(menu).to_be_visible()
    page.keyboard.press("Escape")
    expect(menu).to_be_hidden()
    page.keyboard.press("v")
    page.keyboard.press("r")
    page.wait_for_url("**view=ranked**")
    expect(page.get_by_role("table")).to_contain_text(ready.title)


def test_a_review_with_two_leads_at_once(visit, leads):
    Review.objects.exclude(state__in=["held", "cancelled"]).delete()
    blocked = {"blocked_by": "The freeze.", "blocked_at": timezone.now()}
    projects = [chartered(leads[0], f"for the review {n}", "ready", **blocked) for n in range(3)]
    review = factories.ReviewFactory(chair=leads[0])
    page = visit(LEAD, f"/reviews/{review.number}/", expected=[409])
    page.get_by_role("button", name="Begin the review").click()
    expect(page.get_by_role("heading", name="Weekly review")).to_be_visible()
    agenda = page.get_by_role("navigation", name="Weekly review")
    for project in projects:
        expect(agenda).to_contain_text(project.title)

    other = visit(SECOND, page.url, expected=[409])
    for each in (page, other):
        each.get_by_role("navigation", name="Weekly review").get_by_role(
            "link", name=re.compile(re.escape(projects[0].title))
        ).click()
        expect(each.get_by_role("heading", name=projects[0].title)).to_be_visible()
    page.get_by_label("Note for the minutes").fill("Waits for the freeze.")
    page.get_by_role("button", name=re.compile("^Keep")).click()
    expect(agenda).to_contain_text("1 of")

    other.get_by_label("Note for the minutes").fill("We could begin at once.")
    other.get_by_role("button", name=re.compile("^Keep")).click()
    refusal = other.get_by_role("alert")
    expect(refusal).to_contain_text("somebody was first")
    expect(refusal).to_contain_text("Ruth Adeyemi")
    expect(other.get_by_label("Note for the minutes")).to_have_value("We could begin at once.")
    item = review.items.get(project=projects[0])
    assert (item.decision, item.note) == ("keep", "Waits for the freeze.")


def test_the_board_on_a_phone(visit, leads):
    project = chartered(leads[0], "on a phone")
    page = visit(LEAD, expected=[409])
    page.set_viewport_size(PHONE)
    page.goto(f"/board/?q={MARK}")

    ranked = page.get_by_role("list", name="Projects by score")
    expect(ranked).to_contain_text(project.title)
    assert_fits_a_phone(page)
    page.goto(f"/board/?view=columns&q={MARK}")
    assert_fits_a_phone(page)
    page.get_by_role("link", name=f"Move {project.number}").click()
    menu = page.locator("#move-menu")
    expect(menu).to_be_visible()
    menu.get_by_role("button", name=re.compile("^Ready")).click()
    told(page, re.compile(f"{project.number} moved to Ready"))
    assert Project.objects.get(pk=project.pk).state == "ready"
