"""What may happen next to a request, why not, and who else could: for the person who looks."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from django.urls import reverse

from config.lib.ui.formats import day_text
from engagements import selectors
from engagements.models import ReasonCode, RequestState, SignOff
from engagements.workflows import REQUEST
from events.models import MoveRequest
from events.workflow import Option

if TYPE_CHECKING:
    from engagements.views.shell import Shell

S = RequestState
# What usually comes next, by state.
PRIMARY = {
    S.DRAFT: "submit",
    S.SUBMITTED: "take",
    S.NEEDS_INFO: "answer",
    S.ROUTED_OUT: "grant_appeal",
    S.SOW_DRAFTING: "send_for_signoff",
    S.SIGNED_OFF: "triage",
    S.TRIAGED: "schedule",
    S.SCHEDULED: "start",
    S.IN_PROGRESS: "deliver",
    S.ON_HOLD: "resume",
    S.ACCEPTED: "close",
}
DANGER = frozenset({"decline", "cancel"})
# Where the customer was asked, and what they answered that has to be worked in.
ASKED_STATES = frozenset({S.AWAITING_SIGNOFF, S.DELIVERED})
UNWANTED = frozenset({SignOff.State.REJECTED, SignOff.State.OBJECTED})
# Where what stands in the way can be put right.
REMEDIES = {
    "complete": ("Answer what is missing", "requests:resume"),
    "sow_complete": ("Write the statement of work", "requests:sow-edit"),
    "sow_draft": ("See the versions", "requests:sow"),
    "change_approved": ("See the change", "requests:sow"),
    "signed": ("See the statement of work", "requests:sow"),
    "signed_or_risk": ("See the statement of work", "requests:sow"),
    "ticked": ("Tick the deliverables", "requests:delivery"),
    "rolled_out": ("Note the roll-out", "requests:delivery"),
    "maintained": ("Name the owners", "requests:delivery"),
    "retrospective": ("Write the retrospective", "requests:delivery"),
}


# Where one only looks at what somebody else has to put right.
LOOKS = frozenset({"sow_draft", "change_approved", "signed", "signed_or_risk"})


class Reason(NamedTuple):
    """Why a move is not possible, and where that is put right."""

    words: str
    remedy: str = ""
    url: str = ""
    is_look: bool = False


class Errand(NamedTuple):
    """What comes next and is no move of the request; what leaves the house is posted."""

    label: str
    url: str
    is_posted: bool = False


@dataclass(frozen=True)
class Act:
    """A move, as the page offers or explains it."""

    option: Option
    number: int
    # The move that usually comes next.
    usual: str = ""

    @property
    def label(self) -> str:
        return self.option.transition.label

    @property
    def is_primary(self) -> bool:
        return self.option.transition.id == self.usual

    @property
    def is_danger(self) -> bool:
        return self.option.transition.id in DANGER

    @property
    def url(self) -> str:
        return reverse("requests:move", args=[self.number, self.option.transition.id])

    @property
    def ask_url(self) -> str:
        return reverse("requests:ask-move", args=[self.number, self.option.transition.id])

    @property
    def reasons(self) -> list[Reason]:
        return reasons_of(self.option.blocks, self.number)


@dataclass(frozen=True)
class Asked:
    """A move somebody asks for, who may not make it."""

    request: MoveRequest
    label: str
    number: int
    # Whether who looks may make it, and so answers.
    may: bool

    @property
    def url(self) -> str:
        return reverse("requests:move", args=[self.number, self.request.transition])

    @property
    def refuse_url(self) -> str:
        return reverse("requests:refuse-move", args=[self.number, self.request.uuid])


@dataclass(frozen=True)
class NextSteps:
    shell: "Shell"

    @cached_property
    def acts(self) -> list[Act]:
        return [Act(option, self.shell.request.pk, self.usual) for option in self.shell.options]

    @cached_property
    def usual(self) -> str:
        """Return the move that usually comes next."""
        if _answer(self.shell) in UNWANTED:
            return "revise"
        return PRIMARY.get(RequestState(self.shell.request.state), "")

    @property
    def primary(self) -> Act | None:
        return next((act for act in self.acts if act.is_primary and act.option.is_open), None)

    @property
    def others(self) -> list[Act]:
        """Return the further open moves; what ends the request comes last."""
        found = [act for act in self.acts if act.option.is_open and not act.is_primary]
        return sorted(found, key=lambda act: act.is_danger)

    @property
    def hindered(self) -> Act | None:
        """Return the usual next move, where it is this person's and something is in the way."""
        return next(
            (act for act in self.acts if act.is_primary and act.option.may and act.option.blocks),
            None,
        )

    @property
    def remedy(self) -> Reason | None:
        """Return where to put right what is in the way of the usual next move."""
        reasons = self.hindered.reasons if self.hindered else []
        return next((each for each in reasons if each.url and not each.is_look), None)

    @cached_property
    def errand(self) -> Errand | None:
        """Return what this person does next where no move does: confirm, or remind."""
        shell = self.shell
        if shell.request.state not in ASKED_STATES or self.primary:
            return None
        if waiting := shell.sign_off_card.waiting:
            args = [shell.request.pk, waiting[0].sign_off.uuid]
            return Errand("Confirm the sign-off", reverse("requests:sign-off", args=args))
        if not shell.links_card.may_send or _answer(shell) == SignOff.State.RECORDED:
            return None
        for each in shell.links_card.links:
            if each.can_be_reminded:
                args = [shell.request.pk, each.link.uuid]
                return Errand(
                    "Remind the customer",
                    reverse("requests:link-remind", args=args),
                    is_posted=True,
                )
        return Errand("Send a link", reverse("requests:link-new", args=[shell.request.pk]))

    @property
    def may_write_on(self) -> bool:
        """Whether it is their own draft, with nothing missing that leads there anyway."""
        return self.shell.request.state == S.DRAFT and self.remedy is None

    @property
    def blocked(self) -> list[Act]:
        return [
            act for act in self.acts if act.option.may and act.option.blocks and not act.is_primary
        ]

    @property
    def of_others(self) -> list[Act]:
        """Return what somebody else could do now, and can be asked for."""
        return [act for act in self.acts if act.option.can_ask and not act.option.blocks]

    @property
    def is_reader(self) -> bool:
        return not any(act.option.may for act in self.acts)

    @cached_property
    def asked(self) -> list[Asked]:
        """Return the open wishes for moves of this request, the oldest first."""
        request = self.shell.request
        may = {option.transition.id: option.may for option in self.shell.options}
        open_ones = MoveRequest.objects.filter(
            workflow=REQUEST.name, object_id=request.uuid, settled_at=None
        )
        return [
            Asked(
                each,
                REQUEST.transition(each.transition).label,
                request.pk,
                may.get(each.transition, False),
            )
            for each in open_ones.select_related("by").order_by("pk")
        ]

    @property
    def own_wishes(self) -> set[str]:
        return {
            each.request.transition
            for each in self.asked
            if each.request.by_id == self.shell.here.user.pk
        }

    @cached_property
    def sentence(self) -> str:
        """Say for whom it waits, and for what."""
        return _SENTENCES[RequestState(self.shell.request.state)](self.shell)


def reasons_of(blocks: Iterable[tuple[str, str]], number: int) -> list[Reason]:
    found = []
    for code, words in blocks:
        remedy, name = REMEDIES.get(code, ("", ""))
        url = reverse(name, args=[number]) if name else ""
        found.append(Reason(words, remedy, url, code in LOOKS))
    return found


def _needs_info(shell: "Shell") -> str:
    request = shell.request
    whom = request.waits_for or request.filed_by
    return f"Waits for an answer from {whom.name}, since {shell.day(request.moved_at)}."


def _routed_out(shell: "Shell") -> str:
    request = shell.request
    whom = f"{request.owner_user.name} of " if request.owner_user else ""
    return f"It belongs to {whom}{request.get_owner_display()}. Nothing waits here any more."


def _writing(shell: "Shell") -> str:
    request = shell.request
    done = f"It has a draft, {shell.sow}." if shell.sow else "It has no statement of work yet."
    return f"{request.filed_by.name} writes the statement of work and sends it. {done}"


def _answer(shell: "Shell") -> str:
    """Return how the newest answer to the version that was sent stands; "" without one."""
    if shell.request.state != S.AWAITING_SIGNOFF:
        return ""
    main = shell.sign_off_card.main
    return main.sign_off.state if main is not None and main.is_current else ""


def _waiting(shell: "Shell") -> str:
    request, answer = shell.request, _answer(shell)
    sow = shell.sow or "the statement of work"
    main = shell.sign_off_card.main
    if main is not None and answer in UNWANTED:
        verb = "asked for a change of" if answer == SignOff.State.REJECTED else "objected to"
        return (
            f"The customer {verb} {sow} on {shell.day(main.at)}."
            f" Waits for {request.filed_by.name} to write a new version."
        )
    if main is not None and answer == SignOff.State.RECORDED:
        return (
            f"{main.sign_off.recorded_by} noted that the customer agreed to {sow}."
            " Waits for a second person to confirm it."
        )
    since = f", since {shell.day(request.moved_at)}" if request.moved_at else ""
    return f"Waits for the customer to agree to {sow}{since}."


def _lead(shell: "Shell") -> str:
    acts = shell.next_steps.acts
    is_own = any(act.is_primary and act.option.may for act in acts)
    return "you or another DE lead" if is_own else "a DE lead"


def _delivered(shell: "Shell") -> str:
    since = f", since {shell.day(shell.request.delivered_at)}"
    return f"Waits for the customer to accept what was delivered{since}."


def _scheduled(shell: "Shell") -> str:
    request = shell.request
    who = request.lead.name if request.lead else "Nobody yet"
    if request.start is None or request.end is None:
        return f"{who} leads it. It has no dates."
    start, end = (day_text(day, shell.here.today) for day in (request.start, request.end))
    late = request.state == S.IN_PROGRESS and request.end < shell.here.today
    if late:
        return f"{who} leads it. Its last day was {end}: it is late."
    return f"{who} leads it, from {start} to {end}."


def _held(shell: "Shell") -> str:
    request = shell.request
    why = _code(request.hold_code) or "No reason was given"
    first = f": {request.preempted_by.number} came first" if request.preempted_by else ""
    back = RequestState(selectors.where_it_was(request, on=shell.here.today)).label
    goes = f" It goes on as “{back}”."
    return f"On hold since {shell.day(request.moved_at)}. {why}{first}.{goes}"


def _over(shell: "Shell") -> str:
    request = shell.request
    why = _code(request.end_code)
    words = [f"{request.get_state_display()} {shell.day(request.closed_at)}.".replace(" .", ".")]
    if why:
        words.append(f"{why}.")
    return " ".join(words)


def _code(code: str) -> str:
    if not code:
        return ""
    found = ReasonCode.objects.filter(code=code).order_by("pk").first()
    return found.label if found else code.replace("_", " ").capitalize()


_SENTENCES = {
    S.DRAFT: lambda _shell: "Only you see this draft. Finish it, then submit it.",
    S.SUBMITTED: lambda shell: (
        f"Waits for {_lead(shell)} to put it on the fast path."
        if shell.decided and shell.decided.is_ours
        else f"Waits for {_lead(shell)} to say who owns it."
    ),
    S.NEEDS_INFO: _needs_info,
    S.ROUTED_OUT: _routed_out,
    S.SOW_DRAFTING: _writing,
    S.AWAITING_SIGNOFF: _waiting,
    S.SIGNED_OFF: lambda shell: f"The customer agreed. Waits for {_lead(shell)} to triage it.",
    S.TRIAGED: lambda shell: f"Waits for {_lead(shell)} to schedule it.",
    S.SCHEDULED: _scheduled,
    S.IN_PROGRESS: _scheduled,
    S.ON_HOLD: _held,
    S.DELIVERED: _delivered,
    S.ACCEPTED: lambda _shell: "The customer accepted the delivery. It can be closed.",
    S.CLOSED: _over,
    S.DECLINED: _over,
    S.CANCELLED: _over,
}
