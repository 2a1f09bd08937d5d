from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from config.lib.errors import DomainError
from people import selectors, services
from people.models import Role, User, system_user


def role(text: str) -> str:
    return text.strip().lower().replace("-", "_")


class Command(BaseCommand):
    help = "Create people, make them one-time links to set a password, list them."

    def add_arguments(self, parser: ArgumentParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True)
        create = actions.add_parser("create", help="add a person and print their one-time link")
        create.add_argument("email")
        create.add_argument("--name", required=True)
        create.add_argument(
            "--role",
            dest="roles",
            required=True,
            nargs="+",
            action="extend",
            type=role,
            metavar="ROLE",
            help=f"one or several of: {', '.join(Role.values)}",
        )
        link = actions.add_parser("link", help="print a new one-time link for a person")
        link.add_argument("email")
        actions.add_parser("list", help="print everybody with their roles")

    def handle(self, *, action: str, **options: Any) -> None:
        try:
            getattr(self, action)(**options)
        except DomainError as refusal:
            raise CommandError(str(refusal)) from refusal

    def create(self, *, email: str, name: str, roles: list[str], **_: Any) -> None:
        with transaction.atomic():
            user = services.create_user(email=email, name=name, roles=roles, by=system_user())
        self.stdout.write(f"{user.name} <{user.email}>: {', '.join(sorted(user.roles))}")
        self._print_link(user)

    def link(self, *, email: str, **_: Any) -> None:
        user = selectors.active_user_by_email(email)
        if user is None:
            raise CommandError(f"Nobody active has the e-mail address {email}.")
        self._print_link(user)

    def list(self, **_: Any) -> None:
        for user in selectors.people():
            state = "" if user.is_active else "\tdeactivated"
            self.stdout.write(f"{user.email}\t{user.name}\t{', '.join(user.roles_given)}{state}")

    def _print_link(self, user: User) -> None:
        within = (
            f"{selectors.RESET_MINUTES} minutes"
            if user.has_usable_password()
            else f"{selectors.INVITATION_DAYS} days"
        )
        self.stdout.write(f"Set the password here, once, within {within}:")
        self.stdout.write(selectors.password_link(user))
