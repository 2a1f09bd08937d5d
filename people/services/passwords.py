from typing import Any

from django.db import transaction

from config.lib.authz import require
from events import outbox
from events.services import record, send_notice
from people import permissions, selectors
from people.models import User

RESET_TOPIC = "password-reset"


@transaction.atomic
def set_password(user: User, password: str, *, by: User) -> None:
    """Store a new password, already judged by the validators; other sessions end."""
    require(permissions.can_set_password_of, by, user)
    had_one = user.has_usable_password()
    user.set_password(password)
    user.save(update_fields=["password"])
    record("user.password_set", user, by=by)
    if had_one:
        send_notice(
            to=user.email,
            subject="Your password for Keel was changed",
            body=f"""\
Hello {user.name},

the password of your account on Keel was just changed. If it was not you, tell an
administrator of your company at once.
""",
        )


@transaction.atomic
def send_invitation(person: User, *, by: User) -> str:
    """Mail the person their one-time link to set a password, and return it."""
    require(permissions.can_change_people, by)
    link = selectors.password_link(person)
    send_notice(
        to=person.email,
        subject="Your account on Keel",
        body=f"""\
Hello {person.name},

{by.name} has made an account for you on Keel. Set your password here:

{link}

The link works once, within {selectors.INVITATION_DAYS} days.
""",
    )
    record("user.invited", person, by=by)
    return link


@transaction.atomic
def request_password_reset(email: str) -> None:
    """Answer later whether anybody has this address, so that the page's answer and its
    time are the same either way."""
    outbox.enqueue(RESET_TOPIC, {"email": email})


@transaction.atomic
def carry_password_reset(payload: dict[str, Any]) -> None:
    """Mail the link, if an active person has the address."""
    user = selectors.active_user_by_email(payload["email"])
    if user is None:
        return
    send_notice(
        to=user.email,
        subject="Set a new password for Keel",
        body=f"""\
Hello {user.name},

somebody, probably you, asked to set a new password for your account on Keel:

{selectors.password_link(user)}

The link works once, within {selectors.RESET_MINUTES} minutes. If it was not you, do nothing:
your password stays as it is.
""",
    )
    record("user.password_reset_sent", user, by=user)
