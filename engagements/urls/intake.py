"""Filing a request."""

from django.urls import path

from engagements.views import filing, intake, routing

urlpatterns = [
    path("new/", filing.request_new, name="new"),
    path("scope-check/", routing.scope_check, name="scope-check"),
    path("new/paste/", filing.request_paste, name="paste"),
    path("<request_number:number>/edit/", intake.resume, name="resume"),
    path("<request_number:number>/edit/save/", intake.save, name="intake-save"),
    path("<request_number:number>/edit/discard/", intake.discard, name="discard"),
    path("<request_number:number>/edit/<slug:step>/", intake.intake, name="intake"),
]
