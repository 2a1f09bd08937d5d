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
    Import,
    ImportChunk,
    ImportRow,
    Instance,
    SeatReading,
    Subscription,
    Tier,
)
from people.models import ApiToken, SavedView, Scope, User

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


class SavedViewFactory(DjangoModelFactory):
    """A personal view of the accounts list, of those in EMEA."""

    class Meta:
        model = SavedView

    owner = factory.SubFactory(UserFactory)
    page = SavedView.Page.ACCOUNTS
    name = factory.Sequence(lambda n: f"View {n}")
    query = "region=EMEA"
    columns = factory.LazyFunction(list)


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


class ImportFactory(DjangoModelFactory):
    """A checked file of two accounts, one of them new, by a metric owner; without its bytes."""

    class Meta:
        model = Import

    kind = Import.Kind.ACCOUNTS
    source = "crm"
    filename = factory.Sequence(lambda n: f"accounts-{n}.csv")
    sha256 = factory.Sequence(lambda n: f"{n:064x}")
    size = 2_048
    status = Import.Status.CHECKED
    rows = 2
    creates = 1
    updates = 1
    plan_hash = "p" * 64
    by = factory.SubFactory(UserFactory, roles=["metric_owner"])


class ImportChunkFactory(DjangoModelFactory):
    """The bytes of an import's file."""

    class Meta:
        model = ImportChunk

    file = factory.SubFactory(ImportFactory)
    place = 0
    content = b"external_id,name\nA-1,Alder\nA-2,Birch\n"


class ImportRowFactory(DjangoModelFactory):
    """A row that would change the name of an account."""

    class Meta:
        model = ImportRow

    file = factory.SubFactory(ImportFactory)
    row = factory.Sequence(lambda n: n + 2)
    outcome = ImportRow.Outcome.UPDATE
    label = factory.Sequence(lambda n: f"Row {n}")
    changes = factory.LazyFunction(lambda: [["name", "Halden", "Halden Aerospace"]])
