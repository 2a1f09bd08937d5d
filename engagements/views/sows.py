"""The statement of work of a request: read, compared, as PDF; and its changes."""

import uuid

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.here import posted
from config.lib.authz import require
from config.lib.errors import DomainError
from engagements import permissions, services
from engagements.forms.sows import ChangeForm, DecisionForm, EstimateForm, StartForm
from engagements.models import ChangeRequest, SowVersion
from engagements.rules import sow as rules
from engagements.rules import sow_words
from engagements.selectors import sows as selectors
from engagements.selectors.links import document_of_sow
from engagements.services import changing, papers
from engagements.services import sows as sow_services
from engagements.services.sow_versions import CHANGING, DRAFTING, phase_of
from engagements.views.shell import Shell, request_page, request_shell
from events.workflow import Given, Option
from people.writing import once

TAB = "Statement of work"


@require_safe
def sow_page(request: HttpRequest, number: int) -> HttpResponse:
    """`?v=3` shows a version, `&compare=2` what changed, `&as=customer` what a customer reads."""
    shell = request_shell(request, number)
    versions = shell.versions
    sow = versions.numbered(request.GET.get("v", "")) or next(iter(versions.all), None)
    if sow is None:
        return _first_use(request, shell)
    sow.request = shell.request
    earlier = versions.before(sow)
    compared = versions.numbered(request.GET.get("compare", ""))
    shown = document_of_sow(sow)
    is_current = sow == versions.all[0]
    is_writable = _is_writable(shell) and not sow.is_frozen and is_current
    change = selectors.change_of(sow)
    context = {
        "sow": sow,
        "content": sow.content,
        "document": shown,
        "is_changed": not shown.fits and sow.is_frozen,
        "earlier": earlier,
        "compared": compared,
        "count": _count(sow, compared or earlier),
        "is_public": request.GET.get("as") == "customer",
        "is_current": is_current,
        "is_writable": is_writable,
        "next_version": _next_version(shell, sow) if is_current else "",
        "missing": [] if sow.is_frozen else rules.missing(sow.content),
        "wrong": [rules.label_of(path) for path in sow.typed],
        "change": change,
        "decisions": _decisions(shell, change),
        "decision_form": DecisionForm(),
        "estimate_form": EstimateForm(initial={"effort_days": sow.effort_days}),
        "may_estimate": permissions.is_engineer(shell.here.user) and is_current,
    }
    return request_page(request, shell, "requests/sow/sow.html", TAB, context, partial="sow")


@require_safe
def sow_pdf(request: HttpRequest, number: int, version: int) -> HttpResponse:
    shell = request_shell(request, number)
    sow = shell.versions.numbered(str(version))
    assert sow is not None  # noqa: S101 404 otherwise
    sow.request = shell.request
    name = f"{shell.request.number}-statement-of-work-{sow}.pdf"
    return HttpResponse(
        papers.sow_pdf(sow),
        content_type="application/pdf",
        headers={
            "Content-Disposition": f'inline; filename="{name}"',
            "Cache-Control": "private, no-store",
        },
    )


@require_POST
def estimate(request: HttpRequest, number: int) -> HttpResponse:
    """Note how many days DE expects."""
    shell = request_shell(request, number)
    require(permissions.is_engineer, shell.here.user)
    form = EstimateForm(request.POST)
    if shell.sow is None:
        raise Http404
    shell.sow.request = shell.request
    if form.is_valid():
        try:
            sow_services.estimate(
                shell.sow, form.cleaned_data["effort_days"], by=shell.here.user, at=shell.here.now
            )
        except DomainError as refusal:
            messages.error(request, refusal.message)
        else:
            messages.success(request, "The estimate is saved.")
    else:
        messages.error(request, " ".join(map(str, form["effort_days"].errors)))
    return redirect("requests:sow", number)


@require_http_methods(["GET", "POST"])
@once
def change(request: HttpRequest, number: int) -> HttpResponse:
    """Begin a change of what the customer agreed to."""
    shell = request_shell(request, number)
    here = shell.here
    require(permissions.is_requester_of, here.user, shell.request)
    form, refusal, status = ChangeForm(posted(request)), "", 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            try:
                changing.begin_change(shell.request, **form.cleaned_data, by=here.user, at=here.now)
            except ValidationError as error:
                form.add_error(None, error)
            except DomainError as refused:
                refusal, status = refused.message, 409
            else:
                return redirect("requests:sow-edit", number)
    elif not _can_change(shell):
        refusal = changing.why_not(shell.request)
    context = {"form": form, "refusal": refusal}
    return request_page(request, shell, "requests/sow/change.html", TAB, context, status=status)


@require_POST
@once
def decide(
    request: HttpRequest, number: int, change_id: uuid.UUID, transition: str
) -> HttpResponse:
    """Approve, refuse or withdraw a change."""
    shell = request_shell(request, number)
    require(permissions.is_requester_or_lead, shell.here.user, shell.request)
    found = selectors.changes_of(shell.request).filter(uuid=change_id).first()
    form = DecisionForm(request.POST)
    if found is None or transition not in {"approve", "refuse", "withdraw"}:
        raise Http404
    if not form.is_valid():
        messages.error(request, " ".join(map(str, form["reason"].errors)))
        return redirect("requests:sow", number)
    try:
        changing.decide(
            found,
            transition,
            by=shell.here.user,
            at=shell.here.now,
            given=Given(reason=form.cleaned_data["reason"]),
        )
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    except DomainError as refusal:
        messages.error(request, refusal.message)
    else:
        found.refresh_from_db()
        messages.success(request, f"The change is {found.get_state_display().lower()}.")
    return redirect("requests:sow", number)


def _first_use(request: HttpRequest, shell: Shell) -> HttpResponse:
    templates = selectors.templates(type_=shell.request.type)
    first = next((each for each in templates if each.type == shell.request.type), None)
    form = StartForm(
        templates,
        initial={"start": shell.here.today, "template": str(first.uuid) if first else ""},
    )
    context = {"sow": None, "start_form": form, "is_writable": _is_writable(shell)}
    return request_page(request, shell, "requests/sow/sow.html", TAB, context, partial="sow")


def _is_writable(shell: Shell) -> bool:
    """Whether the person may write a version now."""
    request = shell.request
    return shell.is_requester and not request.fast_path and phase_of(request) in DRAFTING | CHANGING


def _can_change(shell: Shell) -> bool:
    return not changing.why_not(shell.request)


def _next_version(shell: Shell, sow: SowVersion) -> str:
    """Return where the next version of what was sent begins, "" where it cannot now."""
    if not sow.is_frozen or not shell.is_requester:
        return ""
    if phase_of(shell.request) in CHANGING:
        return reverse("requests:sow-change", args=[shell.request.pk])
    revise = shell.option("revise")
    if revise is None or not revise.is_open:
        return ""
    return reverse("requests:move", args=[shell.request.pk, "revise"])


def _count(sow: SowVersion, before: SowVersion | None) -> int:
    return sow_words.document(sow.content, before.content).changes if before else 0


def _decisions(shell: Shell, change: ChangeRequest | None) -> list[Option]:
    if change is None:
        return []
    change.request = shell.request
    found = services.options(change, shell.here.user, at=shell.here.now)
    return [option for option in found if option.is_open]
