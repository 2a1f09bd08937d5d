"""Settings of the reasons to decline, cancel and hold, for administrators."""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_http_methods

from accounts.here import Here, add_refusal, page
from config.lib.authz import require
from config.lib.errors import DomainError
from config.lib.values import BadValue, parse_uuid
from engagements import permissions
from engagements.forms.hours import ReasonForm, RenameForm
from engagements.models import ReasonCode
from engagements.services import reasons as services

SWITCHES = {"on": True, "off": False}


@require_http_methods(["GET", "POST"])
def reasons(request: HttpRequest) -> HttpResponse:
    """All reasons; a form says with `do` what becomes of one, or that it is new."""
    here = Here.of(request)
    require(permissions.can_change_policy, here.user)
    form: ReasonForm | RenameForm | None = None
    changed: ReasonCode | None = None
    if request.method == "POST":
        if request.POST.get("do") == "add":
            form = _add(request, here)
        else:
            changed = _reason(request)
            form = _change(request, here, changed)
        if form is None:
            return redirect("settings:reasons")
    context = {
        "form": form,
        "add_form": form if isinstance(form, ReasonForm) else ReasonForm(),
        "groups": _groups(form, changed),
        "tab": "Reasons",
    }
    status = 200 if form is None else 422
    return page(request, "requests/settings/reasons.html", context, here=here, status=status)


def _add(request: HttpRequest, here: Here) -> ReasonForm | None:
    form = ReasonForm(request.POST)
    if form.is_valid():
        try:
            reason = services.add_reason(**form.cleaned_data, by=here.user)
        except DomainError as refusal:
            add_refusal(form, refusal)
        else:
            messages.success(request, f"“{reason.label}” can be chosen from now on.")
            return None
    return form


def _change(request: HttpRequest, here: Here, reason: ReasonCode) -> RenameForm | None:
    do = request.POST.get("do", "")
    if do in SWITCHES:
        try:
            services.switch_reason(reason, is_active=SWITCHES[do], by=here.user)
        except DomainError as refusal:
            messages.warning(request, f"Not changed. {refusal}")
        else:
            words = "can be chosen again" if SWITCHES[do] else "is not offered any more"
            messages.success(request, f"“{reason.label}” {words}.")
        return None
    form = RenameForm(request.POST, prefix=str(reason.uuid))
    if form.is_valid():
        try:
            services.rename_reason(reason, form.cleaned_data["label"], by=here.user)
        except DomainError as refusal:
            add_refusal(form, refusal)
        else:
            messages.success(request, "Renamed, also where it was given before.")
            return None
    return form


def _reason(request: HttpRequest) -> ReasonCode:
    try:
        reason_id = parse_uuid(request.POST.get("reason", ""))
    except BadValue as bad:
        raise Http404 from bad
    return get_object_or_404(ReasonCode, uuid=reason_id)


def _groups(form: Any, changed: ReasonCode | None) -> list[dict[str, Any]]:
    """Return the reasons by kind, each with its form; `form` is that of the one `changed`."""
    rows = list(ReasonCode.objects.order_by("-is_active", "pk"))
    return [
        {
            "kind": kind,
            "label": label,
            "rows": [
                (
                    row,
                    form
                    if row == changed
                    else RenameForm(prefix=str(row.uuid), initial={"label": row.label}),
                    services.is_own(row),
                )
                for row in rows
                if row.kind == kind
            ],
        }
        for kind, label in ReasonCode.Kind.choices
    ]
