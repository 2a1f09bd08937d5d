"""The company's hours, by date, and its days off."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

from django.db import transaction

from accounts.models import Company
from config.lib.authz import require
from config.lib.errors import Conflict, Invalid
from config.lib.ui.formats import day_text
from engagements import permissions
from engagements.models import BusinessHours, Holiday
from engagements.rules.business_time import Week
from events import services as events
from people.models import User


@dataclass(frozen=True)
class Kept:
    """What became of the days given."""

    added: int
    renamed: int
    there: int


@transaction.atomic
def set_hours(week: Week, *, since: dt.date, by: User, today: dt.date) -> bool:
    """Let the week hold from a day on, today or later; return whether that changed anything.

    What passed under the hours before stays as it was measured.
    """
    require(permissions.can_change_policy, by)
    company = Company.objects.select_for_update().get()
    if since < today:
        raise Invalid(
            f"{day_text(since)} is past. Hours change today or later: what passed is measured by"
            " the hours of its day.",
            field="since",
            code="past",
        )
    if not week:
        raise Invalid("Give at least one day hours. Without any, no clock would ever run.")
    rows = BusinessHours.objects.filter(since__lte=since).order_by("-since", "weekday")
    newest = rows.first()
    before = rows.filter(since=newest.since) if newest else rows.none()
    stored = {row.weekday: (row.opens, row.closes) for row in before}
    if stored == dict(week):
        return False
    BusinessHours.objects.filter(since=since).delete()
    BusinessHours.objects.bulk_create(
        BusinessHours(since=since, weekday=weekday, opens=opens, closes=closes)
        for weekday, (opens, closes) in sorted(week.items())
    )
    events.record(
        "company.hours_set",
        company,
        by=by,
        before=_told(stored),
        after={"since": since, **_told(week)},
    )
    return True


@transaction.atomic
def take_back_hours(since: dt.date, *, by: User, today: dt.date) -> None:
    """Drop hours that are planned for a day to come."""
    require(permissions.can_change_policy, by)
    company = Company.objects.select_for_update().get()
    rows = BusinessHours.objects.filter(since=since)
    if since <= today or not rows:
        raise Conflict(f"No hours are planned from {day_text(since)} on.")
    week = {row.weekday: (row.opens, row.closes) for row in rows}
    rows.delete()
    before = {"since": since, **_told(week)}
    events.record("company.hours_taken_back", company, by=by, before=before)


@transaction.atomic
def keep_holidays(days: Mapping[dt.date, str], *, by: User) -> Kept:
    """Add days off, and rename those that are there under another name."""
    require(permissions.can_change_policy, by)
    Company.objects.select_for_update().get()
    stored = {row.day: row for row in Holiday.objects.filter(day__in=days)}
    added = Holiday.objects.bulk_create(
        Holiday(day=day, name=name) for day, name in sorted(days.items()) if day not in stored
    )
    renamed = [row for day, row in stored.items() if row.name != days[day]]
    drafts = []
    for row in Holiday.objects.filter(pk__in=[each.pk for each in added]).order_by("day"):
        after = {"day": row.day, "name": row.name}
        drafts.append(events.Draft(verb="holiday.added", obj=row, after=after))
    for row in renamed:
        before, row.name = row.name, days[row.day]
        drafts.append(
            events.Draft(
                verb="holiday.renamed", obj=row, before={"name": before}, after={"name": row.name}
            )
        )
    Holiday.objects.bulk_update(renamed, ["name"])
    events.record_all(drafts, by=by)
    return Kept(len(added), len(renamed), len(stored) - len(renamed))


@transaction.atomic
def drop_holiday(holiday: Holiday, *, by: User) -> None:
    require(permissions.can_change_policy, by)
    before = {"day": holiday.day, "name": holiday.name}
    events.record("holiday.dropped", holiday, by=by, before=before)
    holiday.delete()


def _told(week: Week) -> dict[str, str]:
    return {
        str(weekday): f"{opens:%H:%M}-{closes:%H:%M}"
        for weekday, (opens, closes) in sorted(week.items())
    }
