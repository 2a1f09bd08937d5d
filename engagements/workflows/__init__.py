"""The tables that the one engine is fed with. See docs/states.md."""

from engagements.workflows.evidence import CHANGE, RISK, SIGN_OFF
from engagements.workflows.requests import REQUEST

ALL = (REQUEST, SIGN_OFF, RISK, CHANGE)

__all__ = ["ALL", "CHANGE", "REQUEST", "RISK", "SIGN_OFF"]
