"""Service requests and all that hangs on them."""

from engagements.models.conversation import Attachment, AttachmentChunk, Comment
from engagements.models.delivering import Artefact, MaintenanceOwner, RollOut, Tick
from engagements.models.policy import (
    STRENGTHS,
    BusinessHours,
    Holiday,
    LevelNote,
    ReasonCode,
    ServiceLevel,
    SignOffMinimum,
    SignOffPolicy,
)
from engagements.models.requests import (
    OPEN_STATES,
    Confidence,
    Effort,
    Impact,
    OutcomeCheck,
    Owner,
    Question,
    RequestState,
    RequestType,
    ServiceRequest,
    Stay,
)
from engagements.models.routing import RoutingDecision, RoutingRule, RoutingRuleVersion
from engagements.models.signoffs import (
    CustomerQuestion,
    Delivery,
    SignOff,
    SignOffLink,
    WorkAtRisk,
)
from engagements.models.sows import ChangeRequest, SowTemplate, SowVersion

__all__ = [
    "OPEN_STATES",
    "STRENGTHS",
    "Artefact",
    "Attachment",
    "AttachmentChunk",
    "BusinessHours",
    "ChangeRequest",
    "Comment",
    "Confidence",
    "CustomerQuestion",
    "Delivery",
    "Effort",
    "Holiday",
    "Impact",
    "LevelNote",
    "MaintenanceOwner",
    "OutcomeCheck",
    "Owner",
    "Question",
    "ReasonCode",
    "RequestState",
    "RequestType",
    "RollOut",
    "RoutingDecision",
    "RoutingRule",
    "RoutingRuleVersion",
    "ServiceLevel",
    "ServiceRequest",
    "SignOff",
    "SignOffLink",
    "SignOffMinimum",
    "SignOffPolicy",
    "SowTemplate",
    "SowVersion",
    "Stay",
    "Tick",
    "WorkAtRisk",
]
