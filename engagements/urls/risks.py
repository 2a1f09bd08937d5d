"""The register of Work at Risk."""

from django.urls import URLPattern, path

from engagements.views import risks

urlpatterns: list[URLPattern] = [
    path("work-at-risk/", risks.risk_list, name="risk-list"),
    path("work-at-risk.csv", risks.risk_csv, name="risk-csv"),
    path("work-at-risk/<uuid:risk_id>/<slug:decision>/", risks.risk_move, name="risk-move"),
    path("<request_number:number>/risk/", risks.risk_ask, name="risk-ask"),
]
