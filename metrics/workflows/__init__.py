"""The tables that the one engine is fed with. See docs/states.md."""

from metrics.workflows.alert import ALERT
from metrics.workflows.definition import DEFINITION

ALL = (DEFINITION, ALERT)

__all__ = ["ALERT", "ALL", "DEFINITION"]
