"""Addresses of a project's pages."""

from django.urls import NoReverseMatch, reverse


def project_url(name: str, number: int) -> str:
    """Return the address of a page of a project; "" where there is no such page."""
    try:
        return reverse(name, args=[number])
    except NoReverseMatch:
        return ""


def page_url(name: str) -> str:
    """Return the address of a page; "" where there is no such page."""
    try:
        return reverse(name)
    except NoReverseMatch:
        return ""
