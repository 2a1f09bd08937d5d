"""Code is not made ready, scheduled or begun before three people signed its plan as it stands.

Said of every surface. What is signed is kept here apart from the application: the walk notes what
each person was shown, and compares that with what stands there when a project moves on.
"""

import contextlib
from dataclasses import dataclass

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import DatabaseError, transaction
from django.test import Client
from django.urls import reverse
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase
from rest_framework.test import APIClient

from config.lib.errors import DomainError
from engagements import services as request_services
from events import workflow
from events.services import acting_token
from events.workflow import Given
from people import services as people
from people.models import Scope, User
from projects import selectors, services
from projects.models import Project, ProjectState, SupportPlan, SupportSignOff
from projects.services import charters, deciding, support
from projects.services.support import Content
from projects.workflows import PROJECT
from tests import factories
from tests.projects.ready import Stage

SIDES = tuple(SupportSignOff.Side.values)
BEYOND = ("ready", "scheduled", "in_progress")
# Back is back: what is taken off the schedule waits, and goes no further without signatures.
BACK = {("scheduled", "ready")}
SURFACES = ("service", "engine", "page", "api", "token", "board", "review", "by hand")
CHARTER = ("service", "page", "api")
MOVES = ("ready", "schedule", "start", "hold", "resume", "unschedule", "rework", "unready")
LANES = {"ready": "ready", "schedule": "scheduled", "start": "in_progress"}
REFUSALS = (DomainError, PermissionDenied, ValidationError, DatabaseError)
TEXTS = ("We fix it.", "We fix it some day.")
SCOPES = ("The three plants.", "The plants and the offices.")


@dataclass(frozen=True)
class Answer:
    side: str
    agrees: bool
    shown: tuple
    by: int


class Walk:
    """People who do what they may and may not, on every surface; one has two roles."""

    def __init__(self):
        self.stage = Stage(code=True)
        self.stage.engineering.groups.add(
            *self.stage.support.groups.all(), *self.stage.lead.groups.all()
        )
        self.answers: list[Answer] = []
        self.clients = {}

    @property
    def project(self):
        return Project.objects.get(pk=self.stage.project.pk)

    @property
    def plan(self):
        return SupportPlan.objects.filter(project=self.stage.project).first()

    def content(self):
        plan, project = self.plan, self.project
        return (
            plan.mode, plan.maintained_by, plan.depends_on_server_version, plan.text,
            project.in_scope,
        )  # fmt: skip

    def is_signed(self):
        """Say so by what people were shown, and by nothing the application says."""
        if self.plan is None:
            return False
        now, live = self.content(), {}
        for answer in self.answers:
            if answer.shown == now and answer.by != self.plan.written_by_id:
                live[answer.side] = answer
        agreed = {each.by for each in live.values() if each.agrees}
        return len(agreed) == len(SIDES) == sum(each.agrees for each in live.values())

    def person(self, name):
        return User.objects.get(pk=getattr(self.stage, name).pk)

    def client(self, name, kind):
        if (name, kind) not in self.clients:
            self.clients[name, kind] = self._new_client(self.person(name), kind)
        return self.clients[name, kind]

    def _new_client(self, person, kind):
        if kind == "token":
            _, text = people.create_token(
                owner=person, name="Tests", scopes=[Scope.PROJECT_WRITE, Scope.REQUEST_WRITE],
                accounts=[], by=person, at=self.stage.now,
            )  # fmt: skip
            return APIClient(headers={"Authorization": f"Bearer {text}"})
        client = APIClient() if kind == "api" else Client()
        client.force_login(person)
        return client

    # What a walk is made of.

    def write(self, who, text, mode):
        owner = "customer" if mode == "customer" else "de"
        content = Content(mode=mode, maintained_by=owner, text=text)
        support.write_plan(self.project, content, by=self.person(who), at=self.stage.now)

    def write_on_page(self, who, text):
        data = {"mode": "team", "maintained_by": "de", "text": text}
        data["version"] = self.plan.version if self.plan else 0
        sent = {f"plan-{name}": value for name, value in data.items()}
        path = reverse("projects:support-plan", args=[self.project.pk])
        self.client(who, "page").post(path, sent)

    def sign(self, side, who, agrees, surface):
        if self.plan is None:
            return
        before, shown = SupportSignOff.objects.count(), self.content()
        digest = selectors.signatures_of(self.project).digest
        if surface == "page":
            path = reverse("projects:support-sign", args=[self.project.pk, side])
            sent = {"answer": "sign" if agrees else "reject", "note": "So.", "digest": digest}
            sent = {f"sign-{side}-{name}": value for name, value in sent.items()}
            self.client(who, "page").post(path, sent)
        else:
            support.sign(
                self.project, side, agrees=agrees, digest=digest, note="So.",
                by=self.person(who), at=self.stage.now,
            )  # fmt: skip
        if SupportSignOff.objects.count() > before:
            self.answers.append(Answer(side, agrees, shown, self.person(who).pk))

    def all_sign(self, people=("engineering", "support", "product")):
        acting_token.set("")
        if self.plan is None:
            self.write("owner", TEXTS[0], "team")
        for side, who in zip(SIDES, people, strict=True):
            with contextlib.suppress(*REFUSALS):
                self.sign(side, who, True, "service")

    def there_and_back(self, who):
        """Change the plan and change it back: it reads as it did when it was signed."""
        before = self.plan
        if before is not None:
            for text in ("Something else.", before.text):
                self.write(who, text, before.mode)

    def begin(self, has_code, moves):
        """Go some way in good order, with code or without."""
        if has_code:
            self.all_sign()
        else:
            self.code("service", False)
        for name in moves:
            self.move("service", name)

    def change(self, surface, **values):
        project = self.project
        if surface == "service":
            by = self.person("lead")
            charters.change_charter(project, values, by=by, at=self.stage.now)
        elif surface == "api":
            self.client("lead", "api").patch(
                f"/api/v1/projects/{project.uuid}/", values, format="json",
                headers={"If-Match": f'"{project.uuid}.{project.version}"'},
            )  # fmt: skip
        else:
            words = {True: "yes", False: "no"}
            block, sent = "code", {"builds_code": words.get(values.get("builds_code"))}
            if "in_scope" in values:
                block = "scope"
                sent = {"in_scope": values["in_scope"], "out_of_scope": project.out_of_scope}
            path = reverse("projects:edit", args=[project.pk, block])
            self.client("lead", "page").post(path, {**sent, "version": project.version})

    def scope(self, surface, text):
        self.change(surface, in_scope=text)

    def code(self, surface, builds):
        self.change(surface, builds_code=builds)

    def move(self, surface, name):
        project, stage = self.project, self.stage
        known = {each.name for each in PROJECT.transition(name).fields}
        values = {"increment": str(stage.increment.uuid), "despite": "So.", "limit_note": "So."}
        values |= {"code": "customer_waits"} if name == "hold" else {}
        values = {key: value for key, value in values.items() if key in known}
        wish = Given(reason="So.", values=values)
        lead = self.person("lead")
        match surface:
            case "service":
                services.move(project, name, by=lead, at=stage.now, given=wish)
            case "engine":
                workflow.perform(PROJECT, project, name, by=lead, at=stage.now, given=wish)
            case "page":
                path = reverse("projects:move", args=[project.pk, name])
                self.client("lead", "page").post(path, {**values, "reason": "So."})
            case "api" | "token":
                path = f"/api/v1/projects/{project.uuid}/transitions/"
                sent = {"transition": name, "reason": "So.", **values}
                self.client("lead", surface).post(path, sent, format="json")
            case "board" if name in LANES:
                sent = {"project": project.number, "lane": LANES[name], "filled": "1", **values}
                self.client("lead", "page").post(reverse("projects:board-move"), sent)
            case "review" if name == "schedule":
                self._decide(project, values["increment"], lead)
            case "by hand":
                state = LANES.get(name, "ready")
                Project.objects.filter(pk=project.pk).update(state=state)

    def _decide(self, project, increment, lead):
        review = factories.ReviewFactory(chair=lead, state="open")
        item = review.items.create(project=project, why="new", position=1)
        wish = deciding.Wish(decision="schedule", note="So.", values={"increment": increment})
        deciding.decide(item, wish, by=lead, at=self.stage.now)

    def start_request(self):
        request = self.stage.request
        request.refresh_from_db()
        by = self.person("lead")
        request_services.move(request, "start", by=by, at=self.stage.now)


people_ = st.sampled_from(["owner", "lead", "engineering", "support", "product"])
signers = st.sampled_from(["engineering", "engineering", "support", "product"])
ways = st.sampled_from([(), MOVES[:1], MOVES[:2], MOVES[:3], (*MOVES[:3], "hold")])
steps = st.one_of(
    st.tuples(st.just("move"), st.sampled_from(SURFACES), st.sampled_from(MOVES)),
    st.tuples(st.just("move"), st.sampled_from(SURFACES), st.sampled_from(MOVES[:3])),
    st.tuples(
        st.just("write"), people_, st.sampled_from(TEXTS), st.sampled_from(["team", "customer"])
    ),
    st.tuples(st.just("write_on_page"), people_, st.sampled_from(TEXTS)),
    st.tuples(
        st.just("sign"), st.sampled_from(SIDES), people_, st.booleans(),
        st.sampled_from(["service", "page"]),
    ),
    st.tuples(st.just("all_sign"), st.tuples(signers, signers, signers)),
    st.tuples(st.just("there_and_back"), people_),
    st.tuples(st.just("scope"), st.sampled_from(CHARTER), st.sampled_from(SCOPES)),
    st.tuples(st.just("code"), st.sampled_from(CHARTER), st.booleans()),
    st.tuples(st.just("start_request")),
)  # fmt: skip


def take(walk, step):
    name, *rest = step
    # What the last request left behind.
    acting_token.set("")
    with contextlib.suppress(*REFUSALS), transaction.atomic():
        getattr(walk, name)(*rest)


class TestThreeSignatures(TestCase):
    @settings(
        max_examples=20, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True
    )
    @given(st.booleans(), ways, st.lists(steps, min_size=2, max_size=12))
    def test_no_walk_over_any_surface_passes_them(self, has_code, moves, walked):
        walk = Walk()
        walk.begin(has_code, moves)
        for step in walked:
            before, code_before = walk.project.state, walk.project.builds_code
            take(walk, step)
            project = walk.project
            moved = project.state != before and (before, project.state) not in BACK
            if project.builds_code and project.state in BEYOND and moved:
                assert walk.is_signed(), step
            if project.builds_code and not code_before and project.state in BEYOND:
                assert walk.is_signed(), step
            walk.stage.request.refresh_from_db()
            if walk.stage.request.state == "in_progress" and step[0] == "start_request":
                assert walk.is_signed() or not project.builds_code, step


@pytest.mark.django_db
@pytest.mark.parametrize("surface", SURFACES)
@pytest.mark.parametrize("name", ["ready", "schedule", "start"])
def test_each_surface_stops_at_two_signatures_and_goes_on_with_three(surface, name):
    """Beside the walks, so that a surface that refuses everything is seen."""
    walk = Walk()
    walk.all_sign()
    done = MOVES[: MOVES.index(name)]
    for each in done:
        walk.move("service", each)
    walk.scope("service", SCOPES[1])
    was = walk.project.state
    take(walk, ("move", surface, name))
    assert walk.project.state == was
    walk.all_sign()
    take(walk, ("move", surface, name))
    is_way = {"review": name == "schedule", "by hand": False}.get(surface, True)
    assert (walk.project.state == LANES[name]) is is_way


@pytest.mark.django_db
def test_the_request_does_not_start_before_the_plan_is_signed():
    walk = Walk()
    walk.all_sign()
    for name in ("ready", "schedule", "start"):
        walk.move("service", name)
    request = walk.stage.request
    request.refresh_from_db()
    workflow.place(request, "scheduled")
    walk.scope("service", SCOPES[1])
    with pytest.raises(workflow.Blocked, match="support plan is not signed"):
        walk.start_request()
    walk.all_sign()
    walk.start_request()
    request.refresh_from_db()
    assert request.state == "in_progress"


@pytest.mark.django_db
@pytest.mark.parametrize("surface", CHARTER)
def test_code_does_not_come_in_once_work_is_past_triage(surface):
    walk = Walk()
    walk.code("service", False)
    walk.move("service", "ready")
    take(walk, ("code", surface, True))
    assert walk.project.builds_code is False
    walk.all_sign()
    take(walk, ("code", surface, True))
    assert walk.project.builds_code is True


@pytest.mark.django_db
def test_every_way_into_work_looks_at_the_plan():
    """Said of the table itself, for the walks above may miss a way."""
    guarded = {
        each.id
        for each in PROJECT.transitions
        if "support_plan" in {guard.code for guard in each.guards}
    }
    ways = {
        each.id
        for each in PROJECT.transitions
        if {ProjectState(state) for state in BEYOND} & each.leads_to and each.id != "unschedule"
    }
    assert ways <= guarded
