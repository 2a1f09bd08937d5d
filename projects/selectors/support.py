"""Whether what is built will be looked after: worked out from what was signed, never stored."""

from collections.abc import Mapping

from projects.models import Project, SupportPlan, SupportSignOff
from projects.rules.support import digest_of

Side = SupportSignOff.Side


def digest_now(plan: SupportPlan, project: Project) -> str:
    """Return the hash of what the plan says now."""
    return digest_of(
        project=project.number,
        mode=plan.mode,
        maintained_by=plan.maintained_by,
        depends_on_server_version=plan.depends_on_server_version,
        text=plan.text,
        in_scope=project.in_scope,
    )


def support_plan_of(project: Project) -> SupportPlan | None:
    return SupportPlan.objects.filter(project=project).first()


def answers_to(plan: SupportPlan, project: Project) -> Mapping[str, SupportSignOff]:
    """Return each side's newest answer to the plan as it stands now."""
    rows = plan.sign_offs.filter(digest=digest_now(plan, project)).select_related("by")
    return {answer.side: answer for answer in rows.order_by("pk")}


def why_not_supported(project: Project) -> str:
    """Return "" where no plan is needed or all three sides signed it, else what is missing."""
    if not project.builds_code:
        return ""
    plan = support_plan_of(project)
    if plan is None:
        return "Code is built, and there is no support plan. Write it and have it signed."
    answers = answers_to(plan, project)
    signed = {side: answer.by_id for side, answer in answers.items() if answer.agrees}
    missing = [Side(side).label for side in Side.values if side not in signed]
    if missing:
        return f"The support plan is not signed by {_listed(missing)}."
    if len(set(signed.values())) < len(Side.values):
        return "One person signed the support plan for two sides. Another has to sign for one."
    return ""


def why_not_official(project: Project) -> str:
    """Return "" unless official support is planned and was not approved as it stands."""
    plan = support_plan_of(project)
    if plan is None or plan.mode != SupportPlan.Mode.OFFICIAL:
        return ""
    if plan.official_at and plan.official_digest == digest_now(plan, project):
        return ""
    return "Official support is planned. Product or Engineering leadership has to approve it first."


def _listed(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
