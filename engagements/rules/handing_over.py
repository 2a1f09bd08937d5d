"""Texts that are handed to the team that owns a request, ready to paste. Pure."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

NO_LINK = "none yet"
IF_ASSIGNED = (
    "If an engineer is on the ticket already, send this to them, never into the customer's thread."
)


@dataclass(frozen=True, kw_only=True)
class Brief:
    """What is told of a request. No people of the customer: they are in their own systems."""

    number: str
    customer: str
    type: str
    title: str
    requester: str
    problem: str = ""
    outcome: str = ""
    if_not: str = ""
    needed_by: str = ""
    time_reason: str = ""
    # Of each its kind and address.
    links: Sequence[tuple[str, str]] = ()
    seats: str = ""
    url: str = ""
    # Why it comes to them.
    why: str = ""
    approval: str = ""
    escalation: str = ""


def support_context(brief: Brief) -> str:
    """What Support should know about an issue it has, or will pick up."""
    background = _joined(brief.problem, _said("What they want", brief.outcome), _seats(brief))
    return _form(
        "Support ticket context",
        {
            "Customer name": brief.customer,
            "Link to issue": _links(brief) or NO_LINK,
            "Background information or anything we should know that would be helpful": background,
        },
        IF_ASSIGNED,
        _signed(brief),
    )


def support_request(brief: Brief) -> str:
    """What we ask Support to do, and why."""
    return _form(
        "Support ticket request",
        {
            "Customer name": brief.customer,
            "Link to issue": _links(brief) or NO_LINK,
            "What's the ask": _joined(brief.title, brief.outcome),
            "Why are we making this ask": brief.problem,
            "What happens if we don't take this desired action": brief.if_not,
            "Is there a time consideration we need to be aware of, if so what is it and why": (
                _time(brief)
            ),
            "Anything else we should know that would be helpful": _joined(
                _seats(brief), _said("Escalated", brief.escalation)
            ),
        },
        IF_ASSIGNED,
        _signed(brief),
    )


def account_task(brief: Brief) -> str:
    """A task for those who look after the account: CSM, TAM, AE."""
    return _form(
        f"Task: {brief.title}",
        {
            "Customer": brief.customer,
            "What they ask for": _joined(brief.type, brief.outcome),
            "Why": brief.problem,
            "What happens if we don't do it": brief.if_not,
            "By when, and why": _time(brief),
            "Links": _links(brief),
            "Why it comes to you": brief.why,
        },
        _signed(brief),
    )


def rd_note(brief: Brief) -> str:
    """A request for a change of the product."""
    return _form(
        f"Product change asked for by {brief.customer}: {brief.title}",
        {
            "The problem": brief.problem,
            "What they want to have in the end": brief.outcome,
            "What happens if we don't do it": brief.if_not,
            "Time": _time(brief),
            "Seats it would unlock": brief.seats,
            "Links": _links(brief),
            "The question to you": (
                "Will you build it? If Deployment Engineering should, we need your approval "
                "before it starts: that you can support it once it is there."
            ),
        },
        _signed(brief),
    )


def product_note(brief: Brief) -> str:
    """Feedback for Product, in the customer's words where we have them."""
    return _form(
        f"Feedback from {brief.customer}: {brief.title}",
        {
            "What they said": brief.problem,
            "What they would rather have": brief.outcome,
            "What it costs them, and us": _joined(brief.if_not, _seats(brief)),
            "Links": _links(brief),
        },
        _signed(brief),
    )


def work_note(brief: Brief) -> str:
    """What Deployment Engineering gets."""
    return _form(
        brief.title,
        {
            "Customer": brief.customer,
            "What they ask for": _joined(brief.type, brief.outcome),
            "Why": brief.problem,
            "What happens if we don't do it": brief.if_not,
            "Time": _time(brief),
            "Seats it would unlock": brief.seats,
            "Approved by Product Engineering": brief.approval,
            "Escalated because": brief.escalation,
            "Links": _links(brief),
        },
        _signed(brief),
    )


TEXTS: Mapping[str, Callable[[Brief], str]] = {
    "support_context": support_context,
    "support_request": support_request,
    "account_task": account_task,
    "rd_note": rd_note,
    "product_note": product_note,
    "work_note": work_note,
}
LABELS = {
    "support_context": "Support ticket context",
    "support_request": "Support ticket request",
    "account_task": "Task for CSM, TAM or AE",
    "rd_note": "Note to R&D",
    "product_note": "Note to Product",
    "work_note": "Note to Deployment Engineering",
}
# What fits an owner where no rule names a text, and what may be sent instead.
OF_OWNER: Mapping[str, tuple[str, ...]] = {
    "de": ("work_note",),
    "support": ("support_context", "support_request"),
    "csm_tam": ("account_task",),
    "tam": ("account_task",),
    "ae": ("account_task",),
    "rd": ("rd_note",),
    "product": ("product_note",),
}


def names_for(owner: str, preferred: str = "") -> list[str]:
    """Return the names of the texts that fit an owner, the one of the rule first."""
    fitting = OF_OWNER.get(owner, ())
    first = [preferred] if preferred in TEXTS else []
    return [*first, *(name for name in fitting if name != preferred)]


def _form(title: str, answers: Mapping[str, str], *ends: str) -> str:
    parts = [title, *(f"{label}:\n{answer}" for label, answer in answers.items() if answer)]
    return "\n\n".join([*parts, *(end for end in ends if end)])


def _links(brief: Brief) -> str:
    return "\n".join(f"{kind}: {url}" if kind else url for kind, url in brief.links) or ("none yet")


def _time(brief: Brief) -> str:
    return _joined(brief.needed_by, brief.time_reason)


def _seats(brief: Brief) -> str:
    return _said("Seats it would unlock", brief.seats)


def _said(label: str, text: str) -> str:
    return f"{label}: {text}" if text else ""


def _signed(brief: Brief) -> str:
    return f"{brief.requester}, {brief.number} in Keel\n{brief.url}".strip()


def _joined(*texts: str) -> str:
    return "\n".join(text for text in texts if text)
