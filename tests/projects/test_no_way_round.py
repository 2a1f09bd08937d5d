"""No sequence of moves starts code that three sides did not sign, or work nobody agreed to."""

import contextlib

from django.core.exceptions import PermissionDenied, ValidationError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from config.lib.errors import DomainError
from engagements import services as request_services
from engagements.models import RequestState, ServiceRequest
from engagements.selectors import may_work
from engagements.workflows import REQUEST
from events.workflow import Given
from people.models import system_user
from projects import selectors, services
from projects.models import Project, SupportPlan, SupportSignOff
from projects.workflows import PROJECT
from tests import factories
from tests.projects.ready import Stage

ACTORS = ("owner", "engineer", "lead", "second_lead", "leadership", "product", "keel")
SIDES = SupportSignOff.Side.values
BEYOND_TRIAGE = {"ready", "scheduled", "in_progress"}
WORKING = {"in_progress", "delivered"}
# Everything that any move may ask for; each takes what it knows.
EVERYTHING = {
    "summary": "All of it.",
    "days_used": "4",
    "alternative": "Support.",
    "despite": "It has to be.",
    "limit_note": "It has to be.",
    "impact": 1,
    "effort": "low",
    "confidence": "low",
    "start": "2026-12-01",
    "end": "2026-12-05",
    "question": "Which?",
    "answer": "That one.",
    "owner": "support",
}
CODES = {"decline": "duplicate", "hold": "customer_waits", "cancel": "solved_otherwise"}

project_moves = st.tuples(
    st.just("project"),
    st.sampled_from([each.id for each in PROJECT.transitions]),
    st.sampled_from(ACTORS),
)
request_moves = st.tuples(
    st.just("request"),
    st.sampled_from([each.id for each in REQUEST.transitions]),
    st.sampled_from(ACTORS),
)
papers = st.one_of(
    st.tuples(st.just("plan")),
    st.tuples(st.just("rewrite")),
    st.tuples(st.just("rescope")),
    st.tuples(st.just("edit_sow")),
    st.tuples(st.just("sign"), st.sampled_from(SIDES), st.sampled_from(SIDES)),
    st.tuples(st.just("sign_sow")),
)
steps = st.lists(st.one_of(project_moves, project_moves, request_moves, papers), max_size=25)


class Walk:
    def __init__(self):
        self.stage = Stage(code=True)

    def take(self, kind, *how):
        getattr(self, kind)(*how)

    def project(self, name, who):
        self._move(services.move, self.stage.project, PROJECT.transition(name), name, who)

    def request(self, name, who):
        self._move(request_services.move, self.stage.request, REQUEST.transition(name), name, who)

    def plan(self):
        if selectors.support_plan_of(self.stage.project) is None:
            self.stage.plan()

    def rewrite(self):
        for plan in SupportPlan.objects.all():
            plan.text += " And more."
            plan.save()

    def rescope(self):
        project = self.stage.project
        Project.objects.filter(pk=project.pk).update(in_scope=project.in_scope + " More.")
        project.refresh_from_db()

    def edit_sow(self):
        factories.SowVersionFactory(
            request=self.stage.request,
            number=self.stage.request.sows.count() + 1,
            frozen_at=self.stage.now,
            digest=f"{self.stage.request.sows.count():064}",
        )

    def sign(self, side, by):
        plan = selectors.support_plan_of(self.stage.project)
        if plan is not None:
            SupportSignOff.objects.create(
                plan=plan,
                side=side,
                agrees=True,
                digest=selectors.digest_now(plan, self.stage.project),
                by=getattr(self.stage, by),
                at=self.stage.now,
            )

    def sign_sow(self):
        self.stage.requests.signed()

    def _move(self, move, thing, transition, name, who):
        known = {each.name for each in transition.fields}
        values = {name: value for name, value in EVERYTHING.items() if name in known}
        if "code" in known:
            values["code"] = CODES[name]
        if "increment" in known:
            values["increment"] = str(self.stage.increment.uuid)
        if "lead" in known:
            values["lead"] = self.stage.engineer.email
        by = system_user() if who == "keel" else getattr(self.stage, who)
        wish = Given(values=values, reason="So.")
        with contextlib.suppress(DomainError, PermissionDenied, ValidationError):
            move(thing, name, by=by, at=self.stage.now, given=wish)
        self.stage.project.refresh_from_db()
        self.stage.request.refresh_from_db()


class TestNoWayRound(TestCase):
    @settings(max_examples=40, suppress_health_check=list(HealthCheck))
    @given(steps)
    def test_no_walk_starts_what_was_not_agreed_to(self, steps):
        walk = Walk()
        project: Project = walk.stage.project
        request: ServiceRequest = walk.stage.request
        for step in steps:
            before, request_before = project.state, request.state
            walk.take(*step)
            if project.state != before and project.state in BEYOND_TRIAGE:
                assert step[1] == "unschedule" or not selectors.why_not_supported(project), step
            if request.state == RequestState.IN_PROGRESS != request_before:
                assert may_work(request, on=walk.stage.today), step
            if request.state == RequestState.IN_PROGRESS and not project.is_over:
                assert project.state in WORKING, step

    @settings(max_examples=15, suppress_health_check=list(HealthCheck))
    @given(st.lists(st.sampled_from([each.id for each in PROJECT.transitions]), max_size=12))
    def test_what_may_happen_next_does_happen(self, names):
        walk = Walk()
        walk.stage.signed_plan()
        stage = walk.stage
        for name in names:
            open_ones = {
                each.transition.id
                for each in services.options(stage.project, stage.lead, at=stage.now)
                if each.is_open
            }
            before = stage.project.version
            walk.project(name, "lead")
            assert (stage.project.version > before) <= (name in open_ones)
