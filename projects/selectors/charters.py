"""What a charter's forms offer."""

from people.models import Role, User
from people.selectors import people

LEADS = frozenset({Role.DE_ENGINEER, Role.DE_LEAD})


def possible_owners() -> list[User]:
    """Return everybody active with a role, by name."""
    return [each for each in people().filter(is_active=True) if each.roles_given]


def possible_leads() -> list[User]:
    """Return the DE engineers and DE leads, by name."""
    return [each for each in possible_owners() if LEADS & set(each.roles_given)]
