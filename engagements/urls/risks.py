"""The register of Work at Risk."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
