from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("people", "0006_absence_states")]

    operations = [
        migrations.AlterField(
            model_name="savedview",
            name="page",
            field=models.CharField(
                choices=[
                    ("accounts", "Accounts"),
                    ("flips", "Flip list"),
                    ("requests", "Requests"),
                    ("projects", "Projects"),
                    ("board", "Board"),
                ],
                max_length=12,
            ),
        ),
    ]
