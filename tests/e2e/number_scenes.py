"""What the pages about numbers need to be seen full: proposals, scores, a board pack."""

import datetime as dt

from django.utils import timezone

from accounts.models import Account
from config.lib.values import moment_text
from metrics.rules.packs import Month
from metrics.rules.parameters import SEATS_RULE, whole
from metrics.rules.wording import seats_text
from metrics.selectors import health, runs
from metrics.selectors.runs import SEATS_DEPLOYED
from metrics.services import backtests, proposals
from metrics.services.health import compute_health
from metrics.services.health_overrides import override_health
from metrics.services.packs import make_pack
from metrics.services.runs import recompute
from people.models import User, system_user

A_DAY = dt.timedelta(days=1)


def numbers_in_all_states():
    """Return what leads to a proposal of each kind, a scored account, a pack and another day."""
    now = timezone.now()
    yesterday = now.date() - A_DAY
    pack = a_pack(now)
    compute_health(day=yesterday, at=now, by=system_user())
    an_override(yesterday, now)
    draft, proposed = proposed_definitions(now)
    return {
        "def_draft": draft.number,
        "def_proposed": proposed.number,
        "pack": pack,
        "yesterday": yesterday,
        "known_at": moment_text(timezone.now()),
    }


def proposed_definitions(now):
    owner = User.objects.get(email="metric_owner@keel.example")
    draft = drafted({"roll_up": True}, owner, now, why="")
    proposed = drafted({"share_percent": 75}, owner, now, why="Peers count three of four seats.")
    test = backtests.start_backtest(proposed, by=owner, at=now)
    backtests.run(test.pk, clock=timezone.now)
    proposals.move(proposed, "propose", by=owner, at=timezone.now())
    return draft, proposed


def drafted(policy, owner, now, *, why):
    base = runs.definition_on(SEATS_DEPLOYED, now.date())
    text = seats_text({**whole(SEATS_RULE, base.policy), **policy})
    values = {"why": why, "policy": policy, "text": text}
    return proposals.create_proposal(base, values, by=owner, at=now)


def an_override(day, now):
    account = Account.objects.get(name="Ravello Foods")
    owner = User.objects.get(email="tam@keel.example")
    override_health(
        account,
        band=health.band_names(day)[0],
        reason="The second site is signed and starts on Monday.",
        until=day + 20 * A_DAY,
        by=owner,
        at=now,
    )


def a_pack(now):
    month = Month.of(now.date()).before
    recompute(SEATS_DEPLOYED, month.last, by=system_user(), now=now)
    return make_pack(month, by=system_user(), at=timezone.now()).month.strftime("%Y-%m")
