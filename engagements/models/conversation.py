"""What people say about a request, and the files they add."""

from django.conf import settings
from django.db import models

from config.lib.models import Public
from engagements.models.requests import ServiceRequest


class Comment(Public):
    """Something somebody said. Markdown; never seen by the customer."""

    PERSONAL = frozenset({"text"})

    version = models.PositiveIntegerField(default=1, editable=False)
    request = models.ForeignKey(ServiceRequest, models.CASCADE, related_name="comments")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    at = models.DateTimeField()
    text = models.TextField()
    mentions = models.ManyToManyField(settings.AUTH_USER_MODEL, blank=True, related_name="+")
    edited_at = models.DateTimeField(null=True)
    # Withdrawn by who wrote it; the place stays.
    deleted_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["request", "id"], name="engagements_comment_in_order")]

    def __str__(self) -> str:
        return self.text[:80]


class Attachment(Public):
    """A file of a request: of a comment, as evidence of a sign-off, or of a deliverable.

    Its bytes lie in the database, as uploads do: the web and the worker need no disk in common.
    """

    PERSONAL = frozenset({"name"})

    request = models.ForeignKey(ServiceRequest, models.CASCADE, related_name="attachments")
    comment = models.ForeignKey(Comment, models.CASCADE, null=True, related_name="attachments")
    sign_off = models.ForeignKey("SignOff", models.CASCADE, null=True, related_name="attachments")
    name = models.CharField(max_length=200)
    # What the bytes are, found by looking at them, not what the sender said.
    content_type = models.CharField(max_length=100)
    size = models.PositiveIntegerField()
    sha256 = models.CharField(max_length=64)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    at = models.DateTimeField()

    def __str__(self) -> str:
        return self.name


class AttachmentChunk(models.Model):
    """A piece of a file."""

    attachment = models.ForeignKey(Attachment, models.CASCADE, related_name="chunks")
    place = models.PositiveIntegerField()
    content = models.BinaryField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["attachment", "place"], name="engagements_chunk_one_per_place"
            )
        ]

    def __str__(self) -> str:
        return f"{self.attachment_id} {self.place}"
