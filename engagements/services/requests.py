"""Drafts of requests: begun, saved by the field, filed, thrown away."""

import datetime as dt
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import F
from django.db.models.functions import Now

from accounts import selectors as accounts
from accounts.models import Account, Contact
from accounts.selectors.lists import NUMBER
from config.lib.authz import require
from config.lib.errors import Conflict, Missing, StaleWrite
from config.lib.etags import etag_of
from config.lib.values import BadValue, OuterId, echo, parse_uuid
from engagements import permissions, selectors
from engagements.models import RequestState, RequestType, ServiceRequest
from engagements.rules import answers as asked
from engagements.rules.suggesting import SOURCE_MAX, source_of, suggestions_from
from engagements.services.moving import DISCARDED, move
from events.services import record
from people.models import User

TYPE = asked.type_of(tuple(RequestType.values))
NAMES = ("account", "contact", "type", *asked.ANSWERS)
NO_ACCOUNT = "This token is limited to some accounts. Name one of them."

Answers = Mapping[str, Any]


class NotADraft(Conflict):
    """Its answers were sent, and stay as they are."""

    code = "not_a_draft"


@dataclass(frozen=True, kw_only=True)
class _Reader:
    """Reads answers to one draft. `as_text`: as a form sends them, which keeps what is wrong."""

    by: User
    at: dt.datetime
    as_text: bool

    def value(self, name: str, sent: Any, account: Account | None) -> Any:
        if name == "account":
            return self._account(sent)
        if name == "contact":
            return self._contact(sent, account)
        answer = TYPE if name == "type" else asked.ANSWERS.get(name)
        if answer is None:
            raise BadValue("unknown", "There is no such answer.")
        return answer.parse_words(sent.strip()) if self.as_text else answer.parse(sent)

    def _account(self, sent: Any) -> Account:
        visible = accounts.accounts_visible_to(self.by)
        if isinstance(sent, Account):
            found = visible.filter(pk=sent.pk).first()
        elif isinstance(sent, OuterId):
            found = visible.filter(**sent._asdict()).first()
        elif isinstance(sent, str) and (number := NUMBER.fullmatch(sent.strip())):
            found = visible.filter(pk=int(number[1])).first()
        else:
            found = visible.filter(uuid=_id_of(sent)).first()
        if found is None:
            raise BadValue("unknown", f"There is no account “{echo(_shown(sent))}”.")
        return found

    def _contact(self, sent: Any, account: Account | None) -> Contact:
        if account is None:
            raise BadValue("no_account", "Choose the account before its contact.")
        wanted = sent.uuid if isinstance(sent, Contact) else _id_of(sent)
        found = selectors.contacts_to_choose(account, self.by, on=accounts.today(self.at))
        contact = found.filter(uuid=wanted).first()
        if contact is None:
            raise BadValue("unknown", "This is no contact of the account that you may see.")
        return contact


@transaction.atomic
def create_draft(
    *,
    by: User,
    at: dt.datetime,
    answers: Answers | None = None,
    as_text: bool = False,
    came_by: str = ServiceRequest.Came.FORM,
    source_text: str = "",
) -> ServiceRequest:
    """Begin a request, seen by nobody else until it is submitted."""
    require(permissions.can_file_requests, by)
    draft = ServiceRequest(filed_by=by, came_by=came_by, source_text=source_text)
    columns, typed = _read(draft, answers or {}, _Reader(by=by, at=at, as_text=as_text))
    for name, value in columns.items():
        setattr(draft, name, value)
    _insist_on_reach(draft, by)
    draft.typed, draft.created_at, draft.moved_at = typed, at, at
    draft.save()
    draft.refresh_from_db()
    # Without the account: its timeline is read by people who may not know of the draft.
    record("request.drafted", draft, by=by, after={"came_by": came_by, "type": draft.type})
    return draft


@transaction.atomic
def create_from_text(
    text: str, *, came_by: str, by: User, at: dt.datetime, account: Any = None
) -> ServiceRequest:
    """Begin a request from a pasted e-mail or chat, which is kept, with what it suggests."""
    require(permissions.can_file_requests, by)
    source = source_of(text)
    if not source:
        raise ValidationError({"text": ValidationError("Paste the text.", code="required")})
    if len(source) > SOURCE_MAX:
        words = f"This is longer than {SOURCE_MAX:,} characters. Paste the part that matters."
        raise ValidationError({"text": ValidationError(words, code="max_length")})
    found = suggestions_from(source, today=accounts.today(at))
    answers: dict[str, Any] = {"links": [link["url"] for link in found.links]}
    if found.title:
        answers["title"] = found.title
    if found.day:
        answers["needed_by"] = found.day.isoformat()
    if account:
        answers["account"] = account
    return create_draft(by=by, at=at, answers=answers, came_by=came_by, source_text=source)


@transaction.atomic
def save_draft(
    request: ServiceRequest,
    answers: Answers,
    *,
    by: User,
    at: dt.datetime,
    version: int | None = None,
    as_text: bool = False,
) -> ServiceRequest:
    """Keep answers, others stay as they are; None, or "" in a form, takes one back.

    With `as_text` an answer that is not valid is kept as it was typed. Without, nothing is
    saved and ValidationError names each. Raises StaleWrite where `version` is not the stored
    one; a form that would change nothing is let pass.
    """
    require(permissions.is_drafts_own, by, request)
    locked = _locked(request)
    columns, typed = _read(locked, answers, _Reader(by=by, at=at, as_text=as_text))
    changed = [name for name, value in columns.items() if getattr(locked, name) != value]
    is_same = not changed and typed == locked.typed
    if version is not None and version != locked.version and not (as_text and is_same):
        raise StaleWrite(etag=etag_of(locked.uuid, locked.version))
    if not is_same:
        for name in changed:
            setattr(locked, name, columns[name])
        _insist_on_reach(locked, by)
        ServiceRequest.objects.filter(pk=locked.pk).update(
            **{name: columns[name] for name in changed},
            typed=typed,
            version=F("version") + 1,
            updated_at=Now(),
        )
        # What the answers are is in the row; a draft is its author's own.
        names = sorted({*changed, *(typed.keys() ^ locked.typed.keys())})
        record("request.draft_saved", locked, by=by, after={"answers": names})
    request.refresh_from_db()
    return request


@transaction.atomic
def file_request(
    answers: Answers, *, by: User, at: dt.datetime, submit: bool = False
) -> ServiceRequest:
    """Begin a request as a program does and, if asked to, submit it: both or nothing.

    Raises ValidationError with every answer that is wrong or, to submit it, missing.
    """
    draft = create_draft(by=by, at=at, answers=answers, came_by=ServiceRequest.Came.API)
    if submit:
        if missing := selectors.missing_answers(draft, on=accounts.today(at)):
            raise ValidationError(
                {name: ValidationError(words, code="required") for name, words in missing.items()}
            )
        move(draft, "submit", by=by, at=at)
    return draft


@transaction.atomic
def discard_draft(request: ServiceRequest, *, by: User) -> None:
    """Throw a draft away. What was submitted is cancelled instead, by a move."""
    require(permissions.is_drafts_own, by, request)
    locked = _locked(request)
    record("request.draft_discarded", locked, by=by, before={"type": locked.type})
    locked.delete()


def _locked(request: ServiceRequest) -> ServiceRequest:
    rows = ServiceRequest.objects.select_for_update(of=("self",), no_key=True)
    locked = rows.filter(pk=request.pk).first()
    if locked is None:
        raise Missing(DISCARDED)
    if locked.state != RequestState.DRAFT:
        raise NotADraft(f"{locked.number} was submitted. Its answers stay as they are.")
    return locked


def _read(
    draft: ServiceRequest, answers: Answers, reader: _Reader
) -> tuple[dict[str, Any], dict[str, str]]:
    """Return the columns to write, and all that is typed and not valid."""
    columns: dict[str, Any] = {}
    typed = dict(draft.typed)
    wrong: dict[str, BadValue] = {}
    # The account first: the contact is one of its own.
    for name in sorted(answers, key=lambda name: (name != "account", name)):
        sent = answers[name]
        typed.pop(name, None)
        account = columns.get("account", draft.account)
        try:
            is_nothing = sent is None or (isinstance(sent, str) and not sent.strip())
            columns[name] = _nothing(name) if is_nothing else reader.value(name, sent, account)
        except BadValue as bad:
            wrong[name] = bad
            if name in NAMES:
                columns[name] = _nothing(name)
                typed[name] = asked.kept(_shown(sent))
    _settle_contact(draft, columns, reader)
    while (seats := asked.out_of_order(_seats(draft, columns))) is not None:
        name, wrong[name] = seats
        typed[name] = asked.words_of(columns.get(name, getattr(draft, name)))
        columns[name] = None
    if wrong and not reader.as_text:
        raise ValidationError(
            {name: ValidationError(bad.detail, code=bad.code) for name, bad in wrong.items()}
        )
    return columns, typed


def _settle_contact(draft: ServiceRequest, columns: dict[str, Any], reader: _Reader) -> None:
    """Of another account, forget the contact; where there is only one to choose, choose it."""
    account = columns.get("account", draft.account)
    if "account" not in columns or account == draft.account:
        return
    if not columns.get("contact"):
        columns["contact"] = None
    if account is not None and columns["contact"] is None:
        on = accounts.today(reader.at)
        choice = list(selectors.contacts_to_choose(account, reader.by, on=on)[:2])
        columns["contact"] = choice[0] if len(choice) == 1 else None


def _seats(draft: ServiceRequest, columns: Answers) -> dict[str, int | None]:
    return {name: columns.get(name, getattr(draft, name)) for name in asked.SEATS}


def _nothing(name: str) -> Any:
    if name in {"account", "contact"}:
        return None
    if name not in NAMES:
        raise BadValue("unknown", "There is no such answer.")
    return (TYPE if name == "type" else asked.ANSWERS[name]).nothing


def _insist_on_reach(draft: ServiceRequest, by: User) -> None:
    """Refuse what the token of the request could not see once it is saved."""
    if by.limited_to is not None and draft.account is None:
        raise ValidationError({"account": ValidationError(NO_ACCOUNT, code="required")})


def _id_of(sent: Any) -> uuid.UUID:
    return sent if isinstance(sent, uuid.UUID) else parse_uuid(sent)


def _shown(sent: Any) -> str:
    return sent.external_id if isinstance(sent, OuterId) else str(sent)
