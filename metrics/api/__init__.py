"""The REST edge: the numbers, and what they were made of."""

from metrics.api.accounts import FlipViewSet, RowViewSet
from metrics.api.changes import ChangeViewSet
from metrics.api.numbers import MetricViewSet, SegmentViewSet, SeriesViewSet
from metrics.api.what_if import WhatIfView

__all__ = [
    "ChangeViewSet",
    "FlipViewSet",
    "MetricViewSet",
    "RowViewSet",
    "SegmentViewSet",
    "SeriesViewSet",
    "WhatIfView",
]
