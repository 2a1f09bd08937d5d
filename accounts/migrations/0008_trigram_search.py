"""Names and outer ids are searched by any part of them, at any size of the company."""

from django.contrib.postgres.indexes import GinIndex, OpClass
from django.contrib.postgres.operations import TrigramExtension
from django.db import migrations
from django.db.models.functions import Lower


class Migration(migrations.Migration):
    dependencies = [("accounts", "0007_indexes_for_runs")]

    operations = [
        TrigramExtension(),
        migrations.AddIndex(
            "account",
            GinIndex(OpClass(Lower("name"), "gin_trgm_ops"), name="accounts_account_name_parts"),
        ),
        migrations.AddIndex(
            "account",
            GinIndex(
                OpClass(Lower("external_id"), "gin_trgm_ops"), name="accounts_account_id_parts"
            ),
        ),
    ]
