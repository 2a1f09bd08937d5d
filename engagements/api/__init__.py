"""What other programs see and do of requests."""

from engagements.api.deliverables import DeliverableViewSet
from engagements.api.notices import NoticeViewSet
from engagements.api.requests import ServiceRequestViewSet
from engagements.api.risks import RiskViewSet
from engagements.api.routing import RoutePreviewView, RouteView
from engagements.api.routing_rules import RoutingRuleViewSet
from engagements.api.sign_offs import SignOffViewSet
from engagements.api.sows import ChangeViewSet, SowViewSet
from engagements.api.talk import AttachmentViewSet, CommentViewSet

__all__ = [
    "AttachmentViewSet",
    "ChangeViewSet",
    "CommentViewSet",
    "DeliverableViewSet",
    "NoticeViewSet",
    "RiskViewSet",
    "RoutePreviewView",
    "RouteView",
    "RoutingRuleViewSet",
    "ServiceRequestViewSet",
    "SignOffViewSet",
    "SowViewSet",
]
