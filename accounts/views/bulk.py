"""One value for many accounts: choose it, see what would change, do it, read the report, undo."""

import uuid
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts import permissions, selectors
from accounts.forms import BulkForm
from accounts.here import Here, page
from accounts.models import Account, BulkEdit
from accounts.services import bulk_edits
from accounts.services.bulk_columns import said
from accounts.services.bulk_edits import MOST_ACCOUNTS, Busy, PlanChanged
from accounts.services.bulk_plans import Plan, Skip
from accounts.views.listing import ACCOUNTS, Listing
from accounts.views.picked import ALL, PICKED, ids_of
from config.lib.authz import require
from config.lib.errors import DomainError, Gone
from config.lib.lists import SAVED
from config.lib.ui.formats import number_text
from people.models import REQUESTERS, User

MOST_SHOWN = 50
MOST_TOLD = 500
BACK = "back"


@dataclass(frozen=True)
class Act:
    """Something that can be set for many accounts, as the bar of the list offers it."""

    name: str
    label: str
    button: str

    def title(self, count: int, value: Any = None) -> str:
        accounts = f"{number_text(count)} {'account' if count == 1 else 'accounts'}"
        if self.name != "archived":
            return f"{self.button} of {accounts}"
        return f"Take {accounts} out of the archive" if value is False else f"Archive {accounts}"


ACTS = {
    act.name: act
    for act in (
        Act("tam", "TAM", "Set TAM"),
        Act("segment", "segment", "Set segment"),
        Act("strategic", "strategic", "Set strategic"),
        Act("region", "region", "Set region"),
        Act("archived", "archived", "Archive"),
    )
}


def acts_of(user: User) -> list[Act]:
    """Return what this person may set, of their own accounts at least."""
    return [
        act for act in ACTS.values() if permissions.can_edit_in_bulk(user, act.name, is_own=True)
    ]


@dataclass
class Asked:
    """What somebody wants to set, and for which accounts."""

    act: Act
    listing: Listing
    is_all: bool
    ids: list[int]
    # The saved view that the list was opened as.
    saved: str = ""
    notes: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, request: HttpRequest, sent: QueryDict) -> "Asked":
        act = ACTS.get(sent.get("field", ""))
        if act is None:
            raise Http404
        listing = Listing.of(request, sent)
        require(permissions.can_edit_in_bulk, listing.here.user, act.name, is_own=True)
        is_all = bool(sent.get(ALL)) and not listing.problems
        if is_all:
            ids = list(listing.accounts.values_list("pk", flat=True)[: MOST_ACCOUNTS + 1])
        else:
            ids = ids_of(sent.getlist(PICKED))
        asked = cls(act, listing, is_all, ids, sent.get(SAVED, ""))
        if sent.get(ALL) and listing.problems:
            asked.ids = ids = []
            asked.notes.append("The filters of the list could not be read.")
        if len(ids) > MOST_ACCOUNTS:
            asked.ids = []
            asked.notes.append(
                f"More than {MOST_ACCOUNTS:,} accounts fit. Narrow the list, and set it in parts."
            )
        elif not ids:
            asked.notes.append("No account is selected. Tick some in the list first.")
        return asked

    @property
    def hidden(self) -> list[tuple[str, str]]:
        """What a form sends along so that the same accounts are meant."""
        accounts = [(ALL, "1")] if self.is_all else [(PICKED, f"ACC-{pk}") for pk in self.ids]
        saved = [(SAVED, self.saved)] if self.saved else []
        return [("field", self.act.name), *saved, *self.listing.state.parameters, *accounts]

    @property
    def back_url(self) -> str:
        return ACCOUNTS.url + self.back

    @property
    def back(self) -> str:
        return self.listing.state.address(self.saved)


@require_http_methods(["GET", "POST"])
def bulk_edit(request: HttpRequest) -> HttpResponse:
    sent = request.POST if request.method == "POST" else request.GET
    asked = Asked.of(request, sent)
    here = asked.listing.here
    form = _form(asked, sent)
    edit, plan, status = None, None, 200
    if asked.ids and form.is_bound and form.is_valid():
        try:
            edit = bulk_edits.edit_of(asked.act.name, form.cleaned_data["value"], on=here.today)
            if request.method == "POST":
                made = bulk_edits.carry_out(
                    edit, asked.ids, by=here.user, on=here.today, at=here.now,
                    expected=sent.get("plan") or "not seen",
                )  # fmt: skip
                return _to_report(made, asked)
        except (PlanChanged, Busy) as changed:
            asked.notes.append(changed.message)
            status = 409
        except DomainError as refusal:
            form.add_error("value", refusal.message)
        if edit is not None and not form.errors:
            plan = bulk_edits.plan(edit, asked.ids, by=here.user, on=here.today)
    if form.errors:
        status = 422
    return _page(request, asked, form, plan, status)


@require_safe
def bulk_report(request: HttpRequest, edit_id: uuid.UUID) -> HttpResponse:
    here = Here.of(request)
    made = _edit_of(edit_id, here.user)
    names = _names([e["account"] for e in [*made.skipped, *made.not_undone][:MOST_TOLD]])
    back = QueryDict(request.GET.get(BACK, ""))
    context = {
        "edit": made,
        "act": ACTS[made.field],
        "value": _said(made),
        "changed": len(made.changed),
        "put_back": len(made.changed) - len(made.not_undone),
        "skipped": _told(made.skipped, names),
        "not_undone": _told(made.not_undone, names),
        "more": max(0, len(made.skipped) - MOST_TOLD),
        "may_undo": permissions.can_undo_bulk_edit(here.user, made)
        and bulk_edits.can_be_undone(made, at=here.now),
        "undo_until": made.at + bulk_edits.UNDO_FOR,
        "back": request.GET.get(BACK, ""),
        "back_url": ACCOUNTS.url + ACCOUNTS.state_of(back).address(back.get(SAVED, "")),
    }
    return page(request, "accounts/bulk_report.html", context, here=here)


@require_POST
def bulk_undo(request: HttpRequest, edit_id: uuid.UUID) -> HttpResponse:
    here = Here.of(request)
    made = _edit_of(edit_id, here.user)
    try:
        undone = bulk_edits.undo(made, by=here.user, on=here.today, at=here.now)
    except (Gone, Busy) as refusal:
        messages.error(request, refusal.message)
    else:
        put_back, left = len(undone.changed) - len(undone.not_undone), len(undone.not_undone)
        rest = f", {number_text(left)} left as they are" if left else ""
        messages.success(request, f"Undone: {number_text(put_back)} put back{rest}.")
    return redirect(_report_url(made, request.POST.get(BACK, "")))


def _edit_of(edit_id: uuid.UUID, user: User) -> BulkEdit:
    made = get_object_or_404(BulkEdit.objects.select_related("by"), uuid=edit_id)
    if not permissions.can_undo_bulk_edit(user, made):
        raise Http404
    return made


def _form(asked: Asked, sent: QueryDict) -> BulkForm:
    """Ask for the value; archiving is chosen already by who comes from that button."""
    known = (
        [value for value, _ in selectors.choices().regions] if asked.act.name == "region" else []
    )
    data = sent if "value" in sent else None
    if data is None and asked.act.name == "archived":
        data = QueryDict("value=yes")
    return BulkForm(
        data, field=asked.act.name, label=_label(asked.act), people=_requesters(), known=known
    )


def _label(act: Act) -> str:
    return f"New {act.label}" if act.name != "strategic" else "Strategic"


def _requesters() -> QuerySet[User]:
    people = User.objects.filter(is_active=True, is_system=False, groups__name__in=REQUESTERS)
    return people.distinct().order_by("name", "pk")


def _page(
    request: HttpRequest,
    asked: Asked,
    form: BulkForm,
    plan: Plan | None,
    status: int,
) -> HttpResponse:
    value = form.cleaned_data["value"] if form.is_valid() else None
    context = {
        "asked": asked,
        "title": asked.act.title(len(asked.ids), value),
        "form": form,
        "plan": plan,
        "becomes": value.name if isinstance(value, User) else said(value),
        "shown": plan.changes[:MOST_SHOWN] if plan else [],
        "skipped": plan.skipped[:MOST_SHOWN] if plan else [],
        "button": asked.act.title(len(plan.changes), value) if plan else "",
        "sent_value": form.data.get("value", "") if form.is_bound else "",
    }
    return page(request, "accounts/bulk_edit.html", context, here=asked.listing.here, status=status)


def _said(made: BulkEdit) -> str:
    if made.field == bulk_edits.TAM:
        return User.objects.get(pk=str(made.value)).name
    return said(made.value)


def _to_report(made: BulkEdit, asked: Asked) -> HttpResponse:
    return redirect(_report_url(made, asked.back.removeprefix("?")))


def _report_url(made: BulkEdit, back: str) -> str:
    url = reverse("accounts:bulk-report", args=[made.uuid])
    return f"{url}?{urlencode({BACK: back})}" if back else url


def _names(ids: list[int]) -> dict[int, Account]:
    return Account.objects.in_bulk(ids)


def _told(entries: list[dict[str, Any]], names: dict[int, Account]) -> list[Skip]:
    return [
        Skip(names[entry["account"]], entry["reason"])
        for entry in entries[:MOST_TOLD]
        if entry["account"] in names
    ]
