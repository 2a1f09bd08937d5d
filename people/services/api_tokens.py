import datetime as dt
import secrets
from collections.abc import Iterable, Sequence

import structlog
from django.db import transaction
from django.db.models import Q

from config.lib.authz import require
from config.lib.errors import Invalid, Missing
from config.lib.values import BadValue, parse_text
from events.services import record
from people import permissions, reach, selectors
from people.models import ApiToken, Scope, User

DEFAULT_DAYS = 90
MOST_DAYS = 365
NAME_LENGTH = 100
MOST_ACCOUNTS = 200
USE_NOTED_EVERY = dt.timedelta(minutes=1)

log = structlog.get_logger(__name__)


class NoSuchToken(Missing):
    """There is no token with this key."""

    default_message = "There is no such token."


@transaction.atomic
def create_token(
    *,
    owner: User,
    name: str,
    scopes: Iterable[str],
    by: User,
    at: dt.datetime,
    days: int = DEFAULT_DAYS,
    accounts: Sequence[str] = (),
) -> tuple[ApiToken, str]:
    """Return the token's row and the token itself, which is stored nowhere.

    `accounts` are numbers, ids or names of those it is limited to; none: all of them.
    """
    require(permissions.can_create_token_for, by, owner)
    reached = _parsed_accounts(accounts, owner)
    key = secrets.token_hex(6)
    text = f"keel_{key}_{secrets.token_urlsafe(32)}"
    pepper_id = selectors.newest_pepper_id()
    token = ApiToken.objects.create(
        owner=owner,
        name=_parsed_name(name),
        key=key,
        pepper_id=pepper_id,
        digest=selectors.token_digest(text, pepper_id),
        scopes=_parsed_scopes(scopes),
        account_ids=[one.id for one in reached] or None,
        created_at=at,
        expires_at=at + dt.timedelta(days=_parsed_days(days)),
    )
    record(
        "token.created",
        token,
        by=by,
        after={
            "owner": owner,
            "name": token.name,
            "scopes": token.scopes,
            "expires_at": token.expires_at,
            **({"accounts": [one.number for one in reached]} if reached else {}),
        },
    )
    return token, text


@transaction.atomic
def revoke_token(token: ApiToken, *, by: User, at: dt.datetime, reason: str = "") -> None:
    """Let nobody in with this token any more; a second time changes nothing."""
    require(permissions.can_revoke_token, by, token)
    if ApiToken.objects.filter(pk=token.pk, revoked_at=None).update(revoked_at=at):
        token.revoked_at = at
        record("token.revoked", token, by=by, after={"revoked_at": at}, reason=reason)


def revoke_leaked_token(text: str, *, at: dt.datetime) -> None:
    """Revoke a token that was seen where it must not be, if it is one."""
    token = selectors.token_of(text)
    if token is not None:
        log.warning("token.leaked", key=token.key)
        revoke_token(token, by=token.owner, at=at, reason="It was sent in an address.")


def note_token_use(token: ApiToken, *, at: dt.datetime) -> None:
    """Remember the last use, to the minute; who holds the row does not keep us waiting."""
    if token.last_used_at is not None and at - token.last_used_at < USE_NOTED_EVERY:
        return
    stale = Q(last_used_at=None) | Q(last_used_at__lte=at - USE_NOTED_EVERY)
    with transaction.atomic():
        free = ApiToken.objects.select_for_update(skip_locked=True).filter(stale, pk=token.pk)
        ApiToken.objects.filter(pk__in=list(free.values_list("pk", flat=True))).update(
            last_used_at=at
        )


def _parsed_name(name: str) -> str:
    try:
        return parse_text(name, max_length=NAME_LENGTH)
    except BadValue as error:
        raise Invalid(error.detail, field="name", code=error.code) from error


def _parsed_scopes(scopes: Iterable[str]) -> list[str]:
    wanted = set(scopes)
    if unknown := sorted(wanted - set(Scope.values)):
        raise Invalid(f"There is no scope {unknown[0]!r}.", field="scopes", code="unknown_scope")
    if not wanted:
        raise Invalid("Choose at least one scope.", field="scopes", code="required")
    return [scope for scope in Scope.values if scope in wanted]


def _parsed_accounts(words: Sequence[str], owner: User) -> list[reach.Named]:
    if len(words) > MOST_ACCOUNTS:
        raise Invalid(f"A token is limited to at most {MOST_ACCOUNTS} accounts.", field="accounts")
    return reach.find(words, user=owner) if words else []


def _parsed_days(days: int) -> int:
    if not 1 <= days <= MOST_DAYS:
        raise Invalid(f"A token lives between 1 and {MOST_DAYS} days.", field="days")
    return days
