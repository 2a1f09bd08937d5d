from django.db import migrations, models
from django.db.models import F
from django.db.models.functions import Now


def take_over(apps, _schema):
    apps.get_model("projects", "Project").objects.update(proposed_at=F("created_at"))


class Migration(migrations.Migration):
    dependencies = [("projects", "0006_ranks_with_scores")]

    operations = [
        migrations.AddField("project", "proposed_at", models.DateTimeField(db_default=Now())),
        migrations.RunPython(take_over, migrations.RunPython.noop),
    ]
