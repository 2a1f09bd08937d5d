"""What a person was told, and how they want to be."""

from django.urls import path

from engagements.views import notices

notices_urlpatterns = [
    path("", notices.notice_list, name="list"),
    path("seen/", notices.seen, name="seen"),
    path("bell/", notices.bell, name="bell"),
    path("settings/", notices.settings, name="settings"),
]
