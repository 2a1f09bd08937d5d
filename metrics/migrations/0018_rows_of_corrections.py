"""Rows that end are found by those that follow them; only corrections need an index for it."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("metrics", "0017_health_digests")]

    operations = [
        migrations.RemoveIndex(model_name="metricrow", name="metrics_row_by_end"),
        migrations.AddIndex(
            model_name="metricrow",
            index=models.Index(
                fields=["definition", "layer", "from_day"],
                condition=models.Q(layer__gt=1),
                name="metrics_row_of_corrections",
            ),
        ),
    ]
