"""What needs one person: everything that goes on only when they act, oldest first.

Each act is a part of one UNION, so that a list of any length and its count cost one statement.
"""

import datetime as dt
import uuid
from collections.abc import Collection, Iterator
from typing import Any, NamedTuple

from django.db.models import (
    CharField,
    DateTimeField,
    Exists,
    ExpressionWrapper,
    F,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    UUIDField,
    Value,
)
from django.db.models.functions import Cast, Coalesce

from accounts.selectors import own_account_ids, today
from engagements.models import (
    ChangeRequest,
    OutcomeCheck,
    RequestState,
    RoutingDecision,
    ServiceRequest,
    SignOff,
    SignOffLink,
    SowVersion,
    WorkAtRisk,
)
from engagements.selectors import asked
from engagements.selectors.signoffs import policy_on
from people.models import REQUESTERS, Role, User

S = RequestState
# Nobody works through more, and nobody counts further.
MOST = 100
AT_WORK = frozenset({S.TRIAGED, S.SCHEDULED, S.IN_PROGRESS, S.ON_HOLD})


class Need(NamedTuple):
    """One thing to do. `thing` is what it is about, where that is not the request itself."""

    act: str
    request_id: int
    since: dt.datetime
    thing: uuid.UUID


class Hat:
    """The parts somebody plays; a person with several roles has several."""

    REQUESTER = "requester"
    ENGINEER = "engineer"
    LEAD = "lead"
    LEADERSHIP = "leadership"


def hats_of(user: User) -> list[str]:
    """Return the parts this person plays, in the order they are offered."""
    found = {
        Hat.REQUESTER: not user.roles.isdisjoint(REQUESTERS),
        Hat.ENGINEER: Role.DE_ENGINEER in user.roles,
        Hat.LEAD: Role.DE_LEAD in user.roles,
        Hat.LEADERSHIP: Role.LEADERSHIP in user.roles,
    }
    return [hat for hat, has in found.items() if has]


def needs_of(user: User, *, at: dt.datetime, hats: Collection[str]) -> list[Need]:
    """Return what needs the person in these parts, oldest first."""
    rows = _union(user, at=at, hats=hats).order_by("since", "subject")[:MOST]
    return [Need(*row) for row in rows]


def count_for(user: User, *, at: dt.datetime) -> int:
    """Return how many things need the person in all their parts, 100 where there are more."""
    return int(_union(user, at=at, hats=hats_of(user))[:MOST].count())


def requests_of(user: User, *, on: dt.date) -> Q:
    """What somebody looks after as a requester: what they filed, and what those who left did."""
    own = Q(account__in=own_account_ids(user, on=on))
    return Q(filed_by=user) | (Q(filed_by__is_active=False) & own & ~Q(state=S.DRAFT))


def _union(user: User, *, at: dt.datetime, hats: Collection[str]) -> "QuerySet[Any, Any]":
    first, *others = list(_parts(user, at=at, hats=hats))
    return first.union(*others, all=True) if others else first


def _parts(user: User, *, at: dt.datetime, hats: Collection[str]) -> Iterator["QuerySet[Any, Any]"]:
    on = today(at)
    requests = ServiceRequest.objects.order_by()
    yield _rows("answer", requests.filter(state=S.NEEDS_INFO, waits_for=user))
    yield _rows(
        "asked",
        asked.open_for(user, hats=hats, mine=requests_of(user, on=on)),
        subject=Subquery(ServiceRequest.objects.filter(uuid=OuterRef("object_id")).values("pk")),
        since=F("at"),
    )
    if may_confirm := _may_confirm(user, on=on, hats=hats):
        waiting = SignOff.objects.filter(may_confirm, state=SignOff.State.RECORDED)
        waiting = waiting.filter(recorded_by__isnull=False).exclude(recorded_by=user)
        yield _rows("confirm", waiting, subject=F("request"), since=F("recorded_at"))
    if Hat.REQUESTER in hats:
        yield from _of_requester(requests.filter(requests_of(user, on=on)), at=at, on=on)
    if {Hat.ENGINEER, Hat.LEAD} & set(hats):
        yield from _of_worker(requests.filter(lead=user), on=on)
    if Hat.LEAD in hats:
        yield from _of_lead(requests, user, on=on)
    if Hat.LEADERSHIP in hats:
        risks = WorkAtRisk.objects.filter(state=WorkAtRisk.State.ASKED).exclude(asked_by=user)
        yield _rows("decide_risk", risks, subject=F("request"), since=F("asked_at"))


def _of_requester(
    mine: QuerySet[ServiceRequest], *, at: dt.datetime, on: dt.date
) -> Iterator["QuerySet[Any, Any]"]:
    yield _rows("draft", mine.filter(state=S.DRAFT), since=Coalesce("moved_at", "created_at"))
    yield _rows("write", mine.filter(state=S.SOW_DRAFTING))
    awaiting = _with_current(mine.filter(state=S.AWAITING_SIGNOFF))
    policy = policy_on(on)
    is_old = Q(moved_at__lte=at - dt.timedelta(days=policy.link_days) / 2)
    links = SignOffLink.objects.filter(request=OuterRef("pk"), used_at=None, revoked_at=None)
    open_links = links.filter(expires_at__gt=at)
    ending = open_links.filter(expires_at__lte=at + dt.timedelta(days=policy.remind_days))
    answers = SignOff.objects.filter(request=OuterRef("pk"), digest=OuterRef("current_digest"))
    rejected = Exists(answers.filter(state=SignOff.State.REJECTED))
    recorded = Exists(answers.filter(state=SignOff.State.RECORDED))
    yield _rows("revise", awaiting.filter(rejected))
    undecided = awaiting.filter(~rejected, ~recorded)
    yield _rows("chase", undecided.filter(Exists(open_links)).filter(is_old | Q(Exists(ending))))
    yield _rows("record", undecided.filter(~Exists(open_links)))
    owed = _with_current(mine.filter(state__in=AT_WORK, fast_path=False)).filter(
        ~Exists(answers.filter(state=SignOff.State.AGREED))
    )
    yield _rows("chase", owed.filter(current_frozen_at__isnull=False), since=F("current_frozen_at"))
    unsent = owed.filter(current_frozen_at=None)
    yield _rows("send_change", unsent.filter(current_digest__isnull=False))
    yield _rows("write", unsent.filter(current_digest=None))
    delivered = mine.filter(state=S.DELIVERED)
    yield _rows("chase_acceptance", delivered.filter(is_old))
    renewals = SignOffLink.objects.filter(
        request__in=mine.values("pk"), renewal_asked_at__isnull=False, used_at=None, revoked_at=None
    )
    yield _rows("new_link", renewals, subject=F("request"), since=F("renewal_asked_at"))
    checks = OutcomeCheck.objects.filter(
        request__in=mine.values("pk"), done_at=None, due_on__lte=on
    )
    since = Cast("due_on", DateTimeField())
    yield _rows("check", checks, subject=F("request"), since=since)


def _of_worker(led: QuerySet[ServiceRequest], *, on: dt.date) -> Iterator["QuerySet[Any, Any]"]:
    starts = led.filter(state=S.SCHEDULED, start__lte=on)
    yield _rows("start", starts, since=Cast("start", DateTimeField()))
    ends = led.filter(Q(end=None) | Q(end__lte=on), state=S.IN_PROGRESS)
    yield _rows("deliver", ends, since=Coalesce(Cast("end", DateTimeField()), F("moved_at")))
    yield _rows("close", led.filter(state=S.ACCEPTED))


def _of_lead(
    requests: QuerySet[ServiceRequest], user: User, *, on: dt.date
) -> Iterator["QuerySet[Any, Any]"]:
    yield _rows("route", requests.filter(state=S.SUBMITTED))
    newest = RoutingDecision.objects.filter(request=OuterRef("request")).order_by("-pk")
    appeals = RoutingDecision.objects.filter(
        appealed_at__isnull=False,
        appeal_decided_at=None,
        request__state=S.ROUTED_OUT,
        pk=Subquery(newest.values("pk")[:1]),
    )
    appeals = appeals.exclude(by=user)
    yield _rows("appeal", appeals, subject=F("request"), since=F("appealed_at"))
    yield _rows("triage", requests.filter(state=S.SIGNED_OFF))
    risk = WorkAtRisk.objects.filter(
        request=OuterRef("pk"), state=WorkAtRisk.State.APPROVED, expires_on__gte=on
    )
    before = requests.filter(state__in=[S.SOW_DRAFTING, S.AWAITING_SIGNOFF])
    yield _rows("triage_at_risk", before.filter(Exists(risk)))
    yield _rows("schedule", requests.filter(state=S.TRIAGED))
    changes = ChangeRequest.objects.filter(
        state=ChangeRequest.State.PROPOSED, kind=ChangeRequest.Kind.LARGER
    ).exclude(by=user)
    yield _rows("decide_change", changes, subject=F("request"), since=F("at"))


def _may_confirm(user: User, *, on: dt.date, hats: Collection[str]) -> Q:
    if Hat.LEAD in hats:
        return Q(pk__isnull=False)
    if Hat.REQUESTER in hats:
        own = Q(request__account__in=own_account_ids(user, on=on))
        return Q(request__filed_by=user) | own
    return Q()


def _with_current(requests: QuerySet[ServiceRequest]) -> "QuerySet[Any]":
    """Add the hash of the current version, and when it was sent."""
    current = SowVersion.objects.filter(request=OuterRef("pk"), discarded_at=None).order_by(
        "-number"
    )
    return requests.annotate(
        current_digest=Subquery(current.values("digest")[:1]),
        current_frozen_at=Subquery(current.values("frozen_at")[:1]),
    )


def _rows(
    act: str,
    things: "QuerySet[Any]",
    *,
    subject: Any = F("pk"),  # noqa: B008 an expression is a value
    since: Any = F("moved_at"),  # noqa: B008
) -> "QuerySet[Any, Any]":
    rows: QuerySet[Any, Any] = things.order_by().annotate(
        act=Value(act, CharField()),
        subject=subject,
        since=since,
        thing=ExpressionWrapper(F("uuid"), UUIDField()),
    )
    return rows.values_list("act", "subject", "since", "thing")
