"""Requests in every state, for the eye; each has something of what its page can show."""

import datetime as dt

from django.db import transaction

from accounts.models import Account
from engagements import services
from engagements.models import Artefact, RoutingDecision, SignOffLink, Tick
from engagements.services import answering, conversation, links, risks
from engagements.services.answering import Answer
from engagements.services.asking import ask_move
from people.models import User
from tests import factories
from tests.engagements.letters import tokens
from tests.engagements.ready import Stage, given

# Those that are placed; a move leads to the others.
STATES = (
    "submitted", "routed_out", "sow_drafting", "awaiting_signoff", "signed_off",
    "triaged", "scheduled", "in_progress", "on_hold", "delivered", "accepted", "closed",
    "declined", "cancelled",
)  # fmt: skip
PAST = dt.timedelta(days=30)


class Scenes(Stage):
    """The people of the company, and a new request whenever one is asked for."""

    def __init__(self):
        super().__init__(account=Account.objects.get(name="Saltmarsh Ports"))
        of = User.objects.get
        self.filer = of(email="tam@keel.example")
        self.lead = of(email="de_lead@keel.example")
        self.engineer = of(email="de_engineer@keel.example")
        self.leadership = of(email="leadership@keel.example")

    def new(self, state, **fields):
        self.request = factories.ServiceRequestFactory(
            account=self.account,
            filed_by=self.filer,
            contact=self.contact,
            **{"impact": 2, "effort": "low", "needed_by": self.today} | fields,
        )
        return self.at(state) if state != "draft" else self.request

    def move(self, request, name, by, **values):
        return services.move(request, name, by=by, at=self.now, given=given(**values))


@transaction.atomic
def requests_in_all_states():
    """Return the number of a request in each state, and what else the addresses take."""
    scenes = Scenes()
    made = {state: scenes.new(state) for state in STATES} | {"needs_info": scenes.new("submitted")}
    for name, fields in {"draft": {}, "unfinished": {"problem": "", "type": "onboarding"}}.items():
        made[name] = scenes.new("draft", **fields)
    return {
        **{name: request.number for name, request in made.items()},
        **talked_about(scenes, made),
        **links_in_all_states(scenes),
    }


def talked_about(scenes, made):
    """Ask, answer, appeal, comment and put at risk, as people do."""
    filer, lead, now = scenes.filer, scenes.lead, scenes.now
    scenes.move(made["needs_info"], "ask", lead, question="Which realm do they use?")
    asked = ask_move(made["submitted"], "take", by=filer, at=now, note="Their renewal is near.")
    RoutingDecision.objects.create(
        request=made["submitted"], at=now, how="person", reason="No rule covers it."
    )
    scenes.move(made["routed_out"], "appeal", filer)
    at_work = made["in_progress"]
    words = "**Two** plants are done.\n\n* Odda\n* Sandnes"
    said = conversation.add_comment(at_work, words, by=filer, at=now, mentions=[lead.email])
    factories.AttachmentFactory(request=at_work, by=filer, comment=said)
    factories.CommentFactory(request=at_work, by=lead, deleted_at=now)
    Tick.objects.filter(request=at_work).delete()
    Artefact.objects.filter(request=at_work).update(maintained_by="")
    at_risk = {
        "reason": "The freeze starts on Monday.",
        "exposure": "Three days of work.",
        "exposure_days": 3,
        "expires_on": scenes.today + dt.timedelta(days=5),
        "by": lead,
        "at": now,
    }
    risk = risks.ask_for_risk(made["awaiting_signoff"], **at_risk)
    approved = risks.ask_for_risk(made["sow_drafting"], **at_risk)
    scenes.move(approved, "approve", scenes.leadership)
    return {"asked": asked.uuid, "comment": said.uuid, "risk": risk.uuid}


def links_in_all_states(scenes):
    """Return the tokens of links that can be answered, no more, and with a code alone."""
    _, expired = link_sent(scenes, at=scenes.now - PAST)
    link, answered = link_sent(scenes)
    answering.answer(link, an_answer(link, agrees=True), at=scenes.now)
    link, coded = link_sent(scenes)
    SignOffLink.objects.filter(pk=link.pk).update(needs_code=True)
    changed = a_version_asked_for(scenes)
    request = scenes.new("in_progress")
    scenes.move(request, "deliver", scenes.engineer, summary="All of it, **tested**.")
    return {
        "expired_link": expired,
        "answered_link": answered,
        "coded_link": coded,
        "changed_link": changed,
        "delivery_link": tokens(scenes.contact.email)[-1],
        "handed_over": request.number,
    }


def link_sent(scenes, *, at=None):
    """Send a link to a request's first version; returns it and its token."""
    scenes.new("awaiting_signoff")
    link = links.send_link(scenes.request, scenes.contact, by=scenes.filer, at=at or scenes.now)
    return link, tokens(scenes.contact.email)[-1]


def an_answer(link, **given):
    return Answer(digest=link.sow.digest, name="Kari Solberg", title="Head of IT", **given)


def a_version_asked_for(scenes):
    """Let the customer refuse a version, and ask them about the next one."""
    link, _ = link_sent(scenes)
    answering.answer(link, an_answer(link, text="Odda first, please."), at=scenes.now)
    content = factories.sow_content() | {"in_scope": ["Odda first", "Then the other plants"]}
    factories.SowVersionFactory(
        request=scenes.request, number=2, content=content, frozen_at=scenes.now
    )
    links.send_link(scenes.request, scenes.contact, by=scenes.filer, at=scenes.now)
    return tokens(scenes.contact.email)[-1]
