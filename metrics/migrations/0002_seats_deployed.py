"""Definition 1 of `seats-deployed`, as published."""

import datetime as dt

from django.db import migrations

TEXT = """\
The share of customers with more than $50,000 of annual recurring revenue that have at least
80% of their licensed seats deployed.

1. **ARR** of an account on a day is the sum of the ARR of its paid subscriptions that cover the
   day, in the reporting currency at the latest rate dated on or before it. A subscription gives
   its ARR, or its total value and its end: then ARR is the total divided by the days it runs,
   times 365. The end is the first day not covered. Nothing is rounded before it is compared.
2. **Eligible** is a customer that is not internal, not archived and not churned by the day, with
   ARR strictly above 50,000.00. Exactly 50,000.00 is not eligible. Where an amount or an exchange
   rate is missing, ARR is unknown: the account is left out and listed.
3. **Licensed seats** are the seats of the paid subscriptions that cover the day, added up. Trials
   and proofs of concept bring neither ARR nor seats. An eligible account without licensed seats
   is unknown; one with an unlimited licence has no share, and is left out and listed.
4. **Deployed seats** are each counted instance's latest reading observed on or before the end of
   the day in the company's time zone, added up. A reading more than 60 days old is stale and not
   used. Zero seats read is zero. No usable reading makes the account unknown: it stays in the
   number and does not pass. Where only some instances have one, the account passes if those
   suffice alone, and is unknown otherwise.
5. An account **passes** when 100 times its deployed seats is at least 80 times its licensed
   seats, in whole numbers: 35 of 44 is not 80%. More deployed than licensed passes, and is
   flagged.
6. **The number** is passing over eligible. It is shown with its fraction, with how high it could
   be if every unknown account passed, with the share of accounts that have a usable reading, and
   with the age of the oldest reading used.
7. Where no account is eligible there is no number: not 0%, and not 100%.
"""
POLICY = {
    "min_arr": "50000",
    "share_percent": 80,
    "stale_days": 60,
    "source_order": ["telemetry", "api", "import", "air_gapped", "manual"],
}


def publish(apps, schema_editor):
    apps.get_model("metrics", "MetricDefinition").objects.create(
        slug="seats-deployed",
        number=1,
        title="Customer Seats Deployed",
        unit="share",
        text=TEXT,
        policy=POLICY,
        valid_from=dt.date(2000, 1, 1),
    )


class Migration(migrations.Migration):
    dependencies = [("metrics", "0001_initial")]

    operations = [migrations.RunPython(publish, migrations.RunPython.noop)]
