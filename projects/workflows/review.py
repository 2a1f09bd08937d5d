"""The table of reviews."""

from engagements.workflows.common import at
from engagements.workflows.guards import guard
from events.workflow import Case, Transition, Workflow
from projects import permissions
from projects.models import Review
from projects.services import review_moves

S = Review.State


@guard("no_other", "No other review is under way.")
def is_the_only_one(case: Case) -> str:
    other = Review.objects.filter(state=S.OPEN).exclude(pk=case.obj.pk).first()
    return f"{other.number} is under way. Finish it first." if other else ""


@guard("decided", "Each item of the agenda is decided.")
def is_decided(case: Case) -> str:
    left = case.obj.items.filter(decision="").count()
    if not left:
        return ""
    return f"{left} of the agenda {'is' if left == 1 else 'are'} not decided. “Keep” is a decision."


REVIEW = Workflow(
    name="review",
    noun="review",
    model=Review,
    states=S,
    transitions=(
        Transition(
            id="open",
            label="Begin the review",
            done="opened",
            sources=frozenset({S.PLANNED}),
            target=S.OPEN,
            who=permissions.can_run_reviews,
            guards=(is_the_only_one,),
            changes=(at("opened_at"),),
            effects=(review_moves.make_agenda,),
        ),
        Transition(
            id="finish",
            label="Finish and send the minutes",
            done="held",
            sources=frozenset({S.OPEN}),
            target=S.HELD,
            who=permissions.can_run_reviews,
            guards=(is_decided,),
            changes=(at("held_at"),),
            effects=(review_moves.send_minutes,),
            warns=(
                "The minutes go out by mail to those who were there or invited. They say who"
                " was there, as ticked on the page of the review."
            ),
        ),
        Transition(
            id="cancel",
            label="Cancel the review",
            done="cancelled",
            sources=frozenset({S.PLANNED, S.OPEN}),
            target=S.CANCELLED,
            who=permissions.can_run_reviews,
            needs_reason=True,
        ),
    ),
    account_of=lambda _review: None,
)
