"""What people say about a request: added, edited, withdrawn; and who is told of it."""

import datetime as dt
import uuid
from collections.abc import Collection, Iterable, Sequence
from typing import Any

from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.urls import reverse

from config.lib.authz import require
from config.lib.errors import Gone, Invalid, StaleWrite
from config.lib.etags import etag_of
from config.lib.values import BadValue, parse_text
from engagements import permissions, selectors
from engagements.models import Comment, ServiceRequest, Tick
from engagements.rules.mentions import Person, mentioned
from engagements.services.attachments import keep_file
from events import services as events
from people.models import User

TEXT_MAX = 10_000
MENTIONS_MAX = 50
FILES_MAX = 5

# A person by public id, or by address.
Reference = uuid.UUID | str


@transaction.atomic
def add_comment(
    request: ServiceRequest,
    text: str,
    *,
    by: User,
    at: dt.datetime,
    mentions: Collection[Reference] = (),
    uploads: "Sequence[UploadedFile[Any]]" = (),
) -> Comment:
    """Say something. Tells those it names, and those who take part.

    Whoever is named and may not see the request is left out, and nobody is told that.
    """
    require(permissions.can_comment, by, request)
    comment = Comment.objects.create(
        request=request, by=by, at=at, text=_text(text, needed=not uploads)
    )
    comment.refresh_from_db()
    for upload in _few(uploads):
        keep_file(request, upload, by=by, at=at, comment=comment)
    named = _named(request, comment.text, mentions)
    comment.mentions.set(named)
    _record("commented", comment, by=by, after={"comment": comment.uuid, "mentions": named})
    _tell_named(comment, named, by=by, at=at)
    others = selectors.people_in(request).exclude(pk__in=[person.pk for person in named])
    title = f"{by.name} wrote in {request.number}"
    _tell(comment, others, "comment", title, by=by, at=at)
    return comment


@transaction.atomic
def edit_comment(
    comment: Comment,
    text: str,
    *,
    by: User,
    at: dt.datetime,
    version: int,
    mentions: Collection[Reference] = (),
) -> Comment:
    """Change one's own words; those who are named only now are told.

    Raises StaleWrite where it was changed since that version, and Gone once it is withdrawn.
    """
    comment = _locked(comment)
    require(permissions.can_edit_comment, by, comment)
    if version != comment.version:
        raise StaleWrite(etag=etag_of(comment.uuid, comment.version))
    comment.text = _text(text, needed=not comment.attachments.exists())
    comment.edited_at = at
    comment.version += 1
    comment.save(update_fields=["text", "edited_at", "version"])
    before = set(comment.mentions.values_list("pk", flat=True))
    named = _named(comment.request, comment.text, mentions)
    comment.mentions.set(named)
    _record("comment_edited", comment, by=by, after={"comment": comment.uuid, "mentions": named})
    _tell_named(comment, [person for person in named if person.pk not in before], by=by, at=at)
    return comment


@transaction.atomic
def withdraw_comment(comment: Comment, *, by: User, at: dt.datetime) -> Comment:
    """Take it back: its text and its files are gone, its place stays.

    A file that shows that a deliverable is done stays with the request.
    """
    comment = _locked(comment)
    require(permissions.can_withdraw_comment, by, comment)
    evidence = Tick.objects.filter(attachment__comment=comment).values("attachment")
    comment.attachments.filter(pk__in=evidence).update(comment=None)
    comment.attachments.all().delete()
    comment.mentions.clear()
    comment.text, comment.deleted_at = "", at
    comment.version += 1
    comment.save(update_fields=["text", "deleted_at", "version"])
    _record("comment_withdrawn", comment, by=by, after={"comment": comment.uuid})
    return comment


def _locked(comment: Comment) -> Comment:
    found = Comment.objects.select_for_update(of=("self",)).select_related("request")
    comment = found.get(pk=comment.pk)
    if comment.deleted_at is not None:
        raise Gone("This comment was withdrawn.")
    return comment


def _text(text: str, *, needed: bool) -> str:
    if not text.strip() and not needed:
        return ""
    try:
        return parse_text(text, max_length=TEXT_MAX, lines=True)
    except BadValue as bad:
        words = "Write something." if bad.code == "blank" else bad.detail
        raise Invalid(words, field="text", code=bad.code) from bad


def _few(uploads: "Sequence[UploadedFile[Any]]") -> "Sequence[UploadedFile[Any]]":
    if len(uploads) > FILES_MAX:
        raise Invalid(f"At most {FILES_MAX} files at once.", field="uploads", code="too_many")
    return uploads


def _named(request: ServiceRequest, text: str, mentions: Collection[Reference]) -> list[User]:
    """Return those who are named and may see the request; others are dropped without a word."""
    if not mentions and "@" not in text:
        return []
    people = list(selectors.people_who_see(request))
    keys = mentioned(text, (Person(each.pk, each.name, each.email) for each in people))
    wanted = {str(reference).casefold() for reference in mentions}
    found = [
        person
        for person in people
        if person.pk in keys or {str(person.uuid), person.email.casefold()} & wanted
    ]
    if len(found) > MENTIONS_MAX:
        raise Invalid(f"Name at most {MENTIONS_MAX} people.", field="mentions", code="too_many")
    return found


def _tell_named(comment: Comment, named: Iterable[User], *, by: User, at: dt.datetime) -> None:
    title = f"{by.name} mentioned you in {comment.request.number}"
    _tell(comment, named, "mention", title, by=by, at=at)


def _tell(
    comment: Comment, people: Iterable[User], kind: str, title: str, *, by: User, at: dt.datetime
) -> None:
    events.notify(
        people,
        kind,
        title=title,
        path=f"{reverse('requests:detail', args=[comment.request_id])}#comment-{comment.uuid}",
        account_id=comment.request.account_id,
        by=by,
        at=at,
    )


def _record(verb: str, comment: Comment, *, by: User, after: dict[str, Any]) -> None:
    request = comment.request
    events.record(f"request.{verb}", request, by=by, after=after, account_id=request.account_id)
