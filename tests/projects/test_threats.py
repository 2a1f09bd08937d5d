"""What somebody with bad intent, or two hands at once, would try with projects."""

import uuid
from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError
from django.db import transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from rest_framework.test import APIClient

from config.lib.errors import DomainError
from events.models import Event
from metrics.services.runs import recompute
from people import services as people
from people.models import Scope, system_user
from projects import selectors
from projects.models import Allocation, Project, SupportSignOff
from projects.services import allocating, charters, move, splitting, support
from projects.services.splitting import Part
from projects.services.support import Content
from tests import factories
from tests.projects.ready import Stage, given
from tests.projects.test_review_races import together

pytestmark = pytest.mark.django_db


def limited(user, *accounts, scopes=None):
    """Return an API client whose token is for these accounts only; for all without any."""
    _, text = people.create_token(
        owner=user,
        name="Limited",
        scopes=scopes or Scope.values,
        accounts=[account.number for account in accounts],
        by=user,
        at=timezone.now(),
    )
    return APIClient(headers={"Authorization": f"Bearer {text}"})


@pytest.fixture
def stage():
    return Stage()


@pytest.fixture
def client(stage):
    return limited(stage.lead, stage.account)


@pytest.fixture
def hidden(stage):
    """A project of another customer, first of its column."""
    project = factories.ProjectFactory(kind="external", title="Outlandish", impact=1)
    factories.ProjectAccountFactory(
        project=project, account=factories.AccountFactory(name="Outlandish")
    )
    return project


def timeline(client, account):
    return client.get(f"/api/v1/accounts/{account.uuid}/timeline/")


def test_a_timeline_names_no_other_account_of_a_project(stage, client, hidden):
    """Who once shared a project is not told to a token that is limited to the other."""
    shared = charters.propose(
        {
            "kind": "external",
            "type": "custom_integration",
            "title": "Shared",
            "accounts": [(stage.account, 1, 2, 3), (hidden.accounts.get(), 1, 2, 3)],
        },
        by=stage.lead,
        at=stage.now,
    )
    charters.change_charter(
        shared, {"accounts": [(stage.account, 1, 2, 3)]}, by=stage.lead, at=stage.now
    )

    told = timeline(client, stage.account).content.decode()

    assert "Outlandish" not in told
    assert shared.number not in told
    assert "Outlandish" in timeline(limited(stage.lead), stage.account).content.decode()


def test_a_timeline_is_silent_of_projects_without_the_scope(stage):
    charters.change_charter(
        stage.project, {"objectives": "A secret plan."}, by=stage.lead, at=stage.now
    )
    reader = limited(stage.lead, scopes=["account:read"])

    assert "secret" not in timeline(reader, stage.account).content.decode()
    reader = limited(stage.lead, scopes=["account:read", "project:read"])
    assert "secret" in timeline(reader, stage.account).content.decode()


def test_a_filter_finds_no_whole_that_the_row_hides(stage, client, hidden):
    stage.project.part_of = hidden
    stage.project.part = 2
    stage.project.save(update_fields=["part_of", "part"])

    def found(**query):
        return [row["number"] for row in client.get("/api/v1/projects/", query).json()["results"]]

    assert found(part_of=str(hidden.uuid)) == []
    assert found(part_of__isnull="false") == []
    assert found(part_of__isnull="true") == [stage.project.number]


def test_a_move_counts_only_cards_that_are_shown(stage, client, hidden):
    version = client.get(f"/api/v1/projects/{stage.project.uuid}/").json()["version"]
    body = {
        "project": str(stage.project.uuid),
        "lane": "proposed",
        "before": None,
        "version": version,
    }

    answer = client.post("/api/v1/board/moves/", body, format="json")

    assert answer.status_code == 200, answer.content
    assert (answer.json()["position"], answer.json()["count"]) == (1, 1)


def test_artefacts_of_requests_need_the_scope_of_requests(stage):
    factories.ArtefactFactory(request=stage.request, name="Of a request")
    factories.ProjectArtefactFactory(project=stage.project, name="Of a project")
    reader = limited(stage.lead, scopes=["project:read"])

    names = [row["name"] for row in reader.get("/api/v1/artefacts/").json()["results"]]

    assert names == ["Of a project"]


def test_a_what_if_names_work_to_tokens_that_may_read_it(stage):
    now = timezone.now()
    recompute("seats-deployed", now.date(), by=system_user(), now=now)
    reader = limited(stage.lead, scopes=["metrics:read", "request:read"])
    address = "/api/v1/metrics/seats-deployed/what-if/"

    for body in ({"projects": [stage.project.number]}, {"target": "0.9"}):
        answer = reader.post(address, body, format="json")
        assert (answer.status_code, stage.project.title in answer.content.decode()) == (403, False)
        assert "project:read" in answer.json()["detail"]


@pytest.mark.parametrize("body", ["[1]", '"x"', "null", "1", "[[1, 2]]", "{}"])
def test_a_decision_that_is_no_object_is_refused(stage, api_client, body):
    item = factories.ReviewItemFactory(project=stage.project, review__state="open")
    address = f"/api/v1/reviews/{item.review.uuid}/items/{item.uuid}/transitions/"

    answer = api_client(stage.lead).post(address, body, content_type="application/json")

    assert answer.status_code == 400, answer.content


def test_nobody_approves_a_scope_that_they_did_not_read(stage):
    Project.objects.filter(pk=stage.project.pk).update(inside_product=True)
    read = selectors.scope_digest(stage.project)
    charters.change_charter(
        stage.project, {"in_scope": "The whole product."}, by=stage.owner, at=stage.now
    )

    with pytest.raises(support.PlanChanged):
        support.approve_inside_product(
            stage.project, note="Ticket 12.", digest=read, by=stage.product, at=stage.now
        )

    assert Project.objects.get(pk=stage.project.pk).approved_at is None


def test_parts_do_not_count_a_seat_twice(stage):
    made = splitting.split(
        stage.project,
        [Part("One", None), Part("Two", None)],
        seats_with=1,
        by=stage.lead,
        at=stage.now,
    )

    seats = [each.account_links.get().seats_likely for each in made]
    assert seats == [None, 200]


@pytest.mark.django_db(transaction=True)
class TestAtOnce:
    """With threads and real commits."""

    @pytest.fixture
    def stage(self):
        with transaction.atomic():
            return Stage(code=True)

    @staticmethod
    def moving(project, name, by, **values):
        def work():
            fresh = Project.objects.get(pk=project.pk)
            try:
                return move(fresh, name, by=by, at=timezone.now(), given=given(**values))
            except ValidationError as refusal:
                return DomainError(str(refusal))

        return work

    @staticmethod
    def rewriting(stage):
        content = Content(mode="team", maintained_by="de", text="We fix it some day.")
        return lambda: support.write_plan(
            stage.project, content, by=stage.engineer, at=timezone.now()
        )

    def test_no_signature_lands_on_a_plan_that_nobody_read(self, stage):
        plan = stage.plan()

        def signing(side):
            return lambda: support.sign(
                stage.project,
                side,
                agrees=True,
                digest=plan.digest,
                by=getattr(stage, side),
                at=timezone.now(),
            )

        together(self.rewriting(stage), *map(signing, SupportSignOff.Side.values))

        assert selectors.why_not_signed(Project.objects.get(pk=stage.project.pk))

    def test_work_does_not_start_on_a_plan_that_was_just_rewritten(self, stage):
        stage.signed_plan()
        self.moving(stage.project, "ready", stage.lead)()
        self.moving(stage.project, "schedule", stage.lead, increment=str(stage.increment.uuid))()

        together(self.rewriting(stage), self.moving(stage.project, "start", stage.owner))

        verbs = list(
            Event.objects.filter(verb__in=["project.started", "support_plan.written"])
            .order_by("pk")
            .values_list("verb", flat=True)
        )
        assert verbs in (["support_plan.written"], ["project.started", "support_plan.written"])

    def test_the_last_days_of_an_increment_are_given_once(self, stage):
        with transaction.atomic():
            projects = [stage.project, Stage().project]
            Project.objects.update(builds_code=False, days=Decimal(8))
            for each in projects:
                each.leads.set([stage.engineer])
        for each in projects:
            self.moving(each, "ready", stage.lead)()

        together(*(
            self.moving(each, "schedule", by, increment=str(stage.increment.uuid))
            for each, by in zip(projects, (stage.lead, stage.second_lead), strict=True)
        ))  # fmt: skip

        assert sorted(Project.objects.values_list("state", flat=True)) == ["ready", "scheduled"]

    def test_nothing_is_promised_to_what_is_taken_off_the_schedule(self, stage):
        stage.signed_plan()
        self.moving(stage.project, "ready", stage.lead)()
        self.moving(stage.project, "schedule", stage.lead, increment=str(stage.increment.uuid))()
        with transaction.atomic():
            person = factories.MembershipFactory(team=stage.team).person
        project = Project.objects.get()

        together(
            self.moving(stage.project, "unschedule", stage.lead),
            lambda: allocating.allocate(
                stage.increment,
                project,
                person,
                days=Decimal(1),
                is_hard=True,
                by=stage.second_lead,
                at=stage.now,
            ),
        )

        assert Project.objects.get().state == "ready"
        assert not Allocation.objects.filter(is_hard=True).exists()

    def test_a_form_sent_twice_at_once_proposes_once(self, stage):
        typed = {"kind": "internal", "type": "tool", "title": "Twice", "once": str(uuid.uuid4())}
        browsers = [Client(), Client()]
        for each in browsers:
            each.force_login(stage.lead)

        together(*(
            lambda each=each: each.post(reverse("projects:new"), typed) for each in browsers
        ))  # fmt: skip

        assert Project.objects.filter(title="Twice").count() == 1
