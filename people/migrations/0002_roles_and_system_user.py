from django.db import migrations

ROLES = [
    "tam",
    "csm",
    "cre",
    "ae",
    "sa",
    "de_engineer",
    "de_lead",
    "engineering_leadership",
    "support_leadership",
    "product_leadership",
    "leadership",
    "metric_owner",
    "administrator",
]


def seed(apps, schema_editor):
    Group = apps.get_model("auth", "Group")
    Group.objects.bulk_create([Group(name=name) for name in ROLES], ignore_conflicts=True)
    apps.get_model("people", "User").objects.get_or_create(
        is_system=True,
        defaults={"email": "system@keel.invalid", "name": "Keel", "password": "!"},
    )


class Migration(migrations.Migration):
    dependencies = [
        ("people", "0001_initial"),
        ("auth", "0012_alter_user_first_name_max_length"),
    ]

    operations = [migrations.RunPython(seed, migrations.RunPython.noop)]
