"""One move for many requests: choose it, see who can make it, do it, read the report."""

import re
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods, require_safe

from accounts.here import Here, page
from config.lib.lists import SAVED
from config.lib.ui.formats import number_text
from engagements import selectors
from engagements.models import ServiceRequest
from engagements.services.bulk_moves import hindrances, move_all
from engagements.views.bulk_acts import FOR_LEADS, MOST, BulkAct, acts_of
from engagements.views.listing import REQUESTS, Listing
from engagements.views.next_steps import DANGER
from engagements.views.picked import ALL, PICKED, ids_of
from engagements.words import StateTag, state_tag
from engagements.workflows import REQUEST
from events.move_forms import MoveForm
from events.workflow import Case
from people.writing import once

MOVE, SEEN, REPORT = "move", "seen", "bulk_moves"
# A request and the version in which it was seen.
SIGHT = re.compile(r"([1-9][0-9]{0,17})\.([0-9]{1,9})")


class Line(NamedTuple):
    request: ServiceRequest
    reason: str = ""

    @property
    def state(self) -> StateTag:
        return state_tag(self.request)


@dataclass
class Asked:
    """Which move somebody wants, and of which requests."""

    act: BulkAct
    listing: Listing
    requests: list[ServiceRequest]
    saved: str = ""
    notes: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, request: HttpRequest, sent: QueryDict) -> "Asked":
        listing = Listing.of(request, sent)
        acts = {act.name: act for act in acts_of(listing.here.user)}
        name = sent.get(MOVE, "")
        if name not in FOR_LEADS:
            raise Http404
        if name not in acts:
            raise PermissionDenied((REQUEST.transition(name).who.__doc__ or "").strip())
        asked = cls(acts[name], listing, [], sent.get(SAVED, ""))
        if sent.get(ALL) and listing.problems:
            asked.notes.append("The filters of the list could not be read.")
            return asked
        if sent.get(ALL):
            found = listing.requests
        else:
            visible = selectors.requests_visible_to(listing.here.user)
            found = visible.filter(pk__in=ids_of(sent.getlist(PICKED)))
        asked.requests = list(found.order_by("pk")[: MOST + 1])
        if len(asked.requests) > MOST:
            asked.requests = []
            asked.notes.append(
                f"More than {MOST} requests fit. Narrow the list, or do it in parts."
            )
        elif not asked.requests:
            asked.notes.append("No request is selected. Tick some in the list first.")
        return asked

    @property
    def hidden(self) -> list[tuple[str, str]]:
        """What a form sends along so that the same requests are meant, as they are now."""
        saved = [(SAVED, self.saved)] if self.saved else []
        picked = [(PICKED, each.number) for each in self.requests]
        seen = [(SEEN, f"{each.pk}.{each.version}") for each in self.requests]
        return [(MOVE, self.act.name), *saved, *self.listing.state.parameters, *picked, *seen]

    @property
    def back_url(self) -> str:
        return REQUESTS.url + self.listing.state.address(self.saved)


@require_http_methods(["GET", "POST"])
@once
def bulk_move(request: HttpRequest) -> HttpResponse:
    sent = request.POST if request.method == "POST" else request.GET
    asked = Asked.of(request, sent)
    here, name = asked.listing.here, asked.act.name
    if not asked.requests:
        return _page(request, asked, None, {}, 200)
    case = Case(obj=asked.requests[0], by=here.user, at=here.now, as_text=True)
    form = MoveForm(asked.act.transition, case, request.POST or None)
    status = 200
    if request.method == "POST":
        try:
            report = move_all(
                asked.requests,
                name,
                by=here.user,
                at=here.now,
                given=form.given,
                versions=_versions(sent),
            )
        except ValidationError as error:
            form.refuse(error)
            status = 422
        else:
            request.session[REPORT] = {
                "move": name,
                "done": report.done,
                "skipped": [[pk, reason] for pk, reason in report.skipped.items()],
                "back": asked.listing.state.address(asked.saved),
            }
            return redirect("requests:bulk-report")
    why = hindrances(asked.requests, name, here.user, at=here.now)
    return _page(request, asked, form, why, status)


@require_safe
def bulk_report(request: HttpRequest) -> HttpResponse:
    """Tell of the last move of many that this person made."""
    here = Here.of(request)
    kept: dict[str, Any] = request.session.get(REPORT) or {}
    act = next((each for each in acts_of(here.user) if each.name == kept.get("move")), None)
    if act is None:
        raise Http404
    reasons: dict[int, str] = dict(kept["skipped"])
    visible = selectors.requests_visible_to(here.user)
    known = visible.in_bulk([*kept["done"], *reasons])
    context = {
        "act": act,
        "done": [Line(known[pk]) for pk in kept["done"] if pk in known],
        "skipped": [Line(known[pk], why) for pk, why in reasons.items() if pk in known],
        "back_url": REQUESTS.url + kept["back"],
    }
    return page(request, "requests/bulk_report.html", context, here=here)


def _versions(sent: QueryDict) -> dict[int, int]:
    found = (SIGHT.fullmatch(text) for text in sent.getlist(SEEN))
    return {int(match[1]): int(match[2]) for match in found if match}


def _page(
    request: HttpRequest,
    asked: Asked,
    form: MoveForm | None,
    why: dict[int, str],
    status: int,
) -> HttpResponse:
    going = [Line(each) for each in asked.requests if each.pk not in why]
    requests = f"{number_text(len(going))} {'request' if len(going) == 1 else 'requests'}"
    context: dict[str, Any] = {
        "asked": asked,
        "transition": asked.act.transition,
        "form": form,
        "going": going,
        "skipped": [Line(each, why[each.pk]) for each in asked.requests if each.pk in why],
        "button": f"{asked.act.label}: {requests}",
        "is_danger": asked.act.name in DANGER,
    }
    return page(request, "requests/bulk.html", context, here=asked.listing.here, status=status)
