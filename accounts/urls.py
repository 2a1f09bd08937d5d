"""Addresses of accounts, and of the settings that administrators keep."""

from django.urls import URLPattern, path, register_converter
from django.urls.converters import StringConverter

from accounts.views import (
    account_list,
    accounts,
    bulk,
    exports,
    imports,
    imports_acts,
    imports_detail,
    imports_mapping,
    readings,
    saved_views,
    settings,
)


class NumberConverter(StringConverter):
    """`ACC-12` in an address is account 12."""

    regex = "ACC-[1-9][0-9]{0,17}"

    def to_python(self, value: str) -> int:  # type: ignore[override]
        return int(value.removeprefix("ACC-"))

    def to_url(self, value: int) -> str:  # type: ignore[override]
        return f"ACC-{value}"


class ImportNumberConverter(StringConverter):
    """`IMP-12` in an address is import 12."""

    regex = "IMP-[1-9][0-9]{0,17}"

    def to_python(self, value: str) -> int:  # type: ignore[override]
        return int(value.removeprefix("IMP-"))

    def to_url(self, value: int) -> str:  # type: ignore[override]
        return f"IMP-{value}"


register_converter(NumberConverter, "number")
register_converter(ImportNumberConverter, "import_number")

app_name = "accounts"
urlpatterns: list[URLPattern] = [
    path("", account_list.account_list, name="account-list"),
    path("export.csv", exports.account_csv, name="account-export"),
    path("export.xlsx", exports.account_xlsx, name="account-workbook"),
    path("bulk/", bulk.bulk_edit, name="bulk-edit"),
    path("bulk/<uuid:edit_id>/", bulk.bulk_report, name="bulk-report"),
    path("bulk/<uuid:edit_id>/undo/", bulk.bulk_undo, name="bulk-undo"),
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

views_urlpatterns: list[URLPattern] = [
    path("", saved_views.view_list, name="list"),
    path("new/", saved_views.view_create, name="create"),
    path("columns/", saved_views.columns, name="columns"),
    path("<uuid:view_id>/", saved_views.view_edit, name="edit"),
    path("<uuid:view_id>/save/", saved_views.view_save, name="save"),
    path("<uuid:view_id>/delete/", saved_views.view_delete, name="delete"),
]

imports_urlpatterns: list[URLPattern] = [
    path("", imports.import_list, name="list"),
    path("new/", imports.import_create, name="new"),
    path("templates/<slug:kind>.csv", imports.template_csv, name="template"),
    path("<import_number:number>/", imports_detail.import_detail, name="detail"),
    path("<import_number:number>/mapping/", imports_mapping.import_mapping, name="mapping"),
    path("<import_number:number>/rows/", imports_detail.import_rows, name="rows"),
    path("<import_number:number>/rejected.csv", imports_detail.rejected_csv, name="rejected"),
    path("<import_number:number>/progress/", imports_detail.import_progress, name="progress"),
    path("<import_number:number>/exclude/", imports_acts.import_exclude, name="exclude"),
    path("<import_number:number>/apply/", imports_acts.import_apply, name="apply"),
    path("<import_number:number>/approve/", imports_acts.import_approve, name="approve"),
    path("<import_number:number>/undo/", imports_acts.import_undo, name="undo"),
    path("<import_number:number>/discard/", imports_acts.import_discard, name="discard"),
]
