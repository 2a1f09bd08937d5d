"""Addresses of scores, votes on them, and places given by hand."""

from django.urls import URLPattern, path

from projects.views import overrides, scoring

_PROJECT = "projects/<project_number:number>/"

urlpatterns: list[URLPattern] = [
    path(f"{_PROJECT}score/", scoring.score, name="score"),
    path(f"{_PROJECT}score/why/", scoring.why, name="score-why"),
    path(f"{_PROJECT}votes/", scoring.vote, name="vote"),
    path(f"{_PROJECT}votes/open/", scoring.vote_open, name="vote-open"),
    path(f"{_PROJECT}votes/close/", scoring.vote_close, name="vote-close"),
    path(f"{_PROJECT}override/", overrides.override, name="override"),
    path(f"{_PROJECT}override/end/", overrides.override_end, name="override-end"),
]
