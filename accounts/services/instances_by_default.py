"""Where readings go that name no instance: one instance an account, made when first needed."""

import uuid
from collections.abc import Sequence

from accounts.models import Account, Instance
from events import services as events
from people.models import User

OWN_SOURCE = "keel"


def make_default_instances(account_ids: Sequence[int], *, actor: User) -> int:
    """Make the default instance of accounts that lack it; return how many were made.

    Part of services that have asked whether `actor` may.
    """
    if not account_ids:
        return 0
    accounts = Account.objects.filter(pk__in=account_ids).only("uuid").order_by("pk")
    made = Instance.objects.bulk_create(
        [
            Instance(
                uuid=uuid.uuid4(),
                account=account,
                is_default=True,
                source=OWN_SOURCE,
                external_id=f"default-{account.uuid}",
                name="Default",
            )
            for account in accounts
        ],
        batch_size=5000,
        ignore_conflicts=True,
    )
    events.record_all(
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
