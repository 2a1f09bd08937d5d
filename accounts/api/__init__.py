"""The REST edge: what other programs read of customers and their facts."""

from accounts.api.accounts import AccountViewSet
from accounts.api.contracts import InstanceViewSet, SeatReadingViewSet, SubscriptionViewSet
from accounts.api.people import AssignmentViewSet, ContactViewSet
from accounts.api.policy import TierViewSet
from accounts.api.timeline import TimelineViewSet

__all__ = [
    "AccountViewSet",
    "AssignmentViewSet",
    "ContactViewSet",
    "InstanceViewSet",
    "SeatReadingViewSet",
    "SubscriptionViewSet",
    "TierViewSet",
    "TimelineViewSet",
]
