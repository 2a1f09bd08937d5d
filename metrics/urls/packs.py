"""The monthly report; included in `/metric/`."""

from django.urls import path, register_converter
from django.urls.converters import StringConverter
from django.urls.resolvers import URLPattern

from metrics.rules.packs import Month
from metrics.views import packs


class MonthConverter(StringConverter):
    """`2026-10` in an address is October 2026."""

    regex = "[0-9]{4}-[0-9]{2}"

    def to_python(self, value: str) -> Month:  # type: ignore[override]
        return Month.parse(value)

    def to_url(self, value: Month) -> str:  # type: ignore[override]
        return value.key


register_converter(MonthConverter, "month")

urlpatterns: list[URLPattern] = [
    path("packs/", packs.pack_list, name="packs"),
    path("packs/<month:month>/", packs.pack_page, name="pack"),
    path("packs/<month:month>/pack.pdf", packs.pack_pdf, name="pack-pdf"),
]
