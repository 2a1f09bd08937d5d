"""The tab Score of a project: why it scores what it does, and changing that."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.here import add_refusal, page, posted
from config.lib.authz import require
from config.lib.errors import DomainError, StaleWrite
from config.lib.htmx import is_htmx
from people.http import is_own_path
from people.writing import once
from projects import permissions
from projects.forms.scoring import ScoreForm, VoteForm
from projects.rules import scoring as rules
from projects.selectors.scoring import Poll, policy_on, poll_of
from projects.services import voting
from projects.services.scoring import score_project
from projects.views.outcome_words import calibrated
from projects.views.scores import Why
from projects.views.shell import SCORE, Shell, project_page, project_shell

PARTIAL = "score-form"
NEXT, VERSION = "next", "version"
TEMPLATE = "projects/score/score.html"


@require_http_methods(["GET", "POST"])
@once
def score(request: HttpRequest, number: int) -> HttpResponse:
    shell = project_shell(request, number)
    form = _score_form(shell, posted(request), request.GET)
    if request.method != "POST":
        return _page(request, shell, form)
    require(permissions.can_score, shell.here.user, shell.project)
    if not form.is_valid():
        return _page(request, shell, form, status=422)
    try:
        found = score_project(
            shell.project,
            **form.cleaned_data,
            by=shell.here.user,
            at=shell.here.now,
            version=_version(request.POST),
        )
    except StaleWrite:
        fresh = project_shell(request, number)
        return _page(request, fresh, form, is_stale=True, status=412)
    except DomainError as refusal:
        add_refusal(form, refusal)
        return _page(request, shell, form, status=422)
    messages.success(request, _told(shell, is_new=found is not None))
    return redirect(_next(request.POST, shell))


@require_safe
def why(request: HttpRequest, number: int) -> HttpResponse:
    """Answer why it scores what it does, for the popover of a card."""
    shell = project_shell(request, number)
    if not is_htmx(request):
        return redirect("projects:score", number)
    context = {"why": Why(shell.project, shell.here), "project": shell.project}
    return page(request, "projects/parts/score_popover.html", context, here=shell.here)


@require_POST
@once
def vote_open(request: HttpRequest, number: int) -> HttpResponse:
    shell = project_shell(request, number)
    voting.open_vote(shell.project, by=shell.here.user, at=shell.here.now)
    messages.success(request, "The vote is open. Nobody sees the answers before you close it.")
    return _back(shell)


@require_POST
@once
def vote(request: HttpRequest, number: int) -> HttpResponse:
    shell = project_shell(request, number)
    require(permissions.can_vote, shell.here.user)
    form = VoteForm(policy_on(shell.here.today), request.POST, auto_id="vote_%s")
    if not form.is_valid():
        return _page(request, shell, vote_form=form, status=422)
    voting.vote(_poll(shell).round, **form.cleaned_data, by=shell.here.user, at=shell.here.now)
    messages.success(request, "Your vote is in. You can change it until the vote is closed.")
    return _back(shell)


@require_POST
@once
def vote_close(request: HttpRequest, number: int) -> HttpResponse:
    shell = project_shell(request, number)
    voting.close_vote(_poll(shell).round, by=shell.here.user, at=shell.here.now)
    messages.success(request, "The vote is closed. Everybody sees what was said.")
    return _back(shell)


def _page(
    request: HttpRequest,
    shell: Shell,
    form: ScoreForm | None = None,
    *,
    vote_form: VoteForm | None = None,
    is_stale: bool = False,
    status: int = 200,
) -> HttpResponse:
    here, policy = shell.here, policy_on(shell.here.today)
    poll = poll_of(shell.project, to=here.user)
    own = {"impact": poll.own.impact, "effort": poll.own.effort} if poll and poll.own else {}
    context: dict[str, Any] = {
        "why": Why(shell.project, here),
        "form": form or vote_form,
        "score_form": form or _score_form(shell),
        "vote_form": vote_form or VoteForm(policy, initial=own, auto_id="vote_%s"),
        "poll": poll,
        "spread": _spread_rows(poll),
        "may_vote": permissions.can_vote(here.user),
        "policy": policy,
        "calibration": calibrated(shell.project.type, but=shell.project),
        "is_stale": is_stale,
        "next": _next(request.POST if request.method == "POST" else request.GET, shell),
    }
    return project_page(request, shell, TEMPLATE, SCORE, context, partial=PARTIAL, status=status)


def _score_form(
    shell: Shell, sent: QueryDict | None = None, asked: QueryDict | None = None
) -> ScoreForm:
    return ScoreForm(
        policy_on(shell.here.today),
        sent,
        is_scored=shell.project.score is not None,
        initial=_initial(shell, asked or QueryDict()),
        auto_id="score_%s",
    )


def _spread_rows(poll: Poll | None) -> list[dict[str, Any]]:
    """Return the votes by level, each with the word and the middle marked."""
    if poll is None or poll.spread is None:
        return []
    spread = poll.spread
    return [
        {
            "label": "Impact",
            "levels": [
                (word, spread.impacts[level], level == spread.impact)
                for level, word in rules.IMPACTS.items()
            ],
        },
        {
            "label": "Effort",
            "levels": [
                (word, spread.efforts[effort], effort == spread.effort)
                for effort, word in rules.EFFORTS.items()
            ],
        },
    ]


def _initial(shell: Shell, asked: QueryDict) -> dict[str, Any]:
    """Return what is stored, with what the address asks for in its place."""
    project = shell.project
    stored: dict[str, Any] = {
        "impact": project.impact,
        "effort": project.effort,
        "days": rules.plain(project.days) if project.days is not None else "",
        "confidence": project.confidence,
    }
    impact, effort = asked.get("impact", ""), asked.get("effort", "")
    if level := next((each for each in rules.IMPACTS if str(each) == impact), None):
        stored["impact"] = level
    if effort in rules.EFFORTS:
        stored["effort"] = effort
    return stored


def _poll(shell: Shell) -> Poll:
    poll = poll_of(shell.project, to=shell.here.user)
    if poll is None:
        raise voting.NoVoteNow(f"There is no vote on {shell.project.number}. A DE lead opens one.")
    return poll


def _told(shell: Shell, *, is_new: bool) -> str:
    project = shell.project
    if not is_new:
        return f"{project.number} stays as it was: nothing was different."
    if project.score is None:
        return f"{project.number} has no score yet: it needs both impact and effort."
    found = rules.plain(project.score)
    return f"{project.number} scores {found}."


def _version(sent: QueryDict) -> int | None:
    text = sent.get(VERSION, "")
    return int(text) if text.isdecimal() and len(text) < 10 else None  # noqa: PLR2004


def _next(sent: QueryDict, shell: Shell) -> str:
    asked = sent.get(NEXT, "")
    return asked if is_own_path(asked) else Why(shell.project, shell.here).url


def _back(shell: Shell) -> HttpResponse:
    return redirect("projects:score", shell.project.pk)
