"""Files that bring facts in: what was sent, what it would change, what it changed."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from config.lib.models import Public


class Import(Public):
    """One file on its way to the facts; each fact names the import that last changed it.

    Every change of `status` goes through accounts.imports.lifecycle. Counts and `plan_hash` are
    those of the last check, and of what was written once it is applied.
    """

    class Kind(models.TextChoices):
        ACCOUNTS = "accounts", "Accounts"
        SUBSCRIPTIONS = "subscriptions", "Subscriptions"
        INSTANCES = "instances", "Instances"
        SEAT_READINGS = "seat-readings", "Seat readings"
        CONTACTS = "contacts", "Contacts"
        ASSIGNMENTS = "assignments", "Assignments"
        EXCHANGE_RATES = "exchange-rates", "Exchange rates"

    class Status(models.TextChoices):
        # The file is there; which of its columns are ours is still to be said.
        UPLOADED = "uploaded", "Needs a mapping"
        CHECKING = "checking", "Being checked"
        CHECKED = "checked", "Checked"
        # A mass change that a second person has to approve.
        WAITING = "waiting", "Waits for a second person"
        APPLYING = "applying", "Being applied"
        APPLIED = "applied", "Applied"
        UNDOING = "undoing", "Being undone"
        UNDONE = "undone", "Undone"
        # The file cannot be read at all; `failure` says why.
        FAILED = "failed", "Failed"
        DISCARDED = "discarded", "Discarded"

    kind = models.CharField(max_length=16, choices=Kind.choices)
    source = models.CharField(max_length=60, blank=True)
    filename = models.CharField(max_length=200)
    sha256 = models.CharField(max_length=64)
    size = models.PositiveBigIntegerField(default=0)
    status = models.CharField(max_length=9, choices=Status.choices, default=Status.APPLIED)
    # The mapping as read, in full, so that the import can be understood years later.
    mapping = models.JSONField(default=dict)
    # Numbers of the rows that somebody left out on purpose.
    excluded = models.JSONField(default=list)
    rows = models.PositiveIntegerField(default=0)
    creates = models.PositiveIntegerField(default=0)
    updates = models.PositiveIntegerField(default=0)
    unchanged = models.PositiveIntegerField(default=0)
    bad_rows = models.PositiveIntegerField(default=0)
    # What exactly would be done; another one when applying means that the facts changed meanwhile.
    plan_hash = models.CharField(max_length=64, blank=True)
    # accounts.imports.effects.Effect as JSON: the number before and after, and who moves it.
    effect = models.JSONField(null=True)
    # Why it is a mass change, in sentences; empty where it is none.
    mass = models.JSONField(default=list)
    failure = models.TextField(blank=True)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    # When the present work on it began, and how often that was tried; counted before it starts.
    started_at = models.DateTimeField(null=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    checked_at = models.DateTimeField(null=True)
    approved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+"
    )
    applied_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+"
    )
    applied_at = models.DateTimeField(null=True)
    undone_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+"
    )
    undone_at = models.DateTimeField(null=True)
    # How many facts were put back, [label, reason] of those that were not, and how many more.
    undone = models.JSONField(null=True)
    # Since when it has its status, and how often it was changed.
    moved_at = models.DateTimeField(db_default=Now())
    version = models.PositiveIntegerField(default=1)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(approved_by=None) | ~Q(approved_by=models.F("by")),
                name="accounts_import_approved_by_another",
            ),
        ]
        indexes = [
            models.Index(fields=["kind", "source", "-applied_at"], name="accounts_import_latest"),
            models.Index(fields=["-created_at", "-id"], name="accounts_import_newest"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} from {self.filename}"

    @property
    def number(self) -> str:
        """How people and page addresses name it."""
        return f"IMP-{self.pk}"


class ImportChunk(models.Model):
    """A piece of an uploaded file, kept until it is of no more use.

    In the database, for the web and the worker need no disk in common then.
    """

    file = models.ForeignKey(Import, models.CASCADE, related_name="chunks")
    place = models.PositiveIntegerField()
    content = models.BinaryField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["file", "place"], name="accounts_chunk_one_per_place")
        ]

    def __str__(self) -> str:
        return f"{self.file_id} {self.place}"


class ImportRow(models.Model):
    """What the last check says of one row of the file. Unchanged rows are only counted."""

    class Outcome(models.TextChoices):
        CREATE = "create", "Create"
        UPDATE = "update", "Update"
        ERROR = "error", "Error"
        EXCLUDED = "excluded", "Left out"

    file = models.ForeignKey(Import, models.CASCADE, related_name="rows_seen")
    row = models.PositiveIntegerField()
    outcome = models.CharField(max_length=8, choices=Outcome.choices)
    label = models.CharField(max_length=200, blank=True)
    account_id = models.BigIntegerField(null=True)
    # [column, old, new] of what differs, as texts to show; for a new fact old is null.
    changes = models.JSONField(default=list)
    # [column, value, detail, code] of each problem.
    problems = models.JSONField(default=list)
    # The row as it stands in the file, where it is bad or left out: for the download.
    cells = models.JSONField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["file", "row"], name="accounts_import_row_once")
        ]
        indexes = [models.Index(fields=["file", "outcome", "row"], name="accounts_import_row_tab")]

    def __str__(self) -> str:
        return f"{self.file_id} row {self.row}: {self.outcome}"


class SavedMapping(Public):
    """A mapping somebody keeps for the next file of the same system."""

    name = models.CharField(max_length=60, unique=True)
    kind = models.CharField(max_length=16, choices=Import.Kind.choices)
    # As in a TOML file; see accounts.imports.mappings.
    mapping = models.JSONField(default=dict)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    updated_at = models.DateTimeField(db_default=Now(), editable=False)

    def __str__(self) -> str:
        return self.name


class BulkEdit(Public):
    """One value given to many accounts at once, with what it takes to put it back."""

    field = models.CharField(max_length=40)
    value = models.JSONField(null=True)
    # {"account": id, "before": ..., "version": the version it has since} of each changed one.
    changed = models.JSONField(default=list)
    # {"account": id, "reason": ...} of each that was not changed.
    skipped = models.JSONField(default=list)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    at = models.DateTimeField(db_default=Now(), editable=False)
    undone_at = models.DateTimeField(null=True)
    # {"account": id, "reason": ...} of each that could not be put back.
    not_undone = models.JSONField(default=list)

    def __str__(self) -> str:
        return f"{self.field} of {len(self.changed)} accounts"
