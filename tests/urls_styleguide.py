"""Every component on one page, for the tests that look at it in a browser."""

import datetime as dt
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.template import engines
from django.urls import path

from config import errors, urls

TEMPLATE = Path(__file__).with_name("styleguide.html")
FIRST = dt.date(2025, 11, 21)


class FilterForm(forms.Form):
    q = forms.CharField(label="Search accounts", required=False)
    tier = forms.ChoiceField(
        label="Tier", choices=[("", "any"), ("diamond", "Diamond")], required=False
    )
    stale = forms.BooleanField(label="Stale data", required=False)


class ReadingForm(forms.Form):
    seats = forms.IntegerField(label="Active seats", min_value=0)
    observed_on = forms.DateField(
        label="Observed on", widget=forms.DateInput(attrs={"type": "date"})
    )
    source = forms.ChoiceField(
        label="Source", choices=[("manual", "By hand"), ("import", "Import")]
    )
    way = forms.ChoiceField(
        label="How do you know?",
        choices=[("call", "Told on a call"), ("mail", "Told by mail")],
        widget=forms.RadioSelect,
    )
    scopes = forms.MultipleChoiceField(
        label="Scopes",
        choices=[("read", "Read"), ("write", "Write")],
        widget=forms.CheckboxSelectMultiple,
        required=False,
    )
    note = forms.CharField(
        label="Note",
        help_text="Why you enter it by hand, and who told you.",
        widget=forms.Textarea,
        max_length=2000,
    )
    sure = forms.BooleanField(label="The customer knows", required=False)


def share_of(number: int) -> Fraction | None:
    return None if 20 <= number < 24 else Fraction(3360 + number * 18 + number % 5 * 12, 6400)


def styleguide(request: HttpRequest) -> HttpResponse:
    if "toast" in request.GET:
        messages.success(request, "PRJ-96 moved to Ready, position 1 of 5.")
    weeks = [FIRST + dt.timedelta(weeks=number) for number in range(53)]
    context = {
        "points": [(day, share_of(number)) for number, day in enumerate(weeks)],
        "counts": [(day, 40 + number % 7) for number, day in enumerate(weeks)],
        "markers": [(dt.date(2026, 7, 1), "Jul: trial seats excluded")],
        "steps": [
            (day, 1120 if number < 24 else 1400, 498 + number * 10)
            for number, day in enumerate(weeks)
        ],
        "share": Fraction(43, 64),
        "change": Fraction(27, 1000),
        "rows": [
            ("Kestrel Logistics", Decimal(71_000), 488, 620),
            ("Ravello Foods", Decimal(58_000), 263, 340),
            ("Saltmarsh Ports", Decimal("50000.01"), None, 410),
        ],
        "when": dt.datetime(2026, 11, 18, 9, 30, tzinfo=dt.UTC),
        "filter_form": FilterForm(request.GET),
        "reading_form": ReadingForm(),
        "sort": request.GET.get("sort", "-arr"),
        "tabs": [
            {"label": "Overview", "url": "?", "current": True},
            {"label": "People", "url": "?tab=people", "count": 9},
        ],
        "views": [
            {"label": "All", "url": "?", "current": True, "count": 94},
            {"label": "Below 80%", "url": "?below=1"},
        ],
    }
    if "error" in request.GET:
        context["form"] = context["reading_form"] = ReadingForm({"seats": "many", "source": "x"})
        context["form"].full_clean()
    template = engines["django"].from_string(TEMPLATE.read_text())
    return HttpResponse(template.render(context, request))


def fail(request: HttpRequest, status: int) -> HttpResponse:
    return errors.answer(request, status)


urlpatterns = [
    *urls.urlpatterns,
    path("styleguide/", styleguide),
    path("styleguide/errors/<int:status>/", fail),
]
