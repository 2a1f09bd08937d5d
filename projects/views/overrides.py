"""A place in the ranked list given by hand, and taking it back."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from accounts.here import add_refusal, posted
from config.lib.authz import require
from config.lib.errors import DomainError
from config.lib.ui.formats import day_text
from people.http import is_own_path
from people.writing import once
from projects import permissions, selectors
from projects.forms.scoring import LAST, OverrideForm
from projects.models import Project
from projects.selectors.ranked import TO_COME
from projects.selectors.scoring import order_of, override_of
from projects.services.overriding import end_by_hand, move_by_hand
from projects.views.shell import SCORE, Shell, project_page, project_shell

PARTIAL = "override-form"
TEMPLATE = "projects/score/override.html"


@require_http_methods(["GET", "POST"])
@once
def override(request: HttpRequest, number: int) -> HttpResponse:
    shell = project_shell(request, number)
    here, project = shell.here, shell.project
    require(permissions.can_order, here.user)
    others = _others(shell)
    initial = {
        "before": _asked(request.GET.get("before", ""), others),
        "expires_on": OverrideForm.in_two_weeks(here.today),
    }
    form = OverrideForm([(key, words) for key, (words, _) in others.items()], posted(request),
                        initial=initial)  # fmt: skip
    if form.is_valid():
        given = form.cleaned_data
        before = None if given["before"] == LAST else others[given["before"]][1]
        try:
            move_by_hand(
                project,
                before=before,
                reason=given["reason"],
                expires_on=given["expires_on"],
                by=here.user,
                at=here.now,
            )
        except DomainError as refusal:
            add_refusal(form, refusal)
        else:
            until = day_text(given["expires_on"], here.today)
            place = f"before {before.number}" if before else "last"
            messages.success(request, f"{project.number} stands {place} until {until}.")
            return redirect(_next(request))
    context: dict[str, Any] = {
        "form": form,
        "override": override_of(project, on=here.today),
        "next": _next(request),
    }
    status = 422 if form.errors else 200
    return project_page(request, shell, TEMPLATE, SCORE, context, partial=PARTIAL, status=status)


@require_POST
@once
def override_end(request: HttpRequest, number: int) -> HttpResponse:
    shell = project_shell(request, number)
    end_by_hand(shell.project, by=shell.here.user, at=shell.here.now)
    messages.success(request, f"{shell.project.number} stands where its score puts it again.")
    return redirect(_next(request))


def _others(shell: Shell) -> dict[str, tuple[str, Project]]:
    """Return the other projects of the ranked list, in its order, by number."""
    visible = selectors.projects_visible_to(shell.here.user).filter(state__in=TO_COME)
    found = visible.exclude(pk=shell.project.pk).in_bulk()
    order = order_of(visible.order_by(), on=shell.here.today)
    rows = [found[pk] for pk in order if pk in found]
    return {each.number: (f"{each.number} {each.title}", each) for each in rows}


def _asked(text: str, others: dict[str, tuple[str, Project]]) -> str:
    return text if text in others or text == LAST else ""


def _next(request: HttpRequest) -> str:
    sent: QueryDict = request.POST if request.method == "POST" else request.GET
    asked = sent.get("next", "")
    return asked if is_own_path(asked) else f"{reverse('projects:board')}?view=ranked"
