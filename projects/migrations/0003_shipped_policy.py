"""What a new installation starts with; administrators change it. domain.md, Prioritisation."""

import datetime as dt

from django.db import migrations

SINCE = dt.date(2000, 1, 1)
LIMITS = {
    "proposed": None,
    "ready": None,
    "scheduled": None,
    "in_progress": 4,
    "delivered": None,
    "closed": None,
    "on_hold": None,
    "declined": None,
}


def ship(apps, _schema):
    lanes = apps.get_model("projects", "Lane")
    for state, limit in LIMITS.items():
        lanes.objects.create(state=state, limit=limit)
    apps.get_model("projects", "ScorePolicy").objects.create(
        number=1,
        start=SINCE,
        points={"1": "100", "2": "80", "3": "50", "4": "20"},
        factors={"low": "1", "medium": "0.9", "high": "0.75", "very_high": "0.5"},
        days={"low": 2, "medium": 5, "high": 10, "very_high": None},
        note="As shipped.",
    )


class Migration(migrations.Migration):
    dependencies = [("projects", "0002_guards_in_the_database")]

    operations = [migrations.RunPython(ship, migrations.RunPython.noop)]
