"""Deliverables, artefacts, roll-out, delivery."""

from django.urls import path

from engagements.views import delivering as views

HERE = "<request_number:number>/delivery/"

urlpatterns = [
    path(HERE, views.delivery, name="delivery"),
    path(f"{HERE}deliverables/<slug:key>/tick/", views.tick, name="deliverable-tick"),
    path(f"{HERE}deliverables/<slug:key>/untick/", views.untick, name="deliverable-untick"),
    path(f"{HERE}artefacts/", views.artefact_add, name="artefact-add"),
    path(f"{HERE}artefacts/<uuid:artefact_id>/", views.artefact_change, name="artefact-change"),
    path(
        f"{HERE}artefacts/<uuid:artefact_id>/remove/",
        views.artefact_remove,
        name="artefact-remove",
    ),
    path(f"{HERE}roll-out/", views.roll_out, name="roll-out"),
    path(f"{HERE}roll-out/take-back/", views.roll_out_take_back, name="roll-out-take-back"),
    path(f"{HERE}retrospective/", views.retrospective, name="retrospective"),
    path(f"{HERE}outcome/<int:days>/", views.outcome_check, name="outcome-check"),
]
