"""Settings of the board: how many cards a column may hold."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods

from accounts.here import Here, page, posted
from config.lib.authz import require
from people.models import Role
from people.permissions import has_role
from projects import permissions
from projects.forms.board import LimitsForm
from projects.models import LANES, Lane
from projects.services.limits import set_limits

TAB = "Board"


@require_http_methods(["GET", "POST"])
def limits(request: HttpRequest) -> HttpResponse:
    here = Here.of(request)
    require(permissions.can_set_limits, here.user)
    form = LimitsForm(posted(request), lanes=list(Lane.objects.filter(pk__in=LANES)))
    if form.is_valid():
        changed = set_limits(form.limits(), by=here.user)
        words = f"Saved: {', '.join(changed)}." if changed else "Nothing was changed."
        messages.success(request, words)
        return redirect("settings:board")
    context = {
        "form": form,
        "tab": TAB,
        "is_administrator": has_role(here.user, Role.ADMINISTRATOR),
    }
    status = 422 if form.errors else 200
    return page(request, "projects/settings/board.html", context, here=here, status=status)
