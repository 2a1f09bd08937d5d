"""The API of people, tokens and absences."""

from people.api.absences import AbsenceViewSet
from people.api.people import MeView, TokenViewSet, UserViewSet

__all__ = ["AbsenceViewSet", "MeView", "TokenViewSet", "UserViewSet"]
