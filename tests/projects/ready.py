"""A project on which a move is possible, with its people."""

import datetime as dt

from django.utils import timezone

from accounts import selectors as accounts
from events import workflow
from projects.models import ProjectAccount, ProjectRequest, SupportPlan, SupportSignOff
from projects.selectors import digest_now
from tests import factories
from tests.engagements.ready import Stage as RequestStage


def given(**values):
    return workflow.Given(values=values, reason="Because it is so.")


class Stage:
    """A chartered external project of one signed request, proposed; `code=True` builds code."""

    def __init__(self, *, code=False, request_state="signed_off"):
        self.requests = RequestStage()
        self.requests.at(request_state)
        self.request = self.requests.request
        self.account = self.requests.account
        self.now, self.today = timezone.now(), accounts.today(timezone.now())
        make = factories.UserFactory
        self.lead = self.requests.lead
        self.second_lead = self.requests.second_lead
        self.owner = make(roles=["de_engineer"])
        self.engineer = self.requests.engineer
        self.stranger = self.requests.stranger
        self.leadership = self.requests.leadership
        self.engineering = make(roles=["engineering_leadership"])
        self.support = make(roles=["support_leadership"])
        self.product = make(roles=["product_leadership"])
        self.project = factories.ProjectFactory(
            kind="external",
            type="custom_integration",
            title="SAML for the plants",
            proposed_by=self.requests.filer,
            objectives="Plant staff sign in.",
            outcomes="400 more seats deployed.",
            in_scope="The three plants.",
            out_of_scope="Other identity providers.",
            if_not="They drop 400 seats.",
            owner=self.owner,
            roll_out_where="The plants' realm.",
            roll_out_told="The plants' managers, by mail.",
            roll_out_on=self.today + dt.timedelta(days=30),
            builds_code=code,
            impact=2,
            effort="medium",
            days=5,
            confidence="medium",
            score="72.00",
        )
        self.project.leads.add(self.engineer)
        ProjectRequest.objects.create(project=self.project, request=self.request)
        ProjectAccount.objects.create(
            project=self.project,
            account=self.account,
            seats_low=100,
            seats_likely=200,
            seats_high=400,
        )
        factories.StakeholderFactory(project=self.project)
        self.team = factories.TeamFactory()
        for person in (self.engineer, self.owner):
            factories.MembershipFactory(team=self.team, person=person)
        self.increment = factories.IncrementFactory(team=self.team)

    def plan(self, **more):
        """Write a support plan that nobody signed."""
        plan = SupportPlan(
            project=self.project,
            mode="team",
            maintained_by="de",
            text="We fix it within two days.",
            written_by=self.owner,
            written_at=self.now,
            **more,
        )
        plan.digest = digest_now(plan, self.project)
        plan.save()
        return plan

    def signed_plan(self, *sides):
        """Write a support plan signed by these sides, all three by default."""
        plan = self.plan()
        for side in sides or SupportSignOff.Side.values:
            SupportSignOff.objects.create(
                plan=plan,
                side=side,
                agrees=True,
                digest=plan.digest,
                by=getattr(self, side),
                at=self.now,
            )
        return plan
