"""`/handbook/`: how Keel works here: the moves, who may, and the policy of today."""

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_safe

from accounts import selectors as accounts
from config.lib.htmx import render
from engagements import selectors
from events import workflow
from events.printing import table_of
from projects.views import score_policy


@require_safe
def handbook(request: HttpRequest) -> HttpResponse:
    today = accounts.today(timezone.now())
    context = {
        "tables": [table_of(each) for each in workflow.workflows()],
        "today": today,
        "tiers": accounts.tiers_on(today),
        "scoring": score_policy.shown_on(today),
        **selectors.policy_shown(today),
    }
    return render(request, "handbook.html", context)
