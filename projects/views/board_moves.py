"""Moving a card: its menu, the move itself, and the form of one that asks for more."""

import json
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from accounts.here import Here, page
from config.lib.htmx import is_htmx
from events.move_forms import MoveForm
from events.workflow import NOTHING, Blocked, Case, Given, Transition
from people.writing import once
from projects import selectors
from projects.forms.moves import lacks_room
from projects.models import LANES, Increment, Project
from projects.selectors.board import last_hand
from projects.services.ordering import END, LaneChanged, Placed, place, way_to
from projects.views.board import Board
from projects.views.cards import Again, Note
from projects.views.move_menu import Menu
from projects.views.refusals import lane_name, refusal
from projects.workflows import PROJECT

UNDONE = "Undone."
MOST_QUERY = 2000
MOST_VERSION = 9
MOVED = frozenset({"reordered", *(each.done for each in PROJECT.transitions)})
# Asked for only where they are needed.
BY_THE_WAY = frozenset({"limit_note", "despite"})


@dataclass(frozen=True)
class Wish:
    """What a hand on the board wants: this card, there."""

    project: Project
    lane: str
    # As it was sent: a card to stand before, "end", or nothing for its place by score.
    place: str
    version: int | None
    sent: QueryDict

    @property
    def number(self) -> str:
        return self.project.number

    @property
    def is_filled(self) -> bool:
        """Whether it comes from the move's own form: what is missing there is an error."""
        return "filled" in self.sent

    def before(self, here: Here) -> Project | str | None:
        if self.place in ("", END):
            return self.place or None
        found = selectors.project_called(self.place, by=here.user)
        if found is None:
            raise LaneChanged
        return found

    def values(self, way: Transition | None) -> Given:
        """Return what else was sent, as the engine takes it."""
        if way is None:
            return NOTHING
        if "undo" in self.sent:
            reason = UNDONE if way.needs_reason else ""
        else:
            reason = self.sent.get("reason", "")
        names = [each.name for each in way.fields if each.name != "before"]
        values = {name: self.sent[name] for name in names if name in self.sent}
        return Given(reason=reason, values=values, as_text=True)


@require_http_methods(["GET", "POST"])
@once
def move_card(request: HttpRequest) -> HttpResponse:
    sent = request.GET.copy()
    sent.update(request.POST)
    board = Board.of(request, QueryDict(sent.get("on", "")[:MOST_QUERY]))
    found = selectors.project_called(sent.get("project", ""), by=board.here.user)
    if found is None:
        raise Http404
    if request.method != "POST":
        context = {"board": board, "menu": Menu(board, found), "project": found}
        return page(
            request, "projects/board/menu.html", context, here=board.here, partial="move-menu"
        )
    lane = sent.get("lane", "")
    if lane not in LANES:
        raise Http404
    wish = Wish(found, lane, sent.get("before", ""), _whole(sent.get("version", "")), sent)
    return Hand(request, board, wish).moved()


@dataclass(frozen=True)
class Hand:
    """One try to move a card, and the answer to it."""

    request: HttpRequest
    board: Board
    wish: Wish

    def moved(self) -> HttpResponse:
        wish, here = self.wish, self.board.here
        was, way = wish.project.state, way_to(wish.project, wish.lane)
        try:
            placed = place(
                wish.project,
                lane=wish.lane,
                before=wish.before(here),
                version=wish.version,
                by=here.user,
                at=here.now,
                given=wish.values(way),
            )
        except LaneChanged:
            return self._too_late()
        except Blocked as blocked:
            return self._refused(was, refusal(wish.project, blocked), 409)
        except PermissionDenied as refused:
            return self._refused(was, f"Not moved. {refused}", 403)
        except ValidationError as error:
            assert way is not None  # noqa: S101 only a move asks for values
            return self._asked_for_more(way, error)
        return self._done(placed)

    def _done(self, placed: Placed) -> HttpResponse:
        words = (
            f"{self.wish.number} moved to {lane_name(placed.project.state)},"
            f" position {placed.position} of {placed.count}."
        )
        undo = _undo(placed, self.board)
        if not is_htmx(self.request):
            messages.success(self.request, words, extra_tags=undo)
            return redirect(self.board.url)
        return self._answer({placed.was, placed.project.state}, words, undo=undo)

    def _refused(self, was: str, words: str, status: int) -> HttpResponse:
        return self._back({was, self.wish.lane}, Note(words), status)

    def _too_late(self) -> HttpResponse:
        """Somebody else was faster: show how it is now, and keep what was meant."""
        wish, here = self.wish, self.board.here
        fresh = Project.objects.filter(pk=wish.project.pk).first()
        if fresh is None:
            raise Http404
        who, verb = last_hand(fresh)
        did = "moved" if verb.removeprefix("project.") in MOVED else "changed"
        hand = f"{'You' if who == here.user.name else who or 'Somebody'} {did}"
        if fresh.state != wish.project.state or wish.version not in (None, fresh.version):
            words = f"Not moved. {hand} {fresh.number} a moment ago."
        else:
            words = "Not moved. The card it was put before has left its column."
        kept = replace(wish, project=fresh)
        again = Again(wish.lane, kept.place if _stands(kept.place, wish.lane, here) else END)
        lanes = {wish.project.state, fresh.state, wish.lane}
        return replace(self, wish=kept)._back(lanes, Note(words, again), 409)  # noqa: SLF001 its own

    def _back(self, lanes: set[str], note: Note, status: int) -> HttpResponse:
        """Answer that nothing was moved: the sentence stands on the card and is read out."""
        self.board.notes = {self.wish.project.pk: note}
        if is_htmx(self.request):
            return self._answer(lanes, note.words, again=note.again, status=status)
        context = {
            "board": self.board,
            "project": self.wish.project,
            "menu": Menu(self.board, self.wish.project),
            "note": note,
        }
        return page(
            self.request, "projects/board/menu.html", context, here=self.board.here, status=status
        )

    def _asked_for_more(self, way: Transition, error: ValidationError) -> HttpResponse:
        wish = self.wish
        case = Case(obj=wish.project, by=self.board.here.user, at=self.board.here.now, as_text=True)
        wrong = error.error_dict
        says: list[str] = []
        if wish.is_filled:
            form = MoveForm(way, case, wish.sent)
            form.refuse(error)
        else:
            form = MoveForm(way, case, initial=wish.sent.dict())
            says = [
                message
                for errors in wrong.values()
                for each in errors
                if each.code != "required"
                for message in each.messages
            ]
        asked = {"despite"} if lacks_room(wrong) else set()
        for name in {"before", *BY_THE_WAY} - asked:
            if name in form.fields and name not in wrong and not wish.sent.get(name):
                del form.fields[name]
        context = {"form": form, "way": way, "says": says, "wish": wish}
        if is_htmx(self.request):
            lanes = {wish.project.state, wish.lane}
            return self._answer(lanes, "", status=422, more=context)
        context |= {"board": self.board, "project": wish.project}
        return page(
            self.request, "projects/board/move.html", context, here=self.board.here, status=422
        )

    def _answer(
        self,
        lanes: set[str],
        words: str,
        *,
        undo: str = "",
        again: Again | None = None,
        status: int = 200,
        more: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Answer the script: fresh columns, what is read out, and a form where it takes one."""
        wanted = tuple(state for state in LANES if state in lanes)
        context = {
            "board": self.board,
            "columns": self.board.columns(wanted) if wanted else [],
            "project": self.wish.project,
            "words": words,
            "undo": undo,
            "again": again,
            **(more or {}),
        }
        response = page(
            self.request, "projects/board/answer.html", context, here=self.board.here, status=status
        )
        told = {"card": self.wish.number, "asks": more is not None, "moved": status < 400}  # noqa: PLR2004
        response["HX-Trigger-After-Settle"] = json.dumps({"boardMoved": told})
        return response


def _stands(place_: str, lane: str, here: Here) -> bool:
    """Whether the place that was meant is still there."""
    if place_ in ("", END):
        return True
    found = selectors.project_called(place_, by=here.user)
    return found is not None and found.state == lane


def _undo(placed: Placed, board: Board) -> str:
    """Return the address that takes the move back; "" where no move does without asking."""
    project = placed.project
    asked = {
        "project": project.number,
        "lane": placed.was,
        "before": placed.was_before.number if placed.was_before else END,
        "version": str(project.version),
        "undo": "1",
        "on": board.query,
    }
    if placed.transition is not None:
        back = way_to(project, placed.was)
        if back is None or placed.was not in LANES:
            return ""
        needed = {each.name for each in back.fields if each.required}
        if "increment" in needed and placed.was_in:
            increment = Increment.objects.filter(pk=placed.was_in).first()
            asked["increment"] = str(increment.uuid) if increment else ""
        if needed - {name for name, value in asked.items() if value}:
            return ""
    return f"{reverse('projects:board-move')}?{urlencode(asked)}"


def _whole(text: str) -> int | None:
    is_number = text.isascii() and text.isdecimal() and len(text) <= MOST_VERSION
    return int(text) if is_number else None
