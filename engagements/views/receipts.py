"""Anybody who holds a receipt can check it here: what, when and how, and of people initials."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_safe

from engagements.forms.public import ReceiptForm
from engagements.rules.receipts import read_receipt
from engagements.selectors.receipts import receipt_of
from engagements.views.public_parts import count, page, public


@public
@require_safe
def verify(request: HttpRequest) -> HttpResponse:
    """Ask for a code."""
    form = ReceiptForm(request.GET if "code" in request.GET else None)
    if form.is_bound and form.is_valid():
        code = read_receipt(form.cleaned_data["code"])
        if code:
            return redirect("public:receipt-check", code)
        form.add_error("code", f"“{form.cleaned_data['code']}” is no receipt code.")
    status = 404 if form.errors else 200
    return page(request, "public/verify.html", {"form": form}, status=status)


@public
@require_safe
def receipt_check(request: HttpRequest, code: str) -> HttpResponse:
    found = receipt_of(read_receipt(code))
    if found is None:
        count(request, "receipt_unknown")
        form = ReceiptForm(initial={"code": code[:40]})
        context = {"form": form, "unknown": code[:40]}
        return page(request, "public/verify.html", context, status=404)
    return page(request, "public/verified.html", {"receipt": found})
