"""How fast we are."""

from django.urls import URLPattern, path

from engagements.views import levels

urlpatterns: list[URLPattern] = [
    path("sla/", levels.sla, name="sla"),
    path("sla.csv", levels.sla_csv, name="sla-csv"),
    path("<request_number:number>/levels/<slug:clock>/", levels.note_miss, name="level-note"),
]
