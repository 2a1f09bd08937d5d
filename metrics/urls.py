from django.urls import path

from metrics.views import accounts, control, dashboard, definition, steering

app_name = "metrics"
urlpatterns = [
    path("", dashboard.dashboard_page, name="dashboard"),
    path("accounts/", accounts.account_list, name="account-list"),
    path("accounts.csv", accounts.rows_csv, name="rows-csv"),
    path("series.csv", dashboard.series_csv, name="series-csv"),
    path("definition/", definition.definition_page, name="definition"),
    path("target/", steering.target_page, name="target"),
    path("runs/", control.run_list, name="run-list"),
    path("runs/<uuid:run_id>/", control.run_detail, name="run-detail"),
    path("recompute/", steering.recompute_now, name="recompute"),
]
