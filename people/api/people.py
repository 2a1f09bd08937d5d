from typing import Any

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import OuterRef, QuerySet
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from config.lib import parameters
from config.lib.authz import require
from config.lib.fields import (
    BooleanField,
    DateTimeField,
    EmailField,
    JsonListField,
    NameField,
    TextField,
    UuidField,
)
from config.lib.rows import RowSerializer
from config.lib.views import ReadViewSet
from people import permissions, selectors
from people.http import user_of
from people.models import ApiToken, Role, Scope, User
from people.permissions import is_unlimited


class IdListField(JsonListField):
    def __init__(self, **kwargs: Any) -> None:
        super().__init__({"type": "string", "format": "uuid"}, **kwargs)

    @staticmethod
    def write(value: Any) -> list[str]:
        return [str(each) for each in value]


ROLES = {"type": "string", "enum": Role.values}
SCOPES = {"type": "string", "enum": Scope.values}


class MeRow(serializers.Serializer[Any]):
    """`scopes` is null for a signed-in session, which is not narrowed by any.

    `accounts` are those that the token is limited to; null where it is not.
    """

    id = UuidField()
    name = NameField()
    email = EmailField()
    roles = JsonListField(ROLES)
    scopes = JsonListField(SCOPES, allow_null=True)
    accounts = IdListField(allow_null=True)


class MeView(APIView):
    """Who the request is made as, and what its token may be used for."""

    noun = "person"
    scope = ""
    for_anybody = True
    for_limited_tokens = True
    serializer_class = MeRow

    def get(self, request: Request) -> Response:
        parameters.check(request, ())
        user = user_of(request)
        row = {
            "id": user.uuid,
            "name": user.name,
            "email": user.email,
            "roles": sorted(user.roles),
            "scopes": request.auth.scopes if isinstance(request.auth, ApiToken) else None,
            "accounts": None if user.limited_to is None else sorted(map(str, user.limited_to)),
        }
        return Response(MeRow(row).data, headers={"Cache-Control": "no-store"})


class TokenRow(RowSerializer):
    id = UuidField(source="uuid")
    name = TextField()
    key = TextField()
    scopes = JsonListField(SCOPES)
    accounts = IdListField(source="account_ids", allow_null=True)
    created_at = DateTimeField()
    expires_at = DateTimeField()
    last_used_at = DateTimeField(allow_null=True)
    revoked_at = DateTimeField(allow_null=True)


class TokenViewSet(ReadViewSet):
    """Your own API tokens, without their secrets; a token limited to accounts sees itself."""

    noun = "token"
    scope = Scope.TOKEN_READ
    for_limited_tokens = True
    serializer_class = TokenRow
    ordering = {"name": "name", "created_at": "created_at", "expires_at": "expires_at"}
    order_by = ("-created_at",)
    search_fields = ("name",)

    def get_queryset(self) -> QuerySet[ApiToken]:
        user = user_of(self.request)
        tokens = selectors.tokens_of(user)
        return tokens if is_unlimited(user) else tokens.filter(pk=self.request.auth.pk)


class UserRow(RowSerializer):
    id = UuidField(source="uuid")
    name = NameField()
    email = EmailField()
    roles = JsonListField(ROLES, source="role_codes")
    active = BooleanField(source="is_active")
    created_at = DateTimeField()
    last_login = DateTimeField(allow_null=True)


class UserViewSet(ReadViewSet):
    """Everybody who can or could sign in; for administrators."""

    noun = "user"
    scope = Scope.ACCOUNT_READ
    serializer_class = UserRow
    ordering = {"name": "name", "email": "email", "created_at": "created_at"}
    order_by = ("name",)
    search_fields = ("name", "email")

    def get_queryset(self) -> QuerySet[User]:
        require(permissions.can_see_people, user_of(self.request))
        groups = User.groups.through.objects.filter(user_id=OuterRef("pk")).order_by("group__name")
        codes = ArraySubquery(groups.values("group__name"))
        return User.objects.filter(is_system=False).annotate(role_codes=codes)
