"""Settings of requests: rules, templates, policy."""

from django.urls import URLPattern, path

from engagements.views import hours, reasons, routing_rules, sign_off_policy, sow_templates

settings_urlpatterns: list[URLPattern] = [
    path("routing/", routing_rules.rule_list, name="routing"),
    path("routing/new/", routing_rules.rule_new, name="routing-new"),
    path("routing/try/", routing_rules.rule_try, name="routing-try"),
    path("routing/packs/<slug:pack>/", routing_rules.pack_adopt, name="routing-pack"),
    path("routing/rules/<uuid:rule_id>/", routing_rules.rule_change, name="routing-rule"),
    path("routing/rules/<uuid:rule_id>/end/", routing_rules.rule_end, name="routing-end"),
    path("hours/", hours.hours, name="hours"),
    path("hours/levels/<uuid:level_id>/end/", hours.level_end, name="level-end"),
    path("reasons/", reasons.reasons, name="reasons"),
    path("sign-off/", sign_off_policy.sign_off, name="sign-off"),
    path(
        "sign-off/minimums/<uuid:minimum_id>/end/",
        sign_off_policy.minimum_end,
        name="sign-off-minimum-end",
    ),
    path("sow-templates/", sow_templates.template_list, name="sow-templates"),
    path("sow-templates/new/", sow_templates.template_new, name="sow-template-new"),
    path("sow-templates/<uuid:template_id>/", sow_templates.template_change, name="sow-template"),
]
