"""Accounts for the tests of lists: their current facts are given, not worked out."""

import re
from decimal import Decimal

from django.utils import timezone

from accounts.models import AccountFacts, Tier
from tests.factories import AccountFactory, AssignmentFactory

NOW = timezone.now()
OF_ACCOUNT = ("region", "status", "external_id", "segment", "strategic", "archived")


def account(name, *, deployed=70, licensed=100, tam=None, **facts):
    of_account = {key: facts.pop(key) for key in OF_ACCOUNT if key in facts}
    made = AccountFactory(name=name, **of_account)
    defaults = {
        "arr": Decimal(100_000),
        "licensed": licensed,
        "deployed": deployed,
        "share": None if deployed is None else Decimal(deployed) / licensed,
        "seats_to_go": None if deployed is None else max(0, -(-80 * licensed // 100) - deployed),
        "data_state": "complete",
        "eligible": True,
        "passes": None if deployed is None else deployed * 100 >= 80 * licensed,
        "reason": "below",
        "tam": tam,
        "tier": Tier.objects.get(name="Ruby"),
    }
    AccountFacts.objects.create(account=made, **(defaults | facts))
    if tam:
        AssignmentFactory(account=made, user=tam)
    return made


def names(response):
    """Return the accounts of a list, in its order."""
    return re.findall(r'<a class="t"[^>]*>\s*([^<]+?)\s*</a>', response.content.decode())
