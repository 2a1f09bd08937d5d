import datetime as dt

import pytest
from django.utils import timezone

from accounts.models import Contact, Import, Subscription
from accounts.selectors.imports import causes_of
from metrics.demo import imports, people
from metrics.demo.story import SOURCE
from tests.factories import AccountFactory, SubscriptionFactory, UserFactory


@pytest.mark.django_db
def test_one_file_is_applied_and_one_has_rows_to_mend():
    owner = UserFactory(email=people.email_of("Tariq Nasser"), roles=["metric_owner"])
    now = timezone.now()
    for number in range(26):
        account = AccountFactory(source=SOURCE, external_id=f"C-{number:02}")
        SubscriptionFactory(
            account=account,
            source=SOURCE,
            external_id=f"S-{number:02}",
            seats=100,
            arr=60_000,
            start=now.date() - dt.timedelta(days=90),
            end=now.date() + dt.timedelta(days=90),
        )

    imports.bring(now=now)

    contacts, renewals = Import.objects.order_by("pk")
    assert (contacts.status, contacts.creates, contacts.applied_by) == ("applied", 24, owner)
    assert Contact.objects.count() == 24
    assert (renewals.status, renewals.bad_rows) == ("checked", 3)
    assert renewals.updates > 10
    assert {cause.column for cause in causes_of(renewals)} == {"seats", "account_external_id"}
    assert set(Subscription.objects.values_list("seats", flat=True)) == {100}
