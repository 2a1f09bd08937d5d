"""What may befall the numbers: sums beyond their column, accounts that go."""

from decimal import Decimal

import pytest
from django.db import connection

from accounts.models import Account
from metrics.models import MetricRun
from tests.metrics.scene import compute, customer, day, learn


class TestNumbers:
    @pytest.mark.django_db
    def test_sums_beyond_the_column_say_so_and_let_the_night_pass(self, login, api_client, tam):
        learn("01-01")
        for _ in range(3):
            account = customer(10)
            account.subscriptions.update(arr=Decimal("999999999999.9999"), seats=2_147_483_647)
        with connection.cursor() as cursor:
            cursor.execute("UPDATE accounts_subscription SET arr = 999999999999.9999")
        run = compute("03-10").run
        assert run.derived.count() == 7
        for each in run.derived.select_related("definition"):
            path = f"/metric/figures/{each.definition.slug}/"
            assert login(tam).get(path).status_code == 200, path
            answer = api_client(tam).get(f"/api/v1/metrics/{each.definition.slug}/")
            assert answer.status_code == 200, answer.content

    @pytest.mark.django_db
    def test_an_account_that_is_gone_is_in_no_number_and_the_day_before_keeps_it(self, login, tam):
        learn("03-01")
        customer(50)
        leaves = customer(50, name="Leaves")
        compute("03-10")
        learn("03-11T12:00")
        Account.objects.filter(pk=leaves.pk).update(archived=True)
        compute("03-11")
        numbers = {
            (run.day, run.definition.slug): run.denominator
            for run in MetricRun.objects.exclude(base=None).select_related("definition")
        }
        for slug in ("net-seats-deployed", "arr-at-risk", "early-warning", "adoption"):
            assert (numbers[day("03-10"), slug], numbers[day("03-11"), slug]) == (2, 1), slug
            for on in ("2026-03-10", "2026-03-11"):
                page = login(tam).get(f"/metric/figures/{slug}/accounts/?as_of={on}")
                assert page.status_code == 200, page.content
