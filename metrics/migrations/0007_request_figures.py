"""Definition 1 of each key figure of service requests, as published."""

import datetime as dt

from django.db import migrations

POLICY = {"window_days": 90, "reopen_days": 35}
COMMON = """\

**The window** is the day and the 89 days before it, as the company's clocks cut them.

**What is known.** The moments of a request and its stays in each state are written once and not
edited, so a day is told by what had happened until its end, whenever it is computed. A run keeps
a hash of the moments, stays and decisions that it used. Every night the 35 finished days before
are looked at again: one whose facts came late, such as a day off that was entered afterwards, gets
a new revision, and what was published stays.
"""
HOURS = """
**Business hours** are those of the company's calendar, without its days off. The time in which a
request waits for an answer (*needs information*) or is on hold does not count.

**The number** is the median: the middle one of all times, or the mean of the two in the middle.
Beside it stands the 90th percentile, the time that nine of ten did not exceed. How many requests
it is made from is the denominator. Without any there is no number: not 0 hours.

**By owner and impact.** The owner is who had it at the end of the day. The impact is the one of
its triage; before that it has none.
"""
DEFINITIONS = {
    "request-time-to-routed": (
        "Time to routed",
        "duration",
        """\
How many business hours a request waits until somebody owns it: from submitted to routed, by a
rule or by a person, for all requests that were routed in the window. The first routing counts;
what an appeal decides later does not change it.
"""
        + HOURS,
    ),
    "request-time-to-signed-off": (
        "Time to signed off",
        "duration",
        """\
How many business hours pass from submitted until the customer has signed off the statement of
work, for all requests that were signed off in the window. The first sign-off counts. Requests on
the fast path and those triaged as Work at Risk need none before work, and are not in it.
"""
        + HOURS,
    ),
    "request-time-to-delivered": (
        "Time to delivered",
        "duration",
        """\
How many business hours pass from submitted until it was delivered, for all requests that were
delivered in the window. A delivery that the customer rejected by the end of the day does not
count; the next one does, with all the time since the request was submitted.
"""
        + HOURS,
    ),
    "request-sla-attainment": (
        "Service levels met",
        "share",
        """\
The share of clocks that met their service level, of those decided. A request has up to three
clocks: submitted to routed, signed off to triaged, started to delivered. Each has the level that
was in force when it began; without one it is not measured.

**Decided** is a clock that ended in the window, and one that is over its time and still runs at
the end of the day: that is missed. One that ended because the request was declined, cancelled or
closed counts as missed where its time was over by then, and else not at all.

**A clock stands still** while the request waits for an answer or is on hold; that of triage also
while a new version is written or waits for the customer, and that of delivery while a delivery
waits for the customer's answer. Only business hours count.

**The number** is met over decided. It is shown with its interval: what it comes to if everything
that still runs is missed, and if all of it is met. Without a decided clock there is no number.
""",
    ),
    "requests-declined": (
        "Requests declined",
        "share",
        """\
The share of requests that were declined, of those decided in the window: declined in it, or
triaged in it and not declined by the end of the day. Requests that were routed to another team or
cancelled are neither. The parts by reason add up to the number.
""",
    ),
    "requests-by-owner": (
        "Requests submitted",
        "count",
        """\
How many requests were submitted in the window, and to whom they belong at the end of the day. A
request without an owner waits for a person to decide, or was called off before.
""",
    ),
}


def publish(apps, _schema):
    definitions = apps.get_model("metrics", "MetricDefinition").objects
    for slug, (title, unit, text) in DEFINITIONS.items():
        definitions.create(
            slug=slug,
            number=1,
            title=title,
            unit=unit,
            text=text + COMMON,
            policy=POLICY,
            owner="DE lead",
            valid_from=dt.date(2000, 1, 1),
        )


class Migration(migrations.Migration):
    dependencies = [("metrics", "0006_figures")]

    operations = [migrations.RunPython(publish, migrations.RunPython.noop)]
