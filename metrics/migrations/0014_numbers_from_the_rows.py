"""Definition 1 of each number worked out from the rows of `seats-deployed`."""

import datetime as dt

from django.db import migrations

COMMON = """\

**From the same rows.** The number is worked out from what the run of `seats-deployed` of the same
day saw of each account, never from facts anew: it is published with that run, held with it, and
has a revision wherever that run has one. Which accounts are *in the ratio*, what is *below the
line* and what is *unknown* is said by the definition of `seats-deployed` that the run followed.
"""
DEFINITIONS = {
    "net-seats-deployed": (
        "Net seats deployed",
        "count",
        {},
        """\
The deployed seats of all eligible accounts, added up: those with an unlimited licence too, for
their seats are used like others. What counts is the change, which is seats gained less seats
lost: it is shown beside the number, over 30 days and over whatever is compared.

1. An account is **counted** when it is eligible and its deployed seats are known, with the seats
   that its usable readings add up to. Where only some of its instances have one, it is counted
   with the seats of those.
2. An eligible account without a usable reading is **unknown**. It adds nothing, and there is no
   upper end: nobody knows how many seats it has. Coverage says how many accounts are counted.
3. Most of a change can be something else than seats gained and lost: accounts come and go, and
   readings grow stale. The explanation names one cause for each account. Only seats gained and
   seats lost are earned.
""",
    ),
    "arr-at-risk": (
        "ARR at risk through underdeployment",
        "money",
        {},
        """\
The ARR of the accounts known to be below the line, in the reporting currency: what customers pay
who have not deployed what they pay for.

1. **Counted** is the ARR of every account in the ratio that is below the line.
2. **The interval**: low is the number itself; high adds the ARR of the accounts in the ratio of
   which it is not known whether they are below.
3. An account that could not be computed has no ARR. It is unknown and adds nothing to high.
4. The number is an amount that could be lost. It is no forecast: nothing is weighed by how likely
   a loss is.
""",
    ),
    "early-warning": (
        "Early warnings",
        "count",
        {"share_percent": 75, "after_days": 90},
        """\
How many accounts have less than 75% of their licensed seats deployed 90 days after the purchase,
or at any time from then on.

1. **The purchase** is the first day of the first paid contract that the account ever had, as it
   was known. The 90th day after it is the first on which an account can be counted.
2. **Counted** is an account in the ratio, every counted instance of which has a usable reading,
   where 100 times its deployed seats is less than 75 times its licensed seats, in whole numbers.
3. **Unknown** is an account that is old enough and has no licensed seats, no usable reading, or
   only some of them and those do not reach 75% alone. High counts all of these.
4. An account younger than 90 days is neither, whatever it has deployed.
""",
    ),
    "at-risk": (
        "Accounts at risk",
        "count",
        {"share_percent": 75, "after_days": 90, "within_days": 180},
        """\
How many accounts renew within 180 days and are below the line or have an early warning.

1. **Renews within 180 days**: the first of its running paid contracts ends after the day, and at
   most 180 days after it. An account whose contracts have no end renews at no time and is clear.
2. **Counted** is an account in the ratio that renews within 180 days and is below the line, or
   has less than 75% of its licensed seats deployed 90 days or more after the purchase, as *Early
   warnings* says it.
3. **Unknown** is one that renews within 180 days where that cannot be said. High counts all of
   these.
""",
    ),
    "adoption": (
        "Adoption",
        "share",
        {},
        """\
The seats in monthly use, as a share of the licensed seats: whether what is deployed is used.

1. **Counted** is an account in the ratio that has licensed seats, and of which the people active
   in the month were read beside the deployed seats on every instance counted.
2. **The number** is the people active in the month of all these accounts, divided by the licensed
   seats of the same accounts. An account with many seats weighs more than one with few.
3. **Left out** of both is every account in the ratio of which that is not known. There is no
   interval: coverage, the share of the accounts in the ratio that are counted, says how much of
   the base the number speaks for.
4. Where more people are active than seats are licensed the share is above 100%, and says so.
5. Where no account is counted there is no number.
""",
    ),
    "renewal-exposure": (
        "Renewal exposure",
        "money",
        {"quarters": 4},
        """\
The ARR of the accounts below the line that renew in this quarter or in one of the next three.

1. **Renews** on the day the first of its running paid contracts ends. The four calendar quarters
   begin with the one of the day; days that are over are not in it.
2. **Counted** is the ARR of an account in the ratio that is below the line and renews in these
   quarters. The parts by quarter add up to the number.
3. **The interval**: low is the number itself; high adds the ARR of those that renew in these
   quarters and of which it is not known whether they are below the line.
4. An account is counted once, with all its ARR, by the contract that ends first.
""",
    ),
    "contraction": (
        "Contraction",
        "count",
        {"window_days": 30},
        """\
The licensed seats that customers gave up in the last 30 days and stayed customers. It is an alarm,
not applause: where licences shrink, the share of seats deployed rises, and the very loss shows
that the team exists to prevent.

1. **Each night** is compared with the run of the last day before it under the same definition of
   `seats-deployed`. An account that was in the ratio then, is a customer still, and has fewer
   licensed seats gave up the difference on that night. An account of which the ARR falls out of
   the ratio by it is counted too.
2. **The number** adds up the nights of the last 30 days. Seats bought back later do not take
   anything off it.
3. **The ARR** that went along is said beside it: by how much ARR fell on the same night, where
   both amounts are known.
4. **Churn** is told apart: the seats of accounts that left altogether are no part of the number
   and stand beside it.
5. A licence that became unlimited is not given up. On the night a new definition of
   `seats-deployed` begins nothing is compared.
""",
    ),
}


def publish(apps, _schema):
    definitions = apps.get_model("metrics", "MetricDefinition").objects
    for slug, (title, unit, policy, text) in DEFINITIONS.items():
        definitions.create(
            slug=slug,
            number=1,
            rule=slug,
            title=title,
            unit=unit,
            text=text + COMMON,
            policy=policy,
            valid_from=dt.date(2000, 1, 1),
        )


class Migration(migrations.Migration):
    dependencies = [("metrics", "0013_shipped_alert_rules")]

    operations = [
        migrations.RunPython(publish, migrations.RunPython.noop),
    ]
