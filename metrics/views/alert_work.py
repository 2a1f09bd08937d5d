"""Alerts on My work of who answers for the numbers."""

from collections.abc import Collection, Sequence

from accounts.here import Here
from engagements import my_work
from engagements.my_work import Further, Item
from engagements.selectors.work import Hat, Need
from metrics.selectors import alerts as selectors
from metrics.views.alert_parts import AlertLine, lines_of
from people.models import Role
from people.permissions import has_role


class AlertsAbove:
    """Open alerts, for metric owners and leadership."""

    def settled(self, _needs: Sequence[Need]) -> Collection[Need]:
        return ()

    def needs(self, here: Here, hats: Collection[str], *, whole: bool) -> Sequence[Item]:
        if not has_role(here.user, Role.METRIC_OWNER, Role.LEADERSHIP):
            return ()
        if not whole and Hat.LEADERSHIP not in hats:
            return ()
        found = selectors.open_alerts(here.user)
        return [_item(line) for line in lines_of(found, on=here.today, zone=here.zone)]

    def cards(self, _here: Here, _hats: Collection[str]) -> Sequence[Further]:
        return ()


def _item(line: AlertLine) -> Item:
    return Item(
        title=f"{line.name} needs a look",
        detail=line.says,
        url=line.url,
        label="Alert",
        tone="bad",
        icon="bell-ring",
        since=line.alert.raised_at,
    )


my_work.register(AlertsAbove())
