"""Triggers that keep every version of the facts, and the readings table split by month."""

from django.db import migrations

from config.lib.versions import keep_versions

BOOKKEEPING = ["created_at", "updated_at", "uuid", "version"]
SOURCED = [*BOOKKEEPING, "source", "external_id", "last_import_id"]
COLUMNS = {
    "accounts_company": [*BOOKKEEPING, "name", "time_zone", "reporting_currency", "is_only"],
    "accounts_tier": [
        *BOOKKEEPING, "name", "arr_from", "engagement_model", "cadence_days",
        "most_accounts_per_tam", "project_mandatory", "start", "end",
    ],
    "accounts_exchangerate": [*BOOKKEEPING, "currency", "on", "rate", "last_import_id"],
    "accounts_account": [
        *SOURCED, "name", "status", "churned_on", "internal", "archived", "region", "segment",
        "currency", "strategic", "parent_id",
    ],
    "accounts_subscription": [
        *SOURCED, "account_id", "product", "kind", "seats", "unlimited", "arr", "tcv", "currency",
        "start", "end",
    ],
    "accounts_instance": [
        *SOURCED, "account_id", "name", "environment", "counted", "is_default",
    ],
    "accounts_contact": [*SOURCED, "account_id", "name", "email", "title", "roles"],
    "accounts_assignment": [
        *BOOKKEEPING, "account_id", "user_id", "role", "primary", "start", "end", "last_import_id",
    ],
}

SPLIT_BY_MONTH = """
ALTER TABLE accounts_seatreading RENAME TO accounts_seatreading_unsplit;
CREATE TABLE accounts_seatreading
    (LIKE accounts_seatreading_unsplit INCLUDING DEFAULTS INCLUDING CONSTRAINTS)
    PARTITION BY RANGE (observed_at);
DROP TABLE accounts_seatreading_unsplit;
ALTER TABLE accounts_seatreading ADD PRIMARY KEY (instance_id, observed_at, source, known_from);
CREATE UNIQUE INDEX accounts_reading_one_known
    ON accounts_seatreading (instance_id, observed_at, source) WHERE known_to IS NULL;
-- Corrections are few; this finds the accounts that late facts touch.
CREATE INDEX accounts_reading_known_from ON accounts_seatreading USING brin (known_from);

-- The application's role owns no table, so the month is made on behalf of the owner.
CREATE FUNCTION keel_make_reading_month(day date) RETURNS boolean LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    month date := date_trunc('month', day)::date;
    part text := format('accounts_seatreading_y%sm%s', to_char(month, 'YYYY'), to_char(month, 'MM'));
BEGIN
    IF day < '1990-01-01' OR day >= '2101-01-01' THEN
        RAISE EXCEPTION 'No readings are kept for %.', day;
    END IF;
    IF to_regclass(part) IS NOT NULL THEN
        RETURN false;
    END IF;
    PERFORM pg_advisory_xact_lock(4153002);
    IF to_regclass(part) IS NOT NULL THEN
        RETURN false;
    END IF;
    EXECUTE format('CREATE TABLE %I (LIKE accounts_seatreading INCLUDING ALL)', part);
    -- Attaching takes a weaker lock than creating in place: readers go on.
    EXECUTE format('ALTER TABLE accounts_seatreading ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)',
        part, month::timestamp AT TIME ZONE 'UTC', (month + interval '1 month') AT TIME ZONE 'UTC');
    RETURN true;
END $$;

ALTER TABLE accounts_account_facts SET (fillfactor = 70);
"""

UNSPLIT = """
DROP FUNCTION keel_make_reading_month(date);
ALTER TABLE accounts_seatreading RENAME TO accounts_seatreading_split;
CREATE TABLE accounts_seatreading (LIKE accounts_seatreading_split INCLUDING ALL);
INSERT INTO accounts_seatreading SELECT * FROM accounts_seatreading_split;
DROP TABLE accounts_seatreading_split;
"""

COMPANY = """
INSERT INTO accounts_company (version, name, time_zone, reporting_currency, is_only)
VALUES (1, 'Our company', 'UTC', 'USD', true);
"""


class Migration(migrations.Migration):
    dependencies = [("accounts", "0001_initial")]

    operations = [
        migrations.RunSQL(SPLIT_BY_MONTH, UNSPLIT),
        *[keep_versions(table, columns) for table, columns in COLUMNS.items()],
        migrations.RunSQL(COMPANY, "DELETE FROM accounts_company"),
    ]
