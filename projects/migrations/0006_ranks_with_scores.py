from django.db import migrations, models

NAME = "projects_rank_unique_in_its_lane"


class Migration(migrations.Migration):
    dependencies = [("projects", "0005_register_of_artefacts")]

    operations = [
        migrations.RemoveConstraint(model_name="project", name=NAME),
        migrations.AddConstraint(
            model_name="project",
            constraint=models.UniqueConstraint(
                fields=("state", "rank"), include=("score",), name=NAME
            ),
        ),
    ]
