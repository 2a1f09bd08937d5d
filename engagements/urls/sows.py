"""Statements of work and changes."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
