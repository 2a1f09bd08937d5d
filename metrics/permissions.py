"""Who may see and steer the numbers. Each docstring is what a refused person reads."""

from events.services import acting_token
from metrics.models import Alert, DefinitionProposal, Scenario
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


def can_make_packs(user: User) -> bool:
    """Only leadership and the metric owner can make a board pack."""
    return user.is_system or has_role(user, Role.LEADERSHIP, Role.METRIC_OWNER)


def can_keep_scenarios(user: User) -> bool:
    """Only people with a role can keep scenarios. Ask an administrator for one."""
    return bool(user.roles) and not user.is_system


def can_delete_scenario(user: User, scenario: Scenario) -> bool:
    """Only who keeps a scenario can delete it."""
    return can_keep_scenarios(user) and scenario.by_id == user.pk


def can_propose_definitions(user: User, _proposal: object = None) -> bool:
    """Only the metric owner can propose a definition and back-test it."""
    return has_role(user, Role.METRIC_OWNER)


def can_edit_proposal(user: User, proposal: DefinitionProposal) -> bool:
    """Only the metric owner who began this proposal can change it, propose it or withdraw it."""
    return can_propose_definitions(user) and user.pk == proposal.proposed_by_id


def can_decide_proposal(user: User, proposal: DefinitionProposal) -> bool:
    """Only leadership decides on a definition, nobody on their own, and never by a token."""
    return (
        not acting_token.get()
        and has_role(user, Role.LEADERSHIP)
        and user.pk != proposal.proposed_by_id
    )


def can_keep_alert_rules(user: User) -> bool:
    """Only the metric owner and leadership can make and change alert rules."""
    return user.is_system or has_role(user, Role.METRIC_OWNER, Role.LEADERSHIP)


def can_silence(user: User, alert: Alert) -> bool:
    """Only those whom the rule tells, the metric owner and leadership can snooze an alert."""
    return has_role(user, Role.METRIC_OWNER, Role.LEADERSHIP, *alert.rule.tells)


def only_keel(user: User, _alert: Alert) -> bool:
    """Only Keel itself does this, when the number says so."""
    return user.is_system


def can_override_health(user: User, *, is_owner: bool) -> bool:
    """Only the account's primary TAM or CSM, a DE lead or leadership can set its health by hand."""
    return (is_owner and bool(user.roles)) or has_role(user, Role.DE_LEAD, Role.LEADERSHIP)


def can_change_health_policy(user: User) -> bool:
    """Only the metric owner and administrators can change how health is worked out."""
    return user.is_system or has_role(user, Role.METRIC_OWNER, Role.ADMINISTRATOR)
