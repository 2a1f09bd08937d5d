"""Files of a request: looked at, kept in pieces in the database, given back in a stream."""

import datetime as dt
import hashlib
from collections.abc import Iterator
from typing import Any

from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.db.models import Sum

from config.lib.authz import require
from config.lib.errors import Conflict, DomainError
from config.lib.values import echo
from engagements import permissions
from engagements.models import Attachment, AttachmentChunk, Comment, ServiceRequest, SignOff
from engagements.rules import file_types
from events.services import record
from people.models import User

PIECE = 1 << 20
MEGABYTE = 1_000_000
FILE_MOST = 10 * MEGABYTE
REQUEST_MOST = 50 * MEGABYTE


class UnusableFile(DomainError):
    """A file that is not taken, for what it is."""

    status = 415
    code = "unusable_file"


class TooLarge(DomainError):
    status = 413
    code = "too_large"


class NoRoom(Conflict):
    """The files of the request would be too large together."""

    code = "no_room"


@transaction.atomic
def keep_file(
    request: ServiceRequest,
    upload: "UploadedFile[Any]",
    *,
    by: User,
    at: dt.datetime,
    comment: Comment | None = None,
    sign_off: SignOff | None = None,
) -> Attachment:
    """Keep a file that was sent. Raises UnusableFile, TooLarge and NoRoom."""
    if sign_off is None:
        require(permissions.can_attach, by, request)
    else:
        require(permissions.can_attach_evidence, by, request)
    name = file_types.safe_name(upload.name or "")
    content = _read(upload, name)
    try:
        type_ = file_types.recognised(content, name)
    except file_types.Refused as refusal:
        raise UnusableFile(str(refusal)) from refusal
    _make_room(request, len(content))
    attachment = Attachment.objects.create(
        request=request,
        comment=comment,
        sign_off=sign_off,
        name=file_types.named_as(name, type_),
        content_type=type_.content_type,
        size=len(content),
        sha256=hashlib.sha256(content).hexdigest(),
        by=by,
        at=at,
    )
    attachment.refresh_from_db()
    for place, start in enumerate(range(0, len(content), PIECE)):
        AttachmentChunk.objects.create(
            attachment=attachment, place=place, content=content[start : start + PIECE]
        )
    record(
        "request.file_added",
        request,
        by=by,
        after={"file": attachment.uuid, "size": attachment.size, "sha256": attachment.sha256},
        account_id=request.account_id,
    )
    return attachment


def content_of(attachment: Attachment) -> Iterator[bytes]:
    """Give the file back, a piece at a time."""
    pieces = AttachmentChunk.objects.filter(attachment=attachment).values_list("content", flat=True)
    for place in range((attachment.size + PIECE - 1) // PIECE):
        yield bytes(pieces.get(place=place))


def _read(upload: "UploadedFile[Any]", name: str) -> bytes:
    too_large = TooLarge(f"“{echo(name)}” is larger than {FILE_MOST // MEGABYTE} MB.")
    if (upload.size or 0) > FILE_MOST:
        raise too_large
    upload.seek(0)
    content: bytes = upload.read(FILE_MOST + 1)
    if len(content) > FILE_MOST:
        raise too_large
    return content


def _make_room(request: ServiceRequest, size: int) -> None:
    """Let one file in at a time, as long as there is room. Raises NoRoom."""
    ServiceRequest.objects.select_for_update(no_key=True).get(pk=request.pk)
    taken = Attachment.objects.filter(request=request).aggregate(sum=Sum("size"))["sum"] or 0
    if taken + size > REQUEST_MOST:
        raise NoRoom(
            f"The files of {request.number} would be larger than {REQUEST_MOST // MEGABYTE} MB"
            " together. Link to large ones instead."
        )
