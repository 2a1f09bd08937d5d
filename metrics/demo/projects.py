"""The demo company's increments, projects of its own, reviews and absences."""

import datetime as dt
import tomllib
from decimal import Decimal
from pathlib import Path

from accounts.models import Account
from metrics.demo.clock import Clock, told
from metrics.demo.people import email_of
from metrics.demo.story import SOURCE, ZONE
from metrics.demo.work import Cast, Work
from metrics.services.lifts import refresh_lifts
from people.models import Absence, Role, User, system_user
from people.services import absences, create_user, deactivate
from projects.models import Project, Review
from projects.services import (
    charters,
    deciding,
    increments,
    move,
    overriding,
    reviews,
    teams,
    voting,
)

FILE = Path(__file__).with_suffix(".toml")
WEEKS_BACK, WEEKS_AHEAD = 50, 8
# As many as the service makes at a time.
AT_A_TIME = 26
FORMER = "Tomas Kral"
MEMBERS = (("Sam Eriksen", 5), ("Yara Costa", 4), ("Ole Brandt", 3), ("Ruth Adeyemi", 2))


def set_up(*, now: dt.datetime) -> None:
    """Make the team, the increments of the year, and somebody who has left since."""
    lead = User.objects.get(email=email_of("Ruth Adeyemi"))
    first = now.date() - dt.timedelta(weeks=WEEKS_BACK)
    with told(now - dt.timedelta(weeks=WEEKS_BACK)):
        team = teams.create_team(name="Deployment Engineering", weeks=2, by=lead)
        for name, days in MEMBERS:
            person = User.objects.get(email=email_of(name))
            teams.add_member(
                team, person, days_a_week=Decimal(days), start=first - dt.timedelta(days=7), by=lead
            )
        start, ahead = first, WEEKS_BACK + WEEKS_AHEAD
        while ahead > 0:
            count = min(AT_A_TIME, ahead)
            increments.make_increments(team, start=start, count=count, by=lead, on=now.date())
            start, ahead = start + dt.timedelta(weeks=count), ahead - count
        former = create_user(
            email=email_of(FORMER), name=FORMER, roles=[Role.DE_ENGINEER], by=system_user()
        )
        deactivate(former, by=system_user(), at=now - dt.timedelta(days=20))


def bring(cast: Cast, *, now: dt.datetime) -> None:
    """Take the team's own projects as far as they have come, and hold the reviews."""
    _be_away(cast, now)
    accounts, taken = _who_gains(), 0
    for asked in tomllib.loads(FILE.read_text())["project"]:
        count = min(asked.get("accounts", 0), len(accounts))
        chosen = [accounts[(taken + place) % len(accounts)] for place in range(count)]
        taken += count
        work = Work(asked, cast, Clock(days_ago=asked["days"], now=now))
        work.propose(chosen)
        _go_on(work, asked["until"])
        if asked.get("vote"):
            _vote(work.project, cast, work.clock)
    refresh_lifts(at=now)
    _say_what_is_special(cast, now)
    _review(cast, now)


def _who_gains() -> list[Account]:
    """Return who could reach 80% with a project, then others; the nearest have their own."""
    customers = Account.objects.filter(source=SOURCE, status="customer", archived=False)
    rows = customers.select_related("facts").order_by("facts__seats_to_go", "pk")
    below = list(rows.filter(facts__eligible=True, facts__seats_to_go__gt=0)[:26])
    others = list(rows.exclude(pk__in=[account.pk for account in below])[:26])
    return [*below[8:], *below[:8], *others]


def _go_on(work: Work, until: str) -> None:
    if until == "decline":
        work.clock.wait(days=2)
        work.decline()
    if until in {"propose", "ready", "decline"}:
        return
    work.clock.wait(days=2)
    work.schedule()
    if until == "schedule":
        return
    work.clock.wait(days=1)
    work.start()
    work.clock.wait(days=4)
    if until == "hold":
        work.hold(
            Project.objects.filter(state="in_progress").order_by("score").last() or work.project
        )
    elif until == "close":
        work.deliver()
        work.clock.wait(days=6)
        work.close()


def _vote(project: Project, cast: Cast, clock: Clock) -> None:
    with clock.then():
        round_ = voting.open_vote(project, by=cast.lead, at=clock.at)
        for person, impact, effort in (
            (cast.engineer, 3, "low"),
            (cast.second_engineer, 2, "low"),
            (cast.filer, 2, "medium"),
        ):
            voting.vote(round_, impact=impact, effort=effort, by=person, at=clock.at)


def _say_what_is_special(cast: Cast, now: dt.datetime) -> None:
    """One is blocked, and one stands higher by hand."""
    busy = Project.objects.filter(state="in_progress").order_by("pk").first()
    if busy is not None:
        why = "The customer's change freeze lasts until Thursday."
        before_it_met = _friday_before(now) - dt.timedelta(days=1)
        with told(before_it_met):
            charters.set_blocked(busy, why, by=cast.lead, at=before_it_met)
    ranked = Project.objects.filter(state="ready").order_by("-score", "pk")
    if len(ranked) > 2:
        overriding.move_by_hand(
            ranked[len(ranked) - 1], before=ranked[0], reason="Promised to their board in spring.",
            expires_on=now.date() + dt.timedelta(days=13), by=cast.lead,
            at=now - dt.timedelta(days=1),
        )  # fmt: skip


def _review(cast: Cast, now: dt.datetime) -> None:
    """One was held last Friday; the next is planned."""
    last = _friday_before(now)
    guests = [cast.lead, cast.second_lead, cast.engineer, cast.second_engineer, cast.filer]
    with told(last):
        held = reviews.plan_review(
            meets_at=last, chair=cast.lead, invited=guests, by=cast.lead,
            at=last - dt.timedelta(days=2),
        )  # fmt: skip
        move(held, "open", by=cast.lead, at=last)
        reviews.set_attendance(held, guests[:4], by=cast.lead, at=last)
        notes = ("Waits for the customer.", "", "Yara begins after her leave.")
        for number, item in enumerate(held.items.order_by("position")):
            wish = deciding.Wish(decision="keep", note=notes[number % len(notes)])
            at = last + dt.timedelta(minutes=2 * number + 3)
            deciding.decide(item, wish, by=cast.lead, at=at)
        move(held, "finish", by=cast.lead, at=last + dt.timedelta(minutes=28))
    if not Review.objects.filter(state=Review.State.PLANNED).exists():
        reviews.plan_review(
            meets_at=last + dt.timedelta(days=7), chair=cast.lead, invited=guests, by=cast.lead,
            at=now,
        )  # fmt: skip


def _friday_before(now: dt.datetime) -> dt.datetime:
    local = now.astimezone(ZONE)
    back = (local.weekday() - 4) % 7 or 7
    day = local.date() - dt.timedelta(days=back)
    return dt.datetime.combine(day, dt.time(14), ZONE).astimezone(dt.UTC)


def _be_away(cast: Cast, now: dt.datetime) -> None:
    """One absence is approved, one asked for."""
    monday = now.date() + dt.timedelta(days=7 - now.weekday())
    with told(now - dt.timedelta(days=9)):
        approved: Absence = absences.ask_for_absence(
            person=cast.second_engineer, start=monday, end=monday + dt.timedelta(days=4),
            cover=cast.engineer, note="Skiing.", by=cast.second_engineer,
            at=now - dt.timedelta(days=9),
        )  # fmt: skip
        absences.move_absence(approved, "approve", by=cast.lead, at=now - dt.timedelta(days=8))
        absences.ask_for_absence(
            person=cast.engineer, start=monday + dt.timedelta(days=21),
            end=monday + dt.timedelta(days=25), cover=cast.second_engineer, by=cast.engineer,
            at=now - dt.timedelta(days=2),
        )  # fmt: skip
