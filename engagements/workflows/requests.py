"""The table of service requests: docs/states.md is printed from it."""

from engagements.models import RequestState, ServiceRequest
from engagements.services import consequences
from engagements.workflows.agreeing import AGREEING
from engagements.workflows.ending import ENDING
from engagements.workflows.filing import FILING
from engagements.workflows.working import WORKING
from events.workflow import Workflow

REQUEST = Workflow(
    name="request",
    noun="request",
    model=ServiceRequest,
    states=RequestState,
    on_move=(consequences.keep_stay, consequences.tell),
    transitions=(*FILING, *AGREEING, *WORKING, *ENDING),
)
