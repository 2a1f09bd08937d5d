"""The progress line of a request: how far it went."""

from typing import TYPE_CHECKING, NamedTuple

from config.lib.ui.formats import day_text
from engagements.models import Owner, RequestState, ServiceRequest

if TYPE_CHECKING:
    from engagements.views.shell import Shell

S = RequestState
DONE, NOW, AHEAD, RISK = "done", "now", "ahead", "risk"
ICONS = {DONE: "circle-check", NOW: "circle-dot", AHEAD: "circle-dashed", RISK: "triangle-alert"}
AT_WORK = frozenset({S.TRIAGED, S.SCHEDULED, S.IN_PROGRESS})
BEFORE_A_SOW = frozenset({S.DRAFT, S.SUBMITTED, S.ROUTED_OUT})


class Step(NamedTuple):
    """One stage of the progress line."""

    label: str
    status: str = AHEAD

    @property
    def icon(self) -> str:
        return ICONS[self.status]


def steps_of(shell: "Shell") -> list[Step]:
    """Return the stages from filed to closed, as far as the request went."""
    request = shell.request
    steps = [_filed(shell), _in_scope(shell)]
    if request.state == S.ROUTED_OUT:
        return steps
    if request.fast_path:
        steps.append(Step("Fast path, no sign-off needed", DONE))
    else:
        steps += [_written(shell), _signed(shell)]
    steps += [_delivered(shell), _closed(shell)]
    return steps


def _filed(shell: "Shell") -> Step:
    request = shell.request
    if request.submitted_at is None:
        return Step("Not filed yet", NOW if request.is_open else AHEAD)
    return Step(f"Filed {shell.day(request.submitted_at)}", DONE)


def _in_scope(shell: "Shell") -> Step:
    request = shell.request
    if request.state == S.ROUTED_OUT:
        return Step(f"Routed to {request.get_owner_display()}", NOW)
    if request.owner == Owner.DE and request.routed_at:
        return Step(f"In scope {shell.day(request.routed_at)}", DONE)
    is_now = request.state in {S.SUBMITTED, S.NEEDS_INFO}
    return Step("Needs an owner" if is_now else "In scope", NOW if is_now else AHEAD)


def _written(shell: "Shell") -> Step:
    request, sow = shell.request, shell.sow
    label = f"Statement of work {sow}" if sow else "Statement of work"
    if sow is not None and sow.is_frozen:
        return Step(label, DONE)
    is_now = _phase(request) == S.SOW_DRAFTING
    return Step(label, NOW if is_now else AHEAD)


def _signed(shell: "Shell") -> Step:
    request = shell.request
    if _phase(request) in BEFORE_A_SOW or shell.sow is None:
        return Step("Signed")
    if shell.sign_off is not None:
        when = shell.sign_off.answered_at or shell.sign_off.recorded_at
        return Step(f"Signed {shell.day(when)}", DONE)
    if shell.risk is not None:
        return Step(f"At risk until {day_text(shell.risk.expires_on, shell.here.today)}", RISK)
    if _phase(request) == S.AWAITING_SIGNOFF:
        return Step("Waiting for sign-off", NOW)
    return Step("Signed")


def _delivered(shell: "Shell") -> Step:
    request = shell.request
    if request.delivered_at:
        return Step(f"Delivered {shell.day(request.delivered_at)}", DONE)
    phase = _phase(request)
    if request.state == S.ON_HOLD and phase in AT_WORK:
        return Step("On hold", NOW)
    if phase == S.IN_PROGRESS and request.end:
        return Step(f"In progress until {day_text(request.end, shell.here.today)}", NOW)
    if phase == S.SCHEDULED and request.start:
        return Step(f"Starts {day_text(request.start, shell.here.today)}", NOW)
    if phase in {S.SIGNED_OFF, S.TRIAGED}:
        return Step("To be scheduled", NOW)
    return Step("Delivered")


def _closed(shell: "Shell") -> Step:
    request = shell.request
    if request.state in {S.DECLINED, S.CANCELLED, S.CLOSED}:
        label = f"{request.get_state_display()} {shell.day(request.closed_at)}"
        return Step(label.strip(), DONE if request.state == S.CLOSED else NOW)
    if request.state == S.ACCEPTED:
        return Step("To be closed", NOW)
    if request.state == S.DELIVERED:
        return Step("Waiting for acceptance", NOW)
    return Step("Closed")


def _phase(request: ServiceRequest) -> str:
    """Return where it is; of what waits, where it goes on."""
    return request.paused_from or request.state
