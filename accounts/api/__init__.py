"""The REST edge: what other programs read and write of customers and their facts."""

from accounts.api.accounts import AccountViewSet
from accounts.api.contracts import InstanceViewSet, SubscriptionViewSet
from accounts.api.imports import ImportLineViewSet, ImportViewSet
from accounts.api.people import AssignmentViewSet, ContactViewSet
from accounts.api.policy import TierViewSet
from accounts.api.rates import ExchangeRateViewSet
from accounts.api.readings import SeatReadingViewSet
from accounts.api.timeline import TimelineViewSet

__all__ = [
    "AccountViewSet",
    "AssignmentViewSet",
    "ContactViewSet",
    "ExchangeRateViewSet",
    "ImportLineViewSet",
    "ImportViewSet",
    "InstanceViewSet",
    "SeatReadingViewSet",
    "SubscriptionViewSet",
    "TierViewSet",
    "TimelineViewSet",
]
