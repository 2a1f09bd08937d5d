"""The page on which a project is split."""

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods

from accounts.here import add_refusal
from config.lib.authz import require
from config.lib.errors import Conflict, Invalid, StaleWrite
from people.writing import once
from projects import permissions
from projects.forms.splitting import FEWER, MORE, SplitForm
from projects.services.splitting import LONGEST, split, why_not_splittable
from projects.views.shell import CHARTER, Shell, project_page, project_shell


@require_http_methods(["GET", "POST"])
@once
def split_project(request: HttpRequest, number: int) -> HttpResponse:
    shell = project_shell(request, number)
    require(permissions.can_split, shell.here.user, shell.project)
    has_seats = any(link.seats_likely for link in shell.accounts)
    if request.method != "POST":
        return _page(request, shell, SplitForm(shell.project, has_seats=has_seats))
    if MORE in request.POST or FEWER in request.POST:
        form = SplitForm(shell.project, has_seats=has_seats, typed=request.POST)
        return _page(request, shell, form)
    form = SplitForm(shell.project, request.POST, has_seats=has_seats)
    if not form.is_valid():
        return _page(request, shell, form, status=422)
    try:
        made = split(
            shell.project,
            form.parts,
            seats_with=form.place_of_seats,
            version=form.cleaned_data["version"],
            by=shell.here.user,
            at=shell.here.now,
        )
    except ValidationError as error:
        form.refuse(error)
        return _page(request, shell, form, status=422)
    except Invalid as refusal:
        add_refusal(form, refusal)
        return _page(request, shell, form, status=422)
    except StaleWrite:
        fresh = project_shell(request, number)
        return _page(request, fresh, form, status=412, is_stale=True)
    except Conflict as refusal:
        add_refusal(form, refusal)
        return _page(request, shell, form, status=409)
    others = ", ".join(each.number for each in made[1:])
    messages.success(request, f"{made[0].number} is split into {len(made)} parts: {others} new.")
    return redirect(shell.address)


def _page(
    request: HttpRequest,
    shell: Shell,
    form: SplitForm,
    *,
    status: int = 200,
    is_stale: bool = False,
) -> HttpResponse:
    context = {
        "form": form,
        "why_not": why_not_splittable(shell.project),
        "longest": LONGEST,
        "is_stale": is_stale,
    }
    return project_page(
        request,
        shell,
        "projects/split.html",
        CHARTER,
        context,
        partial="split-form",
        status=status,
    )
