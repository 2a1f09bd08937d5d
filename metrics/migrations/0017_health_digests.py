from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [("metrics", "0016_lighter_nights")]

    operations = [
        migrations.AddField(
            model_name="healthrow",
            name="digest",
            field=models.BigIntegerField(default=0),
        ),
    ]
