"""The addresses of the API, wired from every app's edge."""

from typing import Any

from django.contrib.auth.views import redirect_to_login
from django.urls import include, path
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView
from rest_framework.exceptions import NotAuthenticated
from rest_framework.request import Request
from rest_framework.routers import SimpleRouter

from accounts import api as accounts
from config.lib import parameters
from engagements import api as engagements
from metrics import api as metrics
from people import api as people
from projects import api as projects

app_name = "api"


class SchemaView(SpectacularAPIView):
    """The OpenAPI document: one version in one language, whoever asks for others."""

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        parameters.check(request, {"format"})


class DocsView(SpectacularSwaggerSplitView):
    """Swagger UI with local assets and nothing inline; signs people in first."""

    template_name = "api/docs.html"
    url_name = "api:schema"
    title = "Keel API"

    def handle_exception(self, exc: Exception) -> Any:
        if isinstance(exc, NotAuthenticated):
            return redirect_to_login(self.request.get_full_path())
        return super().handle_exception(exc)


router = SimpleRouter(use_regex_path=False)
router.register("accounts", accounts.AccountViewSet, "accounts")
router.register("accounts/<uuid:account_id>/timeline", accounts.TimelineViewSet, "account-timeline")
router.register("subscriptions", accounts.SubscriptionViewSet, "subscriptions")
router.register("instances", accounts.InstanceViewSet, "instances")
router.register("contacts", accounts.ContactViewSet, "contacts")
router.register("assignments", accounts.AssignmentViewSet, "assignments")
router.register("tiers", accounts.TierViewSet, "tiers")
router.register("exchange-rates", accounts.ExchangeRateViewSet, "exchange-rates")
router.register("seat-readings", accounts.SeatReadingViewSet, "seat-readings")
router.register("imports", accounts.ImportViewSet, "imports")
router.register("imports/<uuid:import_id>/rows", accounts.ImportLineViewSet, "import-rows")
router.register("routing-rules", engagements.RoutingRuleViewSet, "routing-rules")
router.register("service-requests", engagements.ServiceRequestViewSet, "service-requests")
router.register(
    "service-requests/<uuid:request_id>/comments", engagements.CommentViewSet, "comments"
)
router.register(
    "service-requests/<uuid:request_id>/attachments", engagements.AttachmentViewSet, "attachments"
)
router.register(
    "service-requests/<uuid:request_id>/deliverables",
    engagements.DeliverableViewSet,
    "deliverables",
)
router.register("service-requests/<uuid:request_id>/sows", engagements.SowViewSet, "sows")
router.register("service-requests/<uuid:request_id>/changes", engagements.ChangeViewSet, "changes")
router.register("definition-proposals", metrics.DefinitionProposalViewSet, "definition-proposals")
router.register("alerts", metrics.AlertViewSet, "alerts")
router.register("alert-rules", metrics.AlertRuleViewSet, "alert-rules")
router.register("health-policies", metrics.HealthPolicyViewSet, "health-policies")
router.register("metrics", metrics.MetricViewSet, "metrics")
router.register("metrics/<slug:slug>/series", metrics.SeriesViewSet, "metric-series")
router.register("metrics/<slug:slug>/segments", metrics.SegmentViewSet, "metric-segments")
router.register("metrics/<slug:slug>/rows", metrics.RowViewSet, "metric-rows")
router.register("metrics/<slug:slug>/flips", metrics.FlipViewSet, "metric-flips")
router.register("metrics/<slug:slug>/changes", metrics.ChangeViewSet, "metric-changes")
router.register(
    "service-requests/<uuid:request_id>/sign-offs", engagements.SignOffViewSet, "sign-offs"
)
router.register("service-requests/<uuid:request_id>/risks", engagements.RiskViewSet, "risks")
router.register("projects", projects.ProjectViewSet, "projects")
router.register("projects/<uuid:project_id>/checks", projects.ProjectCheckViewSet, "project-checks")
router.register("absences", people.AbsenceViewSet, "absences")
router.register("teams", projects.TeamViewSet, "teams")
router.register("teams/<uuid:team_id>/members", projects.MembershipViewSet, "members")
router.register("increments", projects.IncrementViewSet, "increments")
router.register("allocations", projects.AllocationViewSet, "allocations")
router.register("reviews", projects.ReviewViewSet, "reviews")
router.register("reviews/<uuid:review_id>/items", projects.ReviewItemViewSet, "review-items")
router.register("artefacts", projects.ArtefactViewSet, "artefacts")
router.register("board-packs", metrics.BoardPackViewSet, "board-packs")
router.register("notices", engagements.NoticeViewSet, "notices")
router.register("tokens", people.TokenViewSet, "tokens")
router.register("users", people.UserViewSet, "users")

urlpatterns = [
    path("schema/", SchemaView.as_view(), name="schema"),
    path("docs/", DocsView.as_view(), name="docs"),
    path("me/", people.MeView.as_view(), name="me"),
    path("board/", projects.BoardView.as_view(), name="board"),
    path("board/moves/", projects.BoardMovesView.as_view(), name="board-moves"),
    path(
        "service-requests/<uuid:request_id>/route/",
        engagements.RouteView.as_view(),
        name="request-route",
    ),
    path(
        "service-requests/route/preview/",
        engagements.RoutePreviewView.as_view(),
        name="route-preview",
    ),
    path("projects/<uuid:project_id>/score/", projects.ScoreView.as_view(), name="score"),
    path("projects/<uuid:project_id>/votes/", projects.VotesView.as_view(), name="votes"),
    path(
        "projects/<uuid:project_id>/votes/round/",
        projects.VoteRoundView.as_view(),
        name="votes-round",
    ),
    path("projects/<uuid:project_id>/override/", projects.OverrideView.as_view(), name="override"),
    path(
        "projects/<uuid:project_id>/support-plan/",
        projects.SupportPlanView.as_view(),
        name="support-plan",
    ),
    path(
        "accounts/<uuid:account_id>/health/",
        metrics.AccountHealthView.as_view(),
        name="account-health",
    ),
    path(
        "accounts/<uuid:account_id>/health/override/",
        metrics.AccountHealthOverrideView.as_view(),
        name="account-health-override",
    ),
    path("metrics/<slug:slug>/what-if/", metrics.WhatIfView.as_view(), name="metric-what-if"),
    path("", include(router.urls)),
]
