"""Pages that a customer opens by a link. Looking changes nothing; only the form does."""

import datetime as dt
import hashlib
import json
import secrets

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from config.lib.errors import Conflict
from engagements.forms.public import ACCEPT, ASK, CHANGE, FORMS, Shown, posted_fields
from engagements.models import CustomerQuestion, SignOff, SignOffLink
from engagements.selectors import links as reading
from engagements.selectors import policy_on
from engagements.selectors.links import Standing
from engagements.services import answering, links, papers
from engagements.services.answering import Answer, Changed, Closed, NotAsHashed
from engagements.services.codes import Checked
from engagements.views.public_document import delivery_parts, what_changed
from engagements.views.public_parts import (
    COOKIE_PATH,
    count,
    page,
    public,
    remember,
    remembered,
    sign_off_of_id,
    unknown,
)
from people.http import client_ip
from people.models import IdempotencyKey
from people.services import request_keys

TEMPLATES = {
    SignOffLink.Purpose.SOW: "public/sign.html",
    SignOffLink.Purpose.DELIVERY: "public/deliver.html",
    SignOffLink.Purpose.OBJECTION: "public/object.html",
}
CODE_WORDS = {
    Checked.WRONG: "That code is not right. Look at the newest mail from us.",
    Checked.EXPIRED: "That code was too old. We have sent a new one.",
}


@public
@require_http_methods(["GET", "HEAD", "POST"])
def sign(request: HttpRequest, token: str) -> HttpResponse:
    link = reading.link_of_token(token)
    if link is None:
        return unknown(request)
    if request.method == "POST":
        count(request, "link_answer")
        return _posted(request, token, link)
    if (kept := _kept_for(request, link)) is not None:
        return page(request, "public/receipt.html", {"sign_off": kept})
    return _shown(request, token, link)


@public
@require_POST
def renew(request: HttpRequest, token: str) -> HttpResponse:
    """Send a new link to the address the old one was made for, and to no other."""
    link = reading.link_of_token(token)
    if link is None:
        return unknown(request)
    count(request, "link_answer")
    if request.POST or request.FILES:
        return page(request, "public/odd.html", status=400)
    with transaction.atomic():
        links.renew(link, at=reading.database_now())
    return page(request, "public/renewed.html", {"link": link})


@public
@require_safe
def document(request: HttpRequest, token: str) -> HttpResponse:
    """The statement of work as a file, while the link can be answered."""
    link = reading.link_of_token(token)
    if link is None:
        return unknown(request)
    standing = reading.standing_of(link, at=timezone.now())
    if standing != Standing.OPEN or link.sow is None:
        return _closed(request, token, link, standing)
    name = f"{link.request.number}-v{link.sow.number}.pdf"
    return HttpResponse(
        papers.sow_pdf(link.sow),
        content_type="application/pdf",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


@public
@require_safe
def receipt(request: HttpRequest) -> HttpResponse:
    """What was answered, at an address without the token, for half an hour."""
    kept = remembered(request)
    if isinstance(kept, SignOff):
        return page(request, "public/receipt.html", {"sign_off": kept})
    if isinstance(kept, CustomerQuestion):
        return page(request, "public/asked.html", {"question": kept})
    return page(request, "public/over.html", status=410)


@public
@require_safe
def certificate(request: HttpRequest) -> HttpResponse:
    kept = remembered(request)
    if not isinstance(kept, SignOff):
        return page(request, "public/over.html", status=410)
    return HttpResponse(
        papers.certificate_pdf(kept),
        content_type="application/pdf",
        headers={"Content-Disposition": f'attachment; filename="receipt-{kept.receipt}.pdf"'},
    )


def _shown(
    request: HttpRequest,
    token: str,
    link: SignOffLink,
    form: Shown | None = None,
    *,
    code: Checked = Checked.RIGHT,
    status: int = 200,
) -> HttpResponse:
    standing = reading.standing_of(link, at=timezone.now())
    if standing != Standing.OPEN:
        return _closed(request, token, link, standing)
    shown = reading.shown_by(link)
    if not shown.fits:
        return page(request, "public/not_as_hashed.html", {"link": link}, status=409)
    fresh = {"document": shown.digest, "page": secrets.token_urlsafe(16)}
    thing = link.delivery or link.sow
    context = {
        "link": link,
        "token": token,
        "thing": thing,
        "number": str(thing.number) if thing else "",
        "document": shown,
        "parts": delivery_parts(shown.content) if link.delivery else shown.content,
        "changes": what_changed(link),
        "form": form or FORMS[link.purpose](initial=fresh),
        "fresh": fresh,
        "keep_years": policy_on(timezone.localdate()).keep_years,
        "wants_code": code != Checked.RIGHT,
        "code_words": CODE_WORDS.get(code, ""),
        "staff": request.user if request.user.is_authenticated else None,
    }
    return page(request, TEMPLATES[SignOffLink.Purpose(link.purpose)], context, status=status)


def _closed(
    request: HttpRequest, token: str, link: SignOffLink, standing: Standing
) -> HttpResponse:
    """Say that the link is over, and no more of it than the holder needs to go on."""
    context = {"link": link, "token": token, "standing": standing}
    return page(request, "public/closed.html", context, status=410)


def _posted(request: HttpRequest, token: str, link: SignOffLink) -> HttpResponse:
    form_class = FORMS[link.purpose]
    form = form_class(posted_fields(request, form_class))
    if (kept := _kept_for(request, link)) is not None:
        return page(request, "public/receipt.html", {"sign_off": kept})
    if request.user.is_authenticated:
        return page(request, "public/staff.html", {"link": link}, status=403)
    if not form.is_valid():
        if "document" in form.errors:
            return page(request, "public/odd.html", status=400)
        return _shown(request, token, link, form, status=422)
    try:
        return _carried_out(request, token, link, form)
    except Closed as refusal:
        return _closed(request, token, link, refusal.standing)
    except (Changed, NotAsHashed) as refusal:
        template = (
            "public/changed.html" if isinstance(refusal, Changed) else "public/not_as_hashed.html"
        )
        return page(request, template, {"link": link, "token": token}, status=409)
    except Conflict as refusal:
        form.add_error(None, refusal.message)
        return _shown(request, token, link, form, status=409)


def _carried_out(request: HttpRequest, token: str, link: SignOffLink, form: Shown) -> HttpResponse:
    """Do it once, however often this very page is sent: the second time has the same receipt."""
    with transaction.atomic():
        at = reading.database_now()
        claim = _claim(link, form)
        if claim is not None and claim.status is not None:
            kept = sign_off_of_id(bytes(claim.body).decode())
            if kept is None:
                raise Closed(Standing.ANSWERED)
            return remember(page(request, "public/receipt.html", {"sign_off": kept}), kept)
        done, code = _done(link, form, _answer_of(request, link, form), at)
        if claim is not None and isinstance(done, SignOff):
            request_keys.keep(claim, status=303, headers={}, body=str(done.uuid).encode())
        elif claim is not None:
            claim.delete()
    if done is None:
        link.refresh_from_db()
        return _shown(request, token, link, form, code=code)
    response = HttpResponse(status=303, headers={"Location": reverse("public:receipt")})
    return remember(response, done)


def _done(
    link: SignOffLink, form: Shown, given: Answer, at: dt.datetime
) -> tuple[SignOff | CustomerQuestion | None, Checked]:
    if link.purpose == SignOffLink.Purpose.OBJECTION:
        return answering.object_to(link, given, at=at), Checked.RIGHT
    if form.cleaned_data["decision"] == ASK:
        return answering.ask(link, given, at=at), Checked.RIGHT
    return answering.answer(link, given, at=at)


def _claim(link: SignOffLink, form: Shown) -> IdempotencyKey | None:
    """Claim this page for one answer; None where it says not which page it is, or was changed."""
    if not form.cleaned_data["page"]:
        return None
    written = json.dumps(form.cleaned_data, sort_keys=True)
    asked = request_keys.Request(
        principal=f"link:{link.pk}",
        key=form.cleaned_data["page"],
        method="POST",
        path=COOKIE_PATH,
        digest=hashlib.sha256(written.encode(errors="surrogatepass")).hexdigest(),
    )
    try:
        with transaction.atomic():
            return request_keys.claim(asked)[0]
    except request_keys.KeyReused:
        return None


def _answer_of(request: HttpRequest, link: SignOffLink, form: Shown) -> Answer:
    given = form.cleaned_data
    decision = given.get("decision", "")
    texts = {CHANGE: "change", ASK: "question", ACCEPT: ""}
    return Answer(
        digest=given["document"],
        agrees=decision == ACCEPT,
        name=given.get("name") or link.contact.name,
        title=given.get("title") or "",
        text=given.get("text") or given.get(texts.get(decision, ""), "") or "",
        rating=given.get("rating"),
        code=given.get("code") or "",
        ip=client_ip(request),
        user_agent=_plain(request.headers.get("User-Agent", "")),
    )


def _plain(header: str) -> str:
    return "".join(letter for letter in header if letter.isprintable())


def _kept_for(request: HttpRequest, link: SignOffLink) -> SignOff | None:
    """Return what this browser answered by the link, so that it sees its receipt again."""
    kept = remembered(request)
    if isinstance(kept, SignOff) and link.pk == kept.link_id:
        return kept
    is_objection = isinstance(kept, SignOff) and kept.pk == link.objects_to_id
    return kept if isinstance(kept, SignOff) and is_objection else None
