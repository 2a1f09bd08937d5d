from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("projects", "0003_shipped_policy"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name="review",
            name="invited",
            field=models.ManyToManyField(
                blank=True, related_name="+", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddField(
            model_name="review",
            name="minutes",
            field=models.TextField(blank=True, default=""),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name="reviewitem",
            name="outcome",
            field=models.TextField(blank=True, default=""),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name="reviewitem",
            name="was",
            field=models.CharField(
                blank=True,
                choices=[
                    ("proposed", "Proposed"),
                    ("ready", "Ready"),
                    ("scheduled", "Scheduled"),
                    ("in_progress", "In progress"),
                    ("delivered", "Delivered"),
                    ("closed", "Closed"),
                    ("on_hold", "On hold"),
                    ("declined", "Declined"),
                ],
                default="",
                max_length=11,
            ),
            preserve_default=False,
        ),
    ]
