from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from config.lib.errors import DomainError
from people import reach, selectors, services
from people.models import ApiToken, Scope, system_user
from people.services.api_tokens import DEFAULT_DAYS, MOST_DAYS

# `read` and `write` stand for every scope that ends so; running imports is asked for by name.
SHORTHANDS = {
    word: [scope for scope in Scope.values if scope.endswith(f":{word}")]
    for word in ("read", "write")
}


def numbers_of(token: ApiToken) -> str:
    """Return the accounts it is limited to, or nothing."""
    return ",".join(one.number for one in reach.named(token.account_ids or []).values())


class Command(BaseCommand):
    help = "Create, list and revoke API tokens."

    def add_arguments(self, parser: ArgumentParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True)
        create = actions.add_parser("create", help="print a new token, this once")
        create.add_argument("--user", required=True, metavar="EMAIL", help="its owner")
        create.add_argument("--name", required=True)
        create.add_argument(
            "--scope",
            dest="scopes",
            required=True,
            nargs="+",
            action="extend",
            metavar="SCOPE",
            help=f"read, write, or one or several of: {', '.join(Scope.values)}",
        )
        create.add_argument(
            "--expires",
            dest="days",
            type=int,
            default=DEFAULT_DAYS,
            metavar="DAYS",
            help=f"from 1 to {MOST_DAYS}; {DEFAULT_DAYS} when left out",
        )
        create.add_argument(
            "--account",
            dest="accounts",
            nargs="+",
            action="extend",
            default=[],
            metavar="ACCOUNT",
            help="only these accounts: ACC-12, an id or a name; left out: all its owner may see",
        )
        listing = actions.add_parser("list", help="print tokens without their secrets")
        listing.add_argument("--user", metavar="EMAIL", default="", help="only this person's")
        revoke = actions.add_parser("revoke", help="let nobody in with this token any more")
        revoke.add_argument("key", metavar="KEY", help="the part between keel_ and the next _")

    def handle(self, *, action: str, **options: Any) -> None:
        try:
            getattr(self, action)(**options)
        except DomainError as refusal:
            raise CommandError(str(refusal)) from refusal

    def create(
        self, *, user: str, name: str, scopes: list[str], days: int, accounts: list[str], **_: Any
    ) -> None:
        owner = selectors.active_user_by_email(user)
        if owner is None:
            raise CommandError(f"Nobody active has the e-mail address {user}.")
        wanted = [full for scope in scopes for full in SHORTHANDS.get(scope, [scope])]
        token, text = services.create_token(
            owner=owner,
            name=name,
            scopes=wanted,
            days=days,
            accounts=accounts,
            by=system_user(),
            at=timezone.now(),
        )
        self.stderr.write(
            f"Token {token.name} of {owner.email}, {', '.join(token.scopes)}, "
            f"{numbers_of(token) or 'all accounts'}, until {token.expires_at:%Y-%m-%d}. "
            "It is shown only this once:"
        )
        self.stdout.write(text)

    def list(self, *, user: str, **_: Any) -> None:
        now = timezone.now()
        for token in selectors.all_tokens(owner_email=user):
            state = "valid" if token.is_usable(now) else "ended"
            self.stdout.write(
                f"{token.key}\t{state}\t{token.owner.email}\t{token.name}\t"
                f"{','.join(token.scopes)}\t{token.expires_at:%Y-%m-%d}\t{numbers_of(token)}"
            )

    def revoke(self, *, key: str, **_: Any) -> None:
        token = ApiToken.objects.filter(key=key.removeprefix("keel_").split("_")[0]).first()
        if token is None:
            raise services.NoSuchToken(f"There is no token with the key {key[:20]}.")
        services.revoke_token(token, by=system_user(), at=timezone.now())
        self.stdout.write(f"{token.name} is revoked.")
