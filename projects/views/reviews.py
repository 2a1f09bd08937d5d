"""Reviews: which there are, planning one, holding it, its record."""

from collections.abc import Iterator, Sequence
from typing import Any

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.here import Here, add_refusal, page, posted
from config.lib.authz import require
from config.lib.errors import Conflict, Invalid, StaleWrite
from config.lib.form_fields import LinesField
from config.lib.keyset import Key
from config.lib.paging import paged
from config.lib.rendering import CHUNK_ROWS, csv_response
from config.lib.ui.formats import day_text
from events.workflow import REASON_MAX, Blocked, Given, Transition
from people.models import Role, User
from people.selectors import people_with_role
from people.writing import once
from projects import permissions
from projects.forms.reviews import AddForm, PlanForm, PresenceForm, plan_initial
from projects.models import Review, ReviewItem
from projects.selectors import reviews as selectors
from projects.services import reviews as services
from projects.services.moving import move as make_move
from projects.services.moving import options, workflow_of
from projects.views.review import Mode, compare_links, mode_of, preview

S = Review.State
NEWEST_FIRST = (Key("meets_at", descending=True), Key("pk", descending=True))
GUESTS = (
    Role.DE_LEAD,
    Role.DE_ENGINEER,
    Role.LEADERSHIP,
    Role.ENGINEERING_LEADERSHIP,
    Role.SUPPORT_LEADERSHIP,
    Role.PRODUCT_LEADERSHIP,
)
TONES = {
    S.PLANNED: ("info", "calendar"),
    S.OPEN: ("warn", "play"),
    S.HELD: ("good", "circle-check"),
    S.CANCELLED: ("", "circle-slash"),
}
COLUMNS = (
    "review", "held_at", "project", "title", "why", "words", "decision", "outcome", "note",
    "decided_by", "decided_at",
)  # fmt: skip


class ReasonForm(forms.Form):
    reason = LinesField(
        label="Why",
        max_length=REASON_MAX,
        widget=forms.Textarea(attrs={"rows": 3}),
        error_messages={"required": "Say why."},
    )


@require_safe
def review_list(request: HttpRequest) -> HttpResponse:
    here = _here(request)
    visible = selectors.reviews_visible_to(here.user)
    over = selectors.with_counts(visible.filter(state__in=(S.HELD, S.CANCELLED)))
    coming = visible.filter(state__in=(S.OPEN, S.PLANNED)).order_by("-state", "meets_at", "pk")
    context = {
        "coming": [(each, tag_of(each)) for each in coming],
        "list": (listed := paged(request, over, NEWEST_FIRST)),
        "rows": [(each, tag_of(each)) for each in listed.rows],
        "notes": listed.notes,
        "may_run": permissions.can_run_reviews(here.user),
        "suggested": selectors.suggested_next(at=here.now),
    }
    return page(request, "projects/reviews/list.html", context, here=here, partial="list")


@require_http_methods(["GET", "POST"])
@once
def plan(request: HttpRequest) -> HttpResponse:
    here = _here(request)
    require(permissions.can_run_reviews, here.user)
    initial = plan_initial(
        meets_at=selectors.suggested_next(at=here.now),
        chair=here.user,
        invited=services.usual_guests(),
        note="",
        zone=here.zone,
    )
    form = _plan_form(request, here, initial)
    if form.is_valid():
        try:
            review = services.plan_review(**form.planned, by=here.user, at=here.now)
        except Invalid as refusal:
            _refuse(form, refusal)
        else:
            when = day_text(review.meets_at.astimezone(here.zone).date(), here.today)
            messages.success(request, f"{review.number} is planned for {when}.")
            return redirect("projects:review", review.pk)
    return _plan_page(request, here, form, None)


@require_http_methods(["GET", "POST"])
@once
def edit(request: HttpRequest, number: int) -> HttpResponse:
    here, review = _review(request, number)
    require(permissions.can_run_reviews, here.user)
    initial = plan_initial(
        meets_at=review.meets_at,
        chair=review.chair,
        invited=list(review.invited.all()),
        note=review.note,
        zone=here.zone,
    )
    form = _plan_form(request, here, {**initial, "version": review.version}, review)
    status = 200
    if form.is_valid():
        version = form.cleaned_data["version"]
        try:
            services.change_plan(review, **form.planned, version=version, by=here.user, at=here.now)
        except Invalid as refusal:
            _refuse(form, refusal)
        except StaleWrite:
            status = 412
            form.add_error(None, "Not saved: the review was changed meanwhile. Look, then resend.")
            resent = request.POST.copy()
            resent["version"] = str(_review(request, number)[1].version)
            form.data = resent
        except Conflict as refusal:
            status = 409
            form.add_error(None, refusal.message)
        else:
            messages.success(request, f"{review.number} is changed.")
            return redirect("projects:review", review.pk)
    return _plan_page(request, here, form, review, status)


@require_safe
def detail(request: HttpRequest, number: int) -> HttpResponse:
    here, review = _review(request, number)
    return review_page(request, here, review)


def review_page(
    request: HttpRequest,
    here: Here,
    review: Review,
    *,
    mode: Mode | None = None,
    status: int = 200,
) -> HttpResponse:
    """Show it as it stands: what will be talked about, what is, or what was decided."""
    may_run = permissions.can_run_reviews(here.user)
    context: dict[str, Any] = {
        "review": review,
        "state": tag_of(review),
        "may_run": may_run,
        "invited": review.invited.order_by("name", "pk"),
        "room": selectors.room_ahead(here.today) if review.state in (S.PLANNED, S.OPEN) else None,
        "stopped": (stopped := selectors.pre_emptions_of(review, at=here.now)),
        "stopped_days": selectors.cost_of(stopped),
    }
    if may_run and review.state in (S.PLANNED, S.OPEN):
        context["acts"] = options(review, here.user, at=here.now)
        context["add_form"] = AddForm()
    if review.state == S.OPEN:
        people = _guests(review)
        context |= {
            "mode": mode or mode_of(request, here, review),
            "presence": PresenceForm(None, people=people, review=review) if may_run else None,
            "attendees": review.attendees.order_by("name", "pk"),
        }
        template = "projects/reviews/under_way.html"
    elif review.state == S.PLANNED:
        lines = preview(here, review)
        candidates = [line.project.pk for line in lines if line.why == "candidate"]
        context |= {
            "lines": lines,
            "compared": compare_links(review, candidates),
            "by_hand": {item.project_id: item for item in review.items.all()},
        }
        template = "projects/reviews/planned.html"
    else:
        context |= {
            "items": selectors.items_of(review),
            "attendees": review.attendees.order_by("name", "pk"),
            "missing": review.invited.exclude(pk__in=review.attendees.values("pk")),
        }
        template = "projects/reviews/record.html"
    return page(request, template, context, here=here, partial="review-mode", status=status)


@require_http_methods(["GET", "POST"])
@once
def move(request: HttpRequest, number: int, transition: str) -> HttpResponse:
    """Begin, finish or cancel it."""
    here, review = _review(request, number)
    require(permissions.can_run_reviews, here.user)
    chosen = _transition(review, transition)
    form = ReasonForm(posted(request))
    if not chosen.needs_reason:
        del form.fields["reason"]
    if request.method != "POST":
        offered = options(review, here.user, at=here.now)
        found = next((each for each in offered if each.transition.id == chosen.id), None)
        if found is None:
            return redirect("projects:review", review.pk)
        return _move_page(request, here, review, chosen, form, [each[1] for each in found.blocks])
    if not form.is_valid():
        return _move_page(request, here, review, chosen, form, status=422)
    given = Given(reason=form.cleaned_data.get("reason", ""))
    try:
        make_move(review, chosen.id, by=here.user, at=here.now, given=given)
    except Blocked as refusal:
        blocks = [each["detail"] for each in refusal.details["guards"]]
        return _move_page(request, here, review, chosen, form, blocks, status=409)
    messages.success(request, _done(review))
    return redirect(_after(request, review))


@require_POST
@once
def people(request: HttpRequest, number: int) -> HttpResponse:
    """Say who is there."""
    here, review = _review(request, number)
    require(permissions.can_run_reviews, here.user)
    form = PresenceForm(request.POST, people=_guests(review), review=review)
    if form.is_valid():
        there = form.cleaned_data["attendees"]
        services.set_attendance(review, there, by=here.user, at=here.now)
        count = len(there)
        messages.success(request, f"{count} {'person is' if count == 1 else 'people are'} here.")
    else:
        messages.error(request, "Not saved: somebody in the list is not there any more.")
    return redirect("projects:review", review.pk)


@require_POST
@once
def refresh(request: HttpRequest, number: int) -> HttpResponse:
    """Add what came up meanwhile."""
    here, review = _review(request, number)
    require(permissions.can_run_reviews, here.user)
    lines = services.refresh_agenda(review, by=here.user, at=here.now)
    added = ", ".join(f"PRJ-{line.id}" for line in lines)
    messages.success(request, f"Added: {added}." if added else "Nothing new came up.")
    return redirect(_after(request, review))


@require_safe
def decisions_csv(request: HttpRequest) -> HttpResponseBase:
    """Every decision of every review that was held, the newest review first."""
    here = _here(request)
    rows = ReviewItem.objects.exclude(decision="").filter(
        review__in=selectors.reviews_visible_to(here.user).filter(state__in=(S.OPEN, S.HELD))
    )
    rows = rows.select_related("review", "project", "decided_by")
    ordered = rows.order_by("-review__meets_at", "-review_id", "position", "pk")
    return csv_response(f"review-decisions-{here.today}.csv", COLUMNS, _lines(ordered))


def tag_of(review: Review) -> tuple[str, str, str]:
    tone, icon = TONES[S(review.state)]
    return str(S(review.state).label), tone, icon


def _lines(rows: Any) -> Iterator[list[Any]]:
    for item in rows.iterator(chunk_size=CHUNK_ROWS):
        yield [
            item.review.number,
            item.review.held_at,
            item.project.number,
            item.project.title,
            item.why,
            item.words,
            item.decision,
            item.outcome,
            item.note,
            item.decided_by.name,
            item.decided_at,
        ]


def _here(request: HttpRequest) -> Here:
    here = Here.of(request)
    require(permissions.can_see_projects, here.user)
    return here


def _review(request: HttpRequest, number: int) -> tuple[Here, Review]:
    here = _here(request)
    found = selectors.reviews_visible_to(here.user).filter(pk=number).first()
    if found is None:
        raise Http404
    return here, found


review_of = _review


def _transition(review: Review, name: str) -> Transition:
    try:
        return workflow_of(review).transition(name)
    except Invalid as unknown:
        raise Http404 from unknown


def _guests(review: Review | None) -> list[User]:
    """Return who can be invited, or be there: those of the team, and who is on the list already."""
    found = {person.pk: person for role in GUESTS for person in people_with_role(role)}
    if review is not None:
        further = [*review.invited.all(), *review.attendees.all()]
        found |= {person.pk: person for person in further}
    return sorted(found.values(), key=lambda person: (person.name, person.pk))


def _plan_form(
    request: HttpRequest, here: Here, initial: dict[str, Any], review: Review | None = None
) -> PlanForm:
    leads = list(people_with_role(Role.DE_LEAD).order_by("name", "pk"))
    return PlanForm(
        posted(request), leads=leads, people=_guests(review), zone=here.zone, initial=initial
    )


def _plan_page(
    request: HttpRequest, here: Here, form: PlanForm, review: Review | None, status: int = 200
) -> HttpResponse:
    if form.errors and status == 200:  # noqa: PLR2004
        status = 422
    context = {"form": form, "review": review}
    return page(request, "projects/reviews/plan.html", context, here=here, status=status)


def _move_page(
    request: HttpRequest,
    here: Here,
    review: Review,
    chosen: Transition,
    form: ReasonForm,
    blocks: Sequence[str] = (),
    *,
    status: int = 200,
) -> HttpResponse:
    context = {
        "review": review,
        "transition": chosen,
        "form": form,
        "blocks": blocks,
        "back": request.POST.get("back") or request.GET.get("back", ""),
    }
    return page(request, "projects/reviews/move.html", context, here=here, status=status)


def _refuse(form: PlanForm, refusal: Invalid) -> None:
    if refusal.field == "meets_at":
        form.add_error("day", refusal.message)
    else:
        add_refusal(form, refusal)


def _done(review: Review) -> str:
    match review.state:
        case S.OPEN:
            return f"{review.number} is under way: {review.items.count()} on the agenda."
        case S.HELD:
            return f"{review.number} is over. The minutes are on their way."
    return f"{review.number} is cancelled."


def _after(request: HttpRequest, review: Review) -> str:
    if request.POST.get("back") == "board" and review.state == S.OPEN:
        return f"{reverse('projects:board')}?view=review"
    return reverse("projects:review", args=[review.pk])
