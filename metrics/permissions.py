"""Who may see and steer the numbers. Each docstring is what a refused person reads."""

from metrics.models import Scenario
from people.models import Role, User
from people.permissions import has_role


def can_see_metrics(user: User) -> bool:
    """Only people with a role can see the numbers. Ask an administrator for one."""
    return user.is_system or bool(user.roles)


def can_recompute(user: User) -> bool:
    """Only the metric owner can recompute the numbers."""
    return user.is_system or has_role(user, Role.METRIC_OWNER)


def can_publish(user: User) -> bool:
    """Only the metric owner can publish a held run."""
    return user.is_system or has_role(user, Role.METRIC_OWNER)


def can_set_targets(user: User) -> bool:
    """Only leadership can set a target."""
    return user.is_system or has_role(user, Role.LEADERSHIP)


def can_keep_scenarios(user: User) -> bool:
    """Only people with a role can keep scenarios. Ask an administrator for one."""
    return bool(user.roles) and not user.is_system


def can_delete_scenario(user: User, scenario: Scenario) -> bool:
    """Only who keeps a scenario can delete it."""
    return can_keep_scenarios(user) and scenario.by_id == user.pk
