"""One table to read of all that stays, whether of a request or of a project."""

from django.conf import settings
from django.db import migrations, models

# Ids of the one are even, of the other odd: together they are a key.
VIEW = """
CREATE VIEW projects_kept_artefacts AS
    SELECT id * 2 AS id, uuid, request_id, NULL::bigint AS project_id, name, url, maintained_by,
        keeper_id, depends_on_server_version, review_on, retired_on, at
    FROM engagements_artefact
    UNION ALL
    SELECT id * 2 + 1, uuid, NULL::bigint, project_id, name, url, maintained_by,
        keeper_id, depends_on_server_version, review_on, retired_on, at
    FROM projects_projectartefact
"""


class Migration(migrations.Migration):
    dependencies = [
        ("projects", "0004_minutes"),
        ("engagements", "0008_kept_artefacts"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="KeptArtefact",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("uuid", models.UUIDField()),
                ("name", models.CharField(max_length=200)),
                ("url", models.URLField(max_length=500)),
                (
                    "maintained_by",
                    models.CharField(
                        choices=[
                            ("de", "Deployment Engineering"),
                            ("tam", "TAM"),
                            ("rd", "R&D"),
                            ("vendor", "A vendor"),
                            ("customer", "The customer"),
                        ],
                        max_length=8,
                    ),
                ),
                ("depends_on_server_version", models.BooleanField()),
                ("review_on", models.DateField(null=True)),
                ("retired_on", models.DateField(null=True)),
                ("at", models.DateTimeField()),
            ],
            options={"db_table": "projects_kept_artefacts", "managed": False},
        ),
        migrations.RunSQL(VIEW, "DROP VIEW projects_kept_artefacts"),
    ]
