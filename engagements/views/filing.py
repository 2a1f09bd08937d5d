"""Beginning a request: its account, or the text it comes from."""

from typing import Any

from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from accounts import selectors as accounts
from accounts.here import Here, page, posted
from accounts.models import Account
from accounts.selectors.lists import NUMBER
from config.lib.authz import require
from config.lib.values import BadValue, parse_seats_text
from engagements import permissions, selectors
from engagements.forms.intake import PasteForm
from engagements.models import RequestType, ServiceRequest
from engagements.services import requests as services
from engagements.views.intake_parts import AccountCard, Steps, choices_of
from people.writing import once

MOST_DRAFTS = 5
TEXT_MAX = 100
# What an address may fill in beside the account: ?type= and ?seats=.
PREFILLED = {"type": "type", "seats": "seats_likely"}
CHOOSE = "Choose the account."


@require_http_methods(["GET", "POST"])
@once
def request_new(request: HttpRequest) -> HttpResponse:
    """The first step of a request that is not there yet."""
    here = Here.of(request)
    require(permissions.can_file_requests, here.user)
    if request.method == "POST":
        chosen = _chosen(request.POST.get("account", ""), here)
        if chosen is not None:
            answers = {"account": chosen, **_prefilled(request.POST)}
            draft = services.create_draft(by=here.user, at=here.now, answers=answers, as_text=True)
            return redirect("requests:intake", draft.pk, "asked")
    return _account_page(request, here, None)


def account_step(request: HttpRequest, here: Here, draft: ServiceRequest) -> HttpResponse:
    """The same of a draft that is there: its account, to be chosen or changed."""
    if request.method == "POST":
        chosen = _chosen(request.POST.get("account", ""), here)
        if chosen is not None:
            # What is chosen here is one answer: the newest wish counts.
            services.save_draft(draft, {"account": chosen}, by=here.user, at=here.now, as_text=True)
            return redirect("requests:intake", draft.pk, "asked")
    return _account_page(request, here, draft)


@require_http_methods(["GET", "POST"])
@once
def request_paste(request: HttpRequest) -> HttpResponse:
    """Begin from the text of an e-mail or chat, which is kept."""
    here = Here.of(request)
    require(permissions.can_file_requests, here.user)
    asked_for = request.POST.get("account", request.GET.get("account", ""))
    account = _chosen(asked_for, here)
    form = PasteForm(posted(request))
    if form.is_valid():
        try:
            draft = services.create_from_text(
                form.cleaned_data["text"],
                came_by=form.cleaned_data["came_by"],
                account=account,
                by=here.user,
                at=here.now,
            )
        except ValidationError as error:
            for name, errors in error.error_dict.items():
                form.add_error(name if name in form.fields else None, errors)
        else:
            return redirect("requests:intake", draft.pk, "asked" if account else "account")
    context = {"form": form, "account": account}
    status = 422 if form.errors else 200
    return page(
        request,
        "requests/intake/paste.html",
        context,
        here=here,
        partial="paste",
        status=status,
    )


def _account_page(request: HttpRequest, here: Here, draft: ServiceRequest | None) -> HttpResponse:
    sent = posted(request)
    text = (request.GET.get("q", "") if sent is None else sent.get("q", ""))[:TEXT_MAX]
    text = text.replace("\x00", "")
    asked_for = request.GET.get("account", "") if sent is None else sent.get("account", "")
    chosen = _chosen(asked_for, here) or (draft.account if draft else None)
    found = selectors.accounts_to_choose(here.user, text, on=here.today)
    if chosen is not None and not text and chosen not in found:
        found.insert(0, chosen)
    error = CHOOSE if sent is not None else ""
    context: dict[str, Any] = {
        "draft": draft,
        "action": _address(draft),
        "prefilled": _prefilled_words(request.GET if sent is None else sent),
        "text": text,
        "choices": choices_of(found, here),
        "chosen": chosen,
        "card": AccountCard(chosen, here, draft) if chosen else None,
        "error": error,
        "form": {"errors": error},
        "steps": Steps(draft, "account"),
        "drafts": [] if draft else list(selectors.drafts_of(here.user)[:MOST_DRAFTS]),
    }
    return page(
        request,
        "requests/intake/account.html",
        context,
        here=here,
        partial=("accounts", "chosen"),
        status=422 if error else 200,
    )


def _address(draft: ServiceRequest | None) -> str:
    if draft is None:
        return reverse("requests:new")
    return reverse("requests:intake", args=[draft.pk, "account"])


def _chosen(words: str, here: Here) -> Account | None:
    """Return the account of this number; an address may name one that is not there."""
    number = NUMBER.fullmatch(words.strip())
    if number is None:
        return None
    return accounts.accounts_visible_to(here.user).filter(pk=int(number[1])).first()


def _prefilled(given: Any) -> dict[str, str]:
    words = _prefilled_words(given)
    return {name: words[key] for key, name in PREFILLED.items() if key in words}


def _prefilled_words(given: Any) -> dict[str, str]:
    """Return what the address fills in; nonsense there is no answer of anybody's."""
    words = {key: given.get(key, "").strip() for key in PREFILLED}
    if words["type"] not in RequestType.values:
        del words["type"]
    try:
        parse_seats_text(words["seats"])
    except BadValue:
        del words["seats"]
    return words
