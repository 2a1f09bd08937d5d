"""Addresses of accounts, and of the settings that administrators keep."""

from django.urls import URLPattern, path, register_converter
from django.urls.converters import StringConverter

from accounts.views import accounts, readings, settings


class NumberConverter(StringConverter):
    """`ACC-12` in an address is account 12."""

    regex = "ACC-[1-9][0-9]{0,17}"

    def to_python(self, value: str) -> int:  # type: ignore[override]
        return int(value.removeprefix("ACC-"))

    def to_url(self, value: int) -> str:  # type: ignore[override]
        return f"ACC-{value}"


register_converter(NumberConverter, "number")

app_name = "accounts"
urlpatterns: list[URLPattern] = [
    path("", accounts.account_list, name="account-list"),
    path("export.csv", accounts.account_export, name="account-export"),
    path("<number:number>/", accounts.overview, name="account-detail"),
    path(
        "<number:number>/subscriptions/",
        accounts.subscriptions,
        name="account-subscriptions",
    ),
    path("<number:number>/instances/", accounts.instances, name="account-instances"),
    path("<number:number>/readings/", readings.reading_list, name="account-readings"),
    path("<number:number>/readings/new/", readings.reading_create, name="reading-create"),
    path("<number:number>/people/", accounts.people, name="account-people"),
    path("<number:number>/timeline/", accounts.timeline, name="account-timeline"),
    path("<number:number>/data/", accounts.data, name="account-data"),
]

settings_urlpatterns: list[URLPattern] = [
    path("company/", settings.company, name="company"),
    path("tiers/", settings.tier_list, name="tier-list"),
    path("tiers/new/", settings.tier_create, name="tier-create"),
    path("tiers/<uuid:tier_id>/end/", settings.tier_end, name="tier-end"),
]
