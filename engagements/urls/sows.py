"""Statements of work and changes."""

from django.urls import URLPattern, path

from engagements.views import sow_editor, sows

SOW = "<request_number:number>/sow/"

urlpatterns: list[URLPattern] = [
    path(SOW, sows.sow_page, name="sow"),
    path(f"{SOW}v<int:version>.pdf", sows.sow_pdf, name="sow-pdf"),
    path(f"{SOW}start/", sow_editor.start, name="sow-start"),
    path(f"{SOW}edit/", sow_editor.edit, name="sow-edit"),
    path(f"{SOW}save/", sow_editor.save, name="sow-save"),
    path(f"{SOW}discard/", sow_editor.discard, name="sow-discard"),
    path(f"{SOW}estimate/", sows.estimate, name="sow-estimate"),
    path(f"{SOW}change/", sows.change, name="sow-change"),
    path(f"{SOW}change/<uuid:change_id>/<slug:transition>/", sows.decide, name="sow-change-decide"),
]
