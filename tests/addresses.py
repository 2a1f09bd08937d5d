"""Every address of the URL configuration, filled with things that are there."""

import datetime as dt
import uuid

from django.urls import get_resolver
from django.utils import timezone

from accounts.models import BulkEdit
from engagements.models import RoutingRule, ServiceLevel, SignOffMinimum, SowTemplate
from events.models import MoveRequest
from metrics.models import HealthPolicy
from projects.models import ProjectRequest, ScorePolicy
from tests import factories


def routes(resolver=None, prefix="", namespace=""):
    for pattern in (resolver or get_resolver()).url_patterns:
        route = prefix + str(pattern.pattern)
        if hasattr(pattern, "url_patterns"):
            inner = namespace + (f"{pattern.namespace}:" if pattern.namespace else "")
            yield from routes(pattern, route, inner)
        elif pattern.name:
            yield namespace + pattern.name, route


ROUTES = dict(routes())


class World:
    """One of everything; called with a route's name it returns the address over it."""

    def __init__(self):
        self.account = account = factories.AccountFactory()
        self.other = other = factories.UserFactory()
        self.import_ = factories.ImportFactory(by=other)
        factories.ImportChunkFactory(file=self.import_)
        self.policy = ScorePolicy.objects.first()
        self.view = factories.SavedViewFactory(owner=other, is_team=True)
        self.request = factories.ServiceRequestFactory(
            account=account, filed_by=other, state="sow_drafting"
        )
        self.sow = factories.SowVersionFactory(request=self.request, frozen_at=timezone.now())
        self.change = factories.ChangeRequestFactory(
            request=self.request,
            before=self.sow,
            after=factories.SowVersionFactory(request=self.request, number=2),
        )
        self.template = SowTemplate.objects.first()
        self.asked = MoveRequest.objects.create(
            workflow="request",
            transition="cancel",
            object_id=self.request.uuid,
            by=other,
            at=timezone.now(),
        )
        self.comment = factories.CommentFactory(request=self.request, by=other)
        self.file = factories.AttachmentFactory(request=self.request, by=other)
        self.artefact = factories.ArtefactFactory(request=self.request, by=other)
        self.risk = factories.WorkAtRiskFactory(request=self.request)
        self.sign_off = factories.SignOffFactory(sow=self.sow, recorded_by=other)
        contact = factories.ContactFactory(account=account)
        self.link = factories.SignOffLinkFactory(sow=self.sow, contact=contact)
        self.minimum = SignOffMinimum.objects.filter(end=None).first()
        self.level = ServiceLevel.objects.filter(end=None).first()
        self.rule = RoutingRule.objects.filter(end=None).first()
        self.project = factories.ProjectFactory(kind="external", proposed_by=other, owner=other)
        ProjectRequest.objects.create(project=self.project, request=self.request)
        factories.ProjectAccountFactory(project=self.project, account=account)
        self.support_plan = factories.SupportPlanFactory(project=self.project, mode="official")
        self.project_artefact = factories.ProjectArtefactFactory(project=self.project)
        factories.ProjectCheckFactory(project=self.project)
        self.stakeholder = factories.StakeholderFactory(project=self.project)
        self.review = factories.ReviewFactory()
        self.item = factories.ReviewItemFactory(review=self.review, project=self.project)
        self.increment = factories.IncrementFactory()
        self.membership = factories.MembershipFactory(team=self.increment.team)
        self.allocation = factories.AllocationFactory(
            increment=self.increment, project=self.project, person=self.membership.person
        )
        self.absence = factories.AbsenceFactory(person=other)
        self.proposal = factories.DefinitionProposalFactory(proposed_by=other)
        self.alert = factories.AlertFactory()
        self.edit = BulkEdit.objects.create(field="region", value="EMEA", by=other)
        self.things = {
            "subscriptions": factories.SubscriptionFactory(account=account),
            "instances": factories.InstanceFactory(account=account),
            "contacts": contact,
            "assignments": factories.AssignmentFactory(account=account, user=other),
            "exchange-rates": factories.ExchangeRateFactory(),
            "tiers": factories.TierFactory(name="Opal", arr_from=7, start=dt.date(2020, 1, 1)),
            "routing-rules": RoutingRule.objects.order_by("pk").first(),
            "service-requests": self.request,
            "projects": self.project,
            "artefacts": self.project_artefact,
            "reviews": self.review,
            "increments": self.increment,
            "teams": self.increment.team,
            "absences": self.absence,
            "allocations": self.allocation,
            "definition-proposals": self.proposal,
            "alerts": self.alert,
            "alert-rules": self.alert.rule,
            "accounts": account,
            "users": other,
            "imports": self.import_,
            "tokens": factories.ApiTokenFactory(owner=other),
        }

    def __call__(self, name):
        thing = self.things.get(name.removeprefix("api:").rpartition("-")[0])
        path = "/" + ROUTES[name].replace("^", "").replace("$", "")
        for part, value in {
            "<number:number>": self.account.number,
            "<import_number:number>": self.import_.number,
            "<request_number:number>": self.request.number,
            "<uuid:request_id>": self.request.uuid,
            "<project_number:number>": self.project.number,
            "<uuid:project_id>": self.project.uuid,
            "<uuid:policy_id>": self.policy.uuid,
            "<uuid:health_policy_id>": HealthPolicy.objects.get(number=1).uuid,
            "<uuid:stakeholder_id>": self.stakeholder.uuid,
            "<review_number:number>": self.review.number,
            "<uuid:review_id>": self.review.uuid,
            "<uuid:item_id>": self.item.uuid,
            "<uuid:increment_id>": self.increment.uuid,
            "<uuid:team_id>": self.increment.team.uuid,
            "<uuid:membership_id>": self.membership.uuid,
            "<uuid:allocation_id>": self.allocation.uuid,
            "<uuid:absence_id>": self.absence.uuid,
            "<uuid:rule_id>": self.rule.uuid,
            "<proposal_number:number>": self.proposal.number,
            "<uuid:alert_id>": self.alert.uuid,
            "<uuid:alert_rule_id>": self.alert.rule.uuid,
            "<slug:step>": "asked",
            "<slug:pack>": "b",
            "<slug:transition>": "cancel",
            "<slug:block>": "scope",
            "<uuid:asked_id>": self.asked.uuid,
            "<uuid:sow_id>": self.sow.uuid,
            "<uuid:change_id>": self.change.uuid,
            "<uuid:template_id>": self.template.uuid,
            "<int:version>": "1",
            "<uuid:comment_id>": self.comment.uuid,
            "<uuid:file_id>": self.file.uuid,
            "<uuid:artefact_id>": self.artefact.uuid,
            "<uuid:project_artefact_id>": self.project_artefact.uuid,
            "<slug:side>": "engineering",
            "<slug:key>": "d1",
            "<uuid:risk_id>": self.risk.uuid,
            "<uuid:sign_off_id>": self.sign_off.uuid,
            "<uuid:link_id>": self.link.uuid,
            "<uuid:minimum_id>": self.minimum.uuid,
            "<slug:way>": "verbal",
            # Links that open are in tests/engagements/test_public_pages.py.
            "<path:token>": "nobody-has-this-token",
            "<str:code>": self.sign_off.receipt,
            "<slug:decision>": "approve",
            "<int:days>": "30",
            "<slug:kind>": "accounts",
            "<slug:clock>": "routed",
            "<month:month>": "1999-01",
            "<uuid:level_id>": self.level.uuid,
            "<uuid:account_id>": self.account.uuid,
            "<str:source>": self.account.source,
            "<path:external_id>": self.account.external_id,
            "<uuid:import_id>": self.import_.uuid,
            "<uuid:tier_id>": self.things["tiers"].uuid,
            "<uuid:run_id>": uuid.uuid4(),
            "<uuid:scenario_id>": uuid.uuid4(),
            "<uuid:view_id>": self.view.uuid,
            "<uuid:edit_id>": self.edit.uuid,
            "<uuid:person_id>": self.other.uuid,
            "<uuid:token_id>": self.things["tokens"].uuid,
            "<uuid:id>": thing.uuid if thing else uuid.uuid4(),
            "<slug:slug>": "seats-deployed",
            "(?P<key>[-:\\w]+)": "nothing",
            "(?P<uidb36>[0-9A-Za-z]+)-(?P<key>.+)": "1-nothing",
        }.items():
            path = path.replace(part, str(value))
        assert "<" not in path, f"{name} has a part that nothing fills: {path}"
        return path
