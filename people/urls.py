from django.urls import path

from people.views import absences
from people.views import people as views

app_name = "people"
urlpatterns = [
    path("me/tokens/", views.token_list, name="token-list"),
    path("me/tokens/new/", views.token_create, name="token-create"),
    path("me/tokens/<uuid:token_id>/revoke/", views.token_revoke, name="token-revoke"),
    path("me/preferences/theme", views.theme, name="theme"),
    path("settings/people/", views.person_list, name="person-list"),
    path("settings/people/new/", views.person_create, name="person-create"),
    path("settings/people/<uuid:person_id>/", views.person_edit, name="person-edit"),
    path(
        "settings/people/<uuid:person_id>/deactivate/",
        views.person_deactivate,
        name="person-deactivate",
    ),
    path(
        "settings/people/<uuid:person_id>/reactivate/",
        views.person_reactivate,
        name="person-reactivate",
    ),
    path("settings/people/<uuid:person_id>/link/", views.person_link, name="person-link"),
    path("absences/", absences.absence_list, name="absences"),
    path("absences/new/", absences.absence_new, name="absence-new"),
    path("absences/<uuid:absence_id>/", absences.absence, name="absence"),
    path("absences/<uuid:absence_id>/edit/", absences.absence_edit, name="absence-edit"),
    path(
        "absences/<uuid:absence_id>/moves/<slug:transition>/",
        absences.absence_move,
        name="absence-move",
    ),
]
