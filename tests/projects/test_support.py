"""The support plan: written, answered by three sides, reset by every change."""

import pytest
from django.core.exceptions import PermissionDenied
from django.utils import timezone

from config.lib.errors import Conflict, Invalid, StaleWrite
from events.models import Event, Notice
from events.services import acting_token
from people.models import User
from projects import selectors
from projects.models import Project, SupportSignOff
from projects.services import charters, support
from projects.services.support import Content
from tests.projects.ready import Stage

pytestmark = pytest.mark.django_db
SIDES = SupportSignOff.Side.values


def fresh(person):
    return User.objects.get(pk=person.pk)


class Plan(Stage):
    def write(self, by=None, text="We fix it within two days.", version=None, **more):
        content = Content(**{"mode": "team", "maintained_by": "de", "text": text} | more)
        return support.write_plan(
            self.project, content, version=version, by=by or self.owner, at=self.now
        )

    @property
    def digest(self):
        self.project.refresh_from_db()
        return selectors.signatures_of(self.project).digest

    def sign(self, side, by=None, *, agrees=True, note="", digest=None):
        return support.sign(
            self.project,
            side,
            agrees=agrees,
            note=note,
            digest=self.digest if digest is None else digest,
            by=by or getattr(self, side),
            at=self.now,
        )

    def sign_all(self):
        for side in SIDES:
            self.sign(side)

    def change(self, **values):
        charters.change_charter(self.project, values, by=self.lead, at=self.now)

    @property
    def why_not(self):
        return selectors.why_not_signed(Project.objects.get(pk=self.project.pk))


@pytest.fixture
def stage():
    return Plan(code=True)


def told(person):
    return list(Notice.objects.filter(to=person).order_by("pk").values_list("title", flat=True))


def test_three_sides_sign_and_each_step_is_in_the_log(stage):
    stage.write()
    assert stage.why_not == "The support plan is not signed by Engineering, Support and Product."
    stage.sign_all()
    assert stage.why_not == ""
    verbs = Event.objects.filter(verb__startswith="support_plan.").order_by("pk")
    assert [event.verb for event in verbs] == ["support_plan.written"] + [
        "support_plan.signed"
    ] * len(SIDES)


def test_leadership_is_told_of_a_plan_that_waits_and_the_owner_of_a_rejection(stage):
    stage.write(by=stage.lead)
    assert told(stage.support)[-1].startswith("Sign or reject the support plan of PRJ-")
    assert not told(stage.leadership)
    stage.sign("support", agrees=False, note="No runbook.")
    assert told(stage.owner)[-1].startswith("Support rejected the support plan of PRJ-")
    assert stage.why_not == "The support plan is not signed by Engineering, Support and Product."


@pytest.mark.parametrize(
    "change",
    [
        {"text": "We fix it some day."},
        {"mode": "official"},
        {"maintained_by": "rd"},
        {"depends_on_server_version": True},
    ],
)
def test_any_change_of_the_plan_resets_what_was_signed(stage, change):
    stage.write()
    stage.sign_all()
    before = selectors.what_a_change_resets(stage.project)
    assert f"{stage.support.name} for Support" in before
    stage.write(**change)
    assert stage.why_not
    assert len(selectors.signatures_of(stage.project).former) == len(SIDES)


def test_a_change_of_scope_resets_it_and_asks_again(stage):
    plan = stage.write()
    stage.sign_all()
    stage.change(in_scope="The three plants and the offices.")
    assert stage.why_not
    plan.refresh_from_db()
    assert plan.digest == stage.digest
    assert len(told(stage.support)) == 2


def test_saving_the_same_plan_changes_nothing(stage):
    stage.write()
    stage.sign_all()
    assert stage.write(by=stage.lead).written_by == stage.owner
    assert stage.why_not == ""


def test_who_reads_an_old_plan_cannot_answer_it(stage):
    stage.write()
    old = stage.digest
    stage.write(text="We fix it some day.")
    with pytest.raises(support.PlanChanged):
        stage.sign("support", digest=old)


def test_two_who_write_at_once_do_not_overwrite_each_other(stage):
    stage.write(version=0)
    with pytest.raises(StaleWrite):
        stage.write(text="Something else.", version=0)


def test_one_person_answers_for_one_side_only(stage):
    stage.write()
    stage.engineering.groups.add(*stage.support.groups.all())
    both = fresh(stage.engineering)
    stage.sign("engineering", by=both)
    with pytest.raises(Conflict, match="You answered for Engineering"):
        stage.sign("support", by=both)


def test_the_writer_signs_none_and_no_word_of_theirs_comes_back(stage):
    """Signed, then rewritten by the signer and back again: the content is the same."""
    stage.write()
    stage.sign_all()
    stage.engineering.groups.add(*stage.lead.groups.all())
    writer = fresh(stage.engineering)
    stage.write(by=writer, text="Something else.")
    stage.write(by=writer)
    assert stage.why_not == "The support plan is not signed by Engineering."
    with pytest.raises(PermissionDenied):
        stage.sign("engineering", by=writer)


@pytest.mark.parametrize("who", ["lead", "owner", "leadership", "support"])
def test_only_the_leadership_of_a_side_signs_for_it(stage, who):
    stage.write(by=stage.second_lead)
    with pytest.raises(PermissionDenied):
        stage.sign("product", by=getattr(stage, who))


def test_nothing_is_signed_or_approved_by_a_token(stage):
    stage.write(mode="official")
    Project.objects.filter(pk=stage.project.pk).update(inside_product=True)
    mark = acting_token.set("0123456789ab")
    try:
        with pytest.raises(PermissionDenied):
            stage.sign("product")
        with pytest.raises(PermissionDenied):
            support.approve_official(
                stage.project, digest=stage.digest, by=stage.product, at=stage.now
            )
        with pytest.raises(PermissionDenied):
            support.approve_inside_product(
                stage.project, note="In the thread.", by=stage.product, at=stage.now
            )
    finally:
        acting_token.reset(mark)


def test_a_rejection_says_why_and_no_support_is_owned_by_the_customer(stage):
    with pytest.raises(Invalid, match="the customer maintains it"):
        stage.write(mode="customer")
    stage.write(mode="customer", maintained_by="customer")
    with pytest.raises(Invalid, match="before you sign"):
        stage.sign("support", agrees=False)
    assert stage.why_not


def test_the_newest_answer_of_a_side_counts(stage):
    stage.write()
    stage.sign_all()
    stage.sign("product", agrees=False, note="Not before the release.")
    assert stage.why_not == "The support plan is not signed by Product."


def test_official_support_is_approved_as_it_stands(stage):
    stage.write(mode="official")
    assert selectors.why_not_official(stage.project)
    support.approve_official(stage.project, digest=stage.digest, by=stage.product, at=stage.now)
    assert not selectors.why_not_official(stage.project)
    stage.write(mode="official", text="Something else.")
    assert selectors.why_not_official(stage.project)
    support.approve_official(stage.project, digest=stage.digest, by=stage.product, at=stage.now)
    support.withdraw_official(stage.project, reason="No room.", by=stage.engineering, at=stage.now)
    assert selectors.why_not_official(stage.project)


def test_work_inside_the_product_is_approved_until_its_scope_changes(stage):
    stage.change(inside_product=True)
    assert told(stage.product)[-1].startswith("Decide on work inside the product")
    support.approve_inside_product(
        stage.project, note="https://chat.example/1", by=stage.product, at=timezone.now()
    )
    stage.project.refresh_from_db()
    assert stage.project.approval_note == "https://chat.example/1"
    stage.change(in_scope="Everything.")
    stage.project.refresh_from_db()
    assert stage.project.approved_at is None
    assert "the approval does not stand" in told(stage.product)[-1]


def test_nobody_approves_their_own_work_inside_the_product(stage):
    Project.objects.filter(pk=stage.project.pk).update(inside_product=True, owner=stage.product)
    stage.project.refresh_from_db()
    with pytest.raises(PermissionDenied):
        support.approve_inside_product(stage.project, note="Mine.", by=stage.product, at=stage.now)


def test_what_waits_for_whom(stage):
    assert selectors.waiting_for_signature(fresh(stage.support)) == []
    stage.write()
    assert selectors.waiting_for_signature(fresh(stage.support)) == [stage.project]
    stage.sign("support")
    assert selectors.waiting_for_signature(fresh(stage.support)) == []
    assert selectors.waiting_for_signature(fresh(stage.lead)) == []
    stage.change(inside_product=True)
    assert selectors.waiting_for_approval(fresh(stage.product)) == [stage.project]
