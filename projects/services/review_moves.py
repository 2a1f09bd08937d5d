"""What follows from a review's moves, in their transaction."""

import datetime as dt
from collections.abc import Sequence

from events.workflow import Move
from projects.models import Review, ReviewItem
from projects.rules.agenda import BY_HAND, Line
from projects.selectors import reviews as selectors
from projects.services.minutes import keep_and_send


def make_agenda(move: Move) -> None:
    """Put on the agenda what has to be looked at; what was put on by hand before stays."""
    review: Review = move.obj
    lines = selectors.agenda_preview(review, at=move.at)
    known = {item.project_id: item for item in review.items.all()}
    items = [_made(review, line, known.pop(line.id, None)) for line in lines]
    by_hand = sorted(known.values(), key=lambda item: (item.position, item.pk))
    # Who opens it is there.
    review.attendees.add(move.by)
    _store([*items, *by_hand])


def bring_up(review: Review, *, at: dt.datetime) -> list[Line]:
    """Add what came up since the agenda was made, at its end; return it.

    What is on it keeps its place, and what somebody took off stays off.
    """
    known = set(review.items.values_list("project_id", flat=True)) | selectors.taken_off(review)
    lines = [line for line in selectors.agenda_preview(review, at=at) if line.id not in known]
    last = _last_place(review)
    ReviewItem.objects.bulk_create(
        ReviewItem(
            review=review, project_id=line.id, position=place, why=line.why, words=line.words
        )
        for place, line in enumerate(lines, start=last + 1)
    )
    return lines


def put_last(review: Review, project_id: int) -> ReviewItem:
    item = ReviewItem.objects.create(
        review=review,
        project_id=project_id,
        position=_last_place(review) + 1,
        why=BY_HAND,
        words="Put on by hand",
    )
    item.refresh_from_db()
    return item


def send_minutes(move: Move) -> None:
    """Keep what was decided, and send it to those who were there and those invited."""
    keep_and_send(move.obj, at=move.at, by=move.by)


def _made(review: Review, line: Line, item: ReviewItem | None) -> ReviewItem:
    item = item or ReviewItem(review=review, project_id=line.id)
    item.why, item.words = line.why, line.words
    return item


def _store(items: Sequence[ReviewItem]) -> None:
    for place, item in enumerate(items, start=1):
        item.position = place
    ReviewItem.objects.bulk_create([each for each in items if each.pk is None])
    there = [each for each in items if each.pk is not None]
    ReviewItem.objects.bulk_update(there, ["position", "why", "words"])


def _last_place(review: Review) -> int:
    places = review.items.order_by("-position").values_list("position", flat=True)
    return places.first() or 0
