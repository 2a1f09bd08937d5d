"""Splits, and projects on the pages of what they are for."""

from django.urls import URLPattern, path

from projects.views import (
    panels,
    splitting,
    work,  # noqa: F401 puts projects on My work
)

urlpatterns: list[URLPattern] = [
    path("projects/<project_number:number>/split/", splitting.split_project, name="split"),
    path(
        "requests/<request_number:number>/projects-panel/",
        panels.request_panel,
        name="request-panel",
    ),
    path("accounts/<number:number>/projects-panel/", panels.account_panel, name="account-panel"),
]
