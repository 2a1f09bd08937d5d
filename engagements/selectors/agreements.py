"""How far requests are agreed to, for lists: a few statements for any number of them."""

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Mapping
from typing import NamedTuple

from engagements.models import (
    ChangeRequest,
    ServiceRequest,
    SignOff,
    SignOffMinimum,
    SowVersion,
    WorkAtRisk,
)
from engagements.selectors.signoffs import WRITTEN_CHANGES, least_of, minimums_on, strength_of


class Agreement(NamedTuple):
    """`kind` is one of not_needed, none, draft, waiting, unconfirmed, weak, superseded, signed,
    at_risk; `version` is the current SOW's."""

    kind: str
    version: int | None = None
    until: dt.date | None = None


NOT_NEEDED = Agreement("not_needed")


class _Read(NamedTuple):
    """What the answers are worked out from, read once for all."""

    sows: Mapping[int, SowVersion]
    sign_offs: Mapping[int, list[SignOff]]
    risks: Mapping[int, WorkAtRisk]
    minimums: list[SignOffMinimum]
    larger: set[int]


def agreements_of(requests: Collection[ServiceRequest], *, on: dt.date) -> dict[int, Agreement]:
    """Return by key how far each is agreed to on the day."""
    ids = [each.pk for each in requests]
    sows = {
        sow.request_id: sow
        for sow in SowVersion.objects.filter(request__in=ids, discarded_at=None).order_by("number")
    }
    sign_offs: dict[int, list[SignOff]] = defaultdict(list)
    for sign_off in SignOff.objects.filter(
        request__in=ids, purpose="sow", state__in=["recorded", "agreed"]
    ):
        sign_offs[sign_off.request_id].append(sign_off)
    risks = WorkAtRisk.objects.filter(request__in=ids, state="approved", expires_on__gte=on)
    larger = ChangeRequest.objects.filter(request__in=ids, kind__in=WRITTEN_CHANGES)
    read = _Read(
        sows,
        sign_offs,
        {risk.request_id: risk for risk in risks},
        list(minimums_on(on)),
        set(larger.values_list("after_id", flat=True)),
    )
    return {each.pk: _agreement_of(each, read) for each in requests}


def _agreement_of(request: ServiceRequest, read: _Read) -> Agreement:
    if request.fast_path:
        return NOT_NEEDED
    sow = read.sows.get(request.pk)
    kind = _kind_of(request, sow, read)
    risk = read.risks.get(request.pk)
    version = sow.number if sow else None
    if risk is not None and kind != "signed":
        return Agreement("at_risk", version, risk.expires_on)
    return Agreement(kind, version)


def _kind_of(request: ServiceRequest, sow: SowVersion | None, read: _Read) -> str:
    if sow is None:
        return "none"
    sign_offs = read.sign_offs[request.pk]
    agreed = [each for each in sign_offs if each.state == SignOff.State.AGREED]
    same = [each for each in agreed if sow.digest and each.digest == sow.digest]
    if same:
        least = least_of(request, sow, read.minimums, is_larger=sow.pk in read.larger)
        enough = strength_of(least)
        return "signed" if any(strength_of(each.way) >= enough for each in same) else "weak"
    if any(each.digest == sow.digest for each in sign_offs if sow.digest):
        return "unconfirmed"
    if agreed:
        return "superseded"
    return "waiting" if sow.is_frozen else "draft"
