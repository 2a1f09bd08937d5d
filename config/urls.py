"""Wires everything; nobody imports it."""

from typing import NoReturn

from django.http import Http404, HttpRequest
from django.urls import include, path
from django.views.generic import RedirectView

from accounts.urls import imports_urlpatterns, settings_urlpatterns, views_urlpatterns
from config.handbook import handbook
from config.pages import livez, readyz
from config.palette import palette
from engagements.urls.notices import notices_urlpatterns
from engagements.urls.policy import settings_urlpatterns as request_settings
from engagements.urls.public import public_urlpatterns
from engagements.views.work import home
from metrics.urls.health import settings_urlpatterns as health_settings
from projects.urls.policy import settings_urlpatterns as project_settings

handler400 = "config.errors.bad_request"
handler403 = "config.errors.permission_denied"
handler404 = "config.errors.not_found"
handler500 = "config.errors.server_error"
# What the sign-in library answers when it is asked too often.
handler429 = "config.errors.too_many_requests"


def closed(_request: HttpRequest, **_: str) -> NoReturn:
    raise Http404


# Pages of the sign-in library that Keel does not offer: administrators make people.
CLOSED = [
    "signup",
    "email",
    "confirm-email",
    "confirm-email/<str:key>",
    "password/set",
    "login/code/confirm",
]

urlpatterns = [
    path("", home, name="home"),
    path("", include("metrics.urls")),
    path("accounts/", include("accounts.urls")),
    path("imports/", include((imports_urlpatterns, "imports"))),
    path("views/", include((views_urlpatterns, "views"))),
    path("handbook/", handbook, name="handbook"),
    path("palette/", palette, name="palette"),
    path("settings/", RedirectView.as_view(pattern_name="settings:company"), name="settings"),
    path(
        "settings/",
        include(
            (
                settings_urlpatterns + request_settings + project_settings + health_settings,
                "settings",
            )
        ),
    ),
    path("requests/", include("engagements.urls")),
    path("", include("projects.urls")),
    path("notices/", include((notices_urlpatterns, "notices"))),
    path("", include((public_urlpatterns, "public"))),
    path("", include("people.urls")),
    *[path(f"account/{page}/", closed) for page in CLOSED],
    path("account/", include("allauth.account.urls")),
    path("api/v1/", include("config.api")),
    path("livez", livez, name="livez"),
    path("readyz", readyz, name="readyz"),
]
