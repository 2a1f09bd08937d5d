"""What no path round the services may do: change a state by hand, or what was signed."""

from django.db import migrations

WORKFLOWS = {
    "engagements_request": "draft",
    "engagements_changerequest": "proposed",
    "engagements_signoff": "recorded",
    "engagements_workatrisk": "asked",
}
STATES = "".join(
    f"""
CREATE TRIGGER {table}_state BEFORE UPDATE OF state ON {table} FOR EACH ROW
    WHEN (OLD.state IS DISTINCT FROM NEW.state) EXECUTE FUNCTION keel_refuse_state();
CREATE TRIGGER {table}_first_state BEFORE INSERT ON {table} FOR EACH ROW
    WHEN (NEW.state <> '{first}') EXECUTE FUNCTION keel_refuse_state();
"""
    for table, first in WORKFLOWS.items()
)
NO_STATES = "".join(
    f"DROP TRIGGER {table}_state ON {table}; DROP TRIGGER {table}_first_state ON {table};"
    for table in WORKFLOWS
)
FROZEN = """
CREATE FUNCTION engagements_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'What a customer was shown does not change: % of % is refused.',
        TG_OP, TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END
$$;
CREATE TRIGGER engagements_sow_frozen BEFORE UPDATE ON engagements_sow FOR EACH ROW
    WHEN (OLD.frozen_at IS NOT NULL AND (
        OLD.content IS DISTINCT FROM NEW.content OR OLD.digest IS DISTINCT FROM NEW.digest
        OR OLD.number IS DISTINCT FROM NEW.number OR OLD.request_id IS DISTINCT FROM NEW.request_id
        OR OLD.frozen_at IS DISTINCT FROM NEW.frozen_at))
    EXECUTE FUNCTION engagements_refuse_change();
CREATE TRIGGER engagements_sow_kept BEFORE DELETE ON engagements_sow FOR EACH ROW
    WHEN (OLD.frozen_at IS NOT NULL) EXECUTE FUNCTION engagements_refuse_change();
CREATE TRIGGER engagements_delivery_frozen BEFORE UPDATE OR DELETE ON engagements_delivery
    FOR EACH ROW EXECUTE FUNCTION engagements_refuse_change();
CREATE TRIGGER engagements_signoff_bound BEFORE UPDATE ON engagements_signoff FOR EACH ROW
    WHEN (OLD.digest IS DISTINCT FROM NEW.digest OR OLD.sow_id IS DISTINCT FROM NEW.sow_id
        OR OLD.delivery_id IS DISTINCT FROM NEW.delivery_id OR OLD.way IS DISTINCT FROM NEW.way
        OR OLD.request_id IS DISTINCT FROM NEW.request_id)
    EXECUTE FUNCTION engagements_refuse_change();
CREATE TRIGGER engagements_signoff_kept BEFORE DELETE ON engagements_signoff FOR EACH ROW
    EXECUTE FUNCTION engagements_refuse_change();
"""
NOT_FROZEN = """
DROP TRIGGER engagements_sow_frozen ON engagements_sow;
DROP TRIGGER engagements_sow_kept ON engagements_sow;
DROP TRIGGER engagements_delivery_frozen ON engagements_delivery;
DROP TRIGGER engagements_signoff_bound ON engagements_signoff;
DROP TRIGGER engagements_signoff_kept ON engagements_signoff;
DROP FUNCTION engagements_refuse_change();
"""


class Migration(migrations.Migration):
    dependencies = [
        ("engagements", "0001_initial"),
        ("events", "0003_moves_and_notices"),
    ]

    operations = [
        migrations.RunSQL(STATES, NO_STATES),
        migrations.RunSQL(FROZEN, NOT_FROZEN),
    ]
