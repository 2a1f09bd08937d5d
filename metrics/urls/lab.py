"""The definition lab; included in `/metric/`."""

from django.urls.resolvers import URLPattern

urlpatterns: list[URLPattern] = []
