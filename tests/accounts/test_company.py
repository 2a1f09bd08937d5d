import datetime as dt
from decimal import Decimal

import pytest
from django.core.exceptions import PermissionDenied
from django.utils import timezone

from accounts import selectors
from accounts.models import Company, Tier
from accounts.services import company as services
from config.lib.errors import Conflict, Invalid, StaleWrite
from events.models import Event
from tests.factories import AccountFactory, SubscriptionFactory, TierFactory

pytestmark = pytest.mark.django_db
DAY = dt.date(2026, 6, 1)


def update(by, **changes):
    company = selectors.company()
    given = {
        "name": company.name,
        "time_zone": company.time_zone,
        "reporting_currency": company.reporting_currency,
        "version": company.version,
        **changes,
    }
    return services.update_company(**given, by=by, at=timezone.now())


def add(by, name="Ruby", arr_from=60_000, start=DAY, **terms):
    return services.add_tier(
        name=name, arr_from=Decimal(arr_from), start=start, **terms, by=by, at=timezone.now()
    )


class TestCompany:
    def test_a_change_is_kept_with_what_it_was(self, administrator):
        update(administrator, name="Northwind", time_zone="Europe/Oslo")
        company = Company.objects.get()
        assert (company.name, company.time_zone, company.version) == ("Northwind", "Europe/Oslo", 2)
        event = Event.objects.get(verb="company.updated")
        assert event.before == {"name": "Our company", "time_zone": "UTC"}
        assert event.after == {"name": "Northwind", "time_zone": "Europe/Oslo"}
        assert event.actor_id == administrator.pk

    def test_no_change_writes_nothing(self, administrator):
        update(administrator)
        assert not Event.objects.filter(verb="company.updated").exists()
        assert Company.objects.get().version == 1

    def test_who_was_slower_is_told(self, administrator):
        update(administrator, name="First")
        with pytest.raises(StaleWrite):
            update(administrator, name="Second", version=1)
        assert Company.objects.get().name == "First"

    def test_another_currency_changes_what_arr_is_known(self, administrator):
        subscription = SubscriptionFactory(currency="USD")
        update(administrator, reporting_currency="EUR")
        subscription.account.refresh_from_db()
        assert subscription.account.facts.arr is None
        assert subscription.account.facts.reason == "missing_rate"

    def test_only_administrators(self, metric_owner, tam):
        for user in (metric_owner, tam):
            with pytest.raises(PermissionDenied, match="Only administrators"):
                update(user, name="Mine")


class TestTiers:
    def test_a_new_version_ends_the_one_in_force(self, administrator):
        add(administrator, engagement_model="Named TAM")
        old, new = Tier.objects.filter(name="Ruby").order_by("start")
        assert (old.end, old.version) == (DAY, 2)
        assert (new.start, new.end, new.arr_from) == (DAY, None, Decimal(60_000))
        verbs = Event.objects.order_by("id").values_list("verb", flat=True)
        assert list(verbs) == ["tier.ended", "tier.added"]

    def test_one_before_a_planned_version_ends_where_that_starts(self, administrator):
        later = DAY + dt.timedelta(days=90)
        add(administrator, start=later, arr_from=70_000)
        tier = add(administrator)
        assert tier.end == later
        spans = Tier.objects.filter(name="Ruby").order_by("start").values_list("start", "end")
        assert list(spans)[1:] == [(DAY, later), (later, None)]

    def test_accounts_move_at_once(self, administrator):
        account = AccountFactory()
        SubscriptionFactory(account=account, arr=Decimal(65_000))
        tier = add(administrator, name="Opal", arr_from=62_000, start=dt.date(2020, 1, 1))
        account.refresh_from_db()
        assert account.facts.tier == tier

    def test_not_two_versions_from_one_day(self, administrator):
        add(administrator)
        with pytest.raises(Conflict, match="Ruby has a version from that day"):
            add(administrator, arr_from=61_000)

    def test_not_two_tiers_at_the_same_arr(self, administrator):
        with pytest.raises(Conflict, match="Sapphire begins at the same ARR"):
            add(administrator, name="Opal", arr_from=150_000)

    def test_the_same_arr_after_the_other_has_ended(self, administrator):
        sapphire = Tier.objects.get(name="Sapphire")
        services.end_tier(sapphire, end=DAY, by=administrator, at=timezone.now())
        assert add(administrator, name="Opal", arr_from=150_000).pk

    def test_ending_moves_accounts_down(self, administrator):
        account = AccountFactory()
        SubscriptionFactory(account=account, arr=Decimal(60_000))
        today = selectors.today(timezone.now())
        ruby = Tier.objects.get(name="Ruby")
        services.end_tier(ruby, end=today, by=administrator, at=timezone.now())
        account.refresh_from_db()
        assert account.facts.tier.name == "Quartz"

    def test_an_end_before_its_start_or_after_its_end_is_refused(self, administrator):
        tier = TierFactory(start=DAY, arr_from=1, end=DAY + dt.timedelta(days=9))
        for end, refusal in ((DAY, Invalid), (DAY + dt.timedelta(days=9), Conflict)):
            with pytest.raises(refusal):
                services.end_tier(tier, end=end, by=administrator, at=timezone.now())

    def test_only_administrators(self, leadership):
        with pytest.raises(PermissionDenied):
            add(leadership)
        with pytest.raises(PermissionDenied):
            services.end_tier(
                Tier.objects.get(name="Ruby"), end=DAY, by=leadership, at=timezone.now()
            )
