"""How one request of the demo company goes its way, act by act."""

import datetime as dt
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile

from accounts.models import Account, Contact
from engagements import selectors
from engagements.models import Delivery, OutcomeCheck, ServiceRequest, SignOffLink
from engagements.services import (
    answering,
    closing,
    conversation,
    delivering,
    links,
    move,
    recording,
    risks,
    sows,
)
from engagements.services import requests as filing
from events.workflow import Given
from metrics.demo.clock import Clock
from metrics.demo.work import Asked, Cast, Work
from people.models import User

FACTS = ("standard_environment", "inside_product", "licence_matter", "critical", "over_one_day",
         "escalated")  # fmt: skip
TEXTS = ("title", "type", "problem", "outcome", "if_not", "time_reason")
Stage = tuple[Account, Contact, Cast]


class Play:
    """Takes one request along its way, hour by hour of the days it took."""

    def __init__(self, stage: Stage, asked: Asked, way: Iterable[str], now: dt.datetime) -> None:
        self.account, self.contact, self.cast = stage
        self.asked, self.way, self.now = asked, way, now
        self.clock = Clock(days_ago=asked["days"], now=now)
        self.request: ServiceRequest
        # The project that does it, from triage on.
        self.work: Work | None = None

    @property
    def at(self) -> dt.datetime:
        return self.clock.at

    @property
    def engineer(self) -> User:
        return self.work.doer if self.work else self.cast.engineer

    def run(self) -> None:
        self._file()
        if self.asked["until"] == "draft":
            return
        self._move("submit", self.cast.filer)
        for name in self.way:
            if self.at > self.now:
                break
            getattr(self, f"_{name}")()
        for who, text in self.asked.get("comments", ()):
            self.clock.wait(hours=3)
            with self.clock.then():
                conversation.add_comment(self.request, text, by=getattr(self.cast, who), at=self.at)

    def _file(self) -> None:
        low, likely, high = self.asked.get("seats") or (None, None, None)
        answers: dict[str, Any] = {name: self.asked[name] for name in TEXTS if name in self.asked}
        answers |= {name: bool(self.asked.get(name)) for name in FACTS}
        answers |= {
            "account": self.account, "contact": self.contact,
            "over_one_day": self.asked.get("over_one_day", self.asked["type"] != "support"),
            "seats_low": low, "seats_likely": likely, "seats_high": high,
        }  # fmt: skip
        with self.clock.then():
            self.request = filing.create_draft(by=self.cast.filer, at=self.at, answers=answers)
        self.clock.wait(hours=1)

    def _take(self) -> None:
        if self.request.state == "submitted":
            self._move("take", self.cast.lead, impact=self.asked.get("impact"))

    def _write(self) -> None:
        self.clock.wait(days=1)
        with self.clock.then():
            sow = sows.start_draft(self.request, by=self.cast.filer, at=self.at)
            sows.save_draft(sow, self._content(), by=self.cast.filer, at=self.at)

    def _content(self) -> dict[str, Any]:
        first = self.at.date() + dt.timedelta(days=9)
        promised = self.asked["deliverables"]
        days = [first + dt.timedelta(days=3 * number + 12) for number in range(len(promised))]
        team = "Sam Eriksen, Harborline"
        return {
            "title": self.asked["title"],
            "deliverables": [
                {
                    "what": what, "detail": detail, "by_whom": team,
                    "by_when": days[number].isoformat(),
                }
                for number, (what, detail) in enumerate(promised)
            ],
            "needs": list(self.asked["needs"]),
            "in_scope": [self.asked["outcome"]],
            "out_of_scope": list(self.asked["out_of_scope"]),
            "acceptance": list(self.asked["acceptance"]),
            "assumptions": ["The versions in use today stay until the end of the work."],
            "customer_owner": self.contact.name,
            "timeframe": {"start": first.isoformat(), "end": days[-1].isoformat()},
            "maintenance": {
                "owner": "customer",
                "depends_on_server_version": False,
                "text": "We mend defects found within 60 days. After that, Support helps with the "
                "product, not with the solution.",
            },
            "deemed_acceptance_days": self.asked.get("deemed"),
            "amount": "0.00",
            "currency": "USD",
        }  # fmt: skip

    def _send(self) -> None:
        self.clock.wait(hours=3)
        contact = "" if self.asked.get("sign") else str(self.contact.uuid)
        self._move("send_for_signoff", self.cast.filer, contact=contact)

    def _second_version(self) -> None:
        """The customer asks for a change, gets the next version, and then agrees."""
        if self.asked.get("versions") != 2:
            return
        self._changes_asked()
        self._move("revise", self.cast.filer, reason="They want another order and one more thing.")
        sow = self.request.sows.latest("number")
        content = sow.content | {
            "needs": [*sow.content["needs"], "Nobody is moved before the freeze is over"]
        }
        self.clock.wait(hours=4)
        with self.clock.then():
            sows.save_draft(sow, content, by=self.cast.filer, at=self.at)
        self._send()

    def _changes_asked(self) -> None:
        self.clock.wait(days=2)
        link = self._link()
        text = "Please put the second location first, and not before our freeze ends."
        with self.clock.then():
            digest = link.sow.digest if link.sow else ""
            given = answering.Answer(
                digest=digest, name=self.contact.name, title=self.contact.title, text=text
            )
            answering.answer(link, given, at=self.at)
        self.request.refresh_from_db()

    def _sign(self) -> None:
        self.clock.wait(days=2)
        way = self.asked.get("sign", "link")
        getattr(self, f"_by_{way}")()
        self.request.refresh_from_db()

    def _by_link(self) -> None:
        link = self._link()
        with self.clock.then():
            given = answering.Answer(
                digest=link.sow.digest if link.sow else "",
                agrees=True,
                name=self.contact.name,
                title=self.contact.title,
                ip="192.0.2.44",
                user_agent="Mozilla/5.0 (X11; Linux x86_64; rv:144.0) Gecko/20100101 Firefox/144.0",
            )
            answering.answer(link, given, at=self.at)

    def _by_written(self) -> None:
        mail = SimpleUploadedFile(
            "agreement.eml",
            f"From: {self.contact.email}\nSubject: Agreed\n\nYes, please go ahead.\n".encode(),
        )
        with self.clock.then():
            recording.record_written(
                self.request, self._evidence(), mail, by=self.cast.filer, at=self.at
            )

    def _by_verbal(self) -> None:
        self._say()
        self.clock.wait(hours=2)
        sign_off = self.request.sign_offs.latest("pk")
        with self.clock.then():
            recording.confirm(sign_off, by=self.cast.lead, at=self.at)

    def _say(self) -> None:
        self.clock.wait(days=1)
        with self.clock.then():
            recording.record_verbal(self.request, self._evidence(), by=self.cast.filer, at=self.at)

    def _evidence(self) -> recording.Evidence:
        return recording.Evidence(
            contact=self.contact,
            name=self.contact.name,
            title=self.contact.title,
            answered_at=self.at - dt.timedelta(hours=1),
            note="They agree to the deliverables and dates, and know what is not included.",
        )

    def _triage(self) -> None:
        self.clock.wait(days=2)
        self._move("triage", self.cast.lead, **self._scores())
        self._plan()

    def _plan(self) -> None:
        """Make the project that does it; some wait for that, and one is held before."""
        if self.asked["until"] != "hold" and not self.asked.get("no_project"):
            self.clock.wait(hours=3)
            self.work = Work(self.asked, self.cast, self.clock)
            self.work.make_from(self.request)

    def _scores(self) -> dict[str, Any]:
        return {
            "impact": self.asked["impact"],
            "effort": self.asked["effort"],
            "confidence": "medium",
        }

    def _risk(self) -> None:
        self.clock.wait(days=1)
        with self.clock.then():
            risk = risks.ask_for_risk(
                self.request,
                reason="Their works council decides before legal can sign.",
                exposure="A week of Sam's work, if they do not agree in the end.",
                exposure_days=Decimal("5.0"),
                expires_on=self.now.date() + dt.timedelta(days=6),
                by=self.cast.lead,
                at=self.now - dt.timedelta(days=2),
            )
            move(risk, "approve", by=self.cast.leader, at=self.now - dt.timedelta(days=1))
        self._move("triage_at_risk", self.cast.lead, **self._scores())
        self._plan()

    def _schedule(self) -> None:
        self.clock.wait(days=1)
        if self.work:
            self.work.schedule()
            self.request.refresh_from_db()
            return
        start = max(self.at.date() + dt.timedelta(days=2), self._earliest())
        self._move(
            "schedule", self.cast.lead, lead=self.cast.engineer.email,
            start=start.isoformat(), end=(start + dt.timedelta(days=9)).isoformat(),
        )  # fmt: skip

    def _earliest(self) -> dt.date:
        """What is still to begin begins after today."""
        is_ahead = self.asked["until"] == "schedule"
        return self.now.date() + dt.timedelta(days=8) if is_ahead else dt.date.min

    def _start(self) -> None:
        self.clock.wait(days=1)
        if self.work:
            self.work.start()
            self.request.refresh_from_db()
        else:
            self._move("start", self.cast.engineer)

    def _fast(self) -> None:
        if self.request.state == "triaged":
            return
        self._move("fast_path", self.cast.lead, impact=1, effort="low", reason="It burns.")

    def _half(self) -> None:
        """Some of it is done."""
        sow = self.request.sows.latest("number")
        self.clock.wait(days=3)
        self._tick(sow.content["deliverables"][0])

    def _deliver(self) -> None:
        self.clock.wait(days=22 if self.asked.get("late") else 6)
        for each in self.request.sows.latest("number").content["deliverables"]:
            self._tick(each)
        for name, owner in self.asked.get("artefacts", [["Scripts and runbook", "customer"]]):
            with self.clock.then():
                delivering.add_artefact(
                    self.request, name=name, maintained_by=owner, by=self.engineer, at=self.at
                )
        with self.clock.then():
            delivering.roll_out(
                self.request, note="In use everywhere that was agreed.", done_on=self.at.date(),
                by=self.engineer, at=self.at,
            )  # fmt: skip
        self._move("deliver", self.engineer, summary="All that was agreed is in place and in use.")
        if self.work:
            self.work.deliver()

    def _tick(self, promised: Asked) -> None:
        evidence = delivering.Evidence(
            text=f"Shown to {self.contact.name} and tried together.", done_on=self.at.date()
        )
        with self.clock.then():
            delivering.tick(self.request, promised["key"], evidence, by=self.engineer, at=self.at)

    def _accept(self) -> None:
        self.clock.wait(days=2)
        delivery = Delivery.objects.filter(request=self.request).latest("number")
        with self.clock.then():
            link = self._link() if self._has_link(delivery) else None
            link = link or links.ask_for_acceptance(delivery, by=self.cast.filer, at=self.at)
            assert link is not None  # noqa: S101 the contact has an address
            given = answering.Answer(
                digest=delivery.digest, agrees=True, name=self.contact.name,
                title=self.contact.title, rating=self.asked.get("rating"),
            )  # fmt: skip
            answering.answer(link, given, at=self.at)
        self.request.refresh_from_db()

    def _has_link(self, delivery: Delivery) -> bool:
        return SignOffLink.objects.filter(delivery=delivery, used_at=None).exists()

    def _close(self) -> None:
        self.clock.wait(days=1)
        if self.work:
            self.work.close()
        if selectors.what_was_missed(self.request):
            text = "The customer's test system came two weeks late. We ask for it before we plan."
            with self.clock.then():
                closing.write_retrospective(self.request, text, by=self.engineer, at=self.at)
        self._move("close", self.cast.filer)
        due = OutcomeCheck.objects.filter(request=self.request, due_on__lte=self.now.date())
        for check in due.order_by("due_on")[: 2 if self.asked["number"] < 8 else 0]:
            with self.clock.then():
                closing.record_check(
                    check, note="The department uses it.", by=self.cast.filer, at=self.now
                )

    def _ask(self) -> None:
        self.clock.wait(hours=5)
        self._move("ask", self.cast.engineer, question=self.asked["question"])

    def _decline(self) -> None:
        self.clock.wait(days=2)
        self._move(
            "decline", self.cast.lead, reason=self.asked["reason"], code=self.asked["code"],
            alternative=self.asked["alternative"],
        )  # fmt: skip

    def _cancel(self) -> None:
        self.clock.wait(days=3)
        self._move("cancel", self.cast.filer, code=self.asked["code"])

    def _hold(self) -> None:
        self.clock.wait(days=1)
        other = ServiceRequest.objects.filter(state="in_progress").order_by("pk").first()
        values = (
            {"code": "preempted", "preempted_by": other.number}
            if other
            else {"code": "customer_waits"}
        )
        self._move("hold", self.cast.lead, reason="The search problem comes first.", **values)

    def _appeal(self) -> None:
        self.clock.wait(hours=4)
        self._move("appeal", self.cast.filer, reason=self.asked["reason"])

    def _grant(self) -> None:
        self._appeal()
        self.clock.wait(days=1)
        self._move("grant_appeal", self.cast.second_lead, reason="They are right.")

    def _link(self) -> SignOffLink:
        return SignOffLink.objects.filter(
            request=self.request, used_at=None, revoked_at=None
        ).latest("pk")

    def _move(self, name: str, by: User, reason: str = "", **values: Any) -> None:
        kept = {key: value for key, value in values.items() if value not in (None, "")}
        with self.clock.then():
            move(self.request, name, by=by, at=self.at, given=Given(reason=reason, values=kept))
