"""Pages of projects, each noun's in its own module."""

from projects.urls import numbers  # noqa: F401 registers the converters the others use
from projects.urls.artefacts import urlpatterns as artefacts
from projects.urls.board import urlpatterns as board
from projects.urls.charters import urlpatterns as charters
from projects.urls.panels import urlpatterns as panels
from projects.urls.planning import urlpatterns as planning
from projects.urls.reviews import urlpatterns as reviews
from projects.urls.scoring import urlpatterns as scoring

app_name = "projects"
urlpatterns = [*board, *scoring, *reviews, *planning, *artefacts, *panels, *charters]
