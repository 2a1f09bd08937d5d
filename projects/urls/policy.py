"""Settings of projects."""

from django.urls import URLPattern, path

from projects.views import limits, score_policy

settings_urlpatterns: list[URLPattern] = [
    path("board/", limits.limits, name="board"),
    path("scoring/", score_policy.scoring, name="scoring"),
    path(
        "scoring/policies/<uuid:policy_id>/take-back/",
        score_policy.take_back,
        name="scoring-take-back",
    ),
]
