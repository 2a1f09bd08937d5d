"""What every page here and above shares: who looks, when, and on whose clocks."""

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any
from zoneinfo import ZoneInfo

from django.http import HttpRequest, HttpResponse, QueryDict
from django.utils import timezone

from accounts import measure, selectors
from accounts.models import Company
from accounts.selectors import then as past
from accounts.words import Setting
from config.lib import htmx
from config.lib.errors import DomainError, Invalid
from config.lib.then import Then, read_then
from config.lib.ui.times import told_at
from people.http import user_of
from people.models import User


@dataclass(frozen=True)
class Here:
    """Who looks, when, and the company's clocks and terms on that day.

    On a page that looks back, `today` is the day looked at and `now` the last moment of it that
    was known of. What somebody may do is asked of `then.today`, the day it really is.
    """

    user: User
    company: Company
    now: dt.datetime
    # None: the page knows no other day than today.
    then: Then | None = None

    @classmethod
    def of(cls, request: HttpRequest) -> "Here":
        return cls(user_of(request), selectors.company(), timezone.now())

    @classmethod
    def looking(cls, request: HttpRequest, *, strict: bool = False) -> "Here":
        """Return the same where the address may ask for another day; see read_then."""
        here = cls.of(request)
        then = read_then(request.GET, zone=here.zone, now=here.now, strict=strict)
        if not then.looks_back:
            return replace(here, then=then)
        company = past.company_at(then.known_at)
        then = replace(then, zone=ZoneInfo(company.time_zone))
        return cls(here.user, company, then.told_at, then)

    @property
    def looks_back(self) -> bool:
        return self.then is not None and self.then.looks_back

    @property
    def past(self) -> Then | None:
        """Return the day looked back at; None where it is now."""
        return self.then if self.looks_back else None

    @property
    def real_today(self) -> dt.date:
        return self.then.today if self.then is not None else self.today

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.company.time_zone)

    @property
    def today(self) -> dt.date:
        if self.then is not None and self.then.looks_back:
            return self.then.day
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
    shared = {"here": here, "then": here.then}
    with timezone.override(here.zone), told_at(here.now if here.looks_back else None):
        response = htmx.render(
            request, template, {**shared, **context}, partial=partial, status=status
        )
        return response.render()


def posted(request: HttpRequest) -> QueryDict | None:
    """Return what a form is bound to, also when nothing of it was sent."""
    return request.POST if request.method == "POST" else None


def add_refusal(form: Any, refusal: DomainError) -> None:
    """Show what a service refused at its field, or above the form."""
    field = refusal.field if isinstance(refusal, Invalid) else ""
    form.add_error(field if field in form.fields else None, refusal.message)
