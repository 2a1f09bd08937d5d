"""Things of other apps as people name them in a form."""

import re
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from accounts.models import Account
from accounts.selectors import accounts_visible_to
from config.lib.form_fields import LinesField, StrictField
from config.lib.values import BadValue, echo, parse_text
from engagements.models import ServiceRequest
from engagements.rules.links import LINK_MAX, MOST_LINKS, parse_links_text
from engagements.selectors import requests_visible_to
from people.models import User

ACCOUNT = re.compile(r"ACC-([1-9][0-9]{0,17})", re.IGNORECASE)
IN_BRACKETS = re.compile(r".*\(([^()]+)\)\s*", re.DOTALL)
REQUEST = re.compile(r"(?:REQ-)?([1-9][0-9]{0,17})", re.IGNORECASE)
MOST_KEY = 2**63 - 1
MOST_REQUESTS = 100
MOST_NAMED = 3
ACCOUNT_MAX = 240


class AccountField(StrictField):
    """One account by its number or name; "Halden (ACC-12)" too."""

    user: User
    attrs = {"maxlength": str(ACCOUNT_MAX), "autocomplete": "off"}

    def parse(self, text: str) -> Account:
        text = parse_text(text, max_length=ACCOUNT_MAX)
        visible = accounts_visible_to(self.user).select_related(None)
        bracketed = IN_BRACKETS.fullmatch(text)
        number = ACCOUNT.fullmatch((bracketed[1] if bracketed else text).strip())
        if number is not None:
            found = list(visible.filter(pk=min(int(number[1]), MOST_KEY)))
        else:
            found = list(visible.filter(name__iexact=text).order_by("name", "pk")[:2])
            found = found or list(
                visible.filter(name__icontains=text).order_by("name", "pk")[: MOST_NAMED + 1]
            )
        if len(found) == 1:
            return found[0]
        if not found:
            raise BadValue("unknown", f"There is no account “{echo(text)}”. Try its number.")
        names = ", ".join(f"{each.name} ({each.number})" for each in found[:MOST_NAMED])
        more = " and others" if len(found) > MOST_NAMED else ""
        raise BadValue("several", f"“{echo(text)}” fits {names}{more}. Enter the number of one.")


class RequestsField(forms.CharField):
    """Requests by number, one on each line or with commas between them."""

    user: User

    def to_python(self, value: Any) -> list[ServiceRequest]:  # type: ignore[override]
        parts = [part for part in re.split(r"[\s,;]+", str(super().to_python(value))) if part]
        if len(parts) > MOST_REQUESTS:
            raise ValidationError(f"At most {MOST_REQUESTS} requests.", code="too_many")
        numbers: list[int] = []
        for part in parts:
            match = REQUEST.fullmatch(part)
            if match is None:
                raise ValidationError(
                    f"“{echo(part)}” is no number of a request like REQ-12.", code="not_a_number"
                )
            numbers.append(min(int(match[1]), MOST_KEY))
        visible = requests_visible_to(self.user)
        found = {each.pk: each for each in visible.filter(pk__in=numbers)}
        for number in numbers:
            if number not in found:
                raise ValidationError(f"There is no request REQ-{number}.", code="unknown")
        return list({number: found[number] for number in numbers}.values())

    def validate(self, value: Any) -> None:
        """An empty list is none."""

    def run_validators(self, value: Any) -> None:
        """What was sent was read already."""


class LinksField(LinesField):
    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=MOST_LINKS * (LINK_MAX + 1), **kwargs)

    def parse(self, text: str) -> str:
        text = super().parse(text)
        parse_links_text(text)
        return text
