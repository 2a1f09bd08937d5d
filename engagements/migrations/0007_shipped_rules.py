"""The rules of the router that a new installation starts with: engagements/packs/a.toml."""

import datetime as dt
import tomllib
from pathlib import Path

from django.db import migrations

SINCE = dt.date(2000, 1, 1)
PACK = Path(__file__).resolve().parent.parent / "packs" / "a.toml"


def ship(apps, _schema):
    get = lambda name: apps.get_model("engagements", name)  # noqa: E731
    for rule in tomllib.loads(PACK.read_text())["rules"]:
        get("RoutingRule").objects.create(**rule, pack="a", start=SINCE)


class Migration(migrations.Migration):
    dependencies = [("engagements", "0006_keys_and_templates")]

    operations = [migrations.RunPython(ship, migrations.RunPython.noop)]
