"""Projects as the pages of requests and accounts show them: asked for by the page itself."""

from dataclasses import dataclass

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.http import require_safe

from accounts.here import Here, page
from accounts.selectors import accounts_visible_to
from config.lib.authz import require
from config.lib.htmx import is_htmx
from config.lib.ui.formats import number_text
from engagements.selectors import requests_visible_to
from projects import permissions
from projects.models import Project
from projects.selectors import beside
from projects.selectors.beside import Path
from projects.selectors.from_request import why_not_made
from projects.views.words import StateTag, state_tag

MOST = 5


@dataclass(frozen=True, slots=True)
class Line:
    project: Project

    @property
    def state(self) -> StateTag:
        return state_tag(self.project)

    @property
    def score(self) -> str:
        score = self.project.score
        return "not scored" if score is None else f"score {score.normalize():f}"


@require_safe
def request_panel(request: HttpRequest, number: int) -> HttpResponse:
    """The projects of a request; without the script one lands on the first of them."""
    here = Here.of(request)
    require(permissions.can_see_projects, here.user)
    found = requests_visible_to(here.user).filter(pk=number).first()
    if found is None:
        raise Http404
    lines = [Line(each) for each in beside.projects_of_request(found, here.user)]
    if not is_htmx(request):
        first = lines[0].project.pk if lines else None
        return redirect("projects:detail", first) if first else redirect("projects:list")
    is_open = any(not line.project.is_over for line in lines)
    may_make = permissions.can_make_from_request(here.user) and not is_open
    context = {
        "service_request": found,
        "lines": lines,
        "why_not": why_not_made(found, on=here.today),
        "may_make": may_make,
    }
    return page(request, "projects/panels/request.html", context, here=here)


@require_safe
def account_panel(request: HttpRequest, number: int) -> HttpResponse:
    """The open projects of an account, and how far they take it."""
    here = Here.of(request)
    require(permissions.can_see_projects, here.user)
    visible = accounts_visible_to(here.user).select_related(None).select_related("facts")
    account = visible.filter(pk=number).first()
    if account is None:
        raise Http404
    narrowed = urlencode({"view": "all", "account": account.number})
    all_url = f"{reverse('projects:list')}?{narrowed}"
    if not is_htmx(request):
        return redirect(all_url)
    found = list(beside.projects_of_account(account, here.user)[: MOST + 1])
    path = beside.path_of(account, here.user)
    context = {
        "lines": [Line(each) for each in found[:MOST]],
        "has_more": len(found) > MOST,
        "all_url": all_url,
        "path": path_words(path, here.terms.share_percent) if path else "",
    }
    return page(request, "projects/panels/account.html", context, here=here)


def path_words(path: Path, line: int) -> str:
    """Say in a sentence whether the projects take the account to the line."""
    if not path.to_go or not path.projects:
        return ""
    seats, to_go = number_text(path.seats), number_text(path.to_go)
    they = "This project is" if path.projects == 1 else f"{path.projects} projects are"
    start = f"{they} expected to unlock {seats} seats; {to_go} are needed for {line}%"
    if path.missing:
        return f"{start}, so {number_text(path.missing)} are missing."
    return f"{start}."
