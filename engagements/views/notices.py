"""What a person was told, and how they want to be told. Everybody sees only their own."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.here import Here, page, posted
from config.lib.htmx import is_htmx, render
from config.lib.keyset import Key
from config.lib.paging import paged
from config.lib.values import BadValue, parse_uuid
from engagements.forms.notices import NoticeSettingsForm
from engagements.services.digest import HOUR
from events import selectors as events
from events.models import NoticeSetting
from events.services import notices as services
from people.models import User
from people.permissions import has_any_role

ORDER = (Key("is_seen"), Key("pk", descending=True))
ICONS = {
    "asked_of_you": "circle-alert",
    "move_asked": "hand",
    "mention": "at-sign",
    "comment": "message-square",
    "sign_off": "pen-line",
    "delivery": "package-check",
    "decision": "split",
    "request_moved": "arrow-right",
    "project_moved": "square-kanban",
    "minutes": "clipboard-list",
    "change": "git-compare",
    "risk": "triangle-alert",
    "due": "calendar-clock",
}


@require_safe
def notice_list(request: HttpRequest) -> HttpResponse:
    here = Here.of(request)
    listed = paged(request, events.notices_of(here.user), ORDER)
    context: dict[str, Any] = {
        "list": listed,
        "rows": [(notice, ICONS.get(notice.kind, "bell")) for notice in listed.rows],
    }
    return page(request, "notices/notice_list.html", context, here=here, partial="notices")


@require_POST
def seen(request: HttpRequest) -> HttpResponse:
    """Mark one notice as read, or all where none is named."""
    here = Here.of(request)
    notices = events.notices_of(here.user)
    if named := request.POST.get("notice"):
        try:
            notices = notices.filter(uuid=parse_uuid(named))
        except BadValue:
            notices = notices.none()
    services.mark_seen(notices, at=here.now)
    if is_htmx(request):
        return HttpResponse(status=204)
    return redirect("notices:list")


@login_not_required
@require_safe
def bell(request: HttpRequest) -> HttpResponse:
    """Return the bell of the top bar; nothing to who is signed out meanwhile.

    A page left open must not be thrown away for the sake of a number.
    """
    user = request.user
    if not isinstance(user, User) or not has_any_role(user):
        return HttpResponse(status=204)
    return render(request, "components/bell.html", {"unseen": events.unseen_count(user)})


@require_http_methods(["GET", "POST"])
def settings(request: HttpRequest) -> HttpResponse:
    here = Here.of(request)
    stored = services.how_told([here.user])[here.user.pk]
    form = NoticeSettingsForm(posted(request), initial=stored)
    if form.is_valid():
        services.set_how(here.user, form.cleaned_data)
        messages.success(request, "Saved.")
        return redirect("notices:settings")
    context = {"form": form, "ways": NoticeSetting.How.choices, "digest_at": f"{HOUR}:00"}
    status = 422 if form.errors else 200
    return page(request, "notices/settings.html", context, here=here, status=status)
