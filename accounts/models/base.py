"""What all facts have in common."""

from decimal import Decimal
from typing import Any

from django.db import models
from django.db.models import F, Q

from config.lib.models import Public, Stamped

# NaN sorts above every number, so an upper bound keeps it out; a lower bound alone does not.
NOT_NAN = Decimal(1_000_000_000_000)


class Fact(Public, Stamped):
    """A row whose every version is kept; `version` counts its changes for optimistic locking."""

    version = models.PositiveIntegerField(default=1, editable=False)

    class Meta:
        abstract = True


class SourcedFact(Fact):
    """A fact owned by another system, known there as `external_id`."""

    source = models.CharField(max_length=60)
    external_id = models.CharField(max_length=120)
    last_import = models.ForeignKey(
        "accounts.Import", models.SET_NULL, null=True, related_name="+", db_index=False
    )

    class Meta:
        abstract = True


def one_per_source(prefix: str) -> list[models.BaseConstraint]:
    return [
        models.UniqueConstraint(fields=["source", "external_id"], name=f"{prefix}_one_per_source"),
        models.CheckConstraint(
            condition=~Q(source="") & ~Q(external_id=""), name=f"{prefix}_has_source_and_id"
        ),
    ]


def money_field(**kwargs: Any) -> "models.DecimalField[Any, Any]":
    return models.DecimalField(max_digits=18, decimal_places=4, **kwargs)


def currency_field(**kwargs: Any) -> "models.CharField[Any, Any]":
    return models.CharField(max_length=3, **kwargs)


def is_currency(prefix: str, name: str) -> models.CheckConstraint:
    return models.CheckConstraint(
        condition=Q(**{f"{name}__regex": "^[A-Z]{3}$"}), name=f"{prefix}_{name}_is_a_code"
    )


def ends_after_start(prefix: str) -> models.CheckConstraint:
    return models.CheckConstraint(
        condition=Q(end=None) | Q(end__gt=F("start")), name=f"{prefix}_ends_after_start"
    )
