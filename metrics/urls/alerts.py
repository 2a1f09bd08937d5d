"""Alerts on numbers and the rules that raise them; included in `/metric/`."""

from django.urls import path
from django.urls.resolvers import URLPattern

from metrics.views import (
    alert_rules,
    alert_work,  # noqa: F401 puts alerts on My work
    alerts,
)

urlpatterns: list[URLPattern] = [
    path("alerts/", alerts.alert_list, name="alerts"),
    path("alerts/<uuid:alert_id>/", alerts.alert_page, name="alert"),
    path("alerts/<uuid:alert_id>/moves/<slug:transition>/", alerts.alert_move, name="alert-move"),
    path("alert-rules/", alert_rules.rule_list, name="alert-rules"),
    path("alert-rules/new/", alert_rules.rule_new, name="alert-rule-new"),
    path("alert-rules/<uuid:alert_rule_id>/edit/", alert_rules.rule_edit, name="alert-rule-edit"),
    path(
        "alert-rules/<uuid:alert_rule_id>/switch/",
        alert_rules.rule_switch,
        name="alert-rule-switch",
    ),
]
