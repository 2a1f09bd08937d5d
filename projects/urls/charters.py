"""The list, the charter and the moves."""

from django.urls import URLPattern, path

from projects.views import (
    activity,
    charter,
    exports,
    from_request,
    moves,
    project_list,
    proposing,
)

_PROJECT = "projects/<project_number:number>/"

urlpatterns: list[URLPattern] = [
    path("projects/", project_list.project_list, name="list"),
    path("projects/export.csv", exports.project_csv, name="export"),
    path("projects/export.xlsx", exports.project_xlsx, name="workbook"),
    path("projects/new/", proposing.new, name="new"),
    path(_PROJECT, charter.detail, name="detail"),
    path(f"{_PROJECT}edit/<slug:block>/", charter.edit, name="edit"),
    path(f"{_PROJECT}activity/", activity.activity, name="activity"),
    path(f"{_PROJECT}moves/<slug:transition>/", moves.move, name="move"),
    path(f"{_PROJECT}ask/<slug:transition>/", moves.ask, name="ask-move"),
    path(f"{_PROJECT}asked/<uuid:asked_id>/refuse/", moves.refuse, name="refuse-move"),
    path(
        "requests/<request_number:number>/project/",
        from_request.from_request,
        name="from-request",
    ),
]
