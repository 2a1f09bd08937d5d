"""The company that the browser walks through: ten accounts in the ratio, six above the line.

Every fact is committed, for the server reads it from other threads.
"""

import datetime as dt
from decimal import Decimal

from django.utils import timezone

from metrics.selectors.runs import SEATS_DEPLOYED
from metrics.services.current import refresh_current_facts
from metrics.services.runs import recompute, set_target
from people.models import Role, system_user
from tests import factories

# Below the line first: the closest has two seats to go, the furthest thirty.
NAMED = {
    "Kestrel Logistics": 78,
    "Ravello Foods": 74,
    "Saltmarsh Ports": 50,
    "Halden Energy": None,
    "Brightwater Care": 80,
    "Corvid Press": 82,
    "Dunmore Rail": 85,
    "Elsinore Bank": 90,
    "Fjordline": 96,
    "Garrick Steel": 100,
}
SMALL = 45
DAYS = 5


def found():
    """Make the company, its people and its number of each of the last days."""
    now = timezone.now()
    people = {
        role: factories.UserFactory(roles=[role], name=name, email=f"{role}@keel.example")
        for role, name in {
            Role.TAM: "Amara Obi",
            Role.LEADERSHIP: "Helena Marsh",
            Role.METRIC_OWNER: "Tariq Nasser",
            Role.ADMINISTRATOR: "Astrid Berg",
            Role.DE_LEAD: "Ruth Adeyemi",
            Role.DE_ENGINEER: "Sam Eriksen",
        }.items()
    }
    factories.UserFactory(roles=[Role.TAM], name="Jonas Weber", email="other-tam@keel.example")
    factories.UserFactory(name="Nadia Novak", email="newcomer@keel.example")
    for number, (name, seats) in enumerate(NAMED.items()):
        account = factories.AccountFactory(name=name, segment="Enterprise")
        factories.SubscriptionFactory(account=account, arr=Decimal(90_000 - 1_000 * number))
        instance = factories.InstanceFactory(account=account, name=f"{name} production")
        factories.ContactFactory(account=account)
        factories.AssignmentFactory(account=account, user=people[Role.TAM])
        if seats:
            count_weekly(instance, seats, now)
    for number in range(SMALL):
        account = factories.AccountFactory(name=f"Small account {number:02}", region="AMER")
        factories.SubscriptionFactory(account=account, arr=Decimal(9_000))
    set_target(SEATS_DEPLOYED, Decimal("0.75"), None, by=people[Role.LEADERSHIP])
    for age in reversed(range(DAYS)):
        day = now.date() - dt.timedelta(days=age)
        recompute(SEATS_DEPLOYED, day, by=system_user(), now=now)
    refresh_current_facts(now=now)


def count_weekly(instance, seats, now):
    for weeks in range(4):
        factories.SeatReadingFactory(
            instance=instance,
            seats=seats - 3 * weeks,
            observed_at=now - dt.timedelta(weeks=weeks, hours=2),
        )
