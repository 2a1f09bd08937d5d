"""How fast we are."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
