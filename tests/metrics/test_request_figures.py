"""The key figures of requests: worked examples, the ledger, the API, the pages."""

import datetime as dt
from decimal import Decimal
from io import StringIO

import pytest
from django.core.exceptions import PermissionDenied
from django.core.management import CommandError, call_command

from engagements.models import Holiday, RoutingDecision, Stay
from events.models import Event
from metrics import tasks
from metrics.models import MetricRun
from metrics.rules.request_figures import median, percentile
from metrics.selectors import figures as reading
from metrics.services import figures
from metrics.services.runs import NotYet
from people.models import system_user
from tests.engagements.pasts import lived, moment

DAY = dt.date(2026, 11, 20)
NIGHT = "2026-11-21 00:11"

pytestmark = pytest.mark.django_db


def compute(slug, day=DAY, now=NIGHT):
    [outcome] = figures.recompute([slug], [day], by=system_user(), now=moment(now))
    return outcome.run


def said(run, by):
    return {
        part["key"]: (part["numerator"], part["denominator"], part["value"])
        for part in run.parts["by"][by]
    }


def routed(day, hour, *, owner="de", **fields):
    """A request that was submitted at nine and routed on the same day."""
    return lived(
        "sow_drafting",
        submitted_at=f"{day} 09:00",
        routed_at=f"{day} {hour}",
        owner=owner,
        **fields,
    )


def test_time_to_routed_is_the_median_in_business_hours():
    routed("2026-11-16", "10:00")
    routed("2026-11-17", "12:00", owner="support", impact=1, triaged_at="2026-11-18 09:00")
    routed("2026-11-18", "16:00")
    # Friday 16:00 to Monday 10:00 is two hours, one of which it waited for an answer.
    lived(
        "submitted",
        submitted_at="2026-11-13 16:00",
        routed_at="2026-11-16 10:00",
        owner="de",
        stays=[("needs_info", "2026-11-13 16:30", "2026-11-16 09:30")],
    )
    # Out of the window, and not routed yet.
    routed("2026-08-21", "17:00")
    lived("submitted", submitted_at="2026-11-18 09:00")

    run = compute("request-time-to-routed")

    # 1, 1, 3 and 7 hours: the two in the middle are 1 and 3.
    assert (run.value, run.denominator, run.numerator) == (Decimal(2), 4, None)
    assert run.parts["percentile_90"] == "7"
    assert said(run, "owner") == {"de": (None, 3, "1"), "support": (None, 1, "3")}
    assert said(run, "impact") == {"": (None, 3, "1"), "1": (None, 1, "3")}


@pytest.mark.parametrize(
    ("values", "middle", "ninth"),
    [([], None, None), ([4], 4, 4), ([1, 2], 1.5, 2), ([9, 1, 5], 5, 9), ([*range(1, 11)], 5.5, 9)],
)
def test_the_median_and_the_percentile(values, middle, ninth):
    from fractions import Fraction  # noqa: PLC0415 only here

    exact = [Fraction(value) for value in values]

    assert (median(exact), percentile(exact)) == (middle, ninth)


def test_the_first_and_the_last_day_of_the_window_count():
    routed("2026-08-23", "10:00")
    # 23 August is the 90th day, and a Sunday: no business time passed.
    run = compute("request-time-to-routed")

    assert (run.denominator, run.value) == (1, 0)
    assert (
        compute("request-time-to-routed", DAY + dt.timedelta(days=1), "2026-11-22 01:00").value
        is None
    )


def test_time_to_signed_off_and_to_delivered():
    lived(
        "accepted",
        submitted_at="2026-11-02 09:00",
        signed_off_at="2026-11-04 09:00",
        delivered_at="2026-11-06 17:00",
        stays=[("on_hold", "2026-11-05 09:00", "2026-11-06 09:00")],
    )

    assert compute("request-time-to-signed-off").value == 16
    assert compute("request-time-to-delivered").value == 32


def test_a_rejected_delivery_counts_only_while_it_stood():
    request = lived("in_progress", submitted_at="2026-11-16 09:00")
    for state, entered, left in (
        ("in_progress", "2026-11-16 12:00", "2026-11-17 09:00"),
        ("delivered", "2026-11-17 09:00", "2026-11-18 09:00"),
        ("in_progress", "2026-11-18 09:00", "2026-11-19 09:00"),
        ("delivered", "2026-11-19 09:00", None),
    ):
        Stay.objects.create(
            request=request, state=state, entered_at=moment(entered), left_at=moment(left)
        )

    hours = [
        compute("request-time-to-delivered", dt.date(2026, 11, day)).value
        for day in (16, 17, 18, 19)
    ]

    assert hours == [None, 8, None, 24]


def test_attainment_is_met_of_decided_with_what_still_runs():
    routed("2026-11-16", "10:00")
    lived(
        "sow_drafting",
        submitted_at="2026-11-16 09:00",
        routed_at="2026-11-19 09:00",
        owner="support",
    )
    # Late at the end of the day, and running.
    lived("submitted", submitted_at="2026-11-18 09:00")
    lived("submitted", submitted_at="2026-11-20 12:00")
    # Called off in time: not counted.
    lived("cancelled", submitted_at="2026-11-20 09:00", closed_at="2026-11-20 10:00")

    run = compute("request-sla-attainment")

    assert (run.numerator, run.denominator, run.value) == (1, 3, Decimal("0.333333"))
    assert (run.parts["low"], run.parts["high"], run.parts["running"]) == ("0.25", "0.5", 1)
    assert said(run, "owner") == {
        "": (0, 1, "0"),
        "de": (1, 1, "1"),
        "support": (0, 1, "0"),
    }
    assert said(run, "clock") == {"routed": (1, 3, "0.333333")}


def test_declined_of_those_decided_by_reason():
    for code in ("duplicate", "duplicate", "no_capacity"):
        lived(
            "declined",
            submitted_at="2026-11-02 09:00",
            closed_at="2026-11-05 09:00",
            end_code=code,
        )
    # Triaged before it was declined: decided once.
    lived(
        "declined",
        submitted_at="2026-11-02 09:00",
        triaged_at="2026-11-04 09:00",
        closed_at="2026-11-05 09:00",
        end_code="duplicate",
    )
    for state in ("triaged", "in_progress", "cancelled", "on_hold"):
        lived(
            state,
            submitted_at="2026-11-02 09:00",
            triaged_at="2026-11-04 09:00",
            paused_from="triaged" if state == "on_hold" else "",
        )
    lived("routed_out", submitted_at="2026-11-02 09:00", routed_at="2026-11-02 09:00")

    run = compute("requests-declined")

    assert (run.numerator, run.denominator, run.value) == (4, 8, Decimal("0.5"))
    assert said(run, "reason") == {"duplicate": (3, 8, "0.375"), "no_capacity": (1, 8, "0.125")}
    assert compute("requests-declined", dt.date(2026, 11, 4)).value == 0


def test_requests_by_owner_at_the_end_of_the_day(de_lead):
    moved = routed("2026-11-16", "09:00")
    for at, owner in (("2026-11-16 09:00", "support"), ("2026-11-18 09:00", "de")):
        RoutingDecision.objects.create(
            request=moved, at=moment(at), how="person", by=de_lead, owner=owner
        )
    lived("submitted", submitted_at="2026-11-16 10:00")

    before, after = (
        compute("requests-by-owner", dt.date(2026, 11, day), NIGHT) for day in (17, 18)
    )

    assert (before.value, before.numerator, before.denominator) == (2, None, None)
    assert said(before, "owner") == {"": (None, None, "1"), "support": (None, None, "1")}
    assert said(after, "owner") == {"": (None, None, "1"), "de": (None, None, "1")}


@pytest.mark.parametrize("slug", reading.SLUGS)
def test_without_requests_there_is_no_number(slug):
    run = compute(slug)

    assert run.value == (0 if slug == "requests-by-owner" else None)
    assert run.numerator is None


@pytest.mark.parametrize("slug", reading.SLUGS)
def test_the_same_inputs_make_no_revision(slug):
    routed("2026-11-16", "10:00")
    first = compute(slug)

    assert compute(slug, now="2026-11-24 00:11") == first
    assert MetricRun.objects.count() == 1
    assert Event.objects.filter(verb="metric.computed").count() == 1


def test_an_unfinished_day_is_superseded():
    routed("2026-11-20", "10:00")
    first = compute("request-time-to-routed", now="2026-11-20 15:00")

    assert compute("request-time-to-routed").revision == first.revision + 1


def test_a_day_ahead_is_not_computed():
    with pytest.raises(NotYet):
        compute("requests-by-owner", DAY + dt.timedelta(days=1), now="2026-11-20 12:00")


def test_only_those_who_may(tam):
    with pytest.raises(PermissionDenied):
        list(figures.recompute(["requests-by-owner"], [DAY], by=tam, now=moment(NIGHT)))


@pytest.fixture
def tick(monkeypatch):
    def at(text):
        monkeypatch.setattr(tasks.timezone, "now", lambda: moment(text))
        return tasks.nightly_figures()

    return at


def test_the_first_night_goes_back_to_the_first_request_and_the_next_adds_a_day(tick):
    routed("2026-11-18", "10:00")

    assert tick("2026-11-21 00:11") == 3 * len(reading.SLUGS)
    assert tick("2026-11-21 01:11") == 0
    assert tick("2026-11-22 00:11") == len(reading.SLUGS)
    assert {run.revision for run in MetricRun.objects.all()} == {1}


def test_lost_nights_are_made_up(tick):
    tick("2026-11-21 00:11")

    assert tick("2026-11-24 05:11") == 3 * len(reading.SLUGS)


def test_late_facts_reopen_the_days_they_touch_with_the_next_night(tick):
    routed("2026-11-18", "12:00")
    tick("2026-11-21 00:11")
    Holiday.objects.create(day=dt.date(2026, 11, 18), name="Day of Repentance")
    assert tick("2026-11-21 09:11") == 0

    tick("2026-11-22 00:11")

    runs = MetricRun.objects.filter(definition__slug="request-time-to-routed").order_by("pk")
    told = [(run.day.day, run.revision, run.value) for run in runs if run.day.day < 21]
    assert told == [(18, 1, 3), (19, 1, 3), (20, 1, 3), (18, 2, 0), (19, 2, 0), (20, 2, 0)]
    untouched = MetricRun.objects.filter(definition__slug="requests-by-owner")
    assert {run.revision for run in untouched} == {1}


def test_days_further_back_than_the_policy_stay_as_they_were(tick):
    routed("2026-10-01", "12:00")
    tick("2026-10-03 00:11")
    Holiday.objects.create(day=dt.date(2026, 10, 1), name="Late")

    tick("2026-11-21 00:11")

    assert not MetricRun.objects.filter(day__lt=dt.date(2026, 10, 17), revision=2).exists()
    assert MetricRun.objects.filter(day=dt.date(2026, 10, 17)).exists()


@pytest.fixture
def numbers():
    routed("2026-11-16", "10:00")
    lived(
        "declined",
        submitted_at="2026-11-18 09:00",
        closed_at="2026-11-18 12:00",
        end_code="duplicate",
    )
    return [compute(slug) for slug in reading.SLUGS]


def get(client, slug, rest="", **parameters):
    answer = client.get(f"/api/v1/metrics/{slug}/{rest}", parameters)
    return answer.status_code, answer.json()


def test_the_api_answers_by_unit(numbers, api_client, tam):
    client = api_client(tam)

    _, duration = get(client, "request-time-to-routed")
    _, share = get(client, "request-sla-attainment")
    _, count = get(client, "requests-by-owner", as_of="2026-12-01")

    def shown(answer):
        return [answer[name] for name in ("unit", "value", "numerator", "denominator", "as_of")]

    assert shown(duration) == ["duration", "1", None, 1, "2026-11-20"]
    assert duration["percentile_90"] == "1"
    assert shown(share) == ["share", "1.000000", 1, 1, "2026-11-20"]
    assert (share["low"], share["high"], share["running"]) == ("1.000000", "1.000000", 0)
    assert shown(count) == ["count", "2", None, None, "2026-11-20"]


def test_the_api_answers_series_and_segments(numbers, api_client, tam):
    client = api_client(tam)

    _, series = get(client, "requests-declined", "series/", **{"from": "2026-11-01"})
    _, reasons = get(client, "requests-declined", "segments/", by="reason")
    _, owners = get(client, "requests-by-owner", "segments/", by="owner")

    assert [point["value"] for point in series["results"]] == ["1.000000"]
    assert [(each["segment"], each["label"], each["value"]) for each in reasons["results"]] == [
        ("duplicate", "Asked for already", "1.000000")
    ]
    assert [(each["segment"], each["label"]) for each in owners["results"]] == [
        ("de", "Deployment Engineering"),
        (None, "No owner yet"),
    ]


@pytest.mark.parametrize(
    ("rest", "parameters", "status", "code"),
    [
        ("rows/", {}, 404, "no_rows"),
        ("flips/", {}, 404, "no_rows"),
        ("changes/", {"from": "2026-11-01", "to": "2026-11-20"}, 404, "no_rows"),
        ("segments/", {"by": "tier"}, 400, "invalid_choice"),
        ("segments/", {"by": "reason"}, 400, "invalid_choice"),
        ("segments/", {}, 400, "required"),
    ],
)
def test_the_api_says_what_a_figure_does_not_have(
    numbers, api_client, tam, rest, parameters, status, code
):
    found, problem = get(api_client(tam), "request-time-to-routed", rest, **parameters)

    assert found == status
    assert code in str(problem)


def test_seats_deployed_has_no_parts_by_owner(numbers, api_client, tam):
    status, problem = get(api_client(tam), "seats-deployed", "segments/", by="owner")

    assert status == 400
    assert "tier, region, tam" in str(problem)


def test_the_pages_list_and_explain_them(numbers, login, tam):
    client = login(tam)

    listed = client.get("/metric/figures/").content.decode()
    page = client.get("/metric/figures/requests-declined/").content.decode()

    assert "Median of 1 request; nine of ten within 1 hour" in listed
    assert "100.0%" in page
    assert "Asked for already" in page
    assert "of those decided in the window" in page
    assert client.get("/metric/figures/requests-declined/?version=1").status_code == 200
    assert client.get("/metric/figures/requests-declined/?version=2").status_code == 404
    assert client.get("/metric/figures/seats-deployed/").status_code == 200


def test_the_change_is_that_against_thirty_days_before(login, tam):
    for day, hour in (("2026-10-14", "10:00"), ("2026-11-16", "14:00")):
        routed(day, hour)
    compute("request-time-to-routed", DAY - dt.timedelta(days=30))
    compute("request-time-to-routed")

    figure = reading.shown("request-time-to-routed", day=DAY, days=90)

    assert (figure.text, figure.change) == ("3 hours", "+2 hours")
    assert "+2 hours" in login(tam).get("/metric/figures/?as_of=2026-11-20").content.decode()


def test_pages_before_the_first_night(login, tam):
    for path in ("/metric/figures/", "/metric/figures/requests-by-owner/"):
        answer = login(tam).get(path)
        assert answer.status_code == 200
        assert "the night" in answer.content.decode()


def run_command(*arguments):
    out = StringIO()
    call_command(*arguments, stdout=out)
    return out.getvalue()


def test_the_commands(numbers):
    shown = run_command("show_metric", "request-time-to-routed", "--by", "owner")
    assert "Time to routed on 2026-11-20: 1 hour (Median of 1 request" in shown
    assert "Deployment Engineering" in shown
    line = run_command(
        "recompute_metrics", "--metric", "requests-by-owner", "--as-of", "2026-11-20"
    )
    assert "requests-by-owner  2026-11-20  2 (In 90 days)  unchanged, revision 1" in line
    for wrong in (
        ("show_metric", "request-time-to-routed", "--rows"),
        ("show_metric", "request-time-to-routed", "--by", "tier"),
        ("explain_metric", "request-time-to-routed", "--from", "2026-11-19", "--to", "2026-11-20"),
    ):
        with pytest.raises(CommandError):
            run_command(*wrong)
