"""The list, the request and its moves."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
