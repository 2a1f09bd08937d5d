"""Alerts and their rules; included in `/metric/`."""

from django.urls.resolvers import URLPattern

urlpatterns: list[URLPattern] = []
