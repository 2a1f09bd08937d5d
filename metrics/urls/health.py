"""How accounts fare: `/metric/health/`, a tab of the account, and the policy in the settings."""

from django.urls import path
from django.urls.resolvers import URLPattern

from metrics.views import health, health_list, health_policy

urlpatterns: list[URLPattern] = [
    path("health/", health_list.health_list, name="health"),
    path("health.csv", health_list.health_csv, name="health-csv"),
]

# Beside the other tabs of the account.
account_urlpatterns: list[URLPattern] = [
    path("accounts/<number:number>/health/", health.account_health, name="account-health"),
    path(
        "accounts/<number:number>/health/panel/", health.account_panel, name="account-health-panel"
    ),
    path(
        "accounts/<number:number>/health/override/",
        health.override,
        name="account-health-override",
    ),
    path(
        "accounts/<number:number>/health/override/end/",
        health.override_end,
        name="account-health-override-end",
    ),
]

settings_urlpatterns: list[URLPattern] = [
    path("health/", health_policy.health_settings, name="health"),
    path(
        "health/policies/<uuid:health_policy_id>/take-back/",
        health_policy.take_back,
        name="health-take-back",
    ),
]
