"""Pages of the numbers ask as many statements for thirty rows as for three, and few of them."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import Subscription
from metrics.models import Alert, AlertRule, MetricDefinition
from metrics.rules.packs import Month
from metrics.services import backtests, proposals
from metrics.services.health import compute_health
from metrics.services.packs import make_pack
from people.models import Role, system_user
from tests.factories import AssignmentFactory, UserFactory
from tests.metrics.scene import SLUG, compute, customer, day, learn, moment, read

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("morning")]
NOW = moment("03-20T09:00")
# Statements of each page, at most: as many for three rows as for thirty.
MOST = {
    # Of which two for each number that was never computed.
    "/metric/figures/": 23,
    "/metric/figures/arr-at-risk/": 23,
    "/metric/figures/arr-at-risk/accounts/": 14,
    "/metric/figures/early-warning/accounts/": 14,
    "/metric/figures/net-seats-deployed/changes/?as_of=2026-03-19&vs=2026-02-28": 14,
    "/metric/lab/": 5,
    "/metric/lab/{proposal}/": 19,
    "/metric/lab/{proposal}/sides/?day=2026-03-19": 14,
    "/metric/alerts/": 9,
    "/metric/alerts/{alert}/": 9,
    "/metric/alert-rules/": 20,
    "/metric/health/": 16,
    "/accounts/{account}/health/": 28,
    "/metric/packs/": 6,
    "/metric/packs/2026-02/": 7,
    "/accounts/?as_of=2026-03-01": 15,
    "/accounts/{account}/?as_of=2026-03-01": 26,
    "/board/?as_of=2026-03-01": 9,
}


def stage(count):
    """So many customers that changed in a month, each with an alert, a proposal a third of them."""
    proposer = UserFactory(roles=[Role.METRIC_OWNER])
    accounts = []
    learn("02-01")
    for number in range(count):
        account = customer(
            70 if number % 3 else 90, at="02-10T12:00", name=f"Co {number:02}", region="EMEA"
        )
        AssignmentFactory(account=account)
        accounts.append(account)
    Subscription.objects.update(end=day("07-01"))
    compute("02-17")
    compute("02-28")
    learn("03-18T08:00")
    for number, account in enumerate(accounts):
        read(account, 85 if number % 3 else 60, "03-18T09:00", monthly_active=30)
    Subscription.objects.update(seats=95)
    run = compute("03-19").run
    base = MetricDefinition.objects.get(slug=SLUG, number=1)
    for number in range(count):
        rule = AlertRule.objects.create(
            slug=SLUG, kind="below", value=f"0.{number + 10}", tells=["leadership"]
        )
        Alert.objects.create(
            rule=rule, raised_by=run, last_run=run, said="below", says="below", raised_at=NOW
        )
        if number % 3 == 0:
            made = proposals.create_proposal(
                base,
                {"policy": {"share_percent": 75}, "text": "Three of four.", "why": f"{number}"},
                by=proposer,
                at=NOW,
            )
    test = backtests.start_backtest(made, by=proposer, at=NOW)
    backtests.run(test.pk, clock=lambda: NOW)
    compute_health(day=day("03-19"), at=NOW, by=system_user())
    make_pack(Month.parse("2026-02"), by=system_user(), at=NOW)
    return {
        "{account}": accounts[0].number, "{alert}": str(Alert.objects.last().uuid),
        "{rule}": str(AlertRule.objects.last().uuid), "{proposal}": made.number,
    }  # fmt: skip


@pytest.mark.parametrize("count", [3, 30])
def test_no_page_asks_more_for_more_rows(login, leadership, count):
    at = stage(count)
    browser = login(leadership)
    browser.get("/metric/definition/")

    asked = {}
    for page in MOST:
        address = page
        for name, value in at.items():
            address = address.replace(name, value)
        with CaptureQueriesContext(connection) as queries:
            answer = browser.get(address)
        assert answer.status_code == 200, address
        asked[page] = len(queries)

    assert {page: number for page, number in asked.items() if number > MOST[page]} == {}
