"""What the migrations ship, put back into a database that a test has emptied."""

from importlib import import_module

from django.apps import apps
from django.db import connection

from accounts.models import Company, Tier
from engagements.models import ReasonCode, RoutingRule, SowTemplate
from metrics.models import AlertRule, HealthPolicy, MetricDefinition
from people.models import User
from projects.models import Lane


def restock():  # noqa: C901 -- one question each
    if not User.objects.filter(is_system=True).exists():
        import_module("people.migrations.0002_roles_and_system_user").seed(apps, None)
    if not Company.objects.exists():
        with connection.cursor() as cursor:
            cursor.execute(
                import_module("accounts.migrations.0002_versions_and_partitions").COMPANY
            )
    if not Tier.objects.exists():
        import_module("accounts.migrations.0003_shipped_tiers").ship(apps, None)
    if not MetricDefinition.objects.exists():
        import_module("metrics.migrations.0002_seats_deployed").publish(apps, None)
        import_module("metrics.migrations.0007_request_figures").publish(apps, None)
        import_module("metrics.migrations.0009_project_figures").publish(apps, None)
        import_module("metrics.migrations.0010_trust_in_the_number").name_the_rules(apps, None)
        import_module("metrics.migrations.0014_numbers_from_the_rows").publish(apps, None)
    if not AlertRule.objects.exists():
        import_module("metrics.migrations.0013_shipped_alert_rules").ship(apps, None)
    if not HealthPolicy.objects.exists():
        import_module("metrics.migrations.0012_health").ship(apps, None)
    if not ReasonCode.objects.exists():
        import_module("engagements.migrations.0003_shipped_policy").ship(apps, None)
    if not SowTemplate.objects.exists():
        import_module("engagements.migrations.0006_keys_and_templates").ship(apps, None)
    if not RoutingRule.objects.exists():
        import_module("engagements.migrations.0007_shipped_rules").ship(apps, None)
    if not Lane.objects.exists():
        import_module("projects.migrations.0003_shipped_policy").ship(apps, None)
