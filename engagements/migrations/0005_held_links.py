"""Links held back while a contact's address is new, until a second person confirms it."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0008_trigram_search'),
        ('engagements', '0004_dated_hours_and_notes'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name='signofflink',
            name='address_changed_at',
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name='signofflink',
            name='confirmed_at',
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name='signofflink',
            name='confirmed_by',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='signofflink',
            name='mailed_at',
            field=models.DateTimeField(null=True),
        ),
        migrations.AddConstraint(
            model_name='signofflink',
            constraint=models.CheckConstraint(condition=models.Q(('confirmed_by', None), models.Q(('confirmed_by', models.F('created_by')), _negated=True), _connector='OR'), name='engagements_link_confirmed_by_a_second'),
        ),
    ]
