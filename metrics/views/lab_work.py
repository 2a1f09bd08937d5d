"""Proposals of definitions on My work of those who decide."""

from collections.abc import Collection, Sequence

from django.urls import reverse

from accounts.here import Here
from config.lib.ui.formats import ago_text
from engagements import my_work
from engagements.my_work import FIRST, Further, Item
from engagements.selectors.work import Hat, Need
from metrics.models import DefinitionProposal
from metrics.selectors import lab
from people.models import Role
from people.permissions import has_role


class ProposalsAbove:
    """Proposals that wait for leadership; nobody decides on their own."""

    def settled(self, _needs: Sequence[Need]) -> Collection[Need]:
        return ()

    def needs(self, here: Here, hats: Collection[str], *, whole: bool) -> Sequence[Item]:
        if not has_role(here.user, Role.LEADERSHIP):
            return ()
        if not whole and Hat.LEADERSHIP not in hats:
            return ()
        found = lab.proposals_visible_to(here.user).filter(state=lab.State.PROPOSED)
        return [_item(each, here) for each in found.exclude(proposed_by=here.user)]

    def cards(self, _here: Here, _hats: Collection[str]) -> Sequence[Further]:
        return ()


def _item(proposal: DefinitionProposal, here: Here) -> Item:
    since = proposal.proposed_at or FIRST
    return Item(
        title=f"Decide on a definition: {proposal.number} {proposal.title}",
        detail=f"{proposal.proposed_by} proposed it {ago_text(since, here.now)}",
        url=reverse("metrics:proposal", args=[proposal.pk]),
        label="Decide",
        tone="info",
        icon="ruler",
        since=since,
    )


my_work.register(ProposalsAbove())
