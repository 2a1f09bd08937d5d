"""How accounts fare; included in `/metric/`."""

from django.urls.resolvers import URLPattern

urlpatterns: list[URLPattern] = []
