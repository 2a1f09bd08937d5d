"""The rules that Keel comes with; people change them, or switch them off."""

from decimal import Decimal
from typing import Any

from django.db import migrations

TELLS = ["leadership", "metric_owner"]
SHIPPED = (
    {
        "slug": "seats-deployed",
        "kind": "fell",
        "value": Decimal("0.03"),
        "days": 7,
        "note": "A fall this fast is seldom chance. Look at why it moved before anybody asks.",
        "tells": TELLS,
    },
    {
        "slug": "seats-deployed",
        "kind": "coverage_fell",
        "value": Decimal("0.10"),
        "days": 7,
        "note": "Seat counts stopped arriving. Find out from which source.",
        "tells": TELLS,
    },
    {
        "slug": "contraction",
        "kind": "above",
        "value": Decimal(0),
        "note": "Customers cut licences. The share rises with it, and that is no success.",
        "tells": TELLS,
    },
    {
        "slug": "arr-at-risk",
        "kind": "rose",
        "value": Decimal(250_000),
        "days": 30,
        "note": "More revenue stands on seats that nobody uses.",
        "tells": TELLS,
    },
)


def ship(apps: Any, _schema: Any) -> None:
    rule = apps.get_model("metrics", "AlertRule")
    rule.objects.bulk_create(rule(**each) for each in SHIPPED)


def take_back(apps: Any, _schema: Any) -> None:
    apps.get_model("metrics", "AlertRule").objects.filter(made_by=None).delete()


class Migration(migrations.Migration):
    dependencies = [("metrics", "0012_health")]

    operations = [migrations.RunPython(ship, take_back)]
