"""The nights that said how accounts fare, what their lists are read by, and the shipped policy."""

import datetime as dt

import django.contrib.postgres.functions
import django.contrib.postgres.indexes
import django.db.models.deletion
from django.db import migrations, models

SINCE = dt.date(2000, 1, 1)
PARTS = [
    {"code": "deployment", "weight": 40},
    {"code": "trend", "weight": 20, "days": 90, "full_at": 10, "none_at": 10},
    {"code": "adoption", "weight": 20, "full_at": 80},
    {"code": "renewal", "weight": 10, "weeks": 26},
    {"code": "requests", "weight": 10, "each": 50},
]
BANDS = [
    {"name": "Healthy", "from": 80},
    {"name": "Watch", "from": 60},
    {"name": "At risk", "from": 0},
]


def ship(apps, _schema):
    apps.get_model('metrics', 'HealthPolicy').objects.create(
        number=1, start=SINCE, parts=PARTS, bands=BANDS, note="As shipped."
    )


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0008_trigram_search'),
        ('metrics', '0011_states_of_proposals_and_alerts'),
    ]

    operations = [
        migrations.CreateModel(
            name='HealthNight',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('uuid', models.UUIDField(db_default=django.contrib.postgres.functions.RandomUUID(), editable=False, unique=True)),
                ('day', models.DateField(unique=True)),
                ('accounts', models.BigIntegerField()),
                ('changed', models.BigIntegerField()),
                ('computed_at', models.DateTimeField()),
                ('policy', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='metrics.healthpolicy')),
                ('run', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='metrics.metricrun')),
            ],
            options={
                'abstract': False,
            },
        ),
        migrations.AddIndex(
            model_name='healthrow',
            index=models.Index(condition=models.Q(('to_day', None)), fields=['score', 'id'], name='metrics_health_worst'),
        ),
        migrations.AddIndex(
            model_name='healthrow',
            index=django.contrib.postgres.indexes.BrinIndex(fields=['from_day'], name='metrics_health_by_start'),
        ),
        migrations.AddIndex(
            model_name='healthrow',
            index=django.contrib.postgres.indexes.BrinIndex(fields=['to_day'], name='metrics_health_by_end'),
        ),
        migrations.RunPython(ship, migrations.RunPython.noop),
    ]
