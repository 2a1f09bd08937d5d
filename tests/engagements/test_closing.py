"""Acceptance by silence, the retrospective, and looks at whether the seats came."""

import datetime as dt

import pytest
from django.core.exceptions import PermissionDenied

from accounts.models import AccountFacts, Company
from config.lib.errors import Conflict, Invalid, StaleWrite
from engagements import selectors, services
from engagements.models import (
    CustomerQuestion,
    Delivery,
    OutcomeCheck,
    SignOff,
    SignOffLink,
    Tick,
)
from engagements.selectors.calendar import company_calendar
from engagements.selectors.delivering import REJECTED
from engagements.services.closing import accept_silent, record_check, write_retrospective
from events import workflow
from events.models import Event
from events.workflow import Blocked
from tests import factories
from tests.engagements.ready import Stage

pytestmark = pytest.mark.django_db
DAY = dt.timedelta(days=1)


@pytest.fixture
def stage():
    return Stage()


def promised(stage, *days, number=1, state="agreed"):
    """Freeze and sign a version with a deliverable for each day."""
    sow = factories.SowVersionFactory.build(
        request=stage.request, number=number, by=stage.filer, frozen_at=stage.now
    )
    row = sow.content["deliverables"][0]
    sow.content["deliverables"] = [
        row | {"key": f"d{place}", "what": f"Part {place}", "by_when": day.isoformat()}
        for place, day in enumerate(days, 1)
    ]
    sow.digest = f"{number}" * 64
    sow.save()
    return stage.signed(sow, state=state)


def done(stage, *days):
    for place, day in enumerate(days, 1):
        Tick.objects.create(
            request=stage.request,
            key=f"d{place}",
            evidence="Seen.",
            done_on=day,
            by=stage.engineer,
            at=stage.now,
        )


def delivered(stage, moment, state="accepted"):
    stage.request.delivered_at = moment
    stage.request.save(update_fields=["delivered_at"])
    workflow.place(stage.request, state)


MONDAY = dt.date(2026, 3, 2)
NOON = dt.datetime(2026, 3, 2, 12, tzinfo=dt.UTC)


def test_nothing_is_missed_where_all_came_in_time(stage):
    promised(stage, MONDAY, MONDAY)
    done(stage, MONDAY - DAY, MONDAY)
    delivered(stage, NOON)
    assert selectors.what_was_missed(stage.request) == ""


def test_a_late_delivery_names_both_days(stage):
    promised(stage, MONDAY)
    done(stage, MONDAY)
    delivered(stage, NOON + DAY)
    words = "It was due on 2 Mar 2026 and delivered on 3 Mar 2026."
    assert selectors.what_was_missed(stage.request) == words


def test_a_deliverable_can_be_late_on_its_own(stage):
    promised(stage, MONDAY - 3 * DAY, MONDAY)
    done(stage, MONDAY, MONDAY)
    delivered(stage, NOON)
    words = "“Part 1” was due on 27 Feb 2026 and done on 2 Mar 2026."
    assert selectors.what_was_missed(stage.request) == words


@pytest.mark.parametrize(("zone", "is_late"), [("Asia/Tokyo", True), ("America/New_York", False)])
def test_days_are_the_companys(stage, zone, is_late):
    Company.objects.update(time_zone=zone)
    promised(stage, MONDAY)
    done(stage, MONDAY)
    delivered(stage, dt.datetime(2026, 3, 2, 22, tzinfo=dt.UTC))
    assert bool(selectors.what_was_missed(stage.request)) is is_late


def test_the_dates_are_those_agreed_to_last(stage):
    promised(stage, MONDAY)
    promised(stage, MONDAY + 7 * DAY, number=2)
    promised(stage, MONDAY + 70 * DAY, number=3, state="rejected")
    done(stage, MONDAY + 7 * DAY)
    delivered(stage, NOON + 7 * DAY)
    assert selectors.what_was_missed(stage.request) == ""
    delivered(stage, NOON + 8 * DAY)
    assert "9 Mar" in selectors.what_was_missed(stage.request)


def test_a_rejected_delivery_is_a_missed_scope(stage):
    stage.at("delivered")
    stage.answered("rejected")
    assert selectors.what_was_missed(stage.request) == REJECTED


def test_what_was_missed_waits_for_a_retrospective(stage):
    promised(stage, MONDAY)
    done(stage, MONDAY)
    delivered(stage, NOON + DAY)
    stage.answered("agreed")
    with pytest.raises(Blocked) as refusal:
        services.move(stage.request, "close", by=stage.filer, at=stage.now)
    assert refusal.value.details["guards"][0]["code"] == "retrospective"
    write_retrospective(stage.request, "We began late.", by=stage.filer, at=stage.now)
    services.move(stage.request, "close", by=stage.filer, at=stage.now)
    assert stage.request.state == "closed"
    assert "began late" not in str(Event.objects.values_list("after", "reason"))


def test_a_retrospective_is_written_over_only_by_who_has_seen_it(stage):
    request = stage.at("accepted")
    version = request.version
    by = {"by": stage.engineer, "at": stage.now}
    write_retrospective(request, "One", version=version, **by)
    with pytest.raises(StaleWrite):
        write_retrospective(request, "Two", version=version, **by)
    with pytest.raises(Invalid):
        write_retrospective(request, " ", **by)


@pytest.mark.parametrize("who", ["stranger", "other_engineer", "leadership", "administrator"])
def test_others_write_no_retrospective(stage, who):
    stage.at("accepted")
    with pytest.raises(PermissionDenied):
        write_retrospective(stage.request, "X", by=getattr(stage, who), at=stage.now)


@pytest.mark.parametrize("state", ["in_progress", "closed"])
def test_a_retrospective_has_its_time(stage, state):
    stage.at(state)
    with pytest.raises(Conflict):
        write_retrospective(stage.request, "X", by=stage.lead, at=stage.now)


@pytest.fixture
def closed(stage):
    stage.at("accepted")
    AccountFacts.objects.update_or_create(account=stage.account, defaults={"deployed": 500})
    services.move(stage.request, "close", by=stage.filer, at=stage.now)
    return stage


def test_looks_are_due_30_60_and_90_days_after_the_close(closed):
    days = {check.days: check.due_on for check in OutcomeCheck.objects.all()}
    assert days == {n: closed.today + n * DAY for n in (30, 60, 90)}


def test_a_look_takes_the_seats_from_the_account(closed):
    AccountFacts.objects.filter(account=closed.account).update(deployed=690)
    check = OutcomeCheck.objects.get(days=30)
    at = closed.now + 30 * DAY
    record_check(check, note="Plant 3 is next.", by=closed.filer, at=at)
    check.refresh_from_db()
    assert (check.seats_before, check.seats_found) == (500, 690)
    event = Event.objects.get(verb="request.outcome_checked")
    assert event.after == {"days": 30, "seats_before": 500, "seats_found": 690}
    with pytest.raises(Conflict):
        record_check(check, by=closed.filer, at=at)


def test_a_look_without_known_seats_says_what_was_found(closed):
    AccountFacts.objects.filter(account=closed.account).update(deployed=None)
    check = OutcomeCheck.objects.get(days=30)
    at = closed.now + 30 * DAY
    with pytest.raises(Invalid) as refusal:
        record_check(check, by=closed.filer, at=at)
    assert refusal.value.field == "note"
    record_check(check, note="They told us 600.", by=closed.filer, at=at)


def test_a_look_before_its_day_is_refused(closed):
    with pytest.raises(Conflict):
        record_check(OutcomeCheck.objects.get(days=90), by=closed.filer, at=closed.now)


def test_strangers_record_no_look(closed):
    with pytest.raises(PermissionDenied):
        record_check(
            OutcomeCheck.objects.get(days=30), by=closed.stranger, at=closed.now + 30 * DAY
        )


@pytest.fixture
def silent(stage):
    """Delivered, asked by a link, and agreed that five business days of silence are a yes."""
    sow = factories.SowVersionFactory.build(
        request=stage.request, by=stage.filer, frozen_at=stage.now
    )
    sow.content["deemed_acceptance_days"] = 5
    sow.save()
    stage.signed(sow)
    stage.made = _handed_over(
        stage, 1, sow=sow, deemed_on=company_calendar().day_after(stage.today, 5)
    )
    stage.link = SignOffLink.objects.create(
        request=stage.request,
        purpose="delivery",
        delivery=stage.made,
        contact=stage.contact,
        sent_to=stage.contact.email,
        pepper_id="test",
        token_digest=b"x" * 32,
        created_by=stage.engineer,
        created_at=stage.now,
        mailed_at=stage.now,
        expires_at=stage.now + 14 * DAY,
    )
    workflow.place(stage.request, "delivered")
    return stage


def _handed_over(stage, number, **more):
    return Delivery.objects.create(
        request=stage.request,
        number=number,
        digest=f"{number}" * 64,
        by=stage.engineer,
        at=stage.now,
        **more,
    )


def wait(stage, days):
    return accept_silent(at=stage.now + days * DAY)


def test_silence_is_a_yes_after_the_day(silent):
    days = (silent.made.deemed_on - silent.today).days
    assert wait(silent, days) == 0
    assert wait(silent, days + 1) == 1
    silent.request.refresh_from_db()
    assert silent.request.state == "accepted"
    answer = SignOff.objects.get(delivery=silent.made)
    assert (answer.way, answer.state, answer.recorded_by) == ("deemed", "agreed", None)
    assert wait(silent, days + 2) == 0


def _no_link(stage):
    stage.link.delete()


def _not_mailed(stage):
    SignOffLink.objects.update(mailed_at=None)


def _revoked(stage):
    SignOffLink.objects.update(revoked_at=stage.now)


def _asked_back(stage):
    CustomerQuestion.objects.create(link=stage.link, text="Which plant?", at=stage.now)


def _answered(stage):
    SignOff.objects.create(
        request=stage.request,
        purpose="delivery",
        delivery=stage.made,
        digest=stage.made.digest,
        way="verbal",
        recorded_by=stage.filer,
        recorded_at=stage.now,
    )


def _not_agreed_to(stage):
    _handed_over(stage, 2)


def _on_hold(stage):
    stage.request.paused_from = "in_progress"
    stage.request.save(update_fields=["paused_from"])
    workflow.place(stage.request, "on_hold")


@pytest.mark.parametrize(
    "spoil",
    [_no_link, _not_mailed, _revoked, _asked_back, _answered, _not_agreed_to, _on_hold],
)
def test_silence_is_no_yes_where_it_is_none_or_nobody_was_asked(silent, spoil):
    spoil(silent)
    assert wait(silent, 30) == 0
    silent.request.refresh_from_db()
    assert silent.request.state != "accepted"


def test_who_was_asked_late_has_all_the_days(silent):
    asked = silent.now + 20 * DAY
    SignOffLink.objects.update(mailed_at=asked)
    assert wait(silent, 20) == 0
    until = company_calendar().day_after(silent.today + 20 * DAY, 5)
    assert wait(silent, (until - silent.today).days) == 0
    assert wait(silent, (until - silent.today).days + 1) == 1
