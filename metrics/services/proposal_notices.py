"""Who is told of a proposal, and what."""

import datetime as dt

from django.urls import reverse

from config.lib.ui.formats import day_text
from events import services as events
from metrics.models import DefinitionProposal
from people.models import Role, User
from people.selectors import people_with_role

APPROVED = DefinitionProposal.State.APPROVED


def tell_deciders(proposal: DefinitionProposal, *, by: User, at: dt.datetime) -> None:
    """Ask leadership to decide; who proposed it never does."""
    deciders = people_with_role(Role.LEADERSHIP).exclude(pk=proposal.proposed_by_id)
    events.notify(
        deciders,
        "asked_of_you",
        title=f"{by.name} proposes a definition: {proposal.title}",
        body=proposal.why,
        path=reverse("metrics:proposal", args=[proposal.pk]),
        by=by,
        at=at,
    )


def tell_decision(proposal: DefinitionProposal, *, by: User, at: dt.datetime, reason: str) -> None:
    """Tell every metric owner, and who proposed it."""
    made = proposal.made
    if proposal.state == APPROVED and made is not None:
        title = f"{made.title}, definition {made.number}, holds from {day_text(made.valid_from)}"
    else:
        title = f"{proposal.number} is rejected: {proposal.title}"
    owners = set(people_with_role(Role.METRIC_OWNER).values_list("pk", flat=True))
    told = User.objects.filter(pk__in=owners | {proposal.proposed_by_id})
    events.notify(
        told,
        "decision",
        title=title,
        body=reason,
        path=reverse("metrics:proposal", args=[proposal.pk]),
        by=by,
        at=at,
    )
