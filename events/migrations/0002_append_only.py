from django.db import migrations

REFUSE = """
CREATE FUNCTION events_event_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'The event log is append only: % of events_event is refused.', TG_OP
        USING ERRCODE = 'restrict_violation';
END
$$;
-- TRUNCATE is kept from the application by its database role instead: emptying a test
-- database must stay possible.
CREATE TRIGGER events_event_append_only BEFORE UPDATE OR DELETE ON events_event
    FOR EACH STATEMENT EXECUTE FUNCTION events_event_refuse_change();
"""
ALLOW = """
DROP TRIGGER events_event_append_only ON events_event;
DROP FUNCTION events_event_refuse_change();
"""


class Migration(migrations.Migration):
    dependencies = [("events", "0001_initial")]

    operations = [migrations.RunSQL(REFUSE, ALLOW)]
