"""The list, the request and its moves."""

from django.urls import URLPattern, path

from engagements.views import detail, moves

urlpatterns: list[URLPattern] = [
    path("", detail.activity, name="list"),
    path("<request_number:number>/", detail.detail, name="detail"),
    path("<request_number:number>/activity/", detail.activity, name="activity"),
    path("<request_number:number>/moves/<slug:transition>/", moves.move, name="move"),
    path("<request_number:number>/ask/<slug:transition>/", moves.ask, name="ask-move"),
    path("<request_number:number>/asked/<uuid:asked_id>/refuse/", moves.refuse, name="refuse-move"),
]
