"""Pages without an account: answer by link, check a receipt."""

from django.urls import URLPattern

public_urlpatterns: list[URLPattern] = []
