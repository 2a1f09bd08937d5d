"""Every change to people and their tokens. Each asks first whether its actor may."""

from people.services.api_tokens import (
    NoSuchToken,
    create_token,
    note_token_use,
    revoke_leaked_token,
    revoke_token,
)
from people.services.passwords import (
    carry_password_reset,
    request_password_reset,
    send_invitation,
    set_password,
)
from people.services.request_keys import forget_old_keys
from people.services.users import (
    AlreadyThere,
    LastAdministrator,
    change_roles,
    create_user,
    deactivate,
    reactivate,
    set_theme,
)

__all__ = [
    "AlreadyThere",
    "LastAdministrator",
    "NoSuchToken",
    "carry_password_reset",
    "change_roles",
    "create_token",
    "create_user",
    "deactivate",
    "forget_old_keys",
    "note_token_use",
    "reactivate",
    "request_password_reset",
    "revoke_leaked_token",
    "revoke_token",
    "send_invitation",
    "set_password",
    "set_theme",
]
