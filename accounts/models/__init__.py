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
from accounts.models.imports import BulkEdit, Import, ImportChunk, ImportRow, SavedMapping
from accounts.models.people import Assignment, AssignmentVersion, Contact, ContactVersion

__all__ = [
    "MOST_SEATS",
    "Account",
    "AccountFacts",
    "AccountVersion",
    "Assignment",
    "AssignmentVersion",
    "BulkEdit",
    "Company",
    "CompanyVersion",
    "Contact",
    "ContactVersion",
    "DataState",
    "ExchangeRate",
    "ExchangeRateVersion",
    "Fact",
    "Import",
    "ImportChunk",
    "ImportRow",
    "Instance",
    "InstanceVersion",
    "SavedMapping",
    "SeatReading",
    "SourcedFact",
    "Subscription",
    "SubscriptionVersion",
    "Tier",
    "TierVersion",
]
