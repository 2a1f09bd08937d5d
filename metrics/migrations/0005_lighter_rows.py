"""Fewer and smaller indexes for each row of the ledger: what a night writes goes by them."""

import django.contrib.postgres.indexes
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0008_trigram_search'),
        ('metrics', '0004_continued_runs'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name='metricrow',
            name='metrics_row_one_per_start',
        ),
        migrations.RemoveIndex(
            model_name='metricrow',
            name='metrics_row_by_start',
        ),
        migrations.RemoveIndex(
            model_name='metricrow',
            name='metrics_row_by_end',
        ),
        migrations.AlterField(
            model_name='metricrow',
            name='account',
            field=models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.account'),
        ),
        migrations.AddIndex(
            model_name='metricrow',
            index=django.contrib.postgres.indexes.BrinIndex(fields=['from_day'], name='metrics_row_by_start'),
        ),
        migrations.AddIndex(
            model_name='metricrow',
            index=django.contrib.postgres.indexes.BrinIndex(fields=['to_day'], name='metrics_row_by_end'),
        ),
        migrations.AddConstraint(
            model_name='metricrow',
            constraint=models.UniqueConstraint(fields=('account', 'definition', 'layer', 'from_day'), name='metrics_row_one_per_start'),
        ),
    ]
