"""Candidates side by side, and taking one of them."""

from dataclasses import dataclass

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods

from accounts.here import Here, page
from config.lib.authz import require
from config.lib.errors import Conflict, Invalid
from events.workflow import Blocked
from people.writing import once
from projects import permissions, selectors
from projects.models import Increment, Project, Review, ReviewItem
from projects.rules.agenda import CANDIDATE
from projects.selectors.reviews import increments_ahead, items_of
from projects.services import reviews as planning
from projects.services.deciding import Wish, blocks_of, decide
from projects.views.review import compare_links
from projects.views.review_words import About, abouts
from projects.views.reviews import review_of

D = ReviewItem.Decision
MOST = 3


@dataclass(frozen=True)
class Column:
    about: About
    item: ReviewItem | None
    blocks: list[str]
    # Why it was not taken just now.
    problems: list[str]

    @property
    def project(self) -> Project:
        return self.about.project


@require_http_methods(["GET", "POST"])
@once
def compare(request: HttpRequest, number: int) -> HttpResponse:
    here, review = review_of(request, number)
    chosen, unknown = _chosen(request, here)
    if request.method == "POST":
        require(permissions.can_run_reviews, here.user)
        return _take(request, here, review, chosen)
    return _page(request, here, review, chosen, unknown=unknown)


def _take(request: HttpRequest, here: Here, review: Review, chosen: list[Project]) -> HttpResponse:
    """Schedule one of them, on the agenda or not, with the decision."""
    number = request.POST.get("take", "")
    project = next((each for each in chosen if each.number == number), None)
    if project is None:
        return _page(request, here, review, chosen, unknown=[number], status=422)
    values = {"increment": request.POST.get("increment", "")}
    if despite := request.POST.get("despite", "").strip():
        values["despite"] = despite
    try:
        with transaction.atomic():
            item = items_of(review).filter(project=project).first()
            item = item or planning.add_item(review, project, by=here.user, at=here.now)
            note = request.POST.get("note", "") or item.note
            wish = Wish(
                decision=D.SCHEDULE, note=note, values=values, version=item.version, as_text=True
            )
            decide(item, wish, by=here.user, at=here.now)
    except Blocked as refusal:
        problems = [each["detail"] for each in refusal.details.get("guards", [])]
        return _page(request, here, review, chosen, {project.pk: problems}, status=409)
    except (Conflict, Invalid) as refusal:
        return _page(request, here, review, chosen, {project.pk: [refusal.message]}, status=409)
    except ValidationError as error:
        return _page(request, here, review, chosen, {project.pk: error.messages}, status=422)
    messages.success(request, f"{project.number} is taken. {item.outcome}")
    rest = [each.pk for each in chosen if each.pk != project.pk]
    if len(rest) > 1:
        return redirect(compare_links(review, rest)[0][1])
    return redirect("projects:review", review.pk)


def _chosen(request: HttpRequest, here: Here) -> tuple[list[Project], list[str]]:
    """Return the projects the address names, three at most, and what is no project."""
    sent = request.POST if request.method == "POST" else request.GET
    found: dict[int, Project] = {}
    unknown = []
    for name in dict.fromkeys(sent.getlist("p")[: MOST * 3]):
        project = selectors.project_called(name, by=here.user)
        if project is None:
            unknown.append(name)
        elif len(found) < MOST:
            found[project.pk] = project
    return list(found.values()), unknown


def _page(
    request: HttpRequest,
    here: Here,
    review: Review,
    chosen: list[Project],
    problems: dict[int, list[str]] | None = None,
    *,
    unknown: list[str] | None = None,
    status: int = 200,
) -> HttpResponse:
    items = {item.project_id: item for item in items_of(review)}
    candidates = [pk for pk, item in items.items() if item.why == CANDIDATE and not item.decision]
    columns = [
        Column(
            about,
            items.get(about.project.pk),
            blocks_of(about.project, D.SCHEDULE, by=here.user, at=here.now),
            (problems or {}).get(about.project.pk, []),
        )
        for about in abouts(here, chosen)
    ]
    increments: list[Increment] = list(increments_ahead(here.today)) if columns else []
    context = {
        "review": review,
        "columns": columns,
        "unknown": unknown or [],
        "others": compare_links(review, candidates),
        "increments": increments,
        "chosen_increment": request.POST.get("increment", ""),
        "typed": request.POST,
        "may_take": permissions.can_run_reviews(here.user) and review.state == Review.State.OPEN,
    }
    return page(request, "projects/reviews/compare.html", context, here=here, status=status)
