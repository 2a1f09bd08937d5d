"""The tab Support plan, and the plan over the API."""

import pytest
from django.urls import reverse

from projects import selectors
from projects.models import Project, SupportPlan
from tests import factories
from tests.projects.ready import Stage

pytestmark = pytest.mark.django_db


@pytest.fixture
def stage():
    return Stage(code=True)


def path(stage, rest=""):
    return reverse("projects:support", args=[stage.project.pk]) + rest


def shown(client, stage):
    return " ".join(client.get(path(stage)).content.decode().split())


def plan_sent(stage, **more):
    plan = SupportPlan.objects.filter(project=stage.project).first()
    values = {
        "mode": "team",
        "maintained_by": "de",
        "text": "We fix it.",
        "version": plan.version if plan else 0,
    }
    return {f"plan-{name}": value for name, value in (values | more).items()}


def test_a_plan_is_written_signed_rejected_and_shown_with_who_is_waited_for(stage, login):
    owner = login(stage.owner)
    assert "there is no support plan" in shown(owner, stage)
    assert owner.post(path(stage, "plan/"), plan_sent(stage)).status_code == 302
    assert f"Waiting for {stage.support.name}" in shown(owner, stage)
    digest = selectors.signatures_of(stage.project).digest

    def answer(side, **sent):
        sent = {f"sign-{side}-{name}": value for name, value in sent.items()}
        return login(getattr(stage, side)).post(path(stage, f"sign/{side}/"), sent)

    assert answer("support", answer="sign", digest=digest).status_code == 302
    assert answer("product", answer="reject", digest=digest).status_code == 422
    assert answer("product", answer="reject", digest=digest, note="No.").status_code == 302
    page = shown(owner, stage)
    assert f"by {stage.support.name}" in page
    assert f"by {stage.product.name}" in page
    assert "Saving a change resets what was signed" in page


def test_who_read_an_old_plan_sees_the_new_one_and_keeps_the_note(stage, login):
    stage.plan()
    sent = {"answer": "sign", "digest": "0" * 64, "note": "Fine with me."}
    sent = {f"sign-support-{name}": value for name, value in sent.items()}
    answer = login(stage.support).post(path(stage, "sign/support/"), sent)
    assert answer.status_code == 409
    page = answer.content.decode()
    assert "Read it again" in page
    assert "Fine with me." in page
    assert selectors.signatures_of(stage.project).digest in page


def test_who_writes_over_a_newer_plan_sees_both(stage, login):
    stage.plan()
    answer = login(stage.owner).post(path(stage, "plan/"), plan_sent(stage, version=0))
    assert answer.status_code == 412
    page = answer.content.decode()
    assert "We fix it within two days." in page
    assert "We fix it.</textarea>" in page.replace("\n", "")


def test_where_no_code_is_built_the_page_says_that_no_plan_is_needed(login):
    stage = Stage()
    page = shown(login(stage.owner), stage)
    assert "No support plan is needed" in page
    assert "no code is built" in page


def test_former_answers_are_kept_in_sight(stage, login):
    plan = stage.signed_plan()
    plan.text = "Something else."
    plan.save()
    page = shown(login(stage.leadership), stage)
    assert "Former answers" in page
    assert stage.engineering.name in page


def test_official_support_and_work_inside_the_product_are_approved_on_the_page(stage, login):
    plan = stage.plan()
    plan.mode = "official"
    plan.save()
    Project.objects.filter(pk=stage.project.pk).update(inside_product=True)
    client = login(stage.product)
    digest = selectors.signatures_of(stage.project).digest
    assert client.post(path(stage, "official/"), {"official-digest": digest}).status_code == 302
    assert client.post(path(stage, "inside-product/"), {}).status_code == 422
    note = {"inside-note": "In ticket 12."}
    assert client.post(path(stage, "inside-product/"), note).status_code == 409
    note["inside-digest"] = selectors.scope_digest(stage.project)
    assert client.post(path(stage, "inside-product/"), note).status_code == 302
    page = shown(client, stage)
    assert page.count("Approved by") == 2
    reason = {"official-withdraw-reason": "No room."}
    assert client.post(path(stage, "official/withdraw/"), reason).status_code == 302
    reason = {"inside-withdraw-reason": "No room."}
    assert client.post(path(stage, "inside-product/withdraw/"), reason).status_code == 302
    stage.project.refresh_from_db()
    assert stage.project.approved_at is None
    assert selectors.why_not_official(stage.project)


def test_side_nobody_can_sign_for_is_said(stage, login):
    stage.plan()
    stage.product.groups.clear()
    assert "Nobody can sign for Product" in shown(login(stage.owner), stage)


@pytest.mark.parametrize(
    "sent",
    [
        {"mode": "x"},
        {"maintained_by": "\x00"},
        {"text": ""},
        {"text": "\x00"},
        {"version": "1e9"},
        {"mode": "customer"},
    ],
)
def test_what_is_typed_wrong_comes_back(stage, login, sent):
    answer = login(stage.owner).post(path(stage, "plan/"), plan_sent(stage, **sent))
    assert answer.status_code == 422
    assert not SupportPlan.objects.exists()


def test_the_plan_is_read_over_the_api_and_signed_nowhere_there(stage, api_client):
    address = f"/api/v1/projects/{stage.project.uuid}/support-plan/"
    client = api_client(stage.owner)
    assert client.get(address).json() | {"sides": []} == client.get(address).json()
    stage.signed_plan("support")
    told = client.get(address).json()
    assert (told["is_needed"], told["is_signed"], told["mode"]) == (True, False, "team")
    sides = {each["side"]: each for each in told["sides"]}
    assert sides["support"]["answer"]["by"]["name"] == stage.support.name
    assert [each["name"] for each in sides["product"]["waits_for"]] == [stage.product.name]
    assert client.post(address, {"side": "product"}, format="json").status_code == 405
    other = factories.ProjectFactory()
    assert (
        client.get(address.replace(str(stage.project.uuid), str(other.uuid))).json()["mode"] is None
    )
