"""Who is told of what happens to a support plan and to approvals."""

import datetime as dt
from collections.abc import Iterable

from django.urls import reverse

from events.services import notify
from people.models import Role, User
from people.selectors import people_with_role
from projects import permissions, selectors
from projects.models import Project, SupportPlan, SupportSignOff
from projects.services.consequences import sole_account

ASKED = "asked_of_you"


def waits(plan: SupportPlan, project: Project, *, by: User, at: dt.datetime) -> None:
    """Tell the leadership of each side that has not answered."""
    people: list[User] = []
    for each in selectors.Signatures(project, plan).sides:
        if each.answer is None:
            people += each.waits_for
    title = f"Sign or reject the support plan of {_named(project)}"
    _notify(project, people, title, body=plan.text, by=by, at=at)
    if plan.mode == SupportPlan.Mode.OFFICIAL:
        title = f"Decide on official support of {_named(project)}"
        approvers = [each for each in _approvers() if each.pk != plan.written_by_id]
        _notify(project, approvers, title, body=plan.text, by=by, at=at)


def rejected(answer: SupportSignOff, project: Project, *, at: dt.datetime) -> None:
    side = answer.get_side_display()
    title = f"{side} rejected the support plan of {_named(project)}"
    _notify(project, _writers(answer.plan, project), title, body=answer.note, by=answer.by, at=at)


def is_signed(plan: SupportPlan, project: Project, *, by: User, at: dt.datetime) -> None:
    title = f"All three sides signed the support plan of {_named(project)}"
    _notify(project, _writers(plan, project), title, by=by, at=at)


def no_code_any_more(plan: SupportPlan, project: Project, *, by: User, at: dt.datetime) -> None:
    """Tell who answered that their word is not asked for any more."""
    people = [each.by for each in plan.sign_offs.select_related("by")]
    title = f"{_named(project)} is now said to build no code: no plan is needed"
    _notify(project, people, title, by=by, at=at)


def wants_approval(project: Project, *, by: User, at: dt.datetime) -> None:
    title = f"Decide on work inside the product: {_named(project)}"
    people = [each for each in _approvers() if _may_approve(each, project)]
    _notify(project, people, title, body=project.in_scope, by=by, at=at)


def approval_reset(project: Project, *, by: User, at: dt.datetime) -> None:
    title = f"Its scope changed, so the approval does not stand: {_named(project)}"
    people = [project.approved_by] if project.approved_by else []
    _notify(project, people, title, body=project.in_scope, by=by, at=at)


def approved(project: Project, what: str, *, by: User, at: dt.datetime) -> None:
    _notify(project, _workers(project), f"{what} is approved: {_named(project)}", by=by, at=at)


def withdrawn(project: Project, what: str, reason: str, *, by: User, at: dt.datetime) -> None:
    title = f"{what} is not approved any more: {_named(project)}"
    _notify(project, _workers(project), title, body=reason, by=by, at=at)


def _approvers() -> list[User]:
    roles = (Role.PRODUCT_LEADERSHIP, Role.ENGINEERING_LEADERSHIP)
    return [person for role in roles for person in people_with_role(role)]


def _may_approve(person: User, project: Project) -> bool:
    return permissions.can_approve_inside_product(person, project)


def _writers(plan: SupportPlan, project: Project) -> list[User]:
    return [plan.written_by, *([project.owner] if project.owner else [])]


def _workers(project: Project) -> list[User]:
    return [*([project.owner] if project.owner else []), *project.leads.all()]


def _named(project: Project) -> str:
    return f"{project.number}, {project.title}"


def _notify(
    project: Project,
    people: Iterable[User],
    title: str,
    *,
    body: str = "",
    by: User,
    at: dt.datetime,
) -> None:
    notify(
        people,
        ASKED,
        title=title,
        body=body,
        path=reverse("projects:support", args=[project.pk]),
        account_id=sole_account(project),
        by=by,
        at=at,
    )
