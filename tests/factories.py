import datetime as dt
import secrets
from decimal import Decimal

import factory
from django.contrib.auth.models import Group
from django.db import connection
from factory.django import DjangoModelFactory

from accounts.models import (
    Account,
    Assignment,
    Contact,
    ExchangeRate,
    Instance,
    SeatReading,
    Subscription,
    Tier,
)
from people.models import ApiToken, Scope, User

PASSWORD = "a-long-enough-password"


class UserFactory(DjangoModelFactory):
    """A person; `roles=[Role.TAM]` puts them in groups."""

    class Meta:
        model = User
        skip_postgeneration_save = True

    email = factory.Sequence(lambda n: f"person{n}@keel.example")
    name = factory.Sequence(lambda n: f"Person {n}")
    password = factory.django.Password(PASSWORD)

    @factory.post_generation
    def roles(self, create, extracted, **kwargs):
        if create and extracted:
            self.groups.set([Group.objects.get_or_create(name=role)[0] for role in extracted])


class ApiTokenFactory(DjangoModelFactory):
    """A token's row; nobody knows its secret. For one that signs in see `api_client`."""

    class Meta:
        model = ApiToken

    owner = factory.SubFactory(UserFactory)
    name = factory.Sequence(lambda n: f"Token {n}")
    key = factory.LazyFunction(lambda: secrets.token_hex(6))
    pepper_id = "1"
    digest = factory.LazyFunction(lambda: secrets.token_bytes(32))
    scopes = [Scope.ACCOUNT_READ]
    expires_at = dt.datetime(2099, 1, 1, tzinfo=dt.UTC)


class AccountFactory(DjangoModelFactory):
    """A customer in USD; `external_id` counts up in the source `import`."""

    class Meta:
        model = Account

    source = "import"
    external_id = factory.Sequence(lambda n: f"A-{n}")
    name = factory.Sequence(lambda n: f"Account {n}")
    status = Account.Status.CUSTOMER
    region = "EMEA"
    currency = "USD"


class SubscriptionFactory(DjangoModelFactory):
    """A paid contract of 100 seats and 60,000 a year, from 2025 on without an end."""

    class Meta:
        model = Subscription

    source = "import"
    external_id = factory.Sequence(lambda n: f"S-{n}")
    account = factory.SubFactory(AccountFactory)
    product = "Enterprise"
    kind = Subscription.Kind.PAID
    seats = 100
    arr = Decimal(60_000)
    currency = "USD"
    start = dt.date(2025, 1, 1)


class InstanceFactory(DjangoModelFactory):
    class Meta:
        model = Instance

    source = "import"
    external_id = factory.Sequence(lambda n: f"I-{n}")
    account = factory.SubFactory(AccountFactory)
    name = factory.Sequence(lambda n: f"Instance {n}")


class SeatReadingFactory(DjangoModelFactory):
    """A reading; the month it belongs to is made first."""

    class Meta:
        model = SeatReading

    instance = factory.SubFactory(InstanceFactory)
    observed_at = dt.datetime(2026, 1, 15, 12, tzinfo=dt.UTC)
    source = "import"
    seats = 80

    @classmethod
    def _create(cls, model_class, *args, **kwargs):
        with connection.cursor() as cursor:
            day = kwargs["observed_at"].astimezone(dt.UTC).date()
            cursor.execute("SELECT keel_make_reading_month(%s)", [day])
        return super()._create(model_class, *args, **kwargs)


class ContactFactory(DjangoModelFactory):
    class Meta:
        model = Contact

    source = "import"
    external_id = factory.Sequence(lambda n: f"C-{n}")
    account = factory.SubFactory(AccountFactory)
    name = factory.Sequence(lambda n: f"Contact {n}")
    email = factory.Sequence(lambda n: f"contact{n}@customer.example")
    roles = factory.LazyFunction(list)


class AssignmentFactory(DjangoModelFactory):
    """The primary TAM of an account, from 2025 on without an end."""

    class Meta:
        model = Assignment

    account = factory.SubFactory(AccountFactory)
    user = factory.SubFactory(UserFactory)
    role = Assignment.Role.TAM
    primary = True
    start = dt.date(2025, 1, 1)


class TierFactory(DjangoModelFactory):
    class Meta:
        model = Tier

    name = factory.Sequence(lambda n: f"Tier {n}")
    arr_from = factory.Sequence(Decimal)
    start = dt.date(2020, 1, 1)


class ExchangeRateFactory(DjangoModelFactory):
    class Meta:
        model = ExchangeRate

    currency = "EUR"
    on = factory.Sequence(lambda n: dt.date(2025, 1, 1) + dt.timedelta(days=n))
    rate = Decimal("1.1")
