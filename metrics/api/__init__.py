"""The REST edge: the numbers, and what they were made of."""

from metrics.api.accounts import FlipViewSet, RowViewSet
from metrics.api.alerts import AlertRuleViewSet, AlertViewSet
from metrics.api.changes import ChangeViewSet
from metrics.api.health import (
    AccountHealthOverrideView,
    AccountHealthView,
    HealthPolicyViewSet,
)
from metrics.api.numbers import MetricViewSet, SegmentViewSet, SeriesViewSet
from metrics.api.packs import BoardPackViewSet
from metrics.api.proposals import DefinitionProposalViewSet
from metrics.api.what_if import WhatIfView

__all__ = [
    "AccountHealthOverrideView",
    "AccountHealthView",
    "AlertRuleViewSet",
    "AlertViewSet",
    "BoardPackViewSet",
    "ChangeViewSet",
    "DefinitionProposalViewSet",
    "FlipViewSet",
    "HealthPolicyViewSet",
    "MetricViewSet",
    "RowViewSet",
    "SegmentViewSet",
    "SeriesViewSet",
    "WhatIfView",
]
