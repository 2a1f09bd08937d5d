from django.urls import include, path

from metrics.urls import alerts, health, lab, packs
from metrics.views import (
    accounts,
    changes,
    control,
    dashboard,
    definition,
    figure_accounts,
    figure_changes,
    figures,
    flips,
    panels,
    scenarios,
    steering,
    what_if,
)

app_name = "metrics"
pages = [
    path("", dashboard.dashboard_page, name="dashboard"),
    path("accounts/", accounts.account_list, name="account-list"),
    path("accounts.csv", accounts.rows_csv, name="rows-csv"),
    path("accounts.xlsx", accounts.rows_xlsx, name="rows-xlsx"),
    path("series.csv", dashboard.series_csv, name="series-csv"),
    path("flips/", flips.flip_list, name="flip-list"),
    path("flips.csv", flips.flips_csv, name="flips-csv"),
    path("changes/", changes.changes_page, name="changes"),
    path("changes.csv", changes.changes_csv, name="changes-csv"),
    path("what-if/", what_if.what_if_page, name="what-if"),
    path("scenarios/", scenarios.scenario_list, name="scenario-list"),
    path("scenarios.csv", scenarios.scenarios_csv, name="scenarios-csv"),
    path("scenarios/<uuid:scenario_id>/", scenarios.scenario_page, name="scenario"),
    path("scenarios/<uuid:scenario_id>.csv", scenarios.scenario_csv, name="scenario-csv"),
    path("scenarios/<uuid:scenario_id>/delete/", scenarios.scenario_delete, name="scenario-delete"),
    path("definition/", definition.definition_page, name="definition"),
    path("figures/", figures.figure_list, name="figures"),
    path("figures/<slug:slug>/", figures.figure_page, name="figure"),
    path("figures/<slug:slug>/accounts/", figure_accounts.figure_accounts, name="figure-accounts"),
    path(
        "figures/<slug:slug>/accounts.csv",
        figure_accounts.figure_accounts_csv,
        name="figure-accounts-csv",
    ),
    path("figures/<slug:slug>/changes/", figure_changes.figure_changes, name="figure-changes"),
    path(
        "figures/<slug:slug>/changes.csv",
        figure_changes.figure_changes_csv,
        name="figure-changes-csv",
    ),
    path("number/", panels.number_panel, name="number-panel"),
    path("target/", steering.target_page, name="target"),
    path("runs/", control.run_list, name="run-list"),
    path("runs/<uuid:run_id>/", control.run_detail, name="run-detail"),
    path("recompute/", steering.recompute_now, name="recompute"),
    *lab.urlpatterns,
    *alerts.urlpatterns,
    *health.urlpatterns,
    *packs.urlpatterns,
]
urlpatterns = [path("metric/", include(pages)), *health.account_urlpatterns]
