"""What happened to a project."""

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from config.lib.keyset import Key
from config.lib.paging import paged
from projects.views.shell import ACTIVITY, project_page, project_shell
from projects.views.stories import KIND_LABELS, KINDS, stories_on


@require_safe
def activity(request: HttpRequest, number: int) -> HttpResponse:
    shell = project_shell(request, number)
    kind = request.GET.get("show", "all")
    if kind not in KINDS:
        kind = "all"
    found = paged(request, shell.events.filter(KINDS[kind]), [Key("id", descending=True)])
    context = {
        "shown": [
            {"label": label, "url": f"?show={name}", "current": name == kind}
            for name, label in KIND_LABELS.items()
        ],
        "is_narrowed": kind != "all",
        "stories": stories_on(shell, found.rows),
        "paged": found,
    }
    return project_page(
        request, shell, "projects/activity.html", ACTIVITY, context, partial="activity"
    )
