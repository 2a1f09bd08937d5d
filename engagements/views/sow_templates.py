"""Settings of the templates that statements of work start from, for administrators."""

import uuid
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_http_methods

from accounts.here import Here, add_refusal, page
from config.lib.authz import require
from config.lib.errors import DomainError, StaleWrite
from engagements import permissions
from engagements.forms.sows import SowForm, TemplateForm, data_of, texts_of, texts_sent
from engagements.models import SowTemplate
from engagements.rules import sow as rules
from engagements.rules import sow_reading
from engagements.services import sow_templates as services
from engagements.views.sow_editor import acted, blank_rows, number_of

TAB = "SOW templates"


@require_http_methods(["GET", "POST"])
def template_list(request: HttpRequest) -> HttpResponse:
    """All templates; a form switches one on or off."""
    here = Here.of(request)
    require(permissions.can_change_policy, here.user)
    if request.method == "POST":
        template = get_object_or_404(SowTemplate, pk=number_of(request.POST.get("template", "")))
        is_active = request.POST.get("do") == "on"
        services.switch_template(template, is_active=is_active, by=here.user)
        words = "can be chosen from now on" if is_active else "is not offered any more"
        messages.success(request, f"“{template.name}” {words}.")
        return redirect("settings:sow-templates")
    context = {"templates": SowTemplate.objects.order_by("-is_active", "name"), "tab": TAB}
    return page(request, "requests/settings/sow_templates.html", context, here=here)


@require_http_methods(["GET", "POST"])
def template_new(request: HttpRequest) -> HttpResponse:
    return _edit(request, None)


@require_http_methods(["GET", "POST"])
def template_change(request: HttpRequest, template_id: uuid.UUID) -> HttpResponse:
    return _edit(request, get_object_or_404(SowTemplate, uuid=template_id))


def _edit(request: HttpRequest, template: SowTemplate | None) -> HttpResponse:
    here = Here.of(request)
    require(permissions.can_change_policy, here.user)
    stored = template.content if template else rules.empty()
    if request.method != "POST":
        initial = {"name": template.name, "type": template.type} if template else None
        shown = SowForm(texts_of(stored, {}), in_days=True)
        return _page(request, here, template, TemplateForm(initial=initial), shown)
    act = request.POST.get("act", "")
    texts = acted(texts_sent(request.POST), act)
    found = sow_reading.read(
        data_of(texts), used=rules.keys_used(stored), as_text=True, in_days=True
    )
    named = TemplateForm(request.POST)
    blank = blank_rows(texts) + (act == "add")
    if act != "save":
        shown = SowForm(texts_of(found.content, found.typed), blank=blank, in_days=True)
        return _page(request, here, template, named, shown)
    status = 422
    if named.is_valid() and not found.errors:
        try:
            saved = services.save_template(
                template,
                name=named.cleaned_data["name"],
                type_=named.cleaned_data["type"],
                content=found.content,
                by=here.user,
                version=number_of(request.POST.get("version", "")) if template else None,
            )
        except StaleWrite as stale:
            named.add_error(None, stale.message)
            status = 409
        except DomainError as refusal:
            add_refusal(named, refusal)
        else:
            messages.success(request, f"“{saved.name}” is saved.")
            return redirect("settings:sow-templates")
    shown = SowForm(texts_of(found.content, found.typed), found.errors, blank=blank, in_days=True)
    return _page(request, here, template, named, shown, status=status)


def _page(
    request: HttpRequest,
    here: Here,
    template: SowTemplate | None,
    named: TemplateForm,
    form: SowForm,
    *,
    status: int = 200,
) -> HttpResponse:
    fresh = SowTemplate.objects.filter(pk=template.pk).first() if template else None
    context: dict[str, Any] = {
        "template": fresh,
        "named": named,
        "form": form,
        "tab": TAB,
        "in_days": True,
    }
    return page(request, "requests/settings/sow_template.html", context, here=here, status=status)
