"""The people of accounts: ours who are assigned to them, and the customers'."""

import uuid
from collections.abc import Mapping
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone

from accounts import selectors
from accounts.api.writing import OUTER_ID, FactViewSet, SourcedFactViewSet
from accounts.looking_back import LooksBack
from accounts.models import Assignment, Contact
from accounts.selectors import then as past
from config.lib import fields, filters
from config.lib.bodies import WriteBody, forms_of
from config.lib.errors import Missing
from config.lib.rows import RowSerializer
from config.lib.values import OuterId
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


class ContactBody(WriteBody):
    """A person at the customer."""

    row = ContactRow
    account = fields.ReferenceField()
    source = fields.SourceField()
    external_id = fields.ExternalIdField()
    name = fields.NameField()
    email = fields.EmailField(blank=True, required=False)
    title = fields.TextField(max_length=120, blank=True, required=False)
    roles = fields.WordsField(most=20, max_length=40, required=False)


class ContactViewSet(SourcedFactViewSet):
    """Contacts that your roles let you see: of your own accounts, or all."""

    noun = "contact"
    kind = "contacts"
    forms = forms_of(ContactBody, "Contact", identity=OUTER_ID)
    scope = "contact:read"
    write_scope = "contact:write"
    for_limited_tokens = True
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


class AssignmentBody(WriteBody):
    """Known by account, person, role and start; the rest can change."""

    row = AssignmentRow
    account = fields.ReferenceField()
    user = fields.PersonField()
    role = fields.ChoiceField(Assignment.Role.values)
    primary = fields.BooleanField(required=False)
    start = fields.DateField()
    end = fields.DateField(required=False, allow_null=True)


class AssignmentViewSet(LooksBack, FactViewSet):
    """Who of us was, is and will be on which account.

    With `as_of` or `known_at` who was on it on that day, as it was known at the moment.
    """

    noun = "assignment"
    kind = "assignments"
    forms = forms_of(AssignmentBody, "Assignment", identity=("account", "user", "role", "start"))
    scope = "account:read"
    write_scope = "account:write"
    for_limited_tokens = True
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

    def get_queryset(self) -> QuerySet[Any, Any]:
        user = user_of(self.request)
        if self.then is None:
            return selectors.assignments_visible_to(user)
        return past.holding(past.assignments_known(user, self.then), self.then.day)

    def identity_of(self, public_id: uuid.UUID) -> tuple[dict[str, Any], int]:
        found = self.get_queryset().filter(uuid=public_id).first()
        if found is None:
            raise Missing("No such assignment.")
        account = found.account
        self.names: dict[str, set[Any]] = {
            "account": {account.uuid, OuterId(account.source, account.external_id)},
            "user": {found.user.uuid, found.user.email},
            "role": {found.role},
            "start": {found.start},
        }
        identity = {
            "account": account.uuid,
            "user": found.user.uuid,
            "role": found.role,
            "start": found.start,
        }
        return identity, found.version

    def is_same(self, name: str, sent: Any, identity: Mapping[str, Any]) -> bool:
        return sent in self.names[name]
