"""The tiers a new installation starts with; policy data, to be replaced by the company's own."""

import datetime as dt

from django.db import migrations

# name, ARR from, engagement model, cadence in days, most accounts per TAM, project mandatory
TIERS = [
    ("Diamond", 500_000, "Named TAM and deployment engineer, joint success plan", 14, 8, True),
    ("Sapphire", 150_000, "Named TAM, quarterly business review", 14, 15, True),
    ("Ruby", 50_000, "Named TAM, shared collaboration project", 30, 25, True),
    ("Quartz", 0, "Pooled success team, guides and webinars", 90, 60, False),
]


def ship(apps, schema_editor):
    tier = apps.get_model("accounts", "Tier")
    for name, arr_from, model, cadence, most, mandatory in TIERS:
        tier.objects.create(
            name=name,
            arr_from=arr_from,
            engagement_model=model,
            cadence_days=cadence,
            most_accounts_per_tam=most,
            project_mandatory=mandatory,
            start=dt.date(2000, 1, 1),
        )


class Migration(migrations.Migration):
    dependencies = [("accounts", "0002_versions_and_partitions")]

    operations = [migrations.RunPython(ship, migrations.RunPython.noop)]
