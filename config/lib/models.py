"""Columns that several tables share."""

from django.contrib.postgres.functions import RandomUUID
from django.db import models
from django.db.models.functions import Now


class Stamped(models.Model):
    """When the row was written, for audit only; never read by a rule."""

    created_at = models.DateTimeField(db_default=Now(), editable=False)
    updated_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        abstract = True


class Public(models.Model):
    """A row that the outside knows by a random UUID; its bigint key stays inside."""

    uuid = models.UUIDField(db_default=RandomUUID(), unique=True, editable=False)

    class Meta:
        abstract = True
