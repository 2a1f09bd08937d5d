"""Writing a request, step by step: saved as it is typed, resumed where it was left."""

from collections.abc import Collection, Mapping
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.here import Here, page
from config.lib.errors import StaleWrite
from config.lib.values import BadValue, parse_seats_text
from engagements import selectors
from engagements.forms.intake import AskedForm, stored_words
from engagements.models import Owner, ServiceRequest
from engagements.rules.answers import FACTS
from engagements.rules.suggesting import Suggestions, suggestions_from
from engagements.services import move
from engagements.services import requests as services
from engagements.views.filing import account_step
from engagements.views.intake_parts import (
    STEPS,
    AccountCard,
    Steps,
    answered,
    draft_or_404,
    is_open_to,
)
from engagements.views.scope import scope_of
from events.workflow import Blocked, Given
from people.writing import once

NO_VERSION = -1
# The answers that the router looks at.
DECIDES = frozenset({"type", *FACTS, "escalation_reason", "product_approval"})
GONE = "Your draft was thrown away."
KEPT = "Saved. Only you see the draft until you send it."


@require_http_methods(["GET", "POST"])
def intake(request: HttpRequest, number: int, step: str) -> HttpResponse:
    if step not in STEPS:
        raise Http404
    here = Here.of(request)
    draft = draft_or_404(here, number)
    if not is_open_to(here, draft):
        return redirect("requests:detail", number)
    if step != "account" and draft.account is None:
        return redirect("requests:intake", number, "account")
    pages = {"account": account_step, "asked": _asked, "scope": _scope, "check": _check}
    return pages[step](request, here, draft)


@require_safe
def resume(request: HttpRequest, number: int) -> HttpResponse:
    """Lead to the step where it was left: the first one that wants something."""
    here = Here.of(request)
    draft = draft_or_404(here, number)
    if not is_open_to(here, draft):
        return redirect("requests:detail", number)
    missing = selectors.missing_answers(draft, on=here.today)
    step = "check"
    if missing:
        step = "account" if draft.account is None else "asked"
    return redirect("requests:intake", number, step)


@require_POST
def save(request: HttpRequest, number: int) -> HttpResponse:
    """Keep what is typed so far; answers a line that says when, and what follows from it."""
    here = Here.of(request)
    draft = draft_or_404(here, number)
    form = AskedForm(draft, request.POST, user=here.user, on=here.today)
    was = stored_words(draft)
    try:
        services.save_draft(
            draft,
            form.sent,
            by=here.user,
            at=here.now,
            version=_version(request),
            as_text=True,
        )
    except StaleWrite:
        return page(
            request, "requests/intake/saved.html", {"conflict": draft}, here=here, status=409
        )
    now = stored_words(draft)
    changed = {name for name in now if now[name] != was.get(name, "")}
    context = {
        "draft": draft,
        "form": AskedForm(draft, user=here.user, on=here.today),
        "is_of_other_type": "type" in changed,
        "is_of_other_title": "title" in changed,
        # Read out where it is another; so it is not sent where it is not.
        "is_of_other_scope": not changed.isdisjoint(DECIDES),
        "card": AccountCard(draft.account, here, draft) if draft.account else None,
        "wrong": len(draft.typed),
        "scope": scope_of(draft, here),
    }
    return page(request, "requests/intake/saved.html", context, here=here)


@require_http_methods(["GET", "POST"])
@once
def discard(request: HttpRequest, number: int) -> HttpResponse:
    here = Here.of(request)
    draft = draft_or_404(here, number)
    if not is_open_to(here, draft):
        return redirect("requests:detail", number)
    if request.method == "POST":
        services.discard_draft(draft, by=here.user)
        messages.success(request, GONE)
        return redirect("requests:new")
    return page(request, "requests/intake/discard.html", {"draft": draft}, here=here)


def _asked(request: HttpRequest, here: Here, draft: ServiceRequest) -> HttpResponse:
    form = AskedForm(draft, user=here.user, on=here.today)
    status = 200
    stored: Mapping[str, str] = {}
    if request.method == "POST":
        form = AskedForm(draft, request.POST, user=here.user, on=here.today)
        try:
            services.save_draft(
                draft,
                form.sent,
                by=here.user,
                at=here.now,
                version=_version(request),
                as_text=True,
            )
        except StaleWrite:
            stored, status = _stored_meanwhile(draft, form), 409
        else:
            if "leave" in request.POST:
                messages.success(request, KEPT)
                return redirect("requests:list")
            missing = selectors.missing_answers(draft, on=here.today)
            if not missing:
                return redirect("requests:intake", draft.pk, "scope")
            form = AskedForm(draft, user=here.user, on=here.today)
            form.add_missing(missing)
            status = 422
    suggestions, suggested = _suggested(draft, here)
    form.mark(suggested, stored)
    context = {"form": form, "suggestions": suggestions, "has_conflict": bool(stored)}
    return _page(request, here, draft, "asked", context, partial="step", status=status)


def _scope(request: HttpRequest, here: Here, draft: ServiceRequest) -> HttpResponse:
    return _page(request, here, draft, "scope", {})


def _check(request: HttpRequest, here: Here, draft: ServiceRequest) -> HttpResponse:
    refusals: list[str] = []
    status = 200
    if request.method == "POST":
        given = Given(version=_version(request), as_text=True)
        try:
            move(draft, "submit", by=here.user, at=here.now, given=given)
        except Blocked as blocked:
            status = 422
            refusals = [
                each["detail"] for each in blocked.details["guards"] if each["code"] != "complete"
            ]
        except StaleWrite:
            status = 409
            refusals = ["The draft was changed elsewhere. Read the answers again, then send it."]
        else:
            messages.success(request, _sent(draft))
            return redirect("requests:detail", draft.pk)
        draft.refresh_from_db()
    context = {
        "refusals": refusals,
        "was_sent": request.method == "POST",
        "form": AskedForm(draft, user=here.user, on=here.today),
        "answered": answered(draft, here),
    }
    return _page(request, here, draft, "check", context, partial="step", status=status)


def _page(
    request: HttpRequest,
    here: Here,
    draft: ServiceRequest,
    step: str,
    context: dict[str, Any],
    *,
    partial: str = "",
    status: int = 200,
) -> HttpResponse:
    missing = selectors.missing_answers(draft, on=here.today)
    shared = {
        "draft": draft,
        "steps": Steps(draft, step, missing=len(missing)),
        "missing": missing,
        "scope": scope_of(draft, here),
        "card": AccountCard(draft.account, here, draft) if draft.account else None,
    }
    return page(
        request,
        f"requests/intake/{step}.html",
        {**shared, **context},
        here=here,
        partial=partial,
        status=status,
    )


def _version(request: HttpRequest) -> int | None:
    """Return the version the form was made from; what is none is none that is stored."""
    words = request.POST.get("version", "")
    if not words:
        return None
    try:
        return parse_seats_text(words)
    except BadValue:
        return NO_VERSION


def _stored_meanwhile(draft: ServiceRequest, form: AskedForm) -> dict[str, str]:
    """Return what is stored of each answer that was typed otherwise."""
    draft.refresh_from_db()
    stored = stored_words(draft)
    return {
        name: stored.get(name, "")
        for name, words in form.sent.items()
        if _lines(words) != stored.get(name, "")
    }


def _lines(words: str) -> str:
    return words.replace("\r\n", "\n").strip()


def _suggested(draft: ServiceRequest, here: Here) -> tuple[Suggestions, Collection[str]]:
    """Return what the pasted text suggests, and which answers are no more than that yet."""
    if not draft.source_text:
        return Suggestions(), ()
    began_on = draft.created_at.astimezone(here.zone).date()
    found = suggestions_from(draft.source_text, today=began_on)
    is_just_that = {
        "title": bool(found.title) and draft.title == found.title,
        "links": bool(found.links) and list(found.links) == draft.links,
        "needed_by": found.day is not None and draft.needed_by == found.day,
    }
    return found, [name for name, is_one in is_just_that.items() if is_one]


def _sent(request: ServiceRequest) -> str:
    """Say who owns it; the request's page says why."""
    if not request.owner:
        return f"{request.number} is sent. A DE lead decides who owns it."
    owner = Owner(request.owner).label
    return f"{request.number} is sent. It belongs to {owner}."
