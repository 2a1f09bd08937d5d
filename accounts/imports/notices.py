"""Mails about imports, promised in the transaction that causes them."""

from django.conf import settings
from django.urls import reverse

from accounts.models import Import
from accounts.selectors.import_pages import approvers_of
from events import services as events


def ask_for_approval(import_: Import) -> None:
    """Tell everybody who may approve the mass change that it waits for one of them."""
    lines = [
        f"{import_.applied_by} wants to apply {import_.number}, {import_.filename}.",
        "It changes so much at once that a second person has to look at it first:",
        "",
        *(f"- {reason}" for reason in import_.mass),
        "",
        "See what it would do, then approve or discard it:",
        settings.BASE_URL + reverse("imports:detail", args=[import_.pk]),
    ]
    for person in approvers_of(import_):
        events.send_notice(
            to=person.email,
            subject=f"{import_.number} waits for a second person",
            body="\n".join(lines),
            dedupe_key=f"import:{import_.uuid}:{import_.version}:{person.pk}",
        )
