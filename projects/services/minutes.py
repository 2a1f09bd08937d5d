"""The minutes of a review: written once, kept with it, sent to those who were there or invited."""

import datetime as dt
from collections import defaultdict
from decimal import Decimal
from zoneinfo import ZoneInfo

from django.urls import reverse

from accounts.selectors import company, today
from config.lib.ui.formats import days_between_text, number_text
from events.services import notify
from events.services.notices import absolute
from people.models import User
from projects.models import PreEmption, Project, Review, ReviewItem
from projects.rules import minutes as rules
from projects.rules.agenda import days_text
from projects.rules.capacity import days_number
from projects.selectors import reviews as selectors
from projects.selectors.capacity import IncrementSheet

KIND, OWNERS_KIND = "minutes", "decision"


def keep_and_send(review: Review, *, at: dt.datetime, by: User) -> None:
    """Write the minutes and promise their mails."""
    text = _kept(review, at)
    path = reverse("projects:review", args=[review.pk])
    told = {*review.attendees.all(), *review.invited.all(), review.chair}
    # Who finished it was there, and gets them as everybody does.
    notify(
        sorted(told, key=lambda person: person.pk),
        KIND,
        title=f"Minutes of the review {review.number}, {_day(review.opened_at or at)}",
        body=text,
        path=path,
        at=at,
    )
    for person, items in _by_owner(review).items():
        if person not in told:
            notify(
                [person],
                OWNERS_KIND,
                title=_owners_title(review, items),
                body="\n\n".join(_told(item) for item in items),
                path=path,
                by=by,
                at=at,
            )


def _kept(review: Review, at: dt.datetime) -> str:
    text = minutes_of(review, at=at)
    Review.objects.filter(pk=review.pk).update(minutes=text, minutes_at=at)
    return text


def minutes_of(review: Review, *, at: dt.datetime) -> str:
    """Return the minutes as they stand at the moment."""
    there = list(review.attendees.order_by("name", "pk"))
    missing = review.invited.exclude(pk__in=[each.pk for each in there]).order_by("name", "pk")
    stopped = selectors.pre_emptions_of(review, at=at)
    coming = selectors.next_review()
    suggested = selectors.suggested_next(at=at)
    return rules.minutes_text(
        rules.Minutes(
            number=review.number,
            when=_when(review.meets_at),
            lasted=_lasted(review, at),
            chair=str(review.chair),
            there=[str(each) for each in there],
            missing=[str(each) for each in missing],
            decided=[_decided(item) for item in selectors.items_of(review)],
            stopped=[_stopped(each) for each in stopped],
            stopped_days=days_text(selectors.cost_of(stopped)),
            room=[_room(sheet) for sheet in selectors.room_ahead(today(at)).sheets],
            note=review.note,
            next=_when(coming.meets_at) if coming else f"not planned; {_when(suggested)} would do.",
            address=absolute(reverse("projects:review", args=[review.pk])),
        )
    )


def _decided(item: ReviewItem) -> rules.Decided:
    project = item.project
    return rules.Decided(
        number=project.number,
        title=project.title,
        why=item.words or item.get_why_display(),
        decision=item.get_decision_display(),
        outcome=item.outcome,
        note=item.note,
        by=str(item.decided_by),
        standing=_standing(project),
    )


def _standing(project: Project) -> str:
    """Say why it stands where it stands."""
    if project.impact is None or not project.effort:
        return "Not scored."
    days = f", {days_text(project.days)}" if project.days is not None else ""
    score = f"{project.score.normalize():f}" if project.score is not None else "none"
    impact, effort = project.get_impact_display().lower(), project.get_effort_display().lower()
    told = f"Impact {impact}, effort {effort}{days}: score {score}."
    seats = f" {number_text(project.lift_seats)} seats expected." if project.lift_seats else ""
    return told + seats


def _stopped(each: PreEmption) -> rules.Stopped:
    return rules.Stopped(
        number=each.project.number,
        title=each.project.title,
        by_number=each.by_project.number,
        on=_day(each.at),
        days=days_text(each.cost_days),
        reason=each.reason,
    )


def _room(sheet: IncrementSheet) -> str:
    increment, load = sheet.increment, sheet.load
    span = days_between_text(increment.start, increment.end)
    planned = f"{days_number(load.planned)} of {days_number(load.available)} days planned"
    line = f"- {increment.team}: {increment.name}, {span}: {planned}, {_free(sheet.free)}."
    return "\n".join([line, *(f"  Conflict: {found.words}" for found in sheet.conflicts)])


def _free(days: Decimal) -> str:
    return f"{days_number(days)} free"


def _by_owner(review: Review) -> dict[User, list[ReviewItem]]:
    found: dict[User, list[ReviewItem]] = defaultdict(list)
    for item in selectors.items_of(review):
        if item.project.owner is not None:
            found[item.project.owner].append(item)
    return found


def _owners_title(review: Review, items: list[ReviewItem]) -> str:
    if len(items) == 1:
        label = items[0].get_decision_display()
        return f"{review.number} decided on {items[0].project.number}: {label}"
    return f"{review.number} decided on {len(items)} projects of yours"


def _told(item: ReviewItem) -> str:
    label = item.get_decision_display()
    lines = [
        f"{item.project.number} {item.project.title}",
        f"Decided: {label}. {item.outcome}".strip(),
        *([item.note] if item.note else []),
    ]
    return "\n".join(lines)


def _lasted(review: Review, at: dt.datetime) -> str:
    zone = _zone()
    began, ended = (review.opened_at or at).astimezone(zone), at.astimezone(zone)
    if began.date() == ended.date():
        return f"Held {_day(began)}, {began:%H:%M} to {ended:%H:%M} {ended:%Z}."
    return f"Held from {_when(began)} to {_when(ended)}."


def _when(moment: dt.datetime) -> str:
    local = moment.astimezone(_zone())
    return f"{local:%A} {local.day} {local:%B %Y}, {local:%H:%M} {local:%Z}"


def _day(moment: dt.datetime) -> str:
    local = moment.astimezone(_zone())
    return f"{local.day} {local:%b %Y}"


def _zone() -> ZoneInfo:
    return ZoneInfo(company().time_zone)
