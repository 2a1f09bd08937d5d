"""Evidence of agreement as staff see it: whose it is, how strong, whether it still fits."""

import datetime as dt
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from engagements import permissions, selectors
from engagements.models import Delivery, RequestState, SignOff, SowVersion
from engagements.rules.browsers import browser_of
from engagements.selectors import links as reading
from engagements.selectors.links import Document, ShownLink
from engagements.selectors.signoffs import sign_offs_of

if TYPE_CHECKING:
    from engagements.views.shell import Shell

State = SignOff.State
WAYS = {
    SignOff.Way.VERBAL: "Agreed in a conversation",
    SignOff.Way.WRITTEN: "Agreed in writing",
    SignOff.Way.LINK: "Signed through the emailed link",
    SignOff.Way.ESIGNED: "Signed electronically",
    SignOff.Way.DEEMED: "By silence, as agreed",
}


LEAST = {
    "verbal": "a verbal agreement at least",
    "written": "a written agreement at least",
    "link": "an answer by the emailed link",
    "esigned": "an electronic signature",
}


class Tag(NamedTuple):
    label: str
    tone: str
    icon: str


TAGS = {
    State.RECORDED: Tag("Waits for a second person", "warn", "hourglass"),
    State.REJECTED: Tag("Change asked for", "warn", "message-square-text"),
    State.OBJECTED: Tag("Objected", "bad", "octagon-x"),
    State.WITHDRAWN: Tag("Withdrawn", "", "undo-2"),
}


@dataclass(frozen=True)
class Evidence:
    """One sign-off, for one person who looks."""

    shell: "Shell"
    sign_off: SignOff

    @property
    def thing(self) -> str:
        if self.sign_off.delivery is not None:
            return f"Delivery {self.sign_off.delivery.number}"
        return f"Statement of work v{self.sign_off.sow.number}" if self.sign_off.sow else ""

    @property
    def how(self) -> str:
        if self.sign_off.state == State.REJECTED and self.sign_off.link_id:
            return "Answered through the emailed link"
        return WAYS[SignOff.Way(self.sign_off.way)]

    @cached_property
    def document(self) -> Document:
        return reading.document_of(self.sign_off)

    @property
    def at(self) -> dt.datetime:
        """When the customer said it, in UTC."""
        moment = self.sign_off.answered_at or self.sign_off.recorded_at
        return moment.astimezone(dt.UTC)

    @property
    def local(self) -> str:
        """The time on the company's clocks, where those show another."""
        zone = self.shell.here.zone
        if not self.at.astimezone(zone).utcoffset():
            return ""
        place = zone.key.rpartition("/")[2].replace("_", " ")
        return f"{self.at.astimezone(zone):%H:%M} in {place}"

    @property
    def short_digest(self) -> str:
        digest = self.sign_off.digest
        return f"{digest[:4]} {digest[4:8]} … {digest[-4:]}"

    @property
    def browser(self) -> str:
        return browser_of(self.sign_off.user_agent)

    @cached_property
    def is_current(self) -> bool:
        sign_off, sow = self.sign_off, self.shell.sow
        if sign_off.delivery is not None:
            return True
        return sow is not None and sow.digest == sign_off.digest

    @cached_property
    def tag(self) -> Tag:
        state = State(self.sign_off.state)
        if state in TAGS:
            return TAGS[state]
        if self.sign_off.delivery is not None:
            return Tag("Accepted", "good", "circle-check")
        if not self.is_current:
            return Tag("Superseded", "warn", "history")
        if self.shell.sign_off is None:
            return Tag("Too weak", "warn", "triangle-alert")
        number = self.sign_off.sow.number if self.sign_off.sow else ""
        return Tag(f"v{number} signed", "good", "circle-check")

    @property
    def may_confirm(self) -> bool:
        return self.sign_off.state == State.RECORDED and permissions.can_confirm_sign_off(
            self.shell.here.user, self.sign_off
        )

    @property
    def may_withdraw(self) -> bool:
        is_ours = self.sign_off.way in (SignOff.Way.VERBAL, SignOff.Way.WRITTEN)
        is_standing = self.sign_off.state in (State.RECORDED, State.AGREED)
        return (
            is_ours
            and is_standing
            and permissions.can_withdraw_sign_off(self.shell.here.user, self.sign_off)
        )


@dataclass(frozen=True)
class SignOffCard:
    """What the customer agreed to, and what is still needed, for the rail of a request."""

    shell: "Shell"

    @cached_property
    def all(self) -> list[Evidence]:
        """Return every sign-off of the request, the newest first."""
        return [Evidence(self.shell, row) for row in reversed(sign_offs_of(self.shell.request))]

    @cached_property
    def main(self) -> Evidence | None:
        """Return the one that counts: of the delivery once it is there, else the live one."""
        if self.shell.request.state in (RequestState.DELIVERED, RequestState.ACCEPTED):
            for each in self.all:
                if each.sign_off.delivery is not None:
                    return each
        live = self.shell.sign_off
        if live is not None:
            return next(each for each in self.all if each.sign_off.pk == live.pk)
        return self.all[0] if self.all else None

    @property
    def others(self) -> list[Evidence]:
        return [each for each in self.all if each is not self.main]

    @cached_property
    def waiting(self) -> list[Evidence]:
        return [each for each in self.all if each.may_confirm]

    @cached_property
    def why_not(self) -> str:
        """Say why work could not start on it."""
        if self.shell.request.fast_path or self.shell.sow is None:
            return ""
        return selectors.why_not_signed(self.shell.request, on=self.shell.here.today)

    @cached_property
    def thing(self) -> SowVersion | Delivery | None:
        return reading.thing_to_answer(self.shell.request)

    @property
    def may_record(self) -> bool:
        return self.thing is not None and permissions.can_record_sign_off(
            self.shell.here.user, self.shell.request
        )

    @property
    def is_there(self) -> bool:
        return bool(self.all) or self.thing is not None or bool(self.why_not)

    @property
    def least(self) -> str:
        sow = self.shell.sow
        if sow is None:
            return ""
        strength = selectors.least_strength(self.shell.request, sow, on=self.shell.here.today)
        return LEAST[strength]


@dataclass(frozen=True)
class LinksCard:
    """Who was asked, for the rail of a request."""

    shell: "Shell"

    @cached_property
    def links(self) -> list[ShownLink]:
        return reading.shown_links(self.shell.request, at=self.shell.here.now)

    @cached_property
    def questions(self) -> list[tuple[object, str]]:
        """Return what customers asked, the newest first; only for those who may read it."""
        if not self.shell.sees_parties:
            return []
        rows = reading.questions_of(self.shell.request)
        return [(row.at, row.text) for row in rows]

    @property
    def question_count(self) -> int:
        return reading.questions_of(self.shell.request).count()

    @property
    def may_send(self) -> bool:
        thing = reading.thing_to_answer(self.shell.request)
        return thing is not None and permissions.can_send_link(
            self.shell.here.user, self.shell.request
        )

    @cached_property
    def may_revoke(self) -> bool:
        newest = self.links[0].link if self.links else None
        return newest is not None and permissions.can_revoke_link(self.shell.here.user, newest)

    def may_confirm(self, link: ShownLink) -> bool:
        return link.is_held and permissions.can_confirm_address(self.shell.here.user, link.link)

    @cached_property
    def rows(self) -> list[tuple[ShownLink, bool]]:
        """Return each link, and whether who looks may say that its new address is right."""
        return [(each, self.may_confirm(each)) for each in self.links]

    @property
    def is_there(self) -> bool:
        return bool(self.links) or self.may_send
