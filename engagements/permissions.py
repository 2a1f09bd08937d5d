"""Who may do what with requests; each docstring is what a refused person reads."""

from django.db.models import Q
from django.db.models.functions import Now, TruncDate

from accounts.models import Assignment
from config.lib.reading import read_once
from engagements.models import (
    ChangeRequest,
    Comment,
    ServiceRequest,
    SignOff,
    SignOffLink,
    WorkAtRisk,
)
from events.selectors import events_of_object
from events.services import acting_token
from people.models import REQUESTERS, Role, User
from people.permissions import has_any_role, has_role


def can_see_requests(user: User) -> bool:
    """Only people with a role can see requests. Ask an administrator for one."""
    return user.is_system or has_any_role(user)


def can_file_requests(user: User) -> bool:
    """Only TAMs, CSMs, CREs, AEs and SAs can file requests."""
    return has_role(user, *REQUESTERS)


def is_drafts_own(user: User, request: ServiceRequest) -> bool:
    """A draft can be changed only by who began it."""
    return user.pk == request.filed_by_id and has_role(user, *REQUESTERS)


def is_requester_of(user: User, request: ServiceRequest) -> bool:
    """Only who filed it, or a TAM, CSM, CRE, AE or SA of its account, can do this."""
    if not has_role(user, *REQUESTERS):
        return False
    return user.pk == request.filed_by_id or _is_assigned(user, request.account_id)


def is_lead(user: User, _thing: object = None) -> bool:
    """Only DE leads can do this."""
    return has_role(user, Role.DE_LEAD)


def is_engineer(user: User, _thing: object = None) -> bool:
    """Only DE engineers and DE leads can do this."""
    return has_role(user, Role.DE_ENGINEER, Role.DE_LEAD)


def works_on(user: User, request: ServiceRequest) -> bool:
    """Only its lead, who works on it, or a DE lead can do this."""
    if has_role(user, Role.DE_LEAD):
        return True
    if not has_role(user, Role.DE_ENGINEER):
        return False
    return user.pk == request.lead_id or request.engineers.filter(pk=user.pk).exists()


def is_requester_or_lead(user: User, request: ServiceRequest) -> bool:
    """Only its requester or a DE lead can do this."""
    return is_lead(user) or is_requester_of(user, request)


def is_party_of(user: User, request: ServiceRequest) -> bool:
    """Only its requester, who works on it, or a DE lead can do this."""
    return works_on(user, request) or is_requester_of(user, request)


def can_answer(user: User, request: ServiceRequest) -> bool:
    """Only who was asked, its requester or a DE lead can answer."""
    return user.pk == request.waits_for_id or is_requester_or_lead(user, request)


def is_keel(user: User, _thing: object = None) -> bool:
    """Keel does this by itself, when what it needs is there."""
    return user.is_system


def is_router(user: User, _thing: object = None) -> bool:
    """Only DE leads, and the router itself, can do this."""
    return user.is_system or is_lead(user)


def is_second_lead(user: User, request: ServiceRequest) -> bool:
    """Only a DE lead who neither filed it, made the decision nor appealed it can decide."""
    decision = request.decisions.order_by("-id").first()
    parties: list[int | None] = [request.filed_by_id]
    if decision is not None:
        parties += [decision.by_id, decision.appealed_by_id]
    return is_lead(user) and user.pk not in parties


def can_keep_artefacts(user: User, request: ServiceRequest) -> bool:
    """Only DE engineers, its requester or who works on it can say who looks after what stays."""
    return is_engineer(user) or is_requester_of(user, request)


def can_pause(user: User, _thing: object = None) -> bool:
    """Only DE leads, and Keel when the ground for the work is gone, can do this."""
    return user.is_system or is_lead(user)


def can_comment(user: User, request: ServiceRequest) -> bool:
    """Only people with a role can take part in the conversation."""
    return has_any_role(user) and request.state != "draft"


def can_attach(user: User, request: ServiceRequest) -> bool:
    """Only people with a role can add files; to a draft only who began it."""
    return can_comment(user, request) or is_drafts_own(user, request)


def can_edit_comment(user: User, comment: Comment) -> bool:
    """A comment can be changed only by who wrote it."""
    return user.pk == comment.by_id and has_any_role(user)


def can_withdraw_comment(user: User, comment: Comment) -> bool:
    """A comment can be withdrawn only by who wrote it, or by a DE lead."""
    return can_edit_comment(user, comment) or is_lead(user)


def is_no_program(_user: User) -> bool:
    """A sign-off is recorded and confirmed by people in Keel, never by a program's token."""
    return not acting_token.get()


def can_record_sign_off(user: User, request: ServiceRequest) -> bool:
    """Only its requester can record what the customer agreed to, and never by a token."""
    return is_no_program(user) and is_requester_of(user, request)


def can_attach_evidence(user: User, request: ServiceRequest) -> bool:
    """Only its requester can add evidence of what the customer agreed to, and never by a token."""
    return user.is_system or can_record_sign_off(user, request)


def can_send_link(user: User, request: ServiceRequest) -> bool:
    """Only its requester can send the customer a link, and never by a token."""
    return is_no_program(user) and is_requester_of(user, request)


def can_revoke_link(user: User, link: SignOffLink) -> bool:
    """Only its requester, a DE lead or an administrator can revoke a link."""
    return has_role(user, Role.ADMINISTRATOR) or is_requester_or_lead(user, link.request)


def can_confirm_address(user: User, link: SignOffLink) -> bool:
    """A second requester of the account or a DE lead has to confirm it, and never by a token."""
    return (
        is_no_program(user)
        and user.pk != link.created_by_id
        and is_requester_or_lead(user, link.request)
    )


def can_confirm_sign_off(user: User, sign_off: SignOff) -> bool:
    """A second requester of the account or a DE lead has to confirm it, and never by a token."""
    return (
        is_no_program(user)
        and user.pk != sign_off.recorded_by_id
        and is_requester_or_lead(user, sign_off.request)
    )


def can_withdraw_sign_off(user: User, sign_off: SignOff) -> bool:
    """Only its requester or a DE lead can withdraw evidence, and never by a token."""
    return is_no_program(user) and is_requester_or_lead(user, sign_off.request)


def can_ask_for_risk(user: User, _request: object = None) -> bool:
    """Only DE leads can ask for Work at Risk."""
    return has_role(user, Role.DE_LEAD)


def can_decide_risk(user: User, risk: WorkAtRisk) -> bool:
    """Only leadership can decide on Work at Risk, nobody on what they asked for, and no token."""
    return is_no_program(user) and has_role(user, Role.LEADERSHIP) and user.pk != risk.asked_by_id


def can_withdraw_risk(user: User, _risk: object = None) -> bool:
    """Only DE leads and leadership can end Work at Risk early."""
    return has_role(user, Role.DE_LEAD, Role.LEADERSHIP)


def can_decide_change(user: User, change: ChangeRequest) -> bool:
    """Only a DE lead who neither proposed the change nor wrote it can decide on it."""
    if not is_lead(user) or user.pk == change.by_id:
        return False
    return not events_of_object(change.after).filter(verb="sow.saved", actor=user).exists()


def can_withdraw_change(user: User, change: ChangeRequest) -> bool:
    """Only its requester or a DE lead can withdraw a change."""
    return is_requester_or_lead(user, change.request)


def can_note_miss(user: User) -> bool:
    """Only DE leads can note why a service level was missed."""
    return has_role(user, Role.DE_LEAD)


def can_change_policy(user: User) -> bool:
    """Only administrators can change rules, templates and policy."""
    return user.is_system or has_role(user, Role.ADMINISTRATOR)


def sees_all_parties(user: User) -> bool:
    """You can see the customer's people of your own accounts only."""
    sees_all = (Role.DE_LEAD, Role.LEADERSHIP, Role.METRIC_OWNER, Role.ADMINISTRATOR)
    return user.is_system or has_role(user, *sees_all)


def sees_parties(user: User, request: ServiceRequest) -> bool:
    """You can see the customer's people of your own accounts only."""
    return sees_all_parties(user) or is_requester_of(user, request)


@read_once
def _is_assigned(user: User, account_id: int | None) -> bool:
    if account_id is None:
        return False
    today = TruncDate(Now())
    return Assignment.objects.filter(
        Q(end=None) | Q(end__gt=today), start__lte=today, user=user, account_id=account_id
    ).exists()
