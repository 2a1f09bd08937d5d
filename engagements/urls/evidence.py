"""Sign-offs recorded by us, links sent."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
