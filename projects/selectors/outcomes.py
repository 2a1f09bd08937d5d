"""What came of projects, and what that says about the next ones."""

import datetime as dt

from django.db.models import OuterRef, QuerySet, Subquery

from accounts.models import AccountFacts, Instance, SeatReading
from people.models import User
from projects.models import Project, ProjectCheck
from projects.rules.outcomes import Calibration, Outcome, Sample, calibrate, times_planned
from projects.selectors.projects import projects_visible_to


def outcome_of(check: ProjectCheck) -> Outcome:
    return Outcome(
        promised=check.seats_promised, before=check.seats_before, found=check.seats_found
    )


def seats_now(project: Project) -> int | None:
    """Return the seats deployed at all its accounts; nothing where one of them is not known."""
    links = project.account_links.count()
    facts = AccountFacts.objects.filter(account__project_links__project=project)
    deployed = [seats for seats in facts.values_list("deployed", flat=True) if seats is not None]
    return sum(deployed) if links and len(deployed) == links else None


def seats_before(project: Project) -> int | None:
    """Return the seats deployed when its work began; where that is not known, those of now.

    What comes during the roll-out, before the close, is the project's doing too.
    """
    then = _seats_at(project, project.started_at) if project.started_at else None
    return seats_now(project) if then is None else then


def _seats_at(project: Project, moment: dt.datetime) -> int | None:
    """Return the sum of the last readings before; nothing where an instance had none."""
    readings = SeatReading.objects.filter(
        instance=OuterRef("pk"), known_to=None, observed_at__lt=moment
    ).order_by("-observed_at", "source")
    counted = Instance.objects.filter(account__project_links__project=project, counted=True)
    found = list(
        counted.annotate(last=Subquery(readings.values("seats")[:1])).values_list(
            "account_id", "last"
        )
    )
    accounts = {account for account, _ in found}
    if len(accounts) < project.account_links.count() or any(last is None for _, last in found):
        return None
    return sum(last for _, last in found) if found else None


def checks_visible_to(user: User) -> QuerySet[ProjectCheck]:
    projects = projects_visible_to(user).order_by().values("pk")
    rows = ProjectCheck.objects.filter(project__in=projects)
    return rows.select_related("project__owner", "done_by").order_by("due_on", "pk")


def checks_due(on: dt.date) -> QuerySet[ProjectCheck]:
    """Return the looks at outcomes that nobody has recorded by their day, the oldest first."""
    rows = ProjectCheck.objects.filter(done_at=None, due_on__lte=on)
    return rows.select_related("project__owner").order_by("due_on", "pk")


def calibration_of(type_: str, *, but: Project | None = None) -> Calibration:
    """Return what projects of this type brought and took, beside what was said of them before."""
    others = Project.objects.filter(type=type_)
    if but is not None and but.pk:
        others = others.exclude(pk=but.pk)
    checks = ProjectCheck.objects.filter(project__in=others, done_at__isnull=False)
    # The last look at each: later ones replace earlier ones.
    newest = {each.project_id: each for each in checks.order_by("days")}
    seats = {pk: outcome_of(check).share for pk, check in newest.items()}
    used = others.filter(days_used__isnull=False).values_list("pk", "days", "days_used")
    effort = {pk: times_planned(days, days_used) for pk, days, days_used in used}
    return calibrate(
        Sample(seats.get(pk), effort.get(pk)) for pk in sorted(seats.keys() | effort.keys())
    )
