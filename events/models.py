"""What happened, who did it, who is told, and what still has to leave the house because of it."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from config.lib.models import Public


class SubjectKey(models.Model):
    """The key that encrypts one person's values in the log; destroying it is erasure."""

    subject_type = models.CharField(max_length=40)
    subject_id = models.UUIDField()
    wrapped_key = models.BinaryField(null=True)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    destroyed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["subject_type", "subject_id"], name="events_subjectkey_one_per_subject"
            ),
            models.CheckConstraint(
                condition=Q(wrapped_key__isnull=True, destroyed_at__isnull=False)
                | Q(wrapped_key__isnull=False, destroyed_at__isnull=True),
                name="events_subjectkey_destroyed_has_no_key",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.subject_type} {self.subject_id}"


class Event(Public):
    """One append-only record: who did what to which object, with before and after.

    `before` and `after` hold only what changed. Personal values in them are
    `{"sealed": "<base64>"}`, readable with the key of `subject`.
    """

    APPEND_ONLY = True

    at = models.DateTimeField(db_default=Now(), editable=False)
    # No foreign keys: the log outlives what it speaks of, and loading it stays cheap. Whom an
    # event is about is read with it and never asked for; who did it has an index below.
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.DO_NOTHING,
        db_constraint=False,
        db_index=False,
        related_name="+",
    )
    token_key = models.CharField(max_length=16, blank=True)
    verb = models.CharField(max_length=60)
    object_type = models.CharField(max_length=40)
    object_id = models.UUIDField()
    object_label = models.CharField(max_length=200, blank=True)
    account_id = models.BigIntegerField(null=True)
    before = models.JSONField(null=True)
    after = models.JSONField(null=True)
    reason = models.TextField(blank=True)
    subject = models.ForeignKey(
        SubjectKey,
        models.DO_NOTHING,
        null=True,
        db_constraint=False,
        db_index=False,
        related_name="+",
    )
    request_id = models.CharField(max_length=64, blank=True)

    class Meta:
        indexes = [
            models.Index(fields=["account_id", "-id"], name="events_event_of_account"),
            models.Index(fields=["object_type", "object_id", "-id"], name="events_event_of_object"),
            models.Index(fields=["actor", "-id"], name="events_event_of_actor"),
        ]

    def __str__(self) -> str:
        return f"{self.verb} {self.object_type} {self.object_id}"


class OutboxMessage(models.Model):
    """Something that must leave the house, written in the transaction that caused it.

    The relay claims rows with SKIP LOCKED; attempts are counted before the work starts,
    so that a message that kills its worker is given up after a few times.
    """

    topic = models.CharField(max_length=40)
    # Encrypted: a mail may hold a one-time link.
    payload = models.BinaryField()
    dedupe_key = models.CharField(max_length=120, null=True, unique=True)  # noqa: DJ001 many have none
    request_id = models.CharField(max_length=64, blank=True)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    available_at = models.DateTimeField(db_default=Now())
    attempts = models.PositiveSmallIntegerField(default=0)
    done_at = models.DateTimeField(null=True)
    dead_at = models.DateTimeField(null=True)
    last_error = models.TextField(blank=True)

    class Meta:
        indexes = [
            models.Index(
                "available_at",
                "id",
                condition=Q(done_at=None, dead_at=None),
                name="events_outbox_waiting",
            ),
            models.Index("done_at", condition=Q(done_at__isnull=False), name="events_outbox_done"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(done_at=None) | Q(dead_at=None), name="events_outbox_one_end"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.topic} {self.pk}"


class MoveRequest(Public):
    """Somebody who may not make a move asks those who may for it."""

    # The workflow's name and the transition's id: events.workflow.
    workflow = models.CharField(max_length=40)
    transition = models.CharField(max_length=40)
    object_id = models.UUIDField()
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    note = models.TextField(blank=True)
    at = models.DateTimeField()
    # Null while it is open: nobody has made the move, refused it or made it impossible.
    settled_at = models.DateTimeField(null=True)
    settled_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+"
    )
    # Whether the move was made.
    is_done = models.BooleanField(default=False)
    answer = models.TextField(blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["workflow", "object_id", "transition", "by"],
                condition=Q(settled_at=None),
                name="events_moverequest_one_open",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.transition} of {self.object_id}"


class Notice(Public):
    """Something a person is told: in the application at once, by mail as they like it."""

    to = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="notices")
    # What it is about, one of the kinds a person can set: events.services.notices.KINDS.
    kind = models.CharField(max_length=20)
    title = models.CharField(max_length=200)
    body = models.TextField(blank=True)
    # Where it leads, within the site.
    path = models.CharField(max_length=300, blank=True)
    account_id = models.BigIntegerField(null=True)
    at = models.DateTimeField()
    seen_at = models.DateTimeField(null=True)
    # When it went out by mail, alone or in a digest; null: not yet, or not wanted.
    mailed_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["to", "-id"], name="events_notice_of_person"),
            models.Index(
                fields=["to", "id"], condition=Q(seen_at=None), name="events_notice_unseen"
            ),
            models.Index(
                fields=["to", "id"], condition=Q(mailed_at=None), name="events_notice_unmailed"
            ),
        ]

    def __str__(self) -> str:
        return self.title


class NoticeSetting(models.Model):
    """How a person wants to be told of one kind; without a row, as the kind has it."""

    class How(models.TextChoices):
        AT_ONCE = "at_once", "E-mail at once"
        DAILY = "daily", "In the daily digest"
        HERE = "here", "Only in Keel"

    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="notice_settings"
    )
    kind = models.CharField(max_length=20)
    how = models.CharField(max_length=8, choices=How.choices)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["person", "kind"], name="events_notice_one_setting")
        ]

    def __str__(self) -> str:
        return f"{self.kind}: {self.how}"
