"""Who may do what with projects; each docstring is what a refused person reads."""

from events.services import acting_token
from people.models import Role, User
from people.permissions import has_any_role, has_role
from projects.models import Project, ProjectState, Review, SupportPlan, SupportSignOff

# Whose word each of the three sides of a support plan is.
SIDES: dict[str, Role] = {
    SupportSignOff.Side.ENGINEERING: Role.ENGINEERING_LEADERSHIP,
    SupportSignOff.Side.SUPPORT: Role.SUPPORT_LEADERSHIP,
    SupportSignOff.Side.PRODUCT: Role.PRODUCT_LEADERSHIP,
}


def can_see_projects(user: User) -> bool:
    """Only people with a role can see projects. Ask an administrator for one."""
    return user.is_system or has_any_role(user)


def can_propose(user: User) -> bool:
    """Only people with a role can propose projects. Ask an administrator for one."""
    return has_any_role(user)


def is_lead(user: User, _thing: object = None) -> bool:
    """Only DE leads can do this."""
    return has_role(user, Role.DE_LEAD)


def is_engineer(user: User, _thing: object = None) -> bool:
    """Only DE engineers and DE leads can do this."""
    return has_role(user, Role.DE_ENGINEER, Role.DE_LEAD)


def works_on(user: User, project: Project) -> bool:
    """Only its owner, its leads, or a DE lead can do this."""
    if is_lead(user):
        return True
    if not has_any_role(user):
        return False
    return user.pk == project.owner_id or project.leads.filter(pk=user.pk).exists()


def owns(user: User, project: Project) -> bool:
    """Only its owner or a DE lead can do this."""
    return is_lead(user) or (has_any_role(user) and user.pk == project.owner_id)


def can_edit(user: User, project: Project) -> bool:
    """Only its owner, leads, a DE lead, or its proposer while it is proposed, can change it."""
    if works_on(user, project):
        return True
    is_proposed = project.state == ProjectState.PROPOSED
    return is_proposed and user.pk == project.proposed_by_id and has_any_role(user)


def can_make_from_request(user: User) -> bool:
    """Only DE leads and DE engineers can make a project from a request."""
    return is_engineer(user)


def can_score(user: User, _project: object = None) -> bool:
    """Only DE leads can change impact and effort."""
    return is_lead(user)


def can_split(user: User, _project: object = None) -> bool:
    """Only DE leads can split a project."""
    return is_lead(user)


def can_vote(user: User) -> bool:
    """Only people with a role can vote."""
    return has_any_role(user)


def can_order(user: User) -> bool:
    """Only DE leads can change the order."""
    return is_lead(user)


def can_plan(user: User) -> bool:
    """Only DE leads can plan increments, teams and who is on what."""
    return is_lead(user)


def can_set_limits(user: User) -> bool:
    """Only DE leads and administrators can set the limits of columns."""
    return has_role(user, Role.DE_LEAD, Role.ADMINISTRATOR)


def can_change_score_policy(user: User) -> bool:
    """Only administrators can change how scores are worked out."""
    return has_role(user, Role.ADMINISTRATOR)


def can_run_reviews(user: User, _review: Review | None = None) -> bool:
    """Only DE leads can run the review."""
    return is_lead(user)


def can_write_support_plan(user: User, project: Project) -> bool:
    """Only its owner, its leads or a DE lead can write the support plan."""
    return works_on(user, project)


def can_sign_support(user: User, plan: SupportPlan, side: str) -> bool:
    """Only the leadership of that side signs for it, not for a plan of their own, never a token."""
    return not acting_token.get() and has_role(user, SIDES[side]) and user.pk != plan.written_by_id


def can_approve_official_support(user: User, plan: SupportPlan) -> bool:
    """Only Product or Engineering leadership approve official support, not of their own plan."""
    roles = (Role.PRODUCT_LEADERSHIP, Role.ENGINEERING_LEADERSHIP)
    return not acting_token.get() and has_role(user, *roles) and user.pk != plan.written_by_id


def can_approve_inside_product(user: User, project: Project) -> bool:
    """Only Product or Engineering leadership approve work inside the product, not their own."""
    roles = (Role.PRODUCT_LEADERSHIP, Role.ENGINEERING_LEADERSHIP)
    if acting_token.get() or not has_role(user, *roles):
        return False
    is_own = user.pk in (project.proposed_by_id, project.owner_id)
    return not (is_own or project.leads.filter(pk=user.pk).exists())


def can_keep_artefacts(user: User, project: Project) -> bool:
    """Only its owner, its leads or DE engineers can change what it leaves behind."""
    return is_engineer(user) or works_on(user, project)


def is_keel(user: User, _thing: object = None) -> bool:
    """Keel does this by itself, when what it needs is there."""
    return user.is_system
