"""Whether what is built will be looked after: worked out from what was signed, never stored."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

from django.db.models import Prefetch, QuerySet

from people.models import User
from people.selectors import people_with_role
from projects import permissions
from projects.models import OVER, Project, SupportPlan, SupportSignOff
from projects.rules.support import digest_of, scope_digest_of

Side = SupportSignOff.Side


@dataclass(frozen=True)
class SideState:
    """How one side stands to the plan as it is now."""

    side: str
    # Its newest answer to this very content.
    answer: SupportSignOff | None
    # Who could answer for it, where it did not agree.
    waits_for: tuple[User, ...] = ()

    @property
    def label(self) -> str:
        return str(Side(self.side).label)

    @property
    def is_signed(self) -> bool:
        return self.answer is not None and self.answer.agrees

    @property
    def is_rejected(self) -> bool:
        return self.answer is not None and not self.answer.agrees


@dataclass(frozen=True)
class Signatures:
    """The plan of a project with the three sides' answers to it."""

    project: Project
    plan: SupportPlan

    @cached_property
    def digest(self) -> str:
        return digest_now(self.plan, self.project)

    @cached_property
    def answers(self) -> Mapping[str, SupportSignOff]:
        return answers_to(self.plan, self.project)

    @cached_property
    def sides(self) -> list[SideState]:
        return [
            SideState(side, self.answers.get(side), self._could_sign(side)) for side in Side.values
        ]

    @property
    def missing(self) -> list[SideState]:
        return [each for each in self.sides if not each.is_signed]

    @cached_property
    def former(self) -> list[SupportSignOff]:
        """Return the answers that do not count any more, newest first."""
        live = [answer.pk for answer in self.answers.values()]
        rows = self.plan.sign_offs.exclude(pk__in=live).select_related("by")
        return list(rows.order_by("-pk"))

    def _could_sign(self, side: str) -> tuple[User, ...]:
        answer = self.answers.get(side)
        if answer is not None and answer.agrees:
            return ()
        elsewhere = {each.by_id for other, each in self.answers.items() if other != side}
        people = people_with_role(permissions.SIDES[side])
        return tuple(people.exclude(pk__in=elsewhere | {self.plan.written_by_id}))


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


def scope_digest(project: Project) -> str:
    return scope_digest_of(project=project.number, in_scope=project.in_scope)


def support_plan_of(project: Project) -> SupportPlan | None:
    rows = SupportPlan.objects.select_related("written_by", "official_by")
    return rows.filter(project=project).first()


def signatures_of(project: Project) -> Signatures | None:
    plan = support_plan_of(project)
    return Signatures(project, plan) if plan is not None else None


def answers_to(plan: SupportPlan, project: Project) -> Mapping[str, SupportSignOff]:
    """Return each side's newest answer to the plan as it stands now.

    Who wrote it last has no say in it, whatever they answered before they wrote.
    """
    rows = plan.sign_offs.filter(digest=digest_now(plan, project)).select_related("by")
    return _newest(rows.order_by("pk"), plan)


def why_not_supported(project: Project) -> str:
    """Return "" where no plan is needed or all three sides signed it, else what is missing."""
    return why_not_signed(project) if project.builds_code else ""


def why_not_signed(project: Project) -> str:
    """Return "" where all three sides signed the plan as it stands, else what is missing."""
    plan = support_plan_of(project)
    if plan is None:
        return "Code is built, and there is no support plan. Write it and have it signed."
    return _what_is_missing(answers_to(plan, project))


def is_signed(plan: SupportPlan, project: Project) -> bool:
    """Say the same of a plan whose answers were read before."""
    digest = digest_now(plan, project)
    answers = [each for each in plan.sign_offs.all() if each.digest == digest]
    newest = _newest(sorted(answers, key=lambda answer: answer.pk), plan)
    return not _what_is_missing(newest)


def _what_is_missing(answers: Mapping[str, SupportSignOff]) -> str:
    signed = {side: answer.by_id for side, answer in answers.items() if answer.agrees}
    missing = [Side(side).label for side in Side.values if side not in signed]
    if missing:
        return f"The support plan is not signed by {listed(missing)}."
    if len(set(signed.values())) < len(Side.values):
        return "One person signed the support plan for two sides. Another has to sign for one."
    return ""


def why_not_official(project: Project) -> str:
    """Return "" unless official support is planned and was not approved as it stands."""
    plan = support_plan_of(project)
    if plan is None or plan.mode != SupportPlan.Mode.OFFICIAL or is_official(plan, project):
        return ""
    return "Official support is planned. Product or Engineering leadership has to approve it first."


def is_official(plan: SupportPlan, project: Project) -> bool:
    """Say whether official support was approved, of this content, by another than its writer."""
    if not plan.official_at or plan.official_by_id == plan.written_by_id:
        return False
    return plan.official_digest == digest_now(plan, project)


def what_a_change_resets(project: Project) -> str:
    """Return whose word is lost if plan or scope are changed, to be said before; "" if nobody's."""
    plan = support_plan_of(project)
    if plan is None:
        return ""
    words = []
    answers = answers_to(plan, project).values()
    agreed = [f"{each.by.name} for {each.get_side_display()}" for each in answers if each.agrees]
    if agreed:
        words.append(f"The support plan is signed by {listed(agreed)}. A change resets that.")
    if plan.mode == SupportPlan.Mode.OFFICIAL and is_official(plan, project):
        words.append("Official support has to be approved again.")
    return " ".join(words)


def what_a_change_of_scope_resets(project: Project) -> str:
    words = [what_a_change_resets(project)]
    if project.inside_product and project.approved_at:
        words.append("The approval of work inside the product is withdrawn.")
    return " ".join(filter(None, words))


def waiting_for_signature(user: User) -> list[Project]:
    """Return the projects whose support plan this person could sign now, the longest first."""
    sides = [side for side, role in permissions.SIDES.items() if role in user.roles]
    if not sides:
        return []
    rows = _open_plans().filter(project__builds_code=True).exclude(written_by=user)
    found = []
    for plan in rows.prefetch_related(Prefetch("sign_offs", SupportSignOff.objects.order_by("pk"))):
        digest = digest_now(plan, plan.project)
        answers = _newest([each for each in plan.sign_offs.all() if each.digest == digest], plan)
        is_heard = any(answer.by_id == user.pk for answer in answers.values())
        if not is_heard and any(side not in answers for side in sides):
            found.append(plan.project)
    return found


def waiting_for_approval(user: User) -> list[Project]:
    """Return the projects whose work in the product, or official support, they could approve."""
    inside = Project.objects.exclude(state__in=OVER).filter(inside_product=True, approved_at=None)
    found = [each for each in inside if permissions.can_approve_inside_product(user, each)]
    official = _open_plans().filter(mode=SupportPlan.Mode.OFFICIAL)
    found += [
        plan.project
        for plan in official
        if permissions.can_approve_official_support(user, plan)
        and not is_official(plan, plan.project)
    ]
    return list(dict.fromkeys(found))


def listed(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _newest(answers: Iterable[SupportSignOff], plan: SupportPlan) -> Mapping[str, SupportSignOff]:
    return {each.side: each for each in answers if each.by_id != plan.written_by_id}


def _open_plans() -> QuerySet[SupportPlan]:
    rows = SupportPlan.objects.exclude(project__state__in=OVER).select_related("project")
    return rows.order_by("written_at", "pk")
