"""What a run looks for since the run before it: versions learned of or closed, dates that pass.

The version tables have no models with indexes of their own, and readings are split by month, so
the indexes are made by hand. Versions that are closed, and readings that are corrected, are few.
"""

from django.db import migrations

VERSIONED = ["account", "subscription", "instance", "assignment"]
OWNED = ["subscription", "instance", "assignment"]
# name: table and columns
INDEXES = {
    **{
        f"accounts_{fact}_version_learned": f"accounts_{fact}_version (known_from)"
        for fact in VERSIONED
    },
    **{
        f"accounts_{fact}_version_closed": (
            f"accounts_{fact}_version (known_to) WHERE known_to IS NOT NULL"
        )
        for fact in VERSIONED
    },
    **{
        f"accounts_{fact}_version_of_account": f"accounts_{fact}_version (account_id)"
        for fact in OWNED
    },
    "accounts_account_version_churns": (
        "accounts_account_version (churned_on) WHERE churned_on IS NOT NULL"
    ),
    "accounts_subscription_version_starts": "accounts_subscription_version (start)",
    "accounts_subscription_version_ends": (
        'accounts_subscription_version ("end") WHERE "end" IS NOT NULL'
    ),
    "accounts_subscription_version_currency": "accounts_subscription_version (currency)",
    "accounts_assignment_version_starts": "accounts_assignment_version (start)",
    "accounts_assignment_version_ends": (
        'accounts_assignment_version ("end") WHERE "end" IS NOT NULL'
    ),
    "accounts_reading_closed": "accounts_seatreading (known_to) WHERE known_to IS NOT NULL",
    # Readings mostly arrive in the order of their time, so a summary of blocks is enough.
    "accounts_reading_observed_at": "accounts_seatreading USING brin (observed_at)",
}


class Migration(migrations.Migration):
    dependencies = [("accounts", "0006_import_version")]

    operations = [
        migrations.RunSQL(f"CREATE INDEX {name} ON {where}", f"DROP INDEX {name}")
        for name, where in INDEXES.items()
    ]
