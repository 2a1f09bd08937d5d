"""The list, the request and its moves."""

from django.urls import URLPattern, path

from engagements.views import bulk, detail, exports, moves, panels, request_list

urlpatterns: list[URLPattern] = [
    path("", request_list.request_list, name="list"),
    path("export.csv", exports.request_csv, name="export"),
    path("export.xlsx", exports.request_xlsx, name="workbook"),
    path("bulk/", bulk.bulk_move, name="bulk"),
    path("bulk/report/", bulk.bulk_report, name="bulk-report"),
    path("of/<number:number>/", panels.account_panel, name="account-panel"),
    path("<request_number:number>/", detail.detail, name="detail"),
    path("<request_number:number>/activity/", detail.activity, name="activity"),
    path("<request_number:number>/moves/<slug:transition>/", moves.move, name="move"),
    path("<request_number:number>/ask/<slug:transition>/", moves.ask, name="ask-move"),
    path("<request_number:number>/asked/<uuid:asked_id>/refuse/", moves.refuse, name="refuse-move"),
]
