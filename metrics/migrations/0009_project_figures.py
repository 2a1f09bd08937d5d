"""Definition 1 of each key figure of projects, as published."""

import datetime as dt

from django.db import migrations

POLICY = {"window_days": 90, "reopen_days": 35}
COMMON = """\

**The window** is the day and the 89 days before it, as the company's clocks cut them.

**What is known.** Where a project was planned, and when it was delivered, is read from the log, which
is written once and not edited; so a day is told by what had happened until its end, whenever it is
computed. A run keeps a hash of what it used. Every night the 35 finished days before are looked at
again: one whose facts came late gets a new revision, and what was published stays.
"""
DEFINITIONS = {
    "increments-on-time": (
        "Increments delivered on time",
        """\
The share of projects that were delivered by the last day of their increment, of all projects whose
increment ended in the window.

**Its increment** is the one a project was planned for when the increment's last day ended. Work that
was put off before then is judged in its new increment. Work that was put off afterwards was not on
time in the old one, and is judged again in the new one. Work that was taken off the schedule or
declined before the end is in no increment; work on hold stays in its own.

**Delivered by the last day** is a delivery before midnight at the end of that day, on the company's
clocks, that stands at the end of the window: one that was taken back to work does not count, the next
one does.

**The number** is on time over all. Without an increment that ended with a project in it there is no
number: not 0%. The parts are by team and by type of work.
""",
    ),
    "many-account-share": (
        "Work for several accounts",
        """\
The share of projects that serve two or more accounts, of all projects delivered in the window: work
that is done once and used by many. A project's accounts are those it names and those of its requests.

A delivery that was taken back to work by the end of the day does not count; the next one does. The
accounts and the type of a project are those known when the day is computed. Without a delivery there
is no number.
""",
    ),
}


def publish(apps, _schema):
    definitions = apps.get_model("metrics", "MetricDefinition").objects
    for slug, (title, text) in DEFINITIONS.items():
        definitions.create(
            slug=slug,
            number=1,
            title=title,
            unit="share",
            text=text + COMMON,
            policy=POLICY,
            owner="DE lead",
            valid_from=dt.date(2000, 1, 1),
        )


class Migration(migrations.Migration):
    dependencies = [("metrics", "0008_scenarios")]

    operations = [migrations.RunPython(publish, migrations.RunPython.noop)]
