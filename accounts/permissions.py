"""Who may see and change the facts. Each docstring is what a refused person reads."""

from accounts.models import BulkEdit, Import
from people.models import REQUESTERS, Role, User
from people.permissions import has_role

# What requesters may change of their own accounts.
OWN_FIELDS = frozenset({"segment", "region", "strategic"})
SEES_ALL_CONTACTS = (Role.DE_LEAD, Role.LEADERSHIP, Role.METRIC_OWNER, Role.ADMINISTRATOR)


def can_see_accounts(user: User) -> bool:
    """Only people with a role can see accounts. Ask an administrator for one."""
    return user.is_system or bool(user.roles)


def sees_all_contacts(user: User) -> bool:
    """You can see the contacts of your own accounts only."""
    return user.is_system or has_role(user, *SEES_ALL_CONTACTS)


def can_see_contacts(user: User, *, is_own: bool) -> bool:
    """Only its own requesters, DE leads, leadership, metric owners, administrators see contacts."""
    return sees_all_contacts(user) or (is_own and has_role(user, *REQUESTERS))


def can_enter_reading(user: User, *, is_own: bool) -> bool:
    """Only the account's own TAM, CSM, CRE, AE or SA can enter seats by hand."""
    return is_own and has_role(user, *REQUESTERS)


def can_import(user: User) -> bool:
    """Only metric owners can import data."""
    return user.is_system or has_role(user, Role.METRIC_OWNER)


def can_see_imports(user: User) -> bool:
    """Only DE leads, leadership, metric owners and administrators can see imports."""
    return sees_all_contacts(user)


def can_approve_import(user: User, import_: Import) -> bool:
    """Another metric owner, or an administrator, has to approve a mass change."""
    may = user.is_system or has_role(user, Role.METRIC_OWNER, Role.ADMINISTRATOR)
    return may and user.pk != import_.by_id


def can_write_facts(user: User) -> bool:
    """Only metric owners, administrators and their tokens can write facts over the API."""
    return user.is_system or has_role(user, Role.METRIC_OWNER, Role.ADMINISTRATOR)


def can_change_company(user: User) -> bool:
    """Only administrators can change company settings and tiers."""
    return user.is_system or has_role(user, Role.ADMINISTRATOR)


def edits_any_account(user: User) -> bool:
    """Only metric owners and administrators can change accounts that are not their own."""
    return user.is_system or has_role(user, Role.METRIC_OWNER, Role.ADMINISTRATOR)


def can_edit_in_bulk(user: User, field: str, *, is_own: bool) -> bool:
    """Only metric owners and administrators; segment, region, strategic the own requesters too."""
    own = is_own and field in OWN_FIELDS and has_role(user, *REQUESTERS)
    return edits_any_account(user) or own


def can_undo_bulk_edit(user: User, edit: BulkEdit) -> bool:
    """Only who made a change in bulk can undo it, or a metric owner or administrator."""
    return user.pk == edit.by_id or edits_any_account(user)
