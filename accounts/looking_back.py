"""What resources share that can be asked of another day: the moment, and whether one may write."""

import datetime as dt
from typing import Any
from zoneinfo import ZoneInfo

from django.http import HttpResponseBase
from django.utils import timezone
from rest_framework.request import Request

from accounts import selectors
from config.lib import parameters
from config.lib.errors import Invalid
from config.lib.then import Then
from config.lib.views import ReadViewSet


def moment_of(
    as_of: dt.date | None, known_at: dt.datetime | None, *, now: dt.datetime
) -> Then | None:
    """Return the day and moment asked for; None when nothing but now was.

    Raises Invalid for a day that has not come: what is said of it would change.
    """
    if as_of is None and known_at is None:
        return None
    then = Then(ZoneInfo(selectors.company().time_zone), now, as_of, known_at)
    if then.day > then.today:
        raise Invalid("This day has not come yet.", field="as_of", code="future_day")
    return then


class LooksBack(ReadViewSet):
    """A resource that can be asked of another day: `then` says which, None is now."""

    takes = (parameters.AS_OF, parameters.KNOWN_AT)
    then: Then | None = None

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        self.then = moment_of(self.as_of(), self.known_at(), now=timezone.now())

    def retrieve(self, request: Request, **found: Any) -> HttpResponseBase:
        response = super().retrieve(request, **found)
        if self.then is not None and "ETag" in response.headers:
            # The version of another day is none to write from.
            del response.headers["ETag"]
        return response
