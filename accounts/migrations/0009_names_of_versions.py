"""The list of accounts of another day is walked by name as it was."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("accounts", "0008_trigram_search")]

    operations = [
        migrations.RunSQL(
            "CREATE INDEX accounts_account_version_by_name"
            " ON accounts_account_version (name, fact_id, id)",
            "DROP INDEX accounts_account_version_by_name",
        )
    ]
