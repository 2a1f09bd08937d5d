"""Locking a project: whoever changes what a move looks at comes before or after the move."""

from projects.models import Project


def locked_project(project: Project) -> Project:
    """Return the project as stored, locked until the end of the transaction."""
    rows = Project.objects.select_for_update(of=("self",), no_key=True)
    return rows.select_related("owner").get(pk=project.pk)
