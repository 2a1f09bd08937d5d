"""Addresses of policy."""

from django.urls import URLPattern

settings_urlpatterns: list[URLPattern] = []
