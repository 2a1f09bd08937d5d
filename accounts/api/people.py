"""The people of accounts: ours who are assigned to them, and the customers'."""

from django.db.models import QuerySet
from django.utils import timezone

from accounts import selectors
from accounts.models import Assignment, Contact
from config.lib import fields, filters
from config.lib.rows import RowSerializer
from config.lib.views import ReadViewSet
from people.http import user_of


class ContactRow(RowSerializer):
    """A person at the customer."""

    id = fields.UuidField(source="uuid")
    account = fields.UuidField(source="account.uuid")
    source = fields.TextField()
    external_id = fields.ExternalIdField()
    name = fields.NameField()
    email = fields.EmailField()
    title = fields.TextField()
    roles = fields.JsonListField({"type": "string"})
    created_at = fields.DateTimeField()
    updated_at = fields.DateTimeField()
    version = fields.IntegerField()


class ContactViewSet(ReadViewSet):
    """Contacts that your roles let you see: of your own accounts, or all."""

    noun = "contact"
    scope = "contact:read"
    serializer_class = ContactRow
    filterset_class = filters.filter_set(
        "ContactFilters",
        filters.uuid("account", path="account__uuid"),
        filters.word("source"),
        filters.external_id("external_id"),
        filters.word("email"),
        filters.moment("updated_at"),
    )
    ordering = {"name": "name", "updated_at": "updated_at"}
    order_by = ("name",)
    search_fields = ("name", "email")
    updated_since = "updated_at"

    def get_queryset(self) -> QuerySet[Contact]:
        today = selectors.today(timezone.now())
        return selectors.contacts_visible_to(user_of(self.request), on=today)


class ColleagueRow(RowSerializer):
    """One of us."""

    id = fields.UuidField(source="uuid")
    name = fields.NameField()
    email = fields.EmailField()


class AssignmentRow(RowSerializer):
    """`end` is the first day on which it no longer holds."""

    id = fields.UuidField(source="uuid")
    account = fields.UuidField(source="account.uuid")
    user = ColleagueRow()
    role = fields.ChoiceField(Assignment.Role.values)
    primary = fields.BooleanField()
    start = fields.DateField()
    end = fields.DateField(allow_null=True)
    created_at = fields.DateTimeField()
    updated_at = fields.DateTimeField()
    version = fields.IntegerField()


class AssignmentViewSet(ReadViewSet):
    """Who of us was, is and will be on which account."""

    noun = "assignment"
    scope = "account:read"
    # The colleague's name may change without the assignment's version.
    answers_304 = False
    serializer_class = AssignmentRow
    filterset_class = filters.filter_set(
        "AssignmentFilters",
        filters.uuid("account", path="account__uuid"),
        filters.uuid("user", path="user__uuid"),
        filters.word("role", choices=Assignment.Role.values),
        filters.boolean("primary"),
        filters.day("start", lookups="gte lte"),
        filters.day("end", lookups="gt gte lte isnull"),
        filters.moment("updated_at"),
    )
    ordering = {"start": "start", "end": "end", "updated_at": "updated_at"}
    order_by = ("-start",)
    updated_since = "updated_at"

    def get_queryset(self) -> QuerySet[Assignment]:
        return selectors.assignments_visible_to(user_of(self.request))
