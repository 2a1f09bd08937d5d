"""Accounts with what is true of them now, or was on another day."""

import datetime as dt
from collections.abc import Iterable, Sequence
from typing import Any

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import DateField, Func, OuterRef, Q, QuerySet, Subquery, Value
from django.db.models.functions import Cast, JSONObject
from django.utils import timezone

from accounts import selectors
from accounts.api.then import as_it_was
from accounts.api.writing import SourcedFactViewSet
from accounts.looking_back import LooksBack
from accounts.models import Account, Assignment, Company, DataState
from accounts.selectors import then as past
from config.lib import fields, filters
from config.lib.authz import require
from config.lib.bodies import WriteBody, forms_of
from config.lib.errors import Invalid
from config.lib.rows import RowSerializer
from config.lib.views import Row
from people.http import user_of
from people.models import User
from people.permissions import is_unlimited, reaches

ASSIGNMENT_SCHEMA = {
    "type": "object",
    "required": ["user", "name", "email", "role", "primary", "start", "end"],
    "properties": {
        "user": {"type": "string", "format": "uuid"},
        "name": {"type": "string"},
        "email": {"type": "string"},
        "role": {"type": "string", "enum": Assignment.Role.values},
        "primary": {"type": "boolean"},
        "start": {"type": "string", "format": "date"},
        "end": {"type": ["string", "null"], "format": "date"},
    },
}
# What can be asked of another day: names that never change.
FIXED = frozenset({"source", "external_id", "external_id__in", "source__in"})


class AccountNumber(fields.PlainField):
    @staticmethod
    def write(value: Any) -> str:
        return f"ACC-{value}"


class AccountRow(RowSerializer):
    """`arr` is in `arr_currency`, the company's reporting currency; null where unknown."""

    id = fields.UuidField(source="uuid")
    number = AccountNumber(source="id")
    source = fields.TextField()
    external_id = fields.ExternalIdField()
    name = fields.NameField()
    status = fields.ChoiceField(Account.Status.values)
    churned_on = fields.DateField(allow_null=True)
    internal = fields.BooleanField()
    archived = fields.BooleanField()
    region = fields.TextField()
    segment = fields.TextField()
    tier = fields.NameField(source="facts.tier.name", allow_null=True)
    arr = fields.AmountField(source="facts.arr", allow_null=True)
    arr_currency = fields.CurrencyField(source="reporting_currency")
    currency = fields.CurrencyField()
    seats_licensed = fields.IntegerField(source="facts.licensed", allow_null=True)
    unlimited = fields.BooleanField(source="facts.unlimited", allow_null=True)
    seats_deployed = fields.IntegerField(source="facts.deployed", allow_null=True)
    seats_share = fields.RatioField(source="facts.share", allow_null=True)
    seats_to_go = fields.IntegerField(source="facts.seats_to_go", allow_null=True)
    eligible = fields.BooleanField(source="facts.eligible", allow_null=True)
    passes = fields.BooleanField(source="facts.passes", allow_null=True)
    reason = fields.PlainField(source="facts.reason", allow_null=True)
    data_state = fields.ChoiceField(DataState.values, source="facts.data_state", allow_null=True)
    renewal_on = fields.DateField(source="facts.renewal_on", allow_null=True)
    strategic = fields.BooleanField()
    parent = fields.UuidField(source="parent.uuid", allow_null=True)
    assignments = fields.JsonListField(ASSIGNMENT_SCHEMA, source="team")
    created_at = fields.DateTimeField()
    updated_at = fields.DateTimeField()
    version = fields.IntegerField()


class AccountBody(WriteBody):
    """An account: what is told of it. ARR, seats and the like are worked out."""

    row = AccountRow
    source = fields.SourceField()
    external_id = fields.ExternalIdField()
    name = fields.NameField()
    status = fields.ChoiceField(Account.Status.values, required=False)
    churned_on = fields.DateField(required=False, allow_null=True)
    internal = fields.BooleanField(required=False)
    archived = fields.BooleanField(required=False)
    region = fields.TextField(max_length=60, blank=True, required=False)
    segment = fields.TextField(max_length=60, blank=True, required=False)
    currency = fields.CurrencyField(required=False)
    strategic = fields.BooleanField(required=False)
    parent = fields.ReferenceField(required=False, allow_null=True)


AccountFilters = filters.filter_set(
    "AccountFilters",
    filters.word("source"),
    filters.external_id("external_id"),
    filters.word("name"),
    filters.word("status", choices=Account.Status.values),
    filters.day("churned_on", lookups="gte lte isnull"),
    filters.boolean("internal"),
    filters.boolean("archived"),
    filters.word("region"),
    filters.word("segment"),
    filters.word("tier", path="facts__tier__name", lookups="exact in isnull"),
    filters.money("arr", path="facts__arr", lookups="gte lte gt lt isnull"),
    filters.word("currency"),
    filters.integer("seats_licensed", path="facts__licensed", lookups="gte lte"),
    filters.boolean("unlimited", path="facts__unlimited"),
    filters.integer("seats_deployed", path="facts__deployed", lookups="gte lte isnull"),
    filters.ratio("seats_share", path="facts__share", lookups="gte lte isnull"),
    filters.integer("seats_to_go", path="facts__seats_to_go", lookups="gte lte isnull"),
    filters.boolean("eligible", path="facts__eligible"),
    filters.boolean("passes", path="facts__passes", lookups="exact isnull"),
    filters.word("data_state", path="facts__data_state", choices=DataState.values),
    filters.day("renewal_on", path="facts__renewal_on", lookups="gte lte isnull"),
    filters.boolean("strategic"),
    filters.uuid("parent", path="parent__uuid", lookups="exact in isnull"),
    filters.uuid("tam", path="facts__tam__uuid", lookups="exact in isnull"),
    filters.moment("created_at"),
    filters.moment("updated_at"),
)


class AccountViewSet(LooksBack, SourcedFactViewSet):
    """Customers with their ARR, seats and share, as of now or of another day.

    With `as_of` or `known_at` the list can be narrowed only by `source` and `external_id`,
    which never change, and comes in the order of the accounts' numbers. `updated_since`
    follows changes of the account itself, not of its ARR and seats.
    """

    noun = "account"
    kind = "accounts"
    forms = forms_of(AccountBody, "Account", identity=("source", "external_id"))
    scope = "account:read"
    write_scope = "account:write"
    for_limited_tokens = True
    # The answer shows ARR and seats, which change without the account's version.
    answers_304 = False
    serializer_class = AccountRow
    filterset_class = AccountFilters
    ordering = {
        "name": "name",
        "number": "id",
        "arr": "facts__arr",
        "seats_licensed": "facts__licensed",
        "seats_deployed": "facts__deployed",
        "seats_share": "facts__share",
        "seats_to_go": "facts__seats_to_go",
        "renewal_on": "facts__renewal_on",
        "region": "region",
        "status": "status",
        "created_at": "created_at",
        "updated_at": "updated_at",
    }
    order_by = ("name",)
    search_fields = ("name", "external_id")
    updated_since = "updated_at"

    def initial(self, request: Any, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        if self.then is None:
            return
        self.order_by = ("fact_id",)  # type: ignore[misc]
        taken = {"as_of", "known_at", "cursor", "page_size", "count", "format", *FIXED}
        for name in request.query_params.keys() - taken:
            raise Invalid(
                "Of another day, accounts can be narrowed only by source and external_id.",
                field=name,
                code="not_with_as_of",
            )

    def check_may(self, user: User) -> None:
        super().check_may(user)
        if self.action == "create":
            require(is_unlimited, user)

    def get_queryset(self) -> QuerySet[Any, Any]:
        user = user_of(self.request)
        if self.then is not None:
            return past.accounts_known(user, self.then)
        return with_team(selectors.accounts_visible_to(user), at=timezone.now())

    def as_rows(self, queryset: QuerySet[Any, Any]) -> QuerySet[Any, Any]:
        """Of another day what never changes of an account; the rest is filled in."""
        if self.then is not None:
            return queryset.values(
                "id", "fact_id", "uuid", "source", "external_id", "created_at", "version"
            )
        return super().as_rows(queryset)

    def completed(self, rows: Sequence[Row]) -> Iterable[Row]:
        user = user_of(self.request)
        for row in rows if self.then is None else as_it_was(rows, self.then):
            parent = row["parent__uuid"]
            if parent is None or reaches(user, parent):
                yield row
            else:
                yield {**row, "parent__uuid": None}


def with_team(accounts: QuerySet[Account], *, at: dt.datetime) -> QuerySet[Account]:
    """Add `team`, today's assignments as JSON, and the `reporting_currency`."""
    company = Company.objects.all()
    zone = Subquery(company.values("time_zone")[:1])
    today = Cast(Func(zone, Value(at), function="timezone"), DateField())
    team = (
        Assignment.objects.filter(
            Q(end=None) | Q(end__gt=today), start__lte=today, account=OuterRef("pk")
        )
        .order_by("role", "-primary", "pk")
        .values(
            entry=JSONObject(
                user="user__uuid",
                name="user__name",
                email="user__email",
                role="role",
                primary="primary",
                start="start",
                end="end",
            )
        )
    )
    return accounts.annotate(
        team=ArraySubquery(team),
        reporting_currency=Subquery(company.values("reporting_currency")[:1]),
    )
