"""Definitions of numbers, the ledger of what was computed, and what people make of it."""

from metrics.models.alerts import Alert, AlertRule
from metrics.models.definitions import MetricDefinition, MetricTarget
from metrics.models.health import HealthOverride, HealthPolicy, HealthRow
from metrics.models.lab import Backtest, DefinitionProposal
from metrics.models.packs import BoardPack
from metrics.models.runs import GONE, FactsRefresh, MetricRow, MetricRun
from metrics.models.scenarios import Scenario

__all__ = [
    "GONE",
    "Alert",
    "AlertRule",
    "Backtest",
    "BoardPack",
    "DefinitionProposal",
    "FactsRefresh",
    "HealthOverride",
    "HealthPolicy",
    "HealthRow",
    "MetricDefinition",
    "MetricRow",
    "MetricRun",
    "MetricTarget",
    "Scenario",
]
