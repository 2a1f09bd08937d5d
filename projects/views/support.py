"""The support plan of a project: what it says, who answered, who is waited for."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property, wraps
from typing import Any, Concatenate, ParamSpec

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from accounts.here import add_refusal
from config.lib.authz import require
from config.lib.errors import DomainError, StaleWrite
from engagements.delivery_forms import ReasonForm
from people.models import Role, User
from people.selectors import people_with_role
from people.writing import once
from projects import permissions, selectors
from projects.forms.support import AnswerForm, DigestForm, PlanForm, WhereForm
from projects.models import SupportPlan, SupportSignOff
from projects.selectors.support import SideState, Signatures
from projects.services import support as services
from projects.views.shell import SUPPORT, Shell, project_page, project_shell

P = ParamSpec("P")
Side = SupportSignOff.Side
ROLES = {side: Role(role).label for side, role in permissions.SIDES.items()}


@dataclass(frozen=True)
class SideRow:
    """One of the three, with the form of who may answer now."""

    state: SideState
    role: str
    form: forms.Form | None
    # Why who looks cannot answer for their side; "" for others.
    refusal: str = ""


@dataclass(frozen=True)
class Tab:
    """The page, with the one form that was sent wrong."""

    shell: Shell
    sent: dict[str, forms.Form] = field(default_factory=dict)

    @cached_property
    def signatures(self) -> Signatures | None:
        return selectors.signatures_of(self.shell.project)

    @property
    def plan(self) -> SupportPlan | None:
        return self.signatures.plan if self.signatures else None

    @property
    def digest(self) -> str:
        return self.signatures.digest if self.signatures else ""

    @property
    def scope(self) -> str:
        """Return the hash of what is approved with work inside the product."""
        return selectors.scope_digest(self.shell.project)

    @property
    def is_needed(self) -> bool:
        return bool(self.shell.project.builds_code)

    @property
    def is_signed(self) -> bool:
        return self.plan is not None and not selectors.why_not_signed(self.shell.project)

    @property
    def is_official(self) -> bool:
        plan = self.plan
        return plan is not None and selectors.is_official(plan, self.shell.project)

    @cached_property
    def is_open(self) -> bool:
        return not self.shell.project.is_over

    @cached_property
    def may_write(self) -> bool:
        user, project = self.shell.here.user, self.shell.project
        return self.is_open and permissions.can_write_support_plan(user, project)

    @cached_property
    def resets(self) -> str:
        return selectors.what_a_change_resets(self.shell.project)

    @cached_property
    def plan_form(self) -> forms.Form:
        plan = self.plan
        initial: dict[str, Any] = {"version": 0}
        if plan is not None:
            names = ("mode", "maintained_by", "depends_on_server_version", "text", "version")
            initial = {name: getattr(plan, name) for name in names}
        return self.sent.get("plan") or PlanForm(prefix="plan", initial=initial)

    @cached_property
    def sides(self) -> list[SideRow]:
        if self.signatures is None:
            return []
        return [self._row(each) for each in self.signatures.sides]

    @cached_property
    def may_approve_official(self) -> bool:
        plan = self.plan
        if plan is None or not self.is_open or plan.mode != SupportPlan.Mode.OFFICIAL:
            return False
        return permissions.can_approve_official_support(self.shell.here.user, plan)

    @cached_property
    def may_approve_inside(self) -> bool:
        user, project = self.shell.here.user, self.shell.project
        is_asked = self.is_open and project.inside_product
        return is_asked and permissions.can_approve_inside_product(user, project)

    @cached_property
    def approvers(self) -> list[User]:
        """Return who could approve work inside the product, or official support."""
        project, plan = self.shell.project, self.plan
        out = {project.proposed_by_id, project.owner_id} if project.inside_product else set()
        if plan is not None and plan.mode == SupportPlan.Mode.OFFICIAL:
            out |= {plan.written_by_id}
        roles = (Role.PRODUCT_LEADERSHIP, Role.ENGINEERING_LEADERSHIP)
        people = {each.pk: each for role in roles for each in people_with_role(role)}
        return [each for pk, each in people.items() if pk not in out]

    @property
    def digest_form(self) -> forms.Form:
        return self.sent.get("official") or DigestForm(
            prefix="official", initial={"digest": self.digest}
        )

    @property
    def official_withdraw_form(self) -> forms.Form:
        return self.sent.get("official-withdraw") or ReasonForm(prefix="official-withdraw")

    @property
    def inside_form(self) -> forms.Form:
        return self.sent.get("inside") or WhereForm(prefix="inside", initial={"digest": self.scope})

    @property
    def inside_withdraw_form(self) -> forms.Form:
        return self.sent.get("inside-withdraw") or ReasonForm(prefix="inside-withdraw")

    def _row(self, state: SideState) -> SideRow:
        assert self.signatures is not None  # noqa: S101
        user, side = self.shell.here.user, state.side
        if not self.is_open or permissions.SIDES[side] not in user.roles:
            return SideRow(state, ROLES[side], None)
        plan, answers = self.signatures.plan, self.signatures.answers
        if not permissions.can_sign_support(user, plan, side):
            return SideRow(state, ROLES[side], None, "You wrote it, so another signs it.")
        others = [each for each in answers.values() if each.by_id == user.pk and each.side != side]
        if others:
            words = f"You answered for {others[0].get_side_display()}, so another answers here."
            return SideRow(state, ROLES[side], None, words)
        form = AnswerForm(prefix=f"sign-{side}", initial={"digest": self.digest})
        return SideRow(state, ROLES[side], self.sent.get(f"sign-{side}") or form)


Act = Callable[Concatenate[HttpRequest, Tab, P], HttpResponse]


def posts(act: "Act[P]") -> Callable[Concatenate[HttpRequest, int, P], HttpResponse]:
    """Make a view of what is done on this tab: it comes back here, or says what is wrong."""

    @require_POST
    @once
    @wraps(act)
    def view(request: HttpRequest, number: int, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        return act(request, Tab(project_shell(request, number)), *args, **kwargs)

    return view


@require_safe
def support(request: HttpRequest, number: int) -> HttpResponse:
    return _shown(request, Tab(project_shell(request, number)))


@posts
def plan(request: HttpRequest, tab: Tab) -> HttpResponse:
    project, here = tab.shell.project, tab.shell.here
    require(permissions.can_write_support_plan, here.user, project)
    form = PlanForm(request.POST, prefix="plan")

    def act(given: dict[str, Any]) -> str:
        before = tab.plan
        version = given.pop("version")
        content = services.Content(**given)
        written = services.write_plan(project, content, version=version, by=here.user, at=here.now)
        if before is not None and before.version == written.version:
            return "Nothing was changed, so nothing is reset."
        return "The plan is saved. All three sides are asked to sign it."

    return _done(request, tab, form, act)


@posts
def sign(request: HttpRequest, tab: Tab, side: str) -> HttpResponse:
    if side not in Side.values:
        raise Http404
    project, here = tab.shell.project, tab.shell.here
    if tab.plan is None:
        raise Http404
    require(permissions.can_sign_support, here.user, tab.plan, side)
    form = AnswerForm(request.POST, prefix=f"sign-{side}")

    def act(_given: dict[str, Any]) -> str:
        made = services.sign(project, side, **form.given(), by=here.user, at=here.now)
        done = "signed" if made.agrees else "rejected"
        return f"{made.get_side_display()} {done} the support plan."

    return _done(request, tab, form, act)


@posts
def official(request: HttpRequest, tab: Tab) -> HttpResponse:
    project, here = tab.shell.project, tab.shell.here
    _require_approver(tab)
    form = DigestForm(request.POST, prefix="official")

    def act(given: dict[str, Any]) -> str:
        services.approve_official(project, digest=given["digest"], by=here.user, at=here.now)
        return "Official support is approved."

    return _done(request, tab, form, act)


@posts
def official_withdraw(request: HttpRequest, tab: Tab) -> HttpResponse:
    project, here = tab.shell.project, tab.shell.here
    _require_approver(tab)
    form = ReasonForm(request.POST, prefix="official-withdraw")

    def act(given: dict[str, Any]) -> str:
        services.withdraw_official(project, **given, by=here.user, at=here.now)
        return "Official support is not approved any more."

    return _done(request, tab, form, act)


@posts
def inside(request: HttpRequest, tab: Tab) -> HttpResponse:
    project, here = tab.shell.project, tab.shell.here
    require(permissions.can_approve_inside_product, here.user, project)
    form = WhereForm(request.POST, prefix="inside")

    def act(given: dict[str, Any]) -> str:
        services.approve_inside_product(project, **given, by=here.user, at=here.now)
        return "Work inside the product is approved."

    return _done(request, tab, form, act)


@posts
def inside_withdraw(request: HttpRequest, tab: Tab) -> HttpResponse:
    project, here = tab.shell.project, tab.shell.here
    require(permissions.can_approve_inside_product, here.user, project)
    form = ReasonForm(request.POST, prefix="inside-withdraw")

    def act(given: dict[str, Any]) -> str:
        services.withdraw_inside_product(project, **given, by=here.user, at=here.now)
        return "Work inside the product is not approved any more."

    return _done(request, tab, form, act)


def _require_approver(tab: Tab) -> None:
    """Refuse who may not approve official support; without a plan there is nothing to approve."""
    if tab.plan is None:
        raise Http404
    require(permissions.can_approve_official_support, tab.shell.here.user, tab.plan)


def _done(
    request: HttpRequest, tab: Tab, form: forms.Form, act: Callable[[dict[str, Any]], str]
) -> HttpResponse:
    """Do it and come back, or show the page with what was typed and why not."""
    status = 422
    if form.is_valid():
        try:
            told = act(form.cleaned_data)
        except StaleWrite as refusal:
            stored = selectors.support_plan_of(tab.shell.project)
            _renew(form, "version", stored.version if stored else 0)
            form.add_error(None, f"{refusal.message} What you wrote is below; look at both.")
            status = refusal.status
        except services.PlanChanged as refusal:
            _renew(form, "digest", tab.scope if form.prefix == "inside" else tab.digest)
            form.add_error(None, refusal.message)
            status = refusal.status
        except DomainError as refusal:
            add_refusal(form, refusal)
        else:
            messages.success(request, told)
            return redirect(reverse("projects:support", args=[tab.shell.project.pk]))
    fresh = Tab(project_shell(request, tab.shell.project.pk), {str(form.prefix): form})
    return _shown(request, fresh, form=form, status=status)


def _renew(form: forms.Form, name: str, value: Any) -> None:
    """Let what was typed be sent again over what is stored now, once both were seen."""
    data = form.data.copy()  # type: ignore[attr-defined]
    data[form.add_prefix(name)] = str(value)
    form.data = data


def _shown(
    request: HttpRequest, tab: Tab, *, form: forms.Form | None = None, status: int = 200
) -> HttpResponse:
    context = {"support": tab, "form": form}
    return project_page(
        request, tab.shell, "projects/support/support.html", SUPPORT, context, status=status
    )
