"""Support plans, what projects leave behind, and the register of it all."""

from django.urls import URLPattern, path

from projects.views import artefacts, delivery, support

_SUPPORT = "projects/<project_number:number>/support/"
_DELIVERY = "projects/<project_number:number>/delivery/"

urlpatterns: list[URLPattern] = [
    path("artefacts/", artefacts.artefact_list, name="artefacts"),
    path("artefacts.csv", artefacts.artefact_csv, name="artefacts-csv"),
    path("artefacts/<uuid:artefact_id>/", artefacts.artefact_edit, name="artefact"),
    path(_SUPPORT, support.support, name="support"),
    path(f"{_SUPPORT}plan/", support.plan, name="support-plan"),
    path(f"{_SUPPORT}sign/<slug:side>/", support.sign, name="support-sign"),
    path(f"{_SUPPORT}official/", support.official, name="official"),
    path(f"{_SUPPORT}official/withdraw/", support.official_withdraw, name="official-withdraw"),
    path(f"{_SUPPORT}inside-product/", support.inside, name="inside-product"),
    path(
        f"{_SUPPORT}inside-product/withdraw/",
        support.inside_withdraw,
        name="inside-product-withdraw",
    ),
    path(_DELIVERY, delivery.delivery, name="delivery"),
    path(f"{_DELIVERY}artefacts/", delivery.artefact_add, name="artefact-add"),
    path(
        f"{_DELIVERY}artefacts/<uuid:project_artefact_id>/",
        delivery.artefact_change,
        name="artefact-change",
    ),
    path(
        f"{_DELIVERY}artefacts/<uuid:project_artefact_id>/remove/",
        delivery.artefact_remove,
        name="artefact-remove",
    ),
    path(f"{_DELIVERY}roll-out/", delivery.roll_out, name="roll-out"),
    path(f"{_DELIVERY}roll-out/take-back/", delivery.roll_out_take_back, name="roll-out-take-back"),
    path(f"{_DELIVERY}retrospective/", delivery.retrospective, name="retrospective"),
    path(f"{_DELIVERY}outcome/<int:days>/", delivery.check, name="outcome-check"),
]
