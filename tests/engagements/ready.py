"""Requests on which a move is possible, and what breaks each of its guards."""

import datetime as dt

from django.utils import timezone

from accounts import selectors as accounts
from engagements.models import Artefact, Delivery, RollOut, RoutingDecision, SignOff, Tick
from events import workflow
from tests import factories

UNSIGNED = ("draft", "submitted", "needs_info", "routed_out")
PLANNED = ("scheduled", "in_progress", "delivered", "accepted", "closed")
WORKED = ("in_progress", "delivered", "accepted")


def given(**values):
    return workflow.Given(values=values, reason="Because it is so.")


class Stage:
    """A request with its people; `at(state)` puts it there with all that belongs to the state."""

    def __init__(self, account=None):
        make = factories.UserFactory
        self.filer = make(roles=["tam"])
        self.account = account or factories.AccountFactory()
        self.colleague = make(roles=["csm"])
        factories.AssignmentFactory(
            account=self.account, user=self.colleague, role="CSM", primary=False
        )
        self.stranger = make(roles=["tam"])
        self.engineer = make(roles=["de_engineer"])
        self.other_engineer = make(roles=["de_engineer"])
        self.lead = make(roles=["de_lead"])
        self.second_lead = make(roles=["de_lead"])
        self.leadership = make(roles=["leadership"])
        self.administrator = make(roles=["administrator"])
        self.now = timezone.now()
        self.today = accounts.today(self.now)
        self.contact = factories.ContactFactory(account=self.account, email="kari@halden.example")
        self.request = factories.ServiceRequestFactory(
            account=self.account, filed_by=self.filer, contact=self.contact, impact=2, effort="low"
        )

    def sow(self, *, frozen=True):
        return factories.SowVersionFactory(
            request=self.request,
            number=self.request.sows.count() + 1,
            frozen_at=self.now if frozen else None,
        )

    def signed(self, sow=None, *, way="link", state="agreed"):
        sow = sow or self.sow()
        by = None if way == "link" else self.filer
        confirmed = self.colleague if way == "verbal" and state == "agreed" else None
        sign_off = SignOff.objects.create(
            request=self.request,
            purpose="sow",
            sow=sow,
            digest=sow.digest,
            way=way,
            party_name="Kari Solberg",
            recorded_at=self.now,
            recorded_by=by,
            confirmed_by=confirmed,
        )
        if state != "recorded":
            workflow.place(sign_off, state)
        return sign_off

    def at(self, state):
        if state == "sow_drafting":
            self.sow(frozen=False)
        elif state == "awaiting_signoff":
            self.sow()
        elif state not in UNSIGNED:
            self.signed()
        if state in PLANNED:
            self._plan()
        if state in WORKED:
            self._work()
        ENTERED.get(state, lambda _stage: None)(self)
        workflow.place(self.request, state)
        return self.request

    def _routed_out(self):
        RoutingDecision.objects.create(
            request=self.request, at=self.now, how="person", by=self.lead, owner="support"
        )

    def _paused(self, where):
        self.request.paused_from = where
        self.request.save(update_fields=["paused_from"])

    def _plan(self):
        self.request.lead = self.engineer
        self.request.start, self.request.end = self.today, self.today + dt.timedelta(days=4)
        self.request.save(update_fields=["lead", "start", "end"])

    def _work(self):
        done = {"request": self.request, "by": self.engineer, "at": self.now}
        for each in self.request.sows.get().content["deliverables"]:
            Tick.objects.create(
                **done, key=each["key"], evidence="A screenshot.", done_on=self.today
            )
        RollOut.objects.create(**done, note="At all plants.", done_on=self.today)
        Artefact.objects.create(**done, name="Sync script", maintained_by="customer")

    def delivery(self):
        return Delivery.objects.create(
            request=self.request,
            number=self.request.deliveries.count() + 1,
            digest="d" * 64,
            by=self.engineer,
            at=self.now,
        )

    def answered(self, state):
        """A customer's answer to the newest delivery."""
        sign_off = SignOff.objects.create(
            request=self.request,
            purpose="delivery",
            delivery=self.delivery(),
            digest="d" * 64,
            way="link",
            recorded_at=self.now,
        )
        workflow.place(sign_off, state)
        return sign_off

    def risk(self, state="approved", **fields):
        fields = {"expires_on": self.today + dt.timedelta(days=7)} | fields
        return factories.WorkAtRiskFactory(
            request=self.request, asked_by=self.lead, state=state, **fields
        )

    def appealed(self):
        decision = self.request.decisions.latest("id")
        decision.appealed_by, decision.appealed_at = self.filer, self.now
        decision.save()

    def edited(self):
        """Write a draft that differs from what was signed."""
        sow = factories.SowVersionFactory(request=self.request, number=9)
        sow.content = sow.content | {"in_scope": ["Four plants"]}
        sow.digest = "e" * 64
        sow.save()
        return sow


# What else belongs to a state.
ENTERED = {
    "accepted": lambda stage: stage.answered("agreed"),
    "routed_out": Stage._routed_out,
    "needs_info": lambda stage: stage._paused("submitted"),
    "on_hold": lambda stage: stage._paused("triaged"),
}
