"""Accounts as a stock viewset of Django REST framework has them, and as plain Django has.

The same table, rows, filters, order and permissions as /api/v1/accounts/, written as the
documentation of both shows it, without N+1 statements.
"""

from typing import Any

import django_filters
from django.db import transaction
from django.db.models import F, QuerySet
from django.http import HttpRequest, JsonResponse
from django.utils import timezone
from django_filters.rest_framework import DjangoFilterBackend
from rest_framework import serializers, viewsets
from rest_framework.filters import OrderingFilter
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.pagination import CursorPagination
from rest_framework.parsers import JSONParser
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.views import exception_handler

from accounts import permissions, selectors
from accounts.api.accounts import AccountRow, with_team
from accounts.models import Account, Assignment
from config.lib.authz import require
from events.models import Event
from people.authentication import TokenAuthentication


class TeamSerializer(serializers.ModelSerializer):
    user = serializers.UUIDField(source="user.uuid")
    name = serializers.CharField(source="user.name")
    email = serializers.CharField(source="user.email")

    class Meta:
        model = Assignment
        fields = ["user", "name", "email", "role", "primary", "start", "end"]


class AccountSerializer(serializers.ModelSerializer):
    id = serializers.UUIDField(source="uuid", read_only=True)
    tier = serializers.CharField(source="facts.tier.name", read_only=True)
    arr = serializers.DecimalField(
        source="facts.arr", max_digits=24, decimal_places=6, read_only=True
    )
    seats_licensed = serializers.IntegerField(source="facts.licensed", read_only=True)
    unlimited = serializers.BooleanField(source="facts.unlimited", read_only=True)
    seats_deployed = serializers.IntegerField(source="facts.deployed", read_only=True)
    seats_share = serializers.DecimalField(
        source="facts.share", max_digits=24, decimal_places=6, read_only=True
    )
    seats_to_go = serializers.IntegerField(source="facts.seats_to_go", read_only=True)
    eligible = serializers.BooleanField(source="facts.eligible", read_only=True)
    passes = serializers.BooleanField(source="facts.passes", read_only=True)
    reason = serializers.CharField(source="facts.reason", read_only=True)
    data_state = serializers.CharField(source="facts.data_state", read_only=True)
    renewal_on = serializers.DateField(source="facts.renewal_on", read_only=True)
    parent = serializers.UUIDField(source="parent.uuid", read_only=True)
    assignments = TeamSerializer(source="team", many=True, read_only=True)

    class Meta:
        model = Account
        fields = [
            "id", "source", "external_id", "name", "status", "churned_on", "internal", "archived",
            "region", "segment", "tier", "arr", "currency", "seats_licensed", "unlimited",
            "seats_deployed", "seats_share", "seats_to_go", "eligible", "passes", "reason",
            "data_state", "renewal_on", "strategic", "parent", "assignments", "created_at",
            "updated_at", "version",
        ]  # fmt: skip


class AccountFilters(django_filters.FilterSet):
    eligible = django_filters.BooleanFilter(field_name="facts__eligible")
    arr__gte = django_filters.NumberFilter(field_name="facts__arr", lookup_expr="gte")

    class Meta:
        model = Account
        fields = ["region", "status"]


class Pages(CursorPagination):
    page_size = 50
    ordering = ("name", "id")


class AccountViewSet(viewsets.ModelViewSet):
    """Defaults of Django REST framework, signed in and permitted like the application's own."""

    serializer_class = AccountSerializer
    filterset_class = AccountFilters
    pagination_class = Pages
    filter_backends = [DjangoFilterBackend, OrderingFilter]
    ordering_fields = ["name", "arr_now"]
    authentication_classes = [TokenAuthentication]
    renderer_classes = [JSONRenderer]
    parser_classes = [JSONParser]
    throttle_classes: list[Any] = []
    permission_classes: list[Any] = []
    content_negotiation_class = DefaultContentNegotiation

    def get_exception_handler(self) -> Any:
        return exception_handler

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        may = (
            permissions.can_see_accounts if request.method == "GET" else permissions.can_write_facts
        )
        require(may, request.user)

    def get_queryset(self) -> QuerySet[Account]:
        visible = selectors.accounts_visible_to(self.request.user)
        # A cursor of Django REST framework asks the row itself for what it is ordered by.
        visible = visible.annotate(arr_now=F("facts__arr"))
        return selectors.with_assignments(visible, on=timezone.now().date())

    @transaction.atomic
    def create(self, request: Request, *args: Any, **kwargs: Any) -> Any:
        """As it comes, but for lists of new ones as well."""
        serializer = self.get_serializer(data=request.data, many=isinstance(request.data, list))
        serializer.is_valid(raise_exception=True)
        self.perform_create(serializer)
        return self.get_success_response(serializer)

    def get_success_response(self, serializer: Any) -> Any:
        return JsonResponse(serializer.data, status=201, safe=False)

    def perform_create(self, serializer: Any) -> None:
        made = serializer.save()
        for account in made if isinstance(made, list) else [made]:
            account.team = []
            Event.objects.create(
                actor=self.request.user,
                verb="account.created",
                object_type="accounts.account",
                object_id=account.uuid,
                object_label=account.name,
                account_id=account.pk,
                after={"name": account.name, "region": account.region},
            )


def plain_accounts(request: HttpRequest) -> JsonResponse:
    """The same rows straight from `.values()`: no serializer, no cursor, no strict parameters."""
    user, _ = TokenAuthentication().authenticate(Request(request))
    require(permissions.can_see_accounts, user)
    accounts = selectors.accounts_visible_to(user)
    asked = request.GET.dict()
    order = asked.pop("ordering")
    if "facts__eligible" in asked:
        asked["facts__eligible"] = asked["facts__eligible"] == "true"
    rows = with_team(accounts.filter(**asked), at=timezone.now()).order_by(order, "id")
    return JsonResponse({"results": list(rows.values(*AccountRow.paths())[:50])})
