"""What somebody may try with health, and what two people do at the same moment."""

import datetime as dt

import pytest
from django.core.exceptions import PermissionDenied

from config.lib.errors import Conflict, Invalid
from metrics.models import HealthOverride, HealthPolicy
from metrics.selectors import health
from metrics.services import health_overrides, health_policy
from metrics.services.health import compute_health
from people.models import Role, system_user
from tests.factories import AssignmentFactory
from tests.metrics.scene import compute, customer, day, learn, moment, settle
from tests.metrics.together import at_once

AT = moment("03-20T12:00")


class TestHealth:
    @pytest.mark.django_db(transaction=True)
    def test_two_policies_of_one_day_at_once(self, metric_owner):
        parts = [{"code": "deployment", "weight": 100}]
        bands = [{"name": "Fine", "from": 50}, {"name": "Poor", "from": 0}]
        on = dt.date(2026, 4, 1)

        def begin():
            health_policy.begin_policy(
                start=on, parts=parts, bands=bands, note="Why.", by=metric_owner, at=AT
            )

        raised = at_once(begin, begin)
        assert raised.count(None) == 1, raised
        assert any(isinstance(each, Conflict) for each in raised), raised
        assert HealthPolicy.objects.filter(start=on).count() == 1

    @pytest.mark.django_db
    def test_who_was_the_owner_is_it_no_more(self, tam, person):
        account = customer(80)
        AssignmentFactory(
            account=account, user=tam, role="TAM", primary=True,
            start=day("01-01"), end=day("03-15"),
        )  # fmt: skip
        word = {"band": health.band_names(day("03-20"))[0], "reason": "I know them."}
        health_overrides.override_health(
            account, **word, until=day("03-20"), by=tam, at=moment("03-14T12:00")
        )
        for until in (day("03-25"), day("03-20")):
            with pytest.raises(PermissionDenied):
                health_overrides.override_health(account, **word, until=until, by=tam, at=AT)
        with pytest.raises(PermissionDenied):
            health_overrides.end_override(account, by=tam, at=AT)
        # Its last day is over before any night has ended it.
        assert health.override_on(account, day("03-21")) is None

    @pytest.mark.django_db(transaction=True)
    def test_of_two_words_at_once_one_stands(self, leadership, person):
        account = customer(80)
        word = {"band": health.band_names(day("03-20"))[0], "until": day("03-30"), "at": AT}
        lead = person(Role.DE_LEAD)
        raised = at_once(
            lambda: health_overrides.override_health(account, reason="A.", by=leadership, **word),
            lambda: health_overrides.override_health(account, reason="B.", by=lead, **word),
        )
        assert raised == [None, None]
        assert HealthOverride.objects.filter(account=account, ended_at=None).count() == 1

    @pytest.mark.django_db
    @pytest.mark.parametrize("query", ["?as_of=2026-02-10", "?known_at=2026-02-10T12:00"])
    def test_nobody_writes_as_who_they_were_on_another_day(self, query, morning, login, tam):
        """The address of another day gives back neither the account nor the day."""
        learn("01-05")
        account = customer(80)
        AssignmentFactory(
            account=account, user=tam, role="TAM", primary=True,
            start=day("01-01"), end=day("03-01"),
        )  # fmt: skip
        path = f"/accounts/{account.number}/health/override/"
        word = {"band": health.band_names(day("03-20"))[0], "reason": "Mine.",
                "until": "2026-03-25"}  # fmt: skip
        assert login(tam).post(f"{path}{query}", word).status_code == 403
        assert login(tam).post(f"{path}end/{query}").status_code == 403
        assert not HealthOverride.objects.exists()

    @pytest.mark.django_db
    def test_a_word_is_dated_by_when_it_was_said(self, morning, login, leadership):
        learn("01-05")
        account = customer(80)
        word = {"band": health.band_names(day("03-20"))[0], "reason": "Fine.",
                "until": "2026-03-25"}  # fmt: skip
        path = f"/accounts/{account.number}/health/override/?as_of=2026-02-10"
        assert login(leadership).post(path, word).status_code == 302
        assert HealthOverride.objects.get().at == moment("03-20T09:00")

    @pytest.mark.django_db
    def test_what_ended_later_stood_on_the_day(self, morning, login, leadership):
        learn("01-05")
        account = customer(80)
        compute("03-04")
        compute_health(day=day("03-04"), at=moment("03-05T02:00"), by=system_user())
        word = {"band": health.band_names(day("03-20"))[0], "until": day("03-30")}
        health_overrides.override_health(
            account, **word, reason="Theirs.", by=leadership, at=moment("03-02T12:00")
        )
        health_overrides.end_override(account, by=leadership, at=moment("03-08T12:00"))
        path = f"/accounts/{account.number}/health/"
        for query in ("?as_of=2026-03-05", "?known_at=2026-03-08T11:00"):
            page = login(leadership).get(path + query).content.decode()
            assert "Stands" in page, query
            assert "Ended by" not in page, query
        page = login(leadership).get(path).content.decode()
        assert "Stands" not in page
        assert "Ended by" in page

    @pytest.mark.django_db
    def test_its_last_day_ends_at_the_companys_midnight(self, leadership):
        settle("Pacific/Auckland")
        learn("01-05")
        account = customer(80)
        word = {"band": health.band_names(day("03-20"))[0], "until": day("03-21")}
        health_overrides.override_health(
            account, **word, reason="Theirs.", by=leadership, at=moment("03-19T12:00")
        )
        # 23:59 of the 21st there, then the 22nd.
        assert health_overrides.end_what_ran_out(at=moment("03-21T10:59")) == 0
        assert health_overrides.end_what_ran_out(at=moment("03-21T11:00")) == 1
        assert health_overrides.end_what_ran_out(at=moment("03-21T11:01")) == 0

    @pytest.mark.django_db
    @pytest.mark.parametrize(
        ("parts", "field"),
        [
            ([], "parts"),
            ([{"code": "deployment", "weight": 0}], "parts"),
            ([{"code": "deployment", "weight": 99}], "parts"),
            ([{"code": "deployment", "weight": 101}], "deployment_weight"),
            ([{"code": "deployment", "weight": "NaN"}], "deployment_weight"),
            ([{"code": "deployment", "weight": True}], "deployment_weight"),
            ([{"code": "deployment", "weight": 50}] * 2, "parts"),
            ([{"code": ["deployment"], "weight": 100}], "parts"),
            ([{"code": "deployment", "weight": 100, "days": 1}], "deployment_days"),
            ([{"code": "deployment", "weight": 200}, {"code": "renewal", "weight": -100,
               "weeks": 1}], "deployment_weight"),
            ("deployment", "parts"),
        ],
    )  # fmt: skip
    def test_no_absurd_policy_gets_in(self, parts, field, metric_owner):
        bands = [{"name": "Fine", "from": 50}, {"name": "Poor", "from": 0}]
        with pytest.raises(Invalid) as refused:
            health_policy.begin_policy(
                start=day("04-01"), parts=parts, bands=bands, note="Why.", by=metric_owner, at=AT
            )
        assert refused.value.field == field
        assert HealthPolicy.objects.count() == 1
