"""Writing statements of work, and freezing what is sent."""

from accounts.selectors import today
from engagements import selectors
from engagements.models import RequestState, SowVersion
from engagements.rules import sow as rules
from events.workflow import Case, Move


def freeze_current(move: Move) -> None:
    """Freeze the current version: from now on it is what the customer was shown."""
    sow = selectors.current_sow(move.obj)
    assert sow is not None  # noqa: S101 the guards saw it
    sow.digest = rules.digest_of(
        sow.content, request=move.obj.number, account=str(move.obj.account)
    )
    sow.frozen_at, sow.frozen_by = move.at, move.by
    sow.save(update_fields=["digest", "frozen_at", "frozen_by"])


def begin_next(move: Move) -> None:
    """Copy the version sent into a new draft."""
    sent = selectors.current_sow(move.obj)
    if sent is not None and sent.is_frozen:
        SowVersion.objects.create(
            request=move.obj,
            number=sent.number + 1,
            content=sent.content,
            digest=sent.digest,
            by=move.by,
            note=move.reason[:500],
        )


def discard_current(move: Move) -> None:
    sow = selectors.current_sow(move.obj)
    if sow is not None and not sow.is_frozen:
        sow.discarded_at = move.at
        sow.save(update_fields=["discarded_at"])


def without_the_draft(case: Case) -> str:
    """Return where the request stands once its draft is thrown away."""
    sent = selectors.newest_frozen(case.obj)
    on = today(case.at)
    is_signed = sent is not None and selectors.sign_off_of(case.obj, sent, on=on) is not None
    return RequestState.SIGNED_OFF if is_signed else RequestState.AWAITING_SIGNOFF
