"""Pages of requests, each noun's in its own module."""

from engagements.urls import numbers  # noqa: F401 registers the converter the others use
from engagements.urls.delivering import urlpatterns as delivering
from engagements.urls.evidence import urlpatterns as evidence
from engagements.urls.intake import urlpatterns as intake
from engagements.urls.levels import urlpatterns as levels
from engagements.urls.pages import urlpatterns as pages
from engagements.urls.risks import urlpatterns as risks
from engagements.urls.sows import urlpatterns as sows
from engagements.urls.talk import urlpatterns as talk

app_name = "requests"
urlpatterns = [*intake, *levels, *risks, *pages, *sows, *evidence, *delivering, *talk]
