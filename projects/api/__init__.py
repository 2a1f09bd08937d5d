"""What other programs see and do of projects."""

from projects.api.board import BoardMovesView, BoardView
from projects.api.keeping import ArtefactViewSet, ProjectCheckViewSet, SupportPlanView
from projects.api.planning import (
    AllocationViewSet,
    IncrementViewSet,
    MembershipViewSet,
    TeamViewSet,
)
from projects.api.projects import ProjectViewSet
from projects.api.reviews import ReviewItemViewSet, ReviewViewSet
from projects.api.scoring import (
    OverrideView,
    ScoreView,
    VoteRoundView,
    VotesView,
)

__all__ = [
    "AllocationViewSet",
    "ArtefactViewSet",
    "BoardMovesView",
    "BoardView",
    "IncrementViewSet",
    "MembershipViewSet",
    "OverrideView",
    "ProjectCheckViewSet",
    "ProjectViewSet",
    "ReviewItemViewSet",
    "ReviewViewSet",
    "ScoreView",
    "SupportPlanView",
    "TeamViewSet",
    "VoteRoundView",
    "VotesView",
]
