"""Projects, their charters, the board, and what comes of them."""

from projects.models.delivering import ProjectArtefact, ProjectCheck
from projects.models.increments import Allocation, Increment, Membership, PreEmption, Team
from projects.models.projects import (
    LANES,
    MOST_DAYS,
    OVER,
    Lane,
    Project,
    ProjectAccount,
    ProjectRequest,
    ProjectState,
    ProjectType,
    Stakeholder,
)
from projects.models.register import KeptArtefact
from projects.models.reviews import Review, ReviewItem
from projects.models.scoring import RankOverride, ScorePolicy, Scoring, Vote, VoteRound
from projects.models.support import SupportPlan, SupportSignOff

__all__ = [
    "LANES",
    "MOST_DAYS",
    "OVER",
    "Allocation",
    "Increment",
    "KeptArtefact",
    "Lane",
    "Membership",
    "PreEmption",
    "Project",
    "ProjectAccount",
    "ProjectArtefact",
    "ProjectCheck",
    "ProjectRequest",
    "ProjectState",
    "ProjectType",
    "RankOverride",
    "Review",
    "ReviewItem",
    "ScorePolicy",
    "Scoring",
    "Stakeholder",
    "SupportPlan",
    "SupportSignOff",
    "Team",
    "Vote",
    "VoteRound",
]
