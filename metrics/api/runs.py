"""Which run a request asks for."""

import datetime as dt
from typing import Any

from drf_spectacular.utils import OpenApiParameter
from rest_framework.request import Request

from config.lib import parameters, values
from config.lib.authz import require
from config.lib.errors import Missing
from metrics import permissions
from metrics.models import MetricRun
from metrics.selectors import families, runs
from people.http import user_of

VERSION = OpenApiParameter(
    "version",
    {"type": "integer", "minimum": 1},
    description="By this version of the definition only.",
)
NEWEST = (parameters.AS_OF, parameters.KNOWN_AT, VERSION)


def day(request: Request, name: str) -> dt.date | None:
    return parameters.read(request, name, values.parse_date, None)


def known_at(request: Request) -> dt.datetime | None:
    return parameters.read(request, "known_at", values.parse_datetime, None)


def version(request: Request) -> int | None:
    return parameters.read(request, "version", _version, None)


def require_metric(request: Any, slug: str) -> None:
    """Answer 404 unless there is such a metric, 403 to those who may not see any."""
    require(permissions.can_see_metrics, user_of(request))
    if not runs.definitions().filter(slug=slug).exists():
        raise Missing("No such metric.")


def require_accounts(request: Any, slug: str) -> None:
    """Answer 404 for a metric that is not made from accounts."""
    require_metric(request, slug)
    if families.family_of(slug) is families.FIGURES:
        raise Missing(
            f"{slug} is made from requests, not from accounts: it has no rows. Ask for its"
            " segments.",
            code="no_rows",
        )


def require_line(request: Any, slug: str) -> None:
    """Answer 404 for a metric whose accounts stand on no side of a line."""
    require_accounts(request, slug)
    if families.family_of(slug) is not families.SEATS:
        raise Missing(
            f"{slug} has no line for accounts to cross: it has no flips. Ask for its rows.",
            code="no_flips",
        )


def run_asked_for(request: Any, slug: str) -> MetricRun:
    """Return the newest published revision of the day, or of the last day that has one."""
    require(permissions.can_see_metrics, user_of(request))
    asked = day(request, "as_of")
    run = runs.run_on(slug, asked, known_at=known_at(request), version=version(request))
    if run is None:
        require_metric(request, slug)
        raise Missing("Nothing was published by then.", code="no_run")
    return run


def _version(text: str) -> int:
    return values.parse_integer_text(text, low=1, high=32_767)
