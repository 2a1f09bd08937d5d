"""What a review has to know of a project, in sentences: of one at a time, or side by side."""

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property

from django.db.models import prefetch_related_objects

from accounts.here import Here
from config.lib.ui.formats import (
    day_text,
    days_between_text,
    lift_text,
    money_short_text,
    number_text,
    share_text,
)
from engagements.models import SignOffLink
from people.models import Absence, User
from people.selectors import absences_between
from projects.models import Project, ProjectAccount
from projects.rules.agenda import days_text
from projects.rules.capacity import days_number
from projects.rules.scoring import TIMES, Policy, arithmetic
from projects.selectors.agenda import scored_higher
from projects.selectors.cards import Paper
from projects.selectors.reviews import Room, room_ahead
from projects.selectors.scoring import policy_on
from projects.selectors.support import why_not_supported
from projects.views.cards import Card, cards_of

TWO_WEEKS = dt.timedelta(days=14)
MOST_NAMED = 3
AGREED = {
    "not_needed": "needs no sign-off, it is on the fast path",
    "none": "has no statement of work",
    "draft": "has a draft of its statement of work",
    "waiting": "waits for the customer's sign-off",
    "unconfirmed": "waits for a second person to confirm the sign-off",
    "weak": "has a sign-off that is too weak",
    "superseded": "has to be signed off anew",
    "signed": "is signed off",
    "at_risk": "is at work at risk, unsigned",
}
STRONG = frozenset({"signed", "not_needed"})


@dataclass(frozen=True)
class Shared:
    """What is read once for all projects that are looked at."""

    policy: Policy
    room: Room
    links: Mapping[int, list[ProjectAccount]]
    leads: Mapping[int, list[User]]
    away: Mapping[int, list[Absence]]
    sent: Mapping[int, SignOffLink]


@dataclass(frozen=True)
class About:
    """One project, as it is talked about."""

    here: Here
    card: Card
    shared: Shared = field(repr=False)

    @property
    def project(self) -> Project:
        return self.card.project

    @property
    def links(self) -> list[ProjectAccount]:
        return self.shared.links[self.project.pk]

    @property
    def subject(self) -> str:
        """ "Dunmore University, Diamond, $310K ARR", "6 accounts", "Internal"."""
        if not self.links:
            return str(self.project.get_kind_display())
        if len(self.links) > 1:
            return f"{len(self.links)} accounts"
        account = self.links[0].account
        facts = getattr(account, "facts", None)
        told = [account.name]
        if facts is not None:
            told += [str(facts.tier)] if facts.tier else []
            currency = self.here.company.reporting_currency
            if facts.arr is not None:
                told.append(f"{money_short_text(facts.arr, currency)} ARR")
        return ", ".join(told)

    @property
    def outcome(self) -> str:
        """Say how many seats it brings, and which accounts cross the line by them."""
        seats = self.card.seats
        if seats is None:
            return self.project.outcomes or "Nobody said how many seats it unlocks."
        if len(self.links) == 1:
            return self._outcome_of_one(self.links[0], seats)
        return f"{_seats(seats)} on {len(self.links)} accounts. {self._crossing()}"

    def _outcome_of_one(self, link: ProjectAccount, seats: int) -> str:
        facts = getattr(link.account, "facts", None)
        if facts is None or facts.deployed is None or not facts.licensed or facts.unlimited:
            return f"{_seats(seats)}. Where the account stands is not known."
        before = Decimal(facts.deployed) / facts.licensed
        after = Decimal(facts.deployed + seats) / facts.licensed
        reached = f"{share_text(after)}" if after <= 1 else "more seats than are licensed"
        told = f"{_seats(seats)}, from {share_text(before)} to {reached}."
        if not facts.eligible:
            return f"{told} The account is outside the metric."
        return f"{told} {self._crossing()}"

    def _crossing(self) -> str:
        line = f"{self.here.terms.share_percent}%"
        crossing = [link.account.name for link in self.links if self._crosses(link)]
        if len(self.links) == 1:
            if crossing:
                return f"The account crosses {line}."
            facts = getattr(self.links[0].account, "facts", None)
            passes = facts is not None and facts.passes
            return f"It stays above {line}." if passes else f"It stays below {line}."
        if not crossing:
            return f"None of them crosses {line}."
        names = ", ".join(crossing[:MOST_NAMED])
        more = f" and {len(crossing) - MOST_NAMED} more" if len(crossing) > MOST_NAMED else ""
        return f"{names}{more} cross{'es' if len(crossing) == 1 else ''} {line}."

    def _crosses(self, link: ProjectAccount) -> bool:
        """Say whether the likely seats are those that are missing, as the lift was worked out."""
        told = self._parts.get(str(link.account.uuid))
        gap = told.get("gap") if told else None
        if gap is None:
            facts = getattr(link.account, "facts", None)
            gap = facts.seats_to_go if facts is not None and facts.eligible else None
        return gap is not None and 0 < gap <= (link.seats_likely or 0)

    @cached_property
    def _parts(self) -> dict[str, dict[str, int | None]]:
        return {each["account"]: each for each in self.project.lift_parts if "account" in each}

    @property
    def level(self) -> str:
        """Impact times effort and days, or what is missing."""
        project, card = self.project, self.card
        if card.impact is None or card.effort is None:
            return "Not scored yet."
        days = f" ({days_text(project.days)})" if project.days is not None else ""
        return f"{card.impact.word} {TIMES} {card.effort.word.lower()}{days}."

    @property
    def arithmetic(self) -> str:
        project = self.project
        found = arithmetic(self.shared.policy, project.impact, project.effort)
        return str(found or "")

    @cached_property
    def higher(self) -> str:
        """Say how many others that wait score higher."""
        if self.project.score is None:
            return ""
        count = scored_higher(self.project)
        if not count:
            return "Nothing that waits scores higher."
        if count == 1:
            return "One that waits scores higher."
        return f"{number_text(count)} that wait score higher."

    @property
    def if_not(self) -> str:
        return self.project.if_not or "Nobody said what happens if we do not."

    @property
    def people(self) -> str:
        """Name owner and leads, and who is away while the next increments last."""
        project, leads = self.project, self.shared.leads[self.project.pk]
        told = [f"{project.owner.name} owns it." if project.owner else "No owner yet."]
        names = [each.name for each in leads]
        verb = "leads" if len(names) == 1 else "lead"
        told.append(f"{_listed(names)} {verb} it." if names else "No lead yet.")
        return " ".join([*told, *self.absences])

    @property
    def absences(self) -> list[str]:
        owner = [self.project.owner] if self.project.owner else []
        people = {each.pk: each for each in [*owner, *self.shared.leads[self.project.pk]]}
        return [
            f"{person.name} is away {days_between_text(each.start, each.end, self.here.today)}."
            for person in people.values()
            for each in self.shared.away[person.pk]
        ]

    @property
    def free(self) -> list[str]:
        """Say how many days owner and leads have free in the next increments."""
        owner = [self.project.owner] if self.project.owner else []
        people = {each.pk: each for each in [*owner, *self.shared.leads[self.project.pk]]}
        return [
            f"{person.name}: {days_number(max(found.free, Decimal(0)))} of "
            f"{days_number(found.available)} days free in {sheet.increment.name}"
            for sheet in self.shared.room.sheets
            for person in people.values()
            if (found := sheet.of(person.pk)) is not None
        ]

    @cached_property
    def agreements(self) -> list[str]:
        """Say of each request how far it is agreed to, and what the support plan lacks."""
        told = [self._agreement(paper) for paper in self.card.facts.papers]
        if not told:
            told = ["No request is open, so nothing has to be signed."]
        return [*told, *filter(None, [why_not_supported(self.project)])]

    @property
    def waits(self) -> list[str]:
        """Say what is known of the links that customers were sent."""
        return [
            self._sent(self.shared.sent[paper.request.pk])
            for paper in self.card.facts.papers
            if paper.request.pk in self.shared.sent
        ]

    def _agreement(self, paper: Paper) -> str:
        found = paper.agreement
        version = f" (version {found.version})" if found.version and found.kind != "none" else ""
        return f"{paper.request.number} {AGREED[found.kind]}{version}."

    def _sent(self, link: SignOffLink) -> str:
        version = link.sow.number if link.sow else ""
        sent, ends = self.day(link.created_at), self.day(link.expires_at)
        over = "expired" if link.expires_at <= self.here.now else "expires"
        return f"Statement of work v{version} was sent on {sent}. The link {over} on {ends}."

    @property
    def lift(self) -> str:
        """ "0.4 points, between 0.1 and 0.6"."""
        project = self.project
        if project.lift is None or project.lift_low is None or project.lift_high is None:
            return "Not known: nobody said how many seats it unlocks."
        if project.lift_low == project.lift_high:
            return f"{lift_text(project.lift)} points."
        low, high = lift_text(project.lift_low), lift_text(project.lift_high)
        return f"{lift_text(project.lift)} points, between {low} and {high}."

    def day(self, moment: dt.datetime) -> str:
        return day_text(moment.astimezone(self.here.zone).date(), self.here.today)


def abouts(here: Here, projects: Sequence[Project]) -> list[About]:
    """Return what there is to know of each, in as many statements for one as for three."""
    cards = cards_of(projects, today=here.today)
    shared = _shared(here, cards)
    return [About(here, card, shared) for card in cards]


def _shared(here: Here, cards: Sequence[Card]) -> Shared:
    projects = [card.project for card in cards]
    prefetch_related_objects(projects, "leads")
    room = room_ahead(here.today)
    links: dict[int, list[ProjectAccount]] = defaultdict(list)
    rows = ProjectAccount.objects.filter(project__in=projects)
    for row in rows.select_related("account__facts__tier").order_by("account__name", "pk"):
        links[row.project_id].append(row)
    leads = {each.pk: sorted(each.leads.all(), key=lambda one: one.name) for each in projects}
    people = {each.owner_id for each in projects if each.owner_id}
    people |= {lead.pk for each in leads.values() for lead in each}
    ends = [sheet.increment.end for sheet in room.sheets]
    away: dict[int, list[Absence]] = defaultdict(list)
    until = max([here.today + TWO_WEEKS, *ends])
    for absence in absences_between(here.today, until).filter(person__in=people):
        away[absence.person_id].append(absence)
    waiting = [
        paper.request.pk
        for card in cards
        for paper in card.facts.papers
        if paper.agreement.kind == "waiting"
    ]
    return Shared(policy_on(here.today), room, links, leads, away, _links_to(waiting))


def _links_to(requests: Collection[int]) -> dict[int, SignOffLink]:
    """Return the newest link to the customer of each, answered by nobody."""
    if not requests:
        return {}
    rows = SignOffLink.objects.filter(
        request__in=requests, purpose=SignOffLink.Purpose.SOW, used_at=None, revoked_at=None
    )
    return {row.request_id: row for row in rows.select_related("sow").order_by("pk")}


def _seats(count: int) -> str:
    return f"{number_text(count)} more seat{'' if count == 1 else 's'} deployed"


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
