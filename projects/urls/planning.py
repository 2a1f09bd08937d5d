"""Addresses of planning: capacity, increments, teams."""

from django.urls import path

from projects.views import capacity, increments, teams

urlpatterns = [
    path("capacity/", capacity.capacity_page, name="capacity"),
    path("capacity/teams/", teams.team_list, name="teams"),
    path("capacity/teams/<uuid:team_id>/", teams.team, name="team"),
    path(
        "capacity/teams/<uuid:team_id>/members/<uuid:membership_id>/", teams.member, name="member"
    ),
    path("capacity/increments/<uuid:increment_id>/", increments.increment, name="increment"),
    path(
        "capacity/increments/<uuid:increment_id>/edit/",
        increments.increment_edit,
        name="increment-edit",
    ),
    path(
        "capacity/increments/<uuid:increment_id>/allocations/",
        increments.allocate,
        name="allocate",
    ),
    path("capacity/allocations/<uuid:allocation_id>/", increments.allocation, name="allocation"),
    path("absences/<uuid:absence_id>/at-risk/", capacity.absence_at_risk, name="absence-at-risk"),
]
