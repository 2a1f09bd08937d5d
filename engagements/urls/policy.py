"""Settings of requests: rules, templates, policy."""

from django.urls import URLPattern

settings_urlpatterns: list[URLPattern] = []
