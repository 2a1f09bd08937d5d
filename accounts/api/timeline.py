"""What happened to an account and all that hangs on it, newest first."""

import re
import uuid
from collections.abc import Iterable, Sequence
from typing import Any

from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.functional import cached_property

from accounts import permissions, selectors
from accounts.models import Account
from config.lib import fields, filters
from config.lib.errors import Missing
from config.lib.rows import RowSerializer
from config.lib.views import ListViewSet, Row
from events import selectors as events
from events.models import Event
from people.http import user_of
from people.models import ApiToken, Scope
from people.permissions import is_unlimited

# Values of events that name an account, perhaps another than the one asked for.
NAMES_ACCOUNTS = frozenset({"account_external_id", "parent_external_id", "account", "parent"})
# Values that name other requests and projects, perhaps of another account.
NUMBER = re.compile(r"(?:REQ|PRJ)-[0-9]+")
ABOUT_PROJECTS = Q(object_type__startswith="projects.") | Q(verb="account.project_moved")


class ActorRow(RowSerializer):
    """Who did it."""

    id = fields.UuidField(source="uuid")
    name = fields.NameField()


class EventRow(RowSerializer):
    """`before` and `after` hold what changed; values of persons only for who may see them."""

    id = fields.UuidField(source="uuid")
    at = fields.DateTimeField()
    actor = ActorRow()
    verb = fields.PlainField()
    object_type = fields.PlainField()
    object_id = fields.UuidField()
    object_label = fields.TextField()
    before = fields.JsonField(allow_null=True)
    after = fields.JsonField(allow_null=True)
    reason = fields.LinesField()
    request_id = fields.PlainField()


class TimelineViewSet(ListViewSet):
    """The events of one account, newest first."""

    noun = "event"
    scope = "account:read"
    for_limited_tokens = True
    serializer_class = EventRow
    filterset_class = filters.filter_set(
        "TimelineFilters",
        filters.word("verb"),
        filters.word("object_type"),
        filters.uuid("object_id"),
        filters.uuid("actor", path="actor__uuid"),
        filters.moment("at"),
    )
    ordering = {"at": "id"}
    order_by = ("-id",)

    def get_queryset(self) -> QuerySet[Event]:
        if "account_id" not in self.kwargs:
            return Event.objects.none()
        found = events.events_of_account(self.account.pk)
        return found if self.may_read_projects() else found.exclude(ABOUT_PROJECTS)

    @cached_property
    def account(self) -> Account:
        public_id: uuid.UUID = self.kwargs["account_id"]
        accounts = selectors.accounts_visible_to(user_of(self.request))
        account = accounts.filter(uuid=public_id).first()
        if account is None:
            raise Missing("No such account.")
        return account

    def as_rows(self, queryset: QuerySet[Any, Any]) -> QuerySet[Any, Any]:
        """The events themselves, for what is sealed in them is opened one by one."""
        return queryset

    def completed(self, rows: Sequence[Any]) -> Iterable[Row]:
        may_open = self.may_open()
        for event in rows:
            seen = events.readable(event, may_open=may_open)
            yield {
                "uuid": event.uuid,
                "at": event.at,
                "actor__uuid": event.actor.uuid,
                "actor__name": event.actor.name,
                "verb": event.verb,
                "object_type": event.object_type,
                "object_id": event.object_id,
                "object_label": event.object_label,
                "before": self.told(seen.before),
                "after": self.told(seen.after),
                "reason": event.reason,
                "request_id": event.request_id,
            }

    def told(self, values: dict[str, Any] | None) -> dict[str, Any] | None:
        """Leave out which other accounts there are, for a token limited to some."""
        if values is None or is_unlimited(user_of(self.request)):
            return values
        own = {None, self.account.external_id}
        return {
            name: None if self.names_another(name, value) and value not in own else value
            for name, value in values.items()
        }

    @staticmethod
    def names_another(name: str, value: Any) -> bool:
        is_number = isinstance(value, str) and NUMBER.fullmatch(value) is not None
        return is_number or name in NAMES_ACCOUNTS

    def may_read_projects(self) -> bool:
        """A project may have had, or have, other accounts: no token limited to some reads of it."""
        token = self.request.auth
        if isinstance(token, ApiToken) and Scope.PROJECT_READ not in token.scopes:
            return False
        return is_unlimited(user_of(self.request))

    def may_open(self) -> bool:
        """Whether personal values are shown: as contacts are, and by a token for contacts."""
        token = self.request.auth
        if isinstance(token, ApiToken) and Scope.CONTACT_READ not in token.scopes:
            return False
        user = user_of(self.request)
        if permissions.sees_all_contacts(user):
            return True
        today = selectors.today(timezone.now())
        own = selectors.is_own(user, self.account, on=today)
        return permissions.can_see_contacts(user, is_own=own)
