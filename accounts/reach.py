"""What the people app asks of accounts, for tokens that are limited to some of them."""

import uuid
from collections.abc import Collection, Sequence

from django.db.models import Q

from accounts import selectors
from accounts.models import Account
from accounts.selectors.lists import NUMBER
from config.lib.errors import Invalid
from config.lib.values import BadValue, echo, parse_uuid
from people.models import User
from people.reach import Named


class AccountDirectory:
    def find(self, words: Sequence[str], *, user: User) -> list[Named]:
        visible = selectors.accounts_visible_to(user)
        found: dict[uuid.UUID, Named] = {}
        for word in words:
            accounts = list(visible.filter(_called(word))[:2])
            if not accounts:
                raise _unknown(f"There is no account “{echo(word)}”. Give its number or name.")
            if len(accounts) > 1:
                raise _unknown(f"Several accounts are called “{echo(word)}”. Give the number.")
            one = _named(accounts[0])
            found[one.id] = one
        return list(found.values())

    def named(self, ids: Collection[uuid.UUID]) -> dict[uuid.UUID, Named]:
        accounts = Account.objects.filter(uuid__in=ids) if ids else Account.objects.none()
        return {account.uuid: _named(account) for account in accounts.order_by("pk")}


def _called(word: str) -> Q:
    number = NUMBER.fullmatch(word)
    if number and word.upper().startswith("ACC-"):
        return Q(pk=int(number[1]))
    try:
        return Q(uuid=parse_uuid(word))
    except BadValue:
        return Q(name__iexact=word)


def _named(account: Account) -> Named:
    return Named(account.uuid, account.number, account.name)


def _unknown(sentence: str) -> Invalid:
    return Invalid(sentence, field="accounts", code="unknown_account")
