"""The support plan: written, signed or rejected by three sides, approved where that is needed.

Whether it is signed is never stored: see selectors/support.py. So no way of changing what was
signed leaves a signature standing.
"""

import datetime as dt
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.db.models import F
from django.db.models.functions import Now

from config.lib.authz import require
from config.lib.errors import Conflict, Invalid, StaleWrite
from config.lib.etags import etag_of
from config.lib.values import BadValue, echo, parse_text
from engagements.models import MaintenanceOwner
from events.services import record
from people.models import User
from projects import permissions, selectors
from projects.models import Project, ProjectState, SupportPlan, SupportSignOff
from projects.services import support_told as told
from projects.services.consequences import sole_account
from projects.services.locking import locked_project

Side = SupportSignOff.Side
S = ProjectState
TEXT_MAX = 20_000
NOTE_MAX = 4_000
# From here on, code is not taken up without a signed plan.
BEYOND_TRIAGE = frozenset({S.READY, S.SCHEDULED, S.IN_PROGRESS, S.DELIVERED})


class PlanChanged(Conflict):
    """What was answered is not what the plan says now."""

    code = "plan_changed"


class CodeWithoutPlan(Conflict):
    """Code is added to work that is past the point where its support is agreed."""

    code = "code_without_plan"


@dataclass(frozen=True, slots=True, kw_only=True)
class Was:
    """What of a charter a support plan and approvals are about, before it was changed."""

    in_scope: str
    builds_code: bool | None
    inside_product: bool

    @classmethod
    def of(cls, project: Project) -> "Was":
        return cls(
            in_scope=project.in_scope,
            builds_code=project.builds_code,
            inside_product=project.inside_product,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """What a plan says, beside what is in scope."""

    mode: str
    maintained_by: str
    text: str
    depends_on_server_version: bool = False


@transaction.atomic
def write_plan(
    project: Project,
    content: Content,
    *,
    version: int | None = None,
    by: User,
    at: dt.datetime,
) -> SupportPlan:
    """Write the plan, or write it anew: then all three sides answer again.

    `version` is the one that was read, 0 for none; raises StaleWrite where another is stored.
    What changes nothing is no change, and resets nothing.
    """
    require(permissions.can_write_support_plan, by, project)
    project = _open(project, by)
    require(permissions.can_write_support_plan, by, project)
    plan = SupportPlan.objects.filter(project=project).first()
    stored = plan.version if plan else 0
    if version is not None and version != stored:
        raise StaleWrite(etag=etag_of(plan.uuid if plan else project.uuid, stored))
    said = _read(content)
    was = {name: getattr(plan, name) for name in said} if plan else None
    if plan is not None and was == said:
        return plan
    lost = _agreed(plan, project) if plan else []
    plan = plan or SupportPlan(project=project, version=0)
    for name, value in said.items():
        setattr(plan, name, value)
    plan.version += 1
    plan.written_by, plan.written_at = by, at
    plan.digest = selectors.digest_now(plan, project)
    plan.save()
    _record(
        "written", plan, by=by, before=was, after={**said, "digest": plan.digest, "reset": lost}
    )
    told.waits(plan, project, by=by, at=at)
    return plan


@transaction.atomic
def sign(
    project: Project,
    side: str,
    *,
    agrees: bool,
    digest: str,
    note: str = "",
    by: User,
    at: dt.datetime,
) -> SupportSignOff:
    """Answer for one side: sign the plan, or reject it with a note. The newest answer counts.

    `digest` is of what was read; raises PlanChanged where the plan says something else now.
    """
    side = _choice("side", side, Side.values)
    plan, project = _plan(project, by)
    require(permissions.can_sign_support, by, plan, side)
    _check_read(plan, project, digest)
    answers = selectors.answers_to(plan, project)
    for other, answer in answers.items():
        if other != side and answer.by_id == by.pk:
            raise Conflict(
                f"You answered for {Side(other).label}. Somebody else answers for "
                f"{Side(side).label}.",
                code="one_side_each",
            )
    words = "Say what has to change before you sign."
    if note.strip() or not agrees:
        note = _text("note", note, NOTE_MAX, words)
    answer = SupportSignOff.objects.create(
        plan=plan, side=side, agrees=agrees, note=note.strip(), digest=digest, by=by, at=at
    )
    after = {"side": side, "digest": digest, "version": plan.version}
    _record("signed" if agrees else "rejected", plan, by=by, after=after, reason=answer.note)
    if not agrees:
        told.rejected(answer, project, at=at)
    elif not selectors.why_not_signed(project):
        told.is_signed(plan, project, by=by, at=at)
    return answer


@transaction.atomic
def approve_official(project: Project, *, digest: str, by: User, at: dt.datetime) -> SupportPlan:
    """Approve that Product and Engineering support it officially, as the plan says now."""
    plan, project = _plan(project, by)
    require(permissions.can_approve_official_support, by, plan)
    _check_read(plan, project, digest)
    if plan.mode != SupportPlan.Mode.OFFICIAL:
        raise Conflict("The plan asks for no official support.", code="not_official")
    if selectors.is_official(plan, project):
        return plan
    plan.official_by, plan.official_at, plan.official_digest = by, at, digest
    _save_approval(plan)
    _record("official_approved", plan, by=by, after={"digest": digest, "version": plan.version})
    told.approved(project, "Official support", by=by, at=at)
    return plan


@transaction.atomic
def withdraw_official(project: Project, *, reason: str, by: User, at: dt.datetime) -> SupportPlan:
    plan, project = _plan(project, by)
    require(permissions.can_approve_official_support, by, plan)
    if plan.official_at is None:
        raise Conflict("Official support is not approved.", code="not_approved")
    reason = _text("reason", reason, NOTE_MAX, "Say why the approval is withdrawn.")
    before = {"digest": plan.official_digest}
    plan.official_by, plan.official_at, plan.official_digest = None, None, ""
    _save_approval(plan)
    _record("official_withdrawn", plan, by=by, before=before, reason=reason)
    told.withdrawn(project, "Official support", reason, by=by, at=at)
    return plan


@transaction.atomic
def approve_inside_product(
    project: Project, *, note: str, digest: str | None = None, by: User, at: dt.datetime
) -> Project:
    """Approve work inside the product, with where that is written.

    `digest` is of the scope that was read; raises PlanChanged where it is another now.
    """
    require(permissions.can_approve_inside_product, by, project)
    project = _open(project, by)
    require(permissions.can_approve_inside_product, by, project)
    if not project.inside_product:
        raise Conflict(
            f"{project.number} does not change the product. Its charter would have to say so.",
            code="not_inside_product",
        )
    if project.approved_at is not None:
        raise Conflict("It is approved already.", code="approved")
    if digest is not None and digest != selectors.scope_digest(project):
        raise PlanChanged("What is in scope changed since you read it. Read it again, then answer.")
    note = _text("note", note, NOTE_MAX, "Say where the approval is written: a link, a ticket.")
    _set_approval(project, by, at, note)
    _record_project("inside_product_approved", project, by=by, after={"note": note})
    told.approved(project, "Work inside the product", by=by, at=at)
    return project


@transaction.atomic
def withdraw_inside_product(project: Project, *, reason: str, by: User, at: dt.datetime) -> Project:
    require(permissions.can_approve_inside_product, by, project)
    project = _open(project, by)
    require(permissions.can_approve_inside_product, by, project)
    if project.approved_at is None:
        raise Conflict("Work inside the product is not approved.", code="not_approved")
    reason = _text("reason", reason, NOTE_MAX, "Say why the approval is withdrawn.")
    before = {"note": project.approval_note}
    _set_approval(project, None, None, "")
    _record_project("inside_product_withdrawn", project, by=by, before=before, reason=reason)
    told.withdrawn(project, "Work inside the product", reason, by=by, at=at)
    return project


def after_charter_change(project: Project, *, was: Was, by: User, at: dt.datetime) -> None:
    """Draw the consequences of a changed charter; in its transaction, with the project locked.

    Raises CodeWithoutPlan where code comes in after the point at which its support is agreed.
    """
    adds_code = bool(project.builds_code) and not was.builds_code
    if adds_code and project.state in BEYOND_TRIAGE and selectors.why_not_signed(project):
        state = project.get_state_display().lower()
        raise CodeWithoutPlan(
            f"{project.number} is {state}. Before it may build code, write its support plan and "
            "have all three sides sign it, or send it back to triage."
        )
    is_scope_new = project.in_scope != was.in_scope
    plan = SupportPlan.objects.filter(project=project).first()
    if plan is not None and is_scope_new:
        _renew(plan, project, was, by=by, at=at)
    if plan is not None and was.builds_code and not project.builds_code:
        told.no_code_any_more(plan, project, by=by, at=at)
    if project.approved_at and (is_scope_new or not project.inside_product):
        before = {"note": project.approval_note}
        told.approval_reset(project, by=by, at=at)
        _set_approval(project, None, None, "")
        _record_project("inside_product_reset", project, by=by, before=before)
    elif project.inside_product and not was.inside_product:
        told.wants_approval(project, by=by, at=at)


def _renew(plan: SupportPlan, project: Project, was: Was, *, by: User, at: dt.datetime) -> None:
    """Note that the plan says something else now, for its scope does."""
    stored, project.in_scope = project.in_scope, was.in_scope
    lost = _agreed(plan, project)
    project.in_scope = stored
    before = plan.digest
    plan.digest = selectors.digest_now(plan, project)
    plan.version += 1
    plan.save(update_fields=["digest", "version", "updated_at"])
    after = {"digest": plan.digest, "reset": lost}
    _record("reset", plan, by=by, before={"digest": before}, after=after)
    if lost:
        told.waits(plan, project, by=by, at=at)


def _agreed(plan: SupportPlan, project: Project) -> list[str]:
    return [side for side, each in selectors.answers_to(plan, project).items() if each.agrees]


def _plan(project: Project, by: User) -> tuple[SupportPlan, Project]:
    """Return the plan and its project, locked: writing and signing come one after the other."""
    project = _open(project, by)
    plan = SupportPlan.objects.filter(project=project).first()
    if plan is None:
        raise Conflict(f"{project.number} has no support plan yet.", code="no_plan")
    return plan, project


def _open(project: Project, by: User) -> Project:
    require(permissions.can_see_projects, by)
    project = locked_project(project)
    if project.is_over:
        state = project.get_state_display().lower()
        raise Conflict(
            f"{project.number} is {state}. Its support plan stays as it is.", code="wrong_state"
        )
    return project


def _check_read(plan: SupportPlan, project: Project, digest: str) -> None:
    if digest != selectors.digest_now(plan, project):
        raise PlanChanged("The plan was changed since you read it. Read it again, then answer.")


def _read(content: Content) -> dict[str, Any]:
    said = {
        "mode": _choice("mode", content.mode, SupportPlan.Mode.values),
        "maintained_by": _choice("maintained_by", content.maintained_by, MaintenanceOwner.values),
        "depends_on_server_version": content.depends_on_server_version,
        "text": _text("text", content.text, TEXT_MAX, "Say what is supported, and until when."),
    }
    by_customer = content.maintained_by == MaintenanceOwner.CUSTOMER
    if content.mode == SupportPlan.Mode.CUSTOMER and not by_customer:
        raise Invalid(
            "The customer owns it, so the customer maintains it. Choose “The customer”.",
            field="maintained_by",
            code="not_the_customer",
        )
    return said


def _set_approval(project: Project, by: User | None, at: dt.datetime | None, note: str) -> None:
    Project.objects.filter(pk=project.pk).update(
        approved_by=by,
        approved_at=at,
        approval_note=note,
        version=F("version") + 1,
        updated_at=Now(),
    )
    project.refresh_from_db()


def _save_approval(plan: SupportPlan) -> None:
    plan.save(update_fields=["official_by", "official_at", "official_digest", "updated_at"])


def _choice(field: str, value: str, known: list[str]) -> str:
    if value not in known:
        raise Invalid(
            f"“{echo(value)}” is none of: {', '.join(known)}.", field=field, code="not_a_choice"
        )
    return value


def _text(field: str, value: str, max_length: int, wanted: str) -> str:
    if not value.strip():
        raise Invalid(wanted, field=field, code="required")
    try:
        return parse_text(value, max_length=max_length, lines=True)
    except BadValue as bad:
        raise Invalid(bad.detail, field=field, code=bad.code) from bad


def _record(verb: str, plan: SupportPlan, *, by: User, **told_: Any) -> None:
    account_id = sole_account(plan.project)
    record(f"support_plan.{verb}", plan, by=by, account_id=account_id, **told_)


def _record_project(verb: str, project: Project, *, by: User, **told_: Any) -> None:
    account_id = sole_account(project)
    record(f"project.{verb}", project, by=by, account_id=account_id, **told_)
