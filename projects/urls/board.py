"""Addresses of board."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
