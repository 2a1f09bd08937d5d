"""What needs a person, in words: what it is, since when, and where one does it."""

import datetime as dt
from collections.abc import Collection, Iterator, Sequence
from typing import Any

from django.urls import reverse

from config.lib.ui.formats import ago_text, day_text
from engagements.models import (
    RequestState,
    ServiceRequest,
    SignOff,
    SignOffLink,
    SowVersion,
    WorkAtRisk,
)
from engagements.my_work import FIRST, Act, Item
from engagements.selectors.work import Need
from events.models import MoveRequest
from events.workflow import workflow_named

S = RequestState


MOVE = "requests:move"
ACTS = {
    "draft": Act("Draft", "line", "pencil", "Draft: {request}", "saved {ago}", "requests:resume"),
    "answer": Act(
        "Answer",
        "warn",
        "message-circle-question-mark",
        "Answer a question about {request}",
        "asked {ago}",
        MOVE,
        ("answer",),
    ),
    "asked": Act(
        "Asked of you", "info", "hand", "{who} asks for “{move}”: {request}", "asked {ago}", ""
    ),
    "confirm": Act(
        "Confirm",
        "warn",
        "user-check",
        "Confirm what {account} said: {request}",
        "{who} heard it {ago}",
        "",
    ),
    "write": Act(
        "Write", "info", "file-pen-line", "Write the SOW: {request}", url="requests:sow-edit"
    ),
    "revise": Act(
        "Revise",
        "bad",
        "file-exclamation-point",
        "{account} asks for a change of {request}",
        url="requests:sow",
    ),
    "chase": Act(
        "Chase",
        "warn",
        "hourglass",
        "{account} has not signed statement of work {sow}",
        "sent {ago}{expires}",
    ),
    "record": Act(
        "Send or record",
        "warn",
        "send",
        "Send {account} a link, or record what they said",
        "statement of work {sow}, sent {ago}",
    ),
    "send_change": Act(
        "Send",
        "info",
        "git-compare",
        "Send statement of work {sow}: {request}",
        url="requests:sow",
    ),
    "chase_acceptance": Act(
        "Chase",
        "warn",
        "package-check",
        "{account} has not accepted {request}",
        "delivered {ago}",
        "requests:delivery",
    ),
    "new_link": Act(
        "New link",
        "warn",
        "link",
        "{account} asks for a new link: {request}",
        "asked {ago}",
        "requests:link-new",
    ),
    "check": Act(
        "Outcome",
        "info",
        "sprout",
        "Did the seats come? {request}",
        "due {ago}",
        "requests:delivery",
    ),
    "route": Act("Route", "warn", "split", "Say who owns {request}", url=MOVE, args=("take",)),
    "appeal": Act("Decide", "warn", "scale", "Decide on the appeal: {request}", "appealed {ago}"),
    "triage": Act(
        "Triage", "info", "list-ordered", "Triage {request}", "signed off {ago}", MOVE, ("triage",)
    ),
    "triage_at_risk": Act(
        "Triage",
        "warn",
        "triangle-alert",
        "Triage at risk: {request}",
        url=MOVE,
        args=("triage_at_risk",),
    ),
    "schedule": Act(
        "Schedule",
        "info",
        "calendar-plus",
        "Schedule {request}",
        "triaged {ago}",
        MOVE,
        ("schedule",),
    ),
    "decide_change": Act(
        "Decide",
        "warn",
        "git-compare",
        "Decide on a change of {request}",
        "proposed {ago}",
        "requests:sow",
    ),
    "start": Act("Start", "info", "play", "Start {request}", "planned for {day}", MOVE, ("start",)),
    "deliver": Act(
        "Deliver", "warn", "package", "Deliver {request}", "until {day}", "requests:delivery"
    ),
    "close": Act(
        "Close", "good", "circle-check", "Close {request}", "accepted {ago}", MOVE, ("close",)
    ),
    "decide_risk": Act(
        "Decide",
        "bad",
        "triangle-alert",
        "Work at Risk: {request}",
        "{who} asks, {days} days at stake",
        "",
    ),
}
SIGNING = frozenset({"chase", "record", "send_change"})
OTHERS = {
    S.SUBMITTED: "A DE lead routes it",
    S.AWAITING_SIGNOFF: "The customer signs it off",
    S.SIGNED_OFF: "A DE lead triages it",
    S.ON_HOLD: "On hold",
    S.DELIVERED: "The customer accepts it",
}


def items_of(needs: Sequence[Need], *, now: dt.datetime, today: dt.date) -> list[Item]:
    """Return the rows, in a constant number of statements."""
    known = _Known(needs, now, today)
    return [known.item(need) for need in _once(needs) if need.request_id in known.requests]


def _once(needs: Sequence[Need]) -> Iterator[Need]:
    """Yield each, but of several looks at the outcome of one request the oldest."""
    looked = set()
    for need in needs:
        if need.act == "check":
            if need.request_id in looked:
                continue
            looked.add(need.request_id)
        yield need


def whose_turn(request: ServiceRequest) -> str:
    """Return what a request waits for, in a sentence."""
    if request.state == S.NEEDS_INFO:
        return f"{request.waits_for or 'The requester'} answers a question"
    return OTHERS[RequestState(request.state)]


class _Known:
    """What the rows name, read at once."""

    def __init__(self, needs: Sequence[Need], now: dt.datetime, today: dt.date) -> None:
        self.now, self.today = now, today
        rows = ServiceRequest.objects.select_related("account")
        self.requests = rows.in_bulk({need.request_id for need in needs})
        self.asked = _by_uuid(MoveRequest.objects.select_related("by"), _things(needs, {"asked"}))
        self.sign_offs = _by_uuid(
            SignOff.objects.select_related("recorded_by"), _things(needs, {"confirm"})
        )
        self.risks = _by_uuid(
            WorkAtRisk.objects.select_related("asked_by"), _things(needs, {"decide_risk"})
        )
        signing = {need.request_id for need in needs if need.act in SIGNING}
        self.sows = _newest(
            SowVersion.objects.filter(discarded_at=None).order_by("number"), signing
        )
        self.links = _newest(
            SignOffLink.objects.filter(used_at=None, revoked_at=None).order_by("pk"), signing
        )

    def item(self, need: Need) -> Item:
        act, request = ACTS[need.act], self.requests[need.request_id]
        words = self._words(need, request)
        detail = [request.number, words["account"], act.note.format_map(words)]
        if need.act in {"chase", "record"}:
            detail.insert(1, str(request))
        address = reverse(act.url, args=[request.pk, *act.args]) if act.url else ""
        return Item(
            title=act.title.format_map(words),
            detail=" · ".join(part for part in detail if part),
            url=address or self._thing_url(need),
            label=act.label,
            tone=act.tone,
            icon=act.icon,
            since=need.since or FIRST,
        )

    def _thing_url(self, need: Need) -> str:
        """Return the address where what it is about has one of its own."""
        match need.act:
            case "asked":
                asked = self.asked[need.thing]
                return reverse(MOVE, args=[need.request_id, asked.transition])
            case "confirm":
                return reverse("requests:sign-off", args=[need.request_id, need.thing])
        return reverse("requests:risk-move", args=[need.thing, "approve"])

    def _words(self, need: Need, request: ServiceRequest) -> dict[str, str]:
        words = {
            "request": str(request),
            "account": request.account.name if request.account else "",
            "ago": ago_text(need.since, self.now) if need.since else "",
            "day": day_text(need.since.date(), self.today) if need.since else "",
            "sow": str(self.sows.get(request.pk, "")),
            "expires": "",
            "who": "",
            "move": "",
            "days": "",
        }
        if link := self.links.get(request.pk):
            verb = "expires" if link.expires_at > self.now else "expired"
            words["expires"] = f" · link {verb} {day_text(link.expires_at.date(), self.today)}"
        if asked := self.asked.get(need.thing):
            words["who"] = asked.by.name
            words["move"] = workflow_named(asked.workflow).transition(asked.transition).label
        if sign_off := self.sign_offs.get(need.thing):
            words["who"] = str(sign_off.recorded_by)
        if risk := self.risks.get(need.thing):
            words["who"], words["days"] = risk.asked_by.name, f"{risk.exposure_days.normalize():f}"
        return words


def _things(needs: Sequence[Need], acts: Collection[str]) -> list[Any]:
    return [need.thing for need in needs if need.act in acts]


def _by_uuid(rows: Any, wanted: list[Any]) -> dict[Any, Any]:
    return {row.uuid: row for row in rows.filter(uuid__in=wanted)} if wanted else {}


def _newest(rows: Any, requests: Collection[int]) -> dict[int, Any]:
    """Return the last row of each request."""
    if not requests:
        return {}
    return {row.request_id: row for row in rows.filter(request__in=requests)}
