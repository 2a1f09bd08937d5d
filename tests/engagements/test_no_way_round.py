"""No sequence of moves reaches work that the customer did not agree to."""

import datetime as dt

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from config.lib.errors import DomainError
from engagements import selectors, services
from engagements.models import RequestState, ServiceRequest
from engagements.workflows import REQUEST, RISK, SIGN_OFF
from events import workflow
from events.workflow import Given
from people.models import system_user
from tests import factories
from tests.engagements.ready import Stage

WORKING = {RequestState.IN_PROGRESS, RequestState.DELIVERED}
ACTORS = ("filer", "colleague", "engineer", "lead", "second_lead", "leadership", "keel")
# Everything that any move may ask for; each takes what it knows.
EVERYTHING = {
    "impact": 1,
    "effort": "low",
    "confidence": "low",
    "owner": "support",
    "question": "Which?",
    "answer": "That one.",
    "summary": "All of it.",
    "alternative": "Support.",
    "start": "2026-12-01",
    "end": "2026-12-05",
}
CODES = {"decline": "out_of_scope", "cancel": "solved_otherwise", "hold": "customer_waits"}
STATES = [state for state in RequestState if state not in WORKING]

moves = st.tuples(
    st.just("move"),
    st.sampled_from([each.id for each in REQUEST.transitions]),
    st.sampled_from(ACTORS),
)
evidence = st.tuples(
    st.sampled_from(["sign", "object", "withdraw", "confirm", "say", "write"]),
    st.sampled_from(ACTORS),
)
risks = st.tuples(st.sampled_from(["risk", "approve", "end", "expire"]), st.sampled_from(ACTORS))
edits = st.tuples(st.sampled_from(["edit", "freeze", "discard"]))
steps = st.lists(st.one_of(moves, moves, evidence, risks, edits), min_size=3, max_size=25)


def values_for(name, stage):
    transition = REQUEST.transition(name)
    known = {each.name for each in transition.fields}
    values = {name: value for name, value in EVERYTHING.items() if name in known}
    if "code" in known:
        values["code"] = CODES[name]
    if "lead" in known:
        values["lead"] = stage.engineer.email
    return values


class Walk:
    def __init__(self, state, *, critical):
        self.stage = Stage()
        self.stage.request.critical = critical
        self.stage.request.save(update_fields=["critical"])
        self.stage.at(state)
        self.today = self.stage.today

    @property
    def request(self):
        return ServiceRequest.objects.get(pk=self.stage.request.pk)

    def actor(self, name):
        return system_user() if name == "keel" else getattr(self.stage, name)

    def step(self, kind, *rest):
        {
            "move": self._request_move,
            "sign": self._evidence,
            "say": self._evidence,
            "write": self._evidence,
            "object": self._sign_off_move,
            "withdraw": self._sign_off_move,
            "confirm": self._sign_off_move,
            "risk": self._risk_asked,
            "approve": self._risk_move,
            "end": self._risk_move,
            "expire": self._expire,
            "edit": self._edit,
            "freeze": self._edit,
            "discard": self._edit,
        }[kind](kind, *rest)

    def _request_move(self, _kind, name, who):
        self._move(self.request, name, who, **values_for(name, self.stage))

    def _sign_off_move(self, kind, who):
        values = {"objection": "Not so."} if kind == "object" else {}
        for sign_off in self.request.sign_offs.all():
            self._move(sign_off, kind, who, **values)

    def _risk_asked(self, *_):
        if not self.request.risks.filter(state__in=["asked", "approved"]).exists():
            self.stage.risk("asked")

    def _risk_move(self, kind, who):
        for risk in self.request.risks.all():
            self._move(risk, kind, who, **({"code": "expired"} if kind == "end" else {}))

    def _expire(self, *_):
        self.request.risks.update(expires_on=self.today - dt.timedelta(days=1))

    def _move(self, thing, name, who, **values):
        wish = Given(reason="Because.", values=values)
        services.move(thing, name, by=self.actor(who), at=self.stage.now, given=wish)

    def _evidence(self, kind, _who):
        sow = selectors.newest_frozen(self.request)
        way = {"sign": "link", "say": "verbal", "write": "written"}[kind]
        states = ["recorded", "agreed"]
        if sow is None or sow.sign_offs.filter(way=way, state__in=states).exists():
            return
        sign_off = self.stage.signed(sow, way=way, state="recorded")
        if kind != "say":
            self._move(sign_off, "agree", "keel")

    def _edit(self, kind):
        current = selectors.current_sow(self.request)
        if kind == "edit" and (current is None or current.is_frozen):
            newest = self.request.sows.order_by("-number").first()
            number = (newest.number if newest else 0) + 1
            draft = factories.SowVersionFactory(request=self.request, number=number)
            draft.content = draft.content | {"in_scope": [f"Plants, version {number}"]}
            draft.digest = f"{number:064d}"
            draft.save()
        elif kind == "freeze" and current is not None and not current.is_frozen:
            current.frozen_at = self.stage.now
            current.save(update_fields=["frozen_at"])
        elif kind == "discard" and current is not None and not current.is_frozen:
            current.discarded_at = self.stage.now
            current.save(update_fields=["discarded_at"])


class NoWayRound(TestCase):
    @settings(
        max_examples=40, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True
    )
    @given(state=st.sampled_from(STATES), critical=st.booleans(), walk=steps)
    def test_work_begins_only_on_what_was_agreed_to(self, state, critical, walk):
        walker = Walk(state, critical=critical)
        for step in walk:
            before = walker.request
            try:
                walker.step(*step)
            except (DomainError, PermissionDenied, ValidationError):
                continue
            after = walker.request
            if after.state in WORKING and after.state != before.state:
                assert selectors.may_work(after, on=walker.today), step


@pytest.mark.django_db
@pytest.mark.parametrize("name", [each.id for each in REQUEST.transitions])
def test_a_move_that_can_lead_to_work_looks_at_the_ground(name):
    """Said of the table itself, for the walks above may miss a way."""
    transition = REQUEST.transition(name)
    if RequestState.IN_PROGRESS in transition.leads_to - transition.sources:
        codes = {guard.code for guard in transition.guards}
        assert "signed_or_risk" in codes or transition.leads is not None


def test_the_walks_know_every_table():
    assert {each.name for each in workflow.workflows()} >= {
        table.name for table in (REQUEST, SIGN_OFF, RISK)
    }
