"""Board packs: which there are, one as a report, and its paper."""

from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from accounts.here import Here, page
from config.lib import keyset
from config.lib.authz import require
from config.lib.errors import Conflict, Missing
from config.lib.paging import paged
from config.lib.ui.formats import day_text, share_text
from config.lib.values import BadValue, parse_integer_text
from metrics import permissions
from metrics.models import BoardPack
from metrics.rules.packs import Month
from metrics.selectors import packs
from metrics.selectors.pack_document import document
from metrics.selectors.pack_words import share_in_words, share_of
from metrics.services.pack_papers import pack_pdf as typeset
from metrics.services.packs import make_pack
from people.writing import once

MOST_EDITIONS = 32_767
NO_DIGEST = "of nothing that is kept: this is a preview"


@require_safe
def pack_list(request: HttpRequest) -> HttpResponse:
    here = Here.of(request)
    require(permissions.can_see_metrics, here.user)
    found = packs.packs_visible_to(here.user)
    shown = paged(request, found, keyset.keys_for(BoardPack, ["-month", "-edition"]))
    this_month = Month.of(here.today)
    last = this_month.before
    may_make = permissions.can_make_packs(here.user)
    context = {
        "packs": [_row(each) for each in shown.rows],
        "notes": shown.notes,
        "next": shown.next,
        "previous": shown.previous,
        "summary": f"{len(shown.rows):,} edition{'' if len(shown.rows) == 1 else 's'}",
        "may_make": may_make,
        "this_month": this_month,
        "preview_url": reverse("metrics:pack", args=[this_month]) if may_make else "",
        "last": last,
        "make_url": reverse("metrics:pack", args=[last]),
        "missing": _missing(last, here) if may_make else None,
    }
    return page(request, "metrics/packs/list.html", context, here=here, partial="list")


def _missing(month: Month, here: Here) -> str | None:
    """Say why last month has no pack, "" where one can be made; None where it has one."""
    if packs.pack_of(here.user, month):
        return None
    return packs.why_not(month, at=here.now)


def _row(pack: BoardPack) -> dict[str, Any]:
    number = pack.told["number"]
    return {
        "pack": pack,
        "month": Month(pack.month),
        "url": _url("metrics:pack", Month(pack.month), pack.edition),
        "pdf_url": _url("metrics:pack-pdf", Month(pack.month), pack.edition),
        "share": share_in_words(share_of(number)),
        "number": number,
    }


@require_http_methods(["GET", "HEAD", "POST"])
@once
def pack_page(request: HttpRequest, month: Month) -> HttpResponse:
    """The newest edition of a month or the one asked for; POST makes the next one."""
    here = Here.of(request)
    require(permissions.can_see_metrics, here.user)
    if request.method == "POST":
        return _make(request, here, month)
    pack = _asked(request, here, month)
    told = pack.told if pack else _preview(here, month).told
    editions = packs.packs_visible_to(here.user).filter(month=month.first)
    since = packs.since(pack) if pack else None
    context = {
        "month": month,
        "pack": pack,
        "document": document(told),
        "editions": [
            {
                "label": f"Edition {each.edition}",
                "url": _url("metrics:pack", month, each.edition),
                "current": pack is not None and each.pk == pack.pk,
            }
            for each in editions
        ],
        "newest": editions.first(),
        "pdf_url": _url("metrics:pack-pdf", month, pack.edition if pack else None),
        "since": since,
        "since_day": day_text(since.run.day) if since else "",
        "since_share": share_text(since.share) if since else "",
        "may_make": permissions.can_make_packs(here.user),
        "why_not": "" if pack else packs.why_not(month, at=here.now),
    }
    return page(request, "metrics/packs/pack.html", context, here=here)


def _make(request: HttpRequest, here: Here, month: Month) -> HttpResponse:
    require(permissions.can_make_packs, here.user)
    try:
        pack = make_pack(month, by=here.user, at=here.now)
    except Conflict as refusal:
        messages.warning(request, f"Not made. {refusal}")
    else:
        messages.success(
            request, f"Made: edition {pack.edition} of {month}. Its readers get a mail."
        )
    return redirect("metrics:pack", month)


@require_safe
def pack_pdf(request: HttpRequest, month: Month) -> HttpResponse:
    """The paper as it was kept; of a month so far, one made now."""
    here = Here.of(request)
    require(permissions.can_see_metrics, here.user)
    pack = _asked(request, here, month)
    if pack is not None:
        paper, name = bytes(pack.pdf), f"board-pack-{month.key}-edition-{pack.edition}.pdf"
    else:
        told = _preview(here, month).told
        paper = typeset(document(told), company=told["company"], digest=NO_DIGEST, at=here.now)
        name = f"board-pack-{month.key}-so-far.pdf"
    return HttpResponse(
        paper,
        content_type="application/pdf",
        headers={
            "Content-Disposition": f'inline; filename="{name}"',
            "Cache-Control": "private, no-store",
        },
    )


def _asked(request: HttpRequest, here: Here, month: Month) -> BoardPack | None:
    """Return the edition asked for; None where the month has none. Raises Missing."""
    text = request.GET.get("edition", "")
    if not text:
        return packs.pack_of(here.user, month)
    try:
        edition = parse_integer_text(text, low=1, high=MOST_EDITIONS)
    except BadValue:
        edition = 0
    pack = packs.pack_of(here.user, month, edition) if edition else None
    if pack is None:
        raise Missing(f"There is no such edition of the board pack of {month}.")
    return pack


def _preview(here: Here, month: Month) -> packs.Gathered:
    """Work out a month that has no pack, for those who may make one. Raises Missing."""
    found = None
    if permissions.can_make_packs(here.user):
        found = packs.gathered(month, at=here.now)
    if found is None:
        raise Missing(f"There is no board pack of {month}.")
    return found


def _url(name: str, month: Month, edition: int | None) -> str:
    query = f"?{urlencode({'edition': edition})}" if edition else ""
    return reverse(name, args=[month]) + query
