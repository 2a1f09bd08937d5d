"""What every page here and above shares: who looks, when, and on whose clocks."""

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from zoneinfo import ZoneInfo

from django.http import HttpRequest, HttpResponse, QueryDict
from django.utils import timezone

from accounts import measure, selectors
from accounts.models import Company
from accounts.words import Setting
from config.lib import htmx
from config.lib.errors import DomainError, Invalid
from people.http import user_of
from people.models import User


@dataclass(frozen=True)
class Here:
    """Who looks, when, and the company's clocks and terms on that day."""

    user: User
    company: Company
    now: dt.datetime

    @classmethod
    def of(cls, request: HttpRequest) -> "Here":
        return cls(user_of(request), selectors.company(), timezone.now())

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.company.time_zone)

    @property
    def today(self) -> dt.date:
        return self.now.astimezone(self.zone).date()

    @property
    def end_of_today(self) -> dt.datetime:
        return dt.datetime.combine(self.today + dt.timedelta(days=1), dt.time(), self.zone)

    @cached_property
    def terms(self) -> measure.Terms:
        return measure.terms_on(self.today)

    @property
    def setting(self) -> Setting:
        return Setting(self.terms, self.company.reporting_currency, self.today)


def page(
    request: HttpRequest,
    template: str,
    context: dict[str, Any],
    *,
    here: Here,
    partial: str | Collection[str] = (),
    status: int = 200,
) -> HttpResponse:
    """Render at once, so that every time on the page is on the company's clocks."""
    with timezone.override(here.zone):
        response = htmx.render(
            request, template, {"here": here, **context}, partial=partial, status=status
        )
        return response.render()


def posted(request: HttpRequest) -> QueryDict | None:
    """Return what a form is bound to, also when nothing of it was sent."""
    return request.POST if request.method == "POST" else None


def add_refusal(form: Any, refusal: DomainError) -> None:
    """Show what a service refused at its field, or above the form."""
    field = refusal.field if isinstance(refusal, Invalid) else ""
    form.add_error(field if field in form.fields else None, refusal.message)
