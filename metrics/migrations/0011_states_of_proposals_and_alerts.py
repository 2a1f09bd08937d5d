"""What no path round the services may do: change a state by hand."""

from django.db import migrations

WORKFLOWS = {
    "metrics_definitionproposal": "draft",
    "metrics_alert": "open",
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


class Migration(migrations.Migration):
    dependencies = [
        ("metrics", "0010_trust_in_the_number"),
        ("events", "0003_moves_and_notices"),
    ]

    operations = [migrations.RunSQL(STATES, NO_STATES)]
