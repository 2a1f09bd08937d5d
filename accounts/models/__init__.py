"""Customers and the facts other systems tell about them."""

from accounts.models.account import Account, AccountFacts, AccountVersion, DataState
from accounts.models.base import Fact, SourcedFact
from accounts.models.company import (
    Company,
    CompanyVersion,
    ExchangeRate,
    ExchangeRateVersion,
    Tier,
    TierVersion,
)
from accounts.models.contract import (
    MOST_SEATS,
    Instance,
    InstanceVersion,
    SeatReading,
    Subscription,
    SubscriptionVersion,
)
from accounts.models.imports import Import
from accounts.models.people import Assignment, AssignmentVersion, Contact, ContactVersion

__all__ = [
    "MOST_SEATS",
    "Account",
    "AccountFacts",
    "AccountVersion",
    "Assignment",
    "AssignmentVersion",
    "Company",
    "CompanyVersion",
    "Contact",
    "ContactVersion",
    "DataState",
    "ExchangeRate",
    "ExchangeRateVersion",
    "Fact",
    "Import",
    "Instance",
    "InstanceVersion",
    "SeatReading",
    "SourcedFact",
    "Subscription",
    "SubscriptionVersion",
    "Tier",
    "TierVersion",
]
