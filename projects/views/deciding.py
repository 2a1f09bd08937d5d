"""Deciding on an item of a review under way, and what stands on its agenda."""

import uuid

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_POST

from accounts.here import Here
from config.lib.authz import require
from config.lib.errors import Conflict, Invalid
from events.workflow import Blocked
from people.writing import once
from projects import permissions, selectors
from projects.forms.deciding import NOTE, REASON, version_of
from projects.models import Review, ReviewItem
from projects.selectors.reviews import items_of
from projects.services import deciding as services
from projects.services import reviews as planning
from projects.services.deciding import MOVES, AlreadyDecided
from projects.views.review import BOARD, CHANGE, PLACE, Mode, Panel
from projects.views.reviews import review_of, review_page

D = ReviewItem.Decision
DECISION, GO, BACK, TAKE_BACK = "decision", "go", "back", "take_back"


@require_POST
def decide(request: HttpRequest, number: int, item_id: uuid.UUID) -> HttpResponse:
    """Ask for what the move of the decision needs; once that is there, decide."""
    decision = request.POST.get(DECISION, "")
    if decision == TAKE_BACK:
        return _take_back(request, number, item_id)
    if decision in MOVES and _is_first_press(request, decision):
        return _ask(request, number, item_id)
    return _decide(request, number, item_id)


def _ask(request: HttpRequest, number: int, item_id: uuid.UUID) -> HttpResponse:
    here, review, item = _item(request, number, item_id)
    mode = _mode(request, here, review, item)
    panel = _panel(mode)
    decision = request.POST[DECISION]
    typed = {name: request.POST[name] for name in (NOTE, REASON) if request.POST.get(name)}
    choice = next(each for each in panel.choices if each.value == decision)
    if choice.blocks:
        return _refused(request, mode, choice.blocks)
    mode.form = panel.form(decision, initial=typed)
    return review_page(request, here, review, mode=mode)


@once
def _decide(request: HttpRequest, number: int, item_id: uuid.UUID) -> HttpResponse:
    here, review, item = _item(request, number, item_id)
    mode = _mode(request, here, review, item)
    decision = request.POST.get(DECISION, "")
    if decision not in D.values:
        raise Http404
    form = _panel(mode).form(decision, request.POST)
    try:
        services.decide(item, form.wish, by=here.user, at=here.now)
    except AlreadyDecided as refusal:
        return _too_late(request, mode, refusal)
    except ValidationError as error:
        form.refuse(error)
        mode.form = form
        mode.is_changing = True
        return review_page(request, here, review, mode=mode, status=422)
    except Conflict as refusal:
        mode.form = form if decision in MOVES else None
        return _refused(request, mode, _reasons(refusal))
    messages.success(request, f"{item.project.number}: {D(decision).label}. {item.outcome}")
    if decision == D.SPLIT:
        return redirect("projects:split", item.project_id)
    return redirect(_onwards(mode))


@require_POST
@once
def note(request: HttpRequest, number: int, item_id: uuid.UUID) -> HttpResponse:
    """Keep the note, and go to the item before or after."""
    here, review, item = _item(request, number, item_id)
    mode = _mode(request, here, review, item)
    text = request.POST.get(NOTE, "")
    if text.replace("\r\n", "\n").strip() != item.note:
        try:
            services.keep_note(
                item, text, version=version_of(request.POST), by=here.user, at=here.now
            )
        except AlreadyDecided as refusal:
            return _too_late(request, mode, refusal)
        except ValidationError as error:
            return _refused(request, mode, error.messages, status=422)
        except Conflict as refusal:
            return _refused(request, mode, [refusal.message])
    url = mode.previous_url if request.POST.get(GO) == "previous" else mode.next_url
    return redirect(url or mode.url_of(mode.place))


@require_POST
@once
def add(request: HttpRequest, number: int) -> HttpResponse:
    """Put a project on the agenda by hand."""
    here, review = review_of(request, number)
    require(permissions.can_run_reviews, here.user)
    found = selectors.project_called(request.POST.get("project", ""), by=here.user)
    if found is None:
        messages.error(request, "There is no such project. Enter a number such as PRJ-12.")
        return redirect(_home(request, review))
    try:
        planning.add_item(review, found, by=here.user, at=here.now)
    except (Conflict, Invalid) as refusal:
        messages.error(request, refusal.message)
        return redirect(_home(request, review))
    messages.success(request, f"{found.number} is on the agenda.")
    return redirect(_home(request, review))


@require_POST
@once
def remove(request: HttpRequest, number: int, item_id: uuid.UUID) -> HttpResponse:
    here, review, item = _item(request, number, item_id)
    try:
        planning.remove_item(item, by=here.user, at=here.now)
    except Conflict as refusal:
        messages.error(request, refusal.message)
    else:
        messages.success(request, f"{item.project.number} is off the agenda.")
    return redirect(_home(request, review))


def _item(request: HttpRequest, number: int, item_id: uuid.UUID) -> tuple[Here, Review, ReviewItem]:
    here, review = review_of(request, number)
    require(permissions.can_run_reviews, here.user)
    item = items_of(review).filter(uuid=item_id).first()
    if item is None:
        raise Http404
    return here, review, item


def _mode(request: HttpRequest, here: Here, review: Review, item: ReviewItem) -> Mode:
    items = list(items_of(review))
    place = [each.pk for each in items].index(item.pk) + 1
    mode = Mode(here, review, items, place, _back(request))
    mode.typed_note = request.POST.get(NOTE)
    mode.is_changing = bool(item.decision) and CHANGE in request.POST
    return mode


def _panel(mode: Mode) -> Panel:
    if mode.panel is None:
        raise Http404
    return mode.panel


def _back(request: HttpRequest) -> str:
    return BOARD if request.POST.get(BACK) == BOARD else ""


def _is_first_press(request: HttpRequest, decision: str) -> bool:
    """Say whether the button was pressed where the fields of the move were not shown yet."""
    needed = "increment" if decision == D.SCHEDULE else "code"
    return needed not in request.POST


@once
def _take_back(request: HttpRequest, number: int, item_id: uuid.UUID) -> HttpResponse:
    here, review, item = _item(request, number, item_id)
    mode = _mode(request, here, review, item)
    mode.is_changing = True
    mode.typed[REASON] = reason = request.POST.get(REASON, "")
    version = version_of(request.POST)
    try:
        services.take_back(item, reason=reason, version=version, by=here.user, at=here.now)
    except AlreadyDecided as refusal:
        return _too_late(request, mode, refusal)
    except ValidationError as error:
        return _refused(request, mode, error.messages, status=422)
    except Conflict as refusal:
        return _refused(request, mode, _reasons(refusal))
    messages.success(request, f"{item.project.number} is undecided again.")
    return redirect(mode.url_of(mode.place))


def _too_late(request: HttpRequest, mode: Mode, refusal: AlreadyDecided) -> HttpResponse:
    """Show what was decided meanwhile and by whom, with what was typed still there."""
    fresh = _mode(request, mode.here, mode.review, mode.items[mode.place - 1])
    fresh.is_changing = True
    fresh.problem_title = "Not saved: somebody was first."
    fresh.problems = [refusal.message, "What you typed is still here."]
    fresh.typed[REASON] = request.POST.get(REASON, "")
    decision = request.POST.get(DECISION, "")
    if decision in MOVES and fresh.panel and not _is_first_press(request, decision):
        fresh.form = fresh.panel.form(decision, request.POST)
    return review_page(request, mode.here, mode.review, mode=fresh, status=409)


def _refused(
    request: HttpRequest, mode: Mode, problems: list[str], status: int = 409
) -> HttpResponse:
    mode.problem_title = "Not possible now. Nothing was changed."
    mode.problems = problems
    return review_page(request, mode.here, mode.review, mode=mode, status=status)


def _reasons(refusal: Conflict) -> list[str]:
    guards = refusal.details.get("guards") if isinstance(refusal, Blocked) else None
    return [each["detail"] for each in guards] if guards else [refusal.message]


def _onwards(mode: Mode) -> str:
    """Return the next item that is not decided; where none is left, this one."""
    places = range(1, len(mode.items) + 1)
    after = [place for place in places if place > mode.place]
    for place in [*after, *(place for place in places if place < mode.place)]:
        if not mode.items[place - 1].decision:
            return mode.url_of(place)
    return mode.url_of(mode.place)


def _home(request: HttpRequest, review: Review) -> str:
    if _back(request) == BOARD:
        return f"{reverse('projects:board')}?view=review&{PLACE}={_place(request)}"
    url = reverse("projects:review", args=[review.pk])
    return f"{url}?{PLACE}={_place(request)}"


def _place(request: HttpRequest) -> str:
    asked = request.POST.get(PLACE, "")
    return asked if asked.isascii() and asked.isdecimal() and len(asked) <= 6 else ""  # noqa: PLR2004
