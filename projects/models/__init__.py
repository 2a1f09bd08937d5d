"""Projects, their charters, the board, and what comes of them."""

from projects.models.delivering import ProjectArtefact, ProjectCheck
from projects.models.increments import (
    Allocation,
    Increment,
    IncrementVersion,
    Membership,
    PreEmption,
    Team,
)
from projects.models.projects import (
    LANES,
    MOST_DAYS,
    OVER,
    Lane,
    Project,
    ProjectAccount,
    ProjectAccountVersion,
    ProjectRequest,
    ProjectState,
    ProjectType,
    ProjectVersion,
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
    "IncrementVersion",
    "KeptArtefact",
    "Lane",
    "Membership",
    "PreEmption",
    "Project",
    "ProjectAccount",
    "ProjectAccountVersion",
    "ProjectArtefact",
    "ProjectCheck",
    "ProjectRequest",
    "ProjectState",
    "ProjectType",
    "ProjectVersion",
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
