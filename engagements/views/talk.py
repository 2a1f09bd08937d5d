"""The conversation of a request, and its files."""

import uuid
from dataclasses import dataclass
from functools import partial
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, QueryDict
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.here import add_refusal, posted
from config.lib.authz import require
from config.lib.errors import DomainError, StaleWrite
from config.lib.htmx import is_htmx
from config.lib.keyset import Key, Page, page_of
from config.lib.rendering import file_response
from config.lib.values import BadValue
from engagements import permissions, selectors
from engagements.forms.talk import CommentForm, EditForm
from engagements.models import Comment
from engagements.services import attachments
from engagements.services import conversation as services
from engagements.views.shell import Shell, request_page, request_shell
from people.writing import once

PAGE_SIZE = 20
TAB = "Request"


@dataclass(frozen=True)
class Talk:
    """A page of the conversation, oldest first, as it is read."""

    rows: list["Row"]
    older: str
    newer: str


@dataclass(frozen=True)
class Row:
    """A comment, and what the reader may do with it."""

    comment: Comment
    may_edit: bool
    may_withdraw: bool


def conversation(
    request: HttpRequest, shell: Shell, form: CommentForm | None = None
) -> dict[str, Any]:
    """Return what templates/requests/talk/conversation.html shows."""
    may_talk = permissions.can_comment(shell.here.user, shell.request)
    if form is None and may_talk:
        form = CommentForm(people=selectors.people_who_see(shell.request))
    loose = selectors.attachments_visible_to(shell.here.user, shell.request).filter(comment=None)
    return {
        "talk": _talk(request, shell),
        "comment_form": form if may_talk else None,
        "loose_files": list(loose),
    }


@require_http_methods(["GET", "HEAD", "POST"])
@once(again=lambda request, number: _page(request, request_shell(request, number)))
def comments(request: HttpRequest, number: int) -> HttpResponse:
    """Older comments, and a new one."""
    shell = request_shell(request, number)
    if request.method != "POST":
        return _page(request, shell)
    require(permissions.can_comment, shell.here.user, shell.request)
    people = selectors.people_who_see(shell.request)
    form = CommentForm(posted(request), request.FILES or None, people=people)
    if form.is_valid():
        try:
            comment = services.add_comment(
                shell.request,
                form.cleaned_data["text"],
                mentions=form.cleaned_data["mentions"],
                uploads=form.cleaned_data["uploads"],
                by=shell.here.user,
                at=shell.here.now,
            )
        except DomainError as refusal:
            _add_refusal(form, refusal)
        else:
            return _page(request, shell) if is_htmx(request) else redirect(_place(comment))
    return _page(request, shell, form=form, status=422)


@require_http_methods(["GET", "HEAD", "POST"])
@once
def comment_edit(request: HttpRequest, number: int, comment_id: uuid.UUID) -> HttpResponse:
    shell = request_shell(request, number)
    comment = _comment(shell, comment_id)
    require(permissions.can_edit_comment, shell.here.user, comment)
    form = _edit_form(posted(request), shell, comment)
    if form.is_valid():
        try:
            services.edit_comment(
                comment,
                form.cleaned_data["text"],
                mentions=form.cleaned_data["mentions"],
                version=form.cleaned_data["version"],
                by=shell.here.user,
                at=shell.here.now,
            )
        except StaleWrite:
            comment.refresh_from_db()
            sent = request.POST.copy()
            sent["version"] = str(comment.version)
            form = _edit_form(sent, shell, comment)
            form.add_error(None, "This was changed in another window. Look at both, then save.")
        except DomainError as refusal:
            _add_refusal(form, refusal)
        else:
            return redirect(_place(comment))
    context = {"form": form, "comment": comment, "is_stale": form.non_field_errors()}
    status = 422 if form.errors else 200
    return request_page(request, shell, "requests/talk/edit.html", TAB, context, status=status)


@require_POST
@once
def comment_withdraw(request: HttpRequest, number: int, comment_id: uuid.UUID) -> HttpResponse:
    shell = request_shell(request, number)
    comment = _comment(shell, comment_id)
    services.withdraw_comment(comment, by=shell.here.user, at=shell.here.now)
    messages.success(
        request,
        "The comment is withdrawn. Its text is deleted, and its files unless they are evidence.",
    )
    return redirect(_place(comment))


@require_safe
def file(request: HttpRequest, number: int, file_id: uuid.UUID) -> HttpResponseBase:
    """Give one file, to be saved and not shown."""
    shell = request_shell(request, number)
    visible = selectors.attachments_visible_to(shell.here.user, shell.request)
    attachment = visible.filter(uuid=file_id).first()
    if attachment is None:
        raise Http404
    return file_response(
        attachments.content_of(attachment),
        name=attachment.name,
        content_type=attachment.content_type,
        size=attachment.size,
    )


def _page(
    request: HttpRequest, shell: Shell, *, form: CommentForm | None = None, status: int = 200
) -> HttpResponse:
    return request_page(
        request,
        shell,
        "requests/talk/page.html",
        TAB,
        conversation(request, shell, form),
        partial=("conversation", "comments-older"),
        status=status,
    )


def _talk(request: HttpRequest, shell: Shell) -> Talk:
    found = _found(shell, request.GET.get("cursor") or None)
    rows = [_row(shell, comment) for comment in reversed(found.rows)]
    return Talk(rows, _link(shell, found.next), _link(shell, found.previous))


def _found(shell: Shell, cursor: str | None) -> Page[Comment]:
    ask = partial(
        page_of,
        selectors.comments_of(shell.request),
        [Key("id", descending=True)],
        size=PAGE_SIZE,
        binding=f"comments|{shell.request.pk}",
    )
    try:
        return ask(cursor=cursor)
    except BadValue:
        return ask(cursor=None)


def _link(shell: Shell, cursor: str | None) -> str:
    if cursor is None:
        return ""
    address = reverse("requests:comments", args=[shell.request.pk])
    return f"{address}?{urlencode({'cursor': cursor})}"


def _row(shell: Shell, comment: Comment) -> Row:
    is_there = comment.deleted_at is None
    user = shell.here.user
    return Row(
        comment,
        may_edit=is_there and permissions.can_edit_comment(user, comment),
        may_withdraw=is_there and permissions.can_withdraw_comment(user, comment),
    )


def _comment(shell: Shell, comment_id: uuid.UUID) -> Comment:
    comment = selectors.comments_of(shell.request).filter(uuid=comment_id, deleted_at=None).first()
    if comment is None:
        raise Http404
    return comment


def _edit_form(sent: QueryDict | None, shell: Shell, comment: Comment) -> EditForm:
    form = EditForm(
        sent,
        people=selectors.people_who_see(shell.request),
        initial={
            "text": comment.text,
            "mentions": [str(person.uuid) for person in comment.mentions.all()],
            "version": comment.version,
        },
    )
    form.has_files = comment.attachments.exists()
    return form


def _add_refusal(form: CommentForm, refusal: DomainError) -> None:
    """Show it at its field; what is said of a file, at the files."""
    if "uploads" in form.fields and not getattr(refusal, "field", ""):
        form.add_error("uploads", refusal.message)
    else:
        add_refusal(form, refusal)


def _place(comment: Comment) -> str:
    return f"{reverse('requests:detail', args=[comment.request_id])}#comment-{comment.uuid}"
