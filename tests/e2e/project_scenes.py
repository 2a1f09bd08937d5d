"""Projects in every state, for the eye, with a team, increments, reviews and absences."""

import datetime as dt
from decimal import Decimal

from django.db import transaction
from django.utils import timezone

from accounts.models import Account
from accounts.selectors import today
from events import workflow
from metrics.services.lifts import refresh_lifts
from people.models import User
from projects import services
from projects.models import (
    Allocation,
    ProjectAccount,
    ProjectArtefact,
    ProjectCheck,
    ProjectRequest,
    Review,
    ScorePolicy,
    SupportPlan,
    SupportSignOff,
)
from projects.selectors import digest_now
from projects.services import asking, overriding, voting
from tests import factories

CHARTER = {
    "kind": "external",
    "type": "custom_integration",
    "objectives": "Plant staff sign in.",
    "outcomes": "400 more seats deployed.",
    "in_scope": "The three plants.",
    "out_of_scope": "Other identity providers.",
    "if_not": "They drop 400 seats.",
    "roll_out_where": "The plants' realm.",
    "roll_out_told": "The plants' managers, by mail.",
    "builds_code": False,
    "impact": 2,
    "effort": "medium",
    "days": Decimal(4),
    "confidence": "medium",
    "score": Decimal("72.00"),
}
SIDES = {
    "engineering": "engineering_leadership",
    "support": "support_leadership",
    "product": "product_leadership",
}
PLACED = (
    "proposed", "ready", "scheduled", "in_progress", "delivered", "closed", "on_hold", "declined",
)  # fmt: skip


class Scenes:
    def __init__(self):
        of = User.objects.get
        self.now = timezone.now()
        self.today = today(self.now)
        self.lead = of(email="de_lead@keel.example")
        self.engineer = of(email="de_engineer@keel.example")
        self.filer = of(email="tam@keel.example")
        self.sides = {
            side: factories.UserFactory(
                roles=[role], name=f"{side.title()} Lead", email=f"{role}@keel.example"
            )
            for side, role in SIDES.items()
        }
        self.account = Account.objects.get(name="Fjordline")
        self.team = factories.TeamFactory(name="Deployment Engineering")
        self.membership = factories.MembershipFactory(team=self.team, person=self.engineer)
        monday = self.today - dt.timedelta(days=self.today.weekday())
        self.increments = [
            factories.IncrementFactory(team=self.team, start=monday + dt.timedelta(weeks=2 * n))
            for n in range(-2, 3)
        ]

    def project(self, state, **columns):
        columns = CHARTER | {"title": f"SAML, {state.replace('_', ' ')}"} | columns
        if state in ("scheduled", "in_progress", "delivered", "closed", "on_hold"):
            columns.setdefault("increment", self.increments[3 if state == "scheduled" else 2])
        if state == "on_hold":
            columns["paused_from"] = "in_progress"
        project = factories.ProjectFactory(
            state=state,
            proposed_by=self.filer,
            owner=self.engineer,
            roll_out_on=self.today + dt.timedelta(days=30),
            moved_at=self.now,
            **columns,
        )
        project.leads.add(self.engineer)
        factories.StakeholderFactory(project=project)
        ProjectAccount.objects.create(
            project=project, account=self.account, seats_low=10, seats_likely=20, seats_high=40
        )
        return project

    def plan(self, project, signed):
        plan = SupportPlan(
            project=project,
            mode="team",
            maintained_by="de",
            text="We fix it within **two** days.",
            written_by=self.engineer,
            written_at=self.now,
        )
        plan.digest = digest_now(plan, project)
        plan.save()
        for side in signed:
            SupportSignOff.objects.create(
                plan=plan,
                side=side,
                agrees=side != "product",
                note="" if side != "product" else "Who tests upgrades?",
                digest=plan.digest,
                by=self.sides[side],
                at=self.now,
            )


@transaction.atomic
def projects_in_all_states():
    """Return the number of a project in each state, and what else the addresses take."""
    scenes = Scenes()
    made = {state: scenes.project(state) for state in PLACED}
    made["bare"] = factories.ProjectFactory(title="Bare", proposed_by=scenes.filer, kind="external")
    made["code"] = scenes.project("proposed", title="SAML with code", builds_code=True, impact=1)
    scenes.plan(made["code"], ("engineering", "product"))
    made["blocked"] = scenes.project(
        "in_progress",
        title="Blocked one",
        increment=scenes.increments[0],
        blocked_by="The customer's change freeze.",
        blocked_at=scenes.now,
    )
    made["large"] = scenes.project(
        "proposed", title="A large one", effort="very_high", days=14, impact=1, score=50
    )
    request = factories.ServiceRequestFactory(
        state="triaged", account=scenes.account, filed_by=scenes.filer, title="For a project"
    )
    ProjectRequest.objects.create(project=made["ready"], request=request)
    lone = factories.ServiceRequestFactory(
        state="triaged", account=scenes.account, filed_by=scenes.filer, title="Without a project"
    )
    refresh_lifts(at=scenes.now)
    return {
        **{f"prj_{name}": project.number for name, project in made.items()},
        "with_project": request.number,
        "without_project": lone.number,
        **left_behind(scenes, made),
        **decided(scenes, made),
        **planned(scenes, made),
    }


def left_behind(scenes, made):
    left = User.objects.filter(email="gone@keel.example").first() or factories.UserFactory(
        roles=["de_engineer"], name="Tomas Kral", email="gone@keel.example", is_active=False
    )
    artefact = ProjectArtefact.objects.create(
        project=made["delivered"],
        name="Sync script",
        maintained_by="de",
        keeper=left,
        review_on=scenes.today - dt.timedelta(days=3),
        by=scenes.lead,
        at=scenes.now,
    )
    artefact.refresh_from_db()
    ProjectCheck.objects.create(
        project=made["closed"],
        days=30,
        due_on=scenes.today - dt.timedelta(days=1),
        seats_promised=20,
        seats_before=96,
    )
    return {"left_artefact": artefact.uuid}


def decided(scenes, made):
    """Vote, move by hand, ask for a move, and begin a review."""
    at = scenes.now
    round_ = voting.open_vote(made["large"], by=scenes.lead, at=at)
    voting.vote(round_, impact=1, effort="high", by=scenes.engineer, at=at)
    overriding.move_by_hand(
        made["proposed"],
        before=made["ready"],
        reason="Promised to their board.",
        expires_on=scenes.today + dt.timedelta(days=14),
        by=scenes.lead,
        at=at,
    )
    asked = asking.ask_move(made["ready"], "schedule", by=scenes.filer, at=at, note="Renewal.")
    policy = ScorePolicy.objects.create(
        number=2,
        start=scenes.today + dt.timedelta(days=30),
        points={"1": "100", "2": "70", "3": "50", "4": "20"},
        factors={"low": "1", "medium": "0.9", "high": "0.75", "very_high": "0.5"},
        days={"low": 2, "medium": 5, "high": 10, "very_high": None},
    )
    policy.refresh_from_db()
    Review.objects.filter(state="open").delete()
    planned, under_way, held = (
        factories.ReviewFactory(chair=scenes.lead, meets_at=at + dt.timedelta(days=days))
        for days in (5, 0, -7)
    )
    services.move(held, "open", by=scenes.lead, at=at)
    held.items.update(decision="keep", decided_by=scenes.lead, decided_at=at, note="Waits.")
    services.move(held, "finish", by=scenes.lead, at=at)
    services.move(under_way, "open", by=scenes.lead, at=at)
    return {
        "prj_asked": asked.uuid,
        "score_policy": policy.uuid,
        "rev_planned": planned.number,
        "rev_open": under_way.number,
        "rev_held": held.number,
    }


def planned(scenes, made):
    """Put people on projects, and let one be away."""
    allocation = Allocation.objects.create(
        increment=scenes.increments[3],
        project=made["scheduled"],
        person=scenes.engineer,
        days=Decimal(4),
        is_hard=True,
        by=scenes.lead,
        at=scenes.now,
    )
    allocation.refresh_from_db()
    # Somebody of whom no journey needs anything.
    other = factories.UserFactory(
        roles=["de_engineer"], name="Yara Costa", email="other_engineer@keel.example"
    )
    away = factories.AbsenceFactory(
        person=other,
        start=scenes.increments[3].start,
        end=scenes.increments[3].start + dt.timedelta(days=4),
        cover=scenes.lead,
    )
    workflow.place(
        factories.AbsenceFactory(person=scenes.lead, start=scenes.today, end=scenes.today),
        "approved",
    )
    return {
        "allocation": allocation.uuid,
        "absence": away.uuid,
        "increment": scenes.increments[3].uuid,
        "team": scenes.team.uuid,
        "membership": scenes.membership.uuid,
    }
