"""What a receipt code tells anybody who has it."""

import datetime as dt
from dataclasses import dataclass

from engagements.models import SignOff
from engagements.rules.receipts import initials_of
from engagements.selectors.links import Document, document_of
from engagements.selectors.sows import current_sow

State = SignOff.State
ANSWERS = {
    (SignOff.Purpose.SOW, State.RECORDED): "Noted, and not confirmed yet",
    (SignOff.Purpose.SOW, State.AGREED): "Agreed",
    (SignOff.Purpose.SOW, State.REJECTED): "Asked for a change",
    (SignOff.Purpose.DELIVERY, State.RECORDED): "Noted, and not confirmed yet",
    (SignOff.Purpose.DELIVERY, State.AGREED): "Accepted",
    (SignOff.Purpose.DELIVERY, State.REJECTED): "Not accepted",
}


@dataclass(frozen=True)
class Receipt:
    """What was agreed to, when and how; of people initials only."""

    sign_off: SignOff
    document: Document
    is_current: bool

    @property
    def answer(self) -> str:
        sign_off = self.sign_off
        if sign_off.state == State.OBJECTED:
            return "The customer objected"
        if sign_off.state == State.WITHDRAWN:
            return "Withdrawn"
        return ANSWERS[SignOff.Purpose(sign_off.purpose), State(sign_off.state)]

    @property
    def title(self) -> str:
        return str(self.document.content.get("title") or "")

    @property
    def what(self) -> str:
        sign_off = self.sign_off
        if sign_off.delivery is not None:
            return f"Delivery {sign_off.delivery.number} of {sign_off.request.number}"
        assert sign_off.sow is not None  # noqa: S101 a constraint: it is of one thing
        return f"Statement of work version {sign_off.sow.number} of {sign_off.request.number}"

    @property
    def initials(self) -> str:
        return initials_of(self.sign_off.party_name)

    @property
    def at(self) -> dt.datetime:
        return self.sign_off.answered_at or self.sign_off.recorded_at

    @property
    def standing(self) -> str:
        """Say whether it still holds, in a sentence."""
        state = self.sign_off.state
        if state == State.AGREED and self.is_current:
            return "This is the agreement that holds now."
        if state == State.AGREED:
            return "A later version has taken its place."
        if state == State.RECORDED:
            return "It does not hold yet: a second person has to confirm it."
        return "It is no agreement."


def receipt_of(code: str) -> Receipt | None:
    if not code:
        return None
    rows = SignOff.objects.select_related("request__account", "sow", "delivery")
    sign_off = rows.filter(receipt=code).first()
    if sign_off is None:
        return None
    return Receipt(sign_off, document_of(sign_off), _is_current(sign_off))


def _is_current(sign_off: SignOff) -> bool:
    """Whether what was agreed to is still what is asked: another version may say the same."""
    if sign_off.state != State.AGREED:
        return False
    if sign_off.delivery is not None:
        newest = sign_off.request.deliveries.order_by("-number").first()
        return newest == sign_off.delivery
    sow = current_sow(sign_off.request)
    return sow is not None and sow.digest == sign_off.digest
