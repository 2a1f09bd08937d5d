"""Deliverables, artefacts, roll-out, delivery."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
