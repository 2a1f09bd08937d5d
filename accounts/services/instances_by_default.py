"""Where readings go that name no instance: one instance an account, made when first needed."""

from collections.abc import Sequence

from django.db import connection

from accounts.models import Import, Instance
from events import services as events
from people.models import User

OWN_SOURCE = "keel"
NAME = "Default"
MAKE = """
INSERT INTO accounts_instance
    (version, source, external_id, account_id, name, environment, counted, is_default,
    last_import_id)
SELECT 1, %(source)s, 'default-' || a.uuid, a.id, %(name)s, 'production', true, true, %(import)s
FROM accounts_account a WHERE a.id = ANY(%(accounts)s) ORDER BY a.id
ON CONFLICT DO NOTHING
RETURNING id, uuid, account_id
"""


def make_default_instances(
    account_ids: Sequence[int], *, actor: User, lineage: Import | None = None
) -> int:
    """Make the default instance of accounts that lack it; return how many were made.

    Part of services that have asked whether `actor` may.
    """
    made = insert_default_instances(account_ids, lineage)
    events.record_many(
        [
            events.Draft(
                verb="instance.created",
                obj=instance,
                after={"name": instance.name, "is_default": True},
                account_id=instance.account_id,
            )
            for instance in made
        ],
        by=actor,
    )
    return len(made)


def insert_default_instances(
    account_ids: Sequence[int], lineage: Import | None = None
) -> list[Instance]:
    """Make the instances without a word in the log: for what is taken back again."""
    if not account_ids:
        return []
    with connection.cursor() as cursor:
        cursor.execute(
            MAKE,
            {
                "source": OWN_SOURCE,
                "name": NAME,
                "accounts": list(account_ids),
                "import": lineage.pk if lineage else None,
            },
        )
        rows = cursor.fetchall()
    return [Instance(id=pk, uuid=uuid, account_id=account, name=NAME) for pk, uuid, account in rows]
