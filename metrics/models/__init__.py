"""Definitions of numbers, the ledger of what was computed, and what people make of it."""

from metrics.models.alerts import Alert, AlertRule
from metrics.models.definitions import MetricDefinition, MetricTarget
from metrics.models.health import HealthNight, HealthOverride, HealthPolicy, HealthRow
from metrics.models.lab import Backtest, DefinitionProposal
from metrics.models.packs import BoardPack
from metrics.models.runs import GONE, FactsRefresh, MetricRow, MetricRun
from metrics.models.scenarios import Scenario
from metrics.models.summaries import RunSummary

__all__ = [
    "GONE",
    "Alert",
    "AlertRule",
    "Backtest",
    "BoardPack",
    "DefinitionProposal",
    "FactsRefresh",
    "HealthNight",
    "HealthOverride",
    "HealthPolicy",
    "HealthRow",
    "MetricDefinition",
    "MetricRow",
    "MetricRun",
    "MetricTarget",
    "RunSummary",
    "Scenario",
]
