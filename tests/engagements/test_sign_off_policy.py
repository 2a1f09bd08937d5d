"""How links work and how strong a sign-off must be: settings by date."""

import datetime as dt
from decimal import Decimal

import pytest
from django.core.exceptions import PermissionDenied

from config.lib.errors import Conflict, Invalid
from engagements import selectors
from engagements.forms.sign_off_policy import MinimumForm
from engagements.models import SignOffLink, SignOffMinimum, SignOffPolicy
from engagements.services import links
from engagements.services import sign_off_policy as services
from events.models import Event
from tests.engagements.ready import Stage

pytestmark = pytest.mark.django_db
TODAY = dt.date(2026, 11, 20)
VALUES = {
    "link_days": 7, "remind_days": 2, "needs_code": True, "risk_days": 10, "keep_years": 8,
}  # fmt: skip


def test_a_policy_holds_from_its_day_on(administrator):
    tomorrow = TODAY + dt.timedelta(days=1)
    services.set_policy(VALUES, start=tomorrow, by=administrator, today=TODAY)

    assert selectors.policy_on(TODAY).link_days == 14
    assert selectors.policy_on(tomorrow).link_days == 7
    assert Event.objects.get(verb="sign_off_policy.set").after["link_days"] == 7


def test_the_same_day_is_set_anew(administrator):
    services.set_policy(VALUES, start=TODAY, by=administrator, today=TODAY)
    services.set_policy(VALUES | {"link_days": 9}, start=TODAY, by=administrator, today=TODAY)

    assert SignOffPolicy.objects.get(start=TODAY).link_days == 9


@pytest.mark.parametrize(
    ("values", "start", "field"),
    [
        (VALUES, TODAY - dt.timedelta(days=1), "start"),
        (VALUES | {"remind_days": 7}, TODAY, "remind_days"),
    ],
)
def test_what_cannot_be_is_refused(administrator, values, start, field):
    with pytest.raises(Invalid) as refusal:
        services.set_policy(values, start=start, by=administrator, today=TODAY)
    assert refusal.value.field == field


def test_links_follow_the_policy_of_their_day(administrator):
    stage = Stage()
    stage.at("awaiting_signoff")
    services.set_policy(VALUES, start=stage.today, by=administrator, today=stage.today)

    link = links.send_link(stage.request, stage.contact, by=stage.filer, at=stage.now)

    assert link.expires_at - link.created_at == dt.timedelta(days=7)
    assert SignOffLink.objects.get().needs_code


def add(by, **more):
    given = {
        "strength": "written", "amount_from": Decimal(1000), "currency": "USD", "impact": None,
        "start": TODAY,
    }  # fmt: skip
    return services.add_minimum(**(given | more), by=by, today=TODAY)


def test_a_minimum_takes_the_place_of_the_one_before(administrator):
    first = add(administrator)
    later = TODAY + dt.timedelta(days=5)
    add(administrator, strength="link", start=later)

    first.refresh_from_db()
    assert first.end == later
    with pytest.raises(Conflict, match="already"):
        add(administrator, start=later)


def test_a_minimum_that_has_not_begun_is_taken_back(administrator):
    minimum = add(administrator, start=TODAY + dt.timedelta(days=5))
    services.end_minimum(minimum, end=TODAY, by=administrator, today=TODAY)

    assert not SignOffMinimum.objects.filter(pk=minimum.pk).exists()


def test_only_administrators_change_policy(tam):
    with pytest.raises(PermissionDenied, match="administrators"):
        services.set_policy(VALUES, start=TODAY, by=tam, today=TODAY)
    with pytest.raises(PermissionDenied, match="administrators"):
        add(tam)


def test_the_page_saves_says_and_keeps_what_was_typed(administrator, login):
    client = login(administrator)
    page = client.get("/settings/sign-off/")
    assert page.status_code == 200
    start = page.context["here"].today.isoformat()
    form = {
        "do": "policy", "start": start, "link_days": "10", "remind_days": "2",
        "risk_days": "14", "keep_years": "7",
    }  # fmt: skip

    assert client.post("/settings/sign-off/", form).status_code == 302
    assert SignOffPolicy.objects.latest("start").link_days == 10
    wrong = client.post("/settings/sign-off/", form | {"link_days": "1000"})
    assert wrong.status_code == 422
    assert 'value="1000"' in wrong.content.decode()

    minimum = {
        "do": "minimum", "strength": "link", "amount_from": "900", "currency": "USD",
        "impact": "2", "start": start,
    }  # fmt: skip
    assert client.post("/settings/sign-off/", minimum).status_code == 302
    added = SignOffMinimum.objects.get(amount_from=900)
    end = client.post(f"/settings/sign-off/minimums/{added.uuid}/end/", {"end": start})
    assert end.status_code == 302


@pytest.mark.parametrize(
    ("amount", "impact", "currency", "least"),
    [
        ("0.00", 3, "USD", "verbal"),
        ("0.00", 1, "USD", "written"),
        ("49999.99", 1, "USD", "written"),
        ("50000.00", 3, "USD", "link"),
        ("50000.00", 1, "USD", "link"),
        ("1.00", 3, "EUR", "link"),
    ],
)
def test_amount_and_impact_decide_the_least_strength(amount, impact, currency, least):
    stage = Stage()
    sow = stage.sow(frozen=False)
    sow.content = sow.content | {"amount": amount, "currency": currency}
    stage.request.impact = impact

    assert selectors.least_strength(stage.request, sow, on=stage.today) == least


def test_no_minimum_is_offered_that_nobody_could_reach():
    ways = [way for way, _ in MinimumForm().fields["strength"].choices]
    assert ways == ["verbal", "written", "link"]
