"""What a new installation starts with; administrators change it. See docs/requests.md."""

import datetime as dt

from django.db import migrations

SINCE = dt.date(2000, 1, 1)
REASONS = {
    "decline": {
        "out_of_scope": "Out of scope",
        "too_little_impact": "Too little impact for the effort",
        "no_capacity": "No capacity in time",
        "duplicate": "Asked for already",
        "other_way": "There is a better way",
    },
    "cancel": {
        "customer_withdrew": "The customer does not want it any more",
        "solved_otherwise": "Solved in another way",
        "filed_by_mistake": "Filed by mistake",
        "account_left": "The account left",
    },
    "hold": {
        "preempted": "Something more urgent came first",
        "customer_waits": "The customer asked to wait",
        "blocked_outside": "Blocked by somebody else",
        "objected": "The customer objected to what was understood",
        "risk_ended": "Work at Risk ended without a sign-off",
    },
}


def ship(apps, _schema):
    get = lambda name: apps.get_model("engagements", name)  # noqa: E731
    for kind, codes in REASONS.items():
        for code, label in codes.items():
            get("ReasonCode").objects.create(kind=kind, code=code, label=label)
    for weekday in range(5):
        get("BusinessHours").objects.create(
            weekday=weekday, opens=dt.time(9), closes=dt.time(17)
        )
    get("SignOffPolicy").objects.create(start=SINCE)
    # The handbook: at minimum a verbal agreement. More where more is at stake.
    get("SignOffMinimum").objects.create(start=SINCE, strength="verbal")
    get("SignOffMinimum").objects.create(start=SINCE, strength="written", impact=1)
    get("SignOffMinimum").objects.create(start=SINCE, strength="link", amount_from=50_000)
    for clock, impact, hours in (
        ("routed", None, 8),
        ("triaged", None, 40),
        ("delivered", 1, 40),
        ("delivered", None, 80),
    ):
        get("ServiceLevel").objects.create(start=SINCE, clock=clock, impact=impact, hours=hours)


class Migration(migrations.Migration):
    dependencies = [("engagements", "0002_guards_in_the_database")]

    operations = [migrations.RunPython(ship, migrations.RunPython.noop)]
