"""The blocks of a charter as forms; `values` is what services.charters takes."""

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

from django import forms
from django.core.exceptions import ValidationError
from django.http import QueryDict
from django.utils.functional import cached_property

from config.lib.errors import DomainError, Invalid
from config.lib.form_fields import DateField, LinesField, NameField
from engagements.rules.links import parse_links_text
from people.models import User
from projects.forms.fields import LinksField, RequestsField
from projects.models import Project, ProjectType
from projects.rules.charter_values import NEEDED, TEXT_MAX
from projects.services.charters import BLOCKED_MAX

VERSION = "version"
YES_NO = [("yes", "Yes"), ("no", "No")]
KINDS = [
    (Project.Kind.EXTERNAL.value, "External: for customers"),
    (Project.Kind.INTERNAL.value, "Internal: for ourselves"),
]


class Choices:
    """What a block offers; read once a page, when needed."""

    def __init__(
        self,
        *,
        user: User,
        owners: Callable[[], list[User]],
        engineers: Callable[[], list[User]],
    ) -> None:
        self.user = user
        self._owners, self._engineers = owners, engineers

    @cached_property
    def owners(self) -> list[User]:
        return self._owners()

    @cached_property
    def engineers(self) -> list[User]:
        return self._engineers()


class BlockForm(forms.Form):
    """One block, from what is stored or from what was typed."""

    columns: ClassVar[tuple[str, ...]] = ()

    def __init__(
        self, project: Project | None, choices: Choices, data: QueryDict | None = None
    ) -> None:
        self.project, self.choices = project, choices
        super().__init__(data, initial=self.stored() if project else {}, auto_id="charter_%s")
        self.use_required_attribute = False
        self.version = version_of(data)

    def stored(self) -> dict[str, Any]:
        return {name: getattr(self.project, name) for name in self.columns}

    def values(self) -> dict[str, Any]:
        return dict(self.cleaned_data)

    def refuse(self, error: ValidationError | DomainError) -> None:
        """Show what the service found wrong, each at its field."""
        refuse(self, error)


class AboutForm(BlockForm):
    columns = ("title", "kind", "type")
    title = NameField(label="Title", error_messages={"required": NEEDED["title"]})
    kind = forms.ChoiceField(
        label="Who is it for?",
        choices=KINDS,
        widget=forms.RadioSelect,
        error_messages={"required": NEEDED["kind"]},
    )
    type = forms.ChoiceField(
        label="What kind of work is it?",
        choices=[("", "Choose"), *ProjectType.choices],
        error_messages={"required": NEEDED["type"]},
    )


def _text(label: str, help_text: str, *, rows: int = 4) -> LinesField:
    return LinesField(
        label=label,
        help_text=help_text,
        required=False,
        max_length=TEXT_MAX,
        widget=forms.Textarea(attrs={"rows": rows}),
    )


class OutcomeForm(BlockForm):
    columns = ("objectives", "outcomes", "if_not")
    objectives = _text("Objectives", "Which problem does it solve, and for whom?")
    outcomes = _text("Expected outcomes", "What is different afterwards, and how do we measure it?")
    if_not = _text("If we do not do it", "What happens then, and by when?", rows=3)


class ScopeForm(BlockForm):
    columns = ("in_scope", "out_of_scope")
    in_scope = _text("In scope", "What is done.", rows=6)
    out_of_scope = _text("Out of scope", "What is not done, though one could think so.", rows=6)


class PeopleForm(BlockForm):
    owner = forms.ChoiceField(
        label="Owner",
        required=False,
        help_text="One person, accountable for completion.",
        error_messages={"invalid_choice": "This person is not active, or has no role."},
    )
    leads = forms.MultipleChoiceField(
        label="Leads",
        required=False,
        help_text="Who does the work: DE engineers and DE leads. One at least.",
        widget=forms.CheckboxSelectMultiple,
        error_messages={"invalid_choice": "One of these is no active DE engineer or DE lead."},
    )

    def __init__(
        self, project: Project | None, choices: Choices, data: QueryDict | None = None
    ) -> None:
        super().__init__(project, choices, data)
        self.owners = with_stored(choices.owners, [project.owner] if project else [])
        stored = list(project.leads.order_by("name", "pk")) if project else []
        self.engineers = with_stored(choices.engineers, stored)
        offer(self, "owner", [("", "Nobody yet"), *named(self.owners)])
        offer(self, "leads", named(self.engineers))

    def stored(self) -> dict[str, Any]:
        assert self.project is not None  # noqa: S101 only asked for what is stored
        owner = self.project.owner
        leads = self.project.leads.values_list("uuid", flat=True)
        return {"owner": str(owner.uuid) if owner else "", "leads": [str(each) for each in leads]}

    def values(self) -> dict[str, Any]:
        owners = {str(each.uuid): each for each in self.owners}
        engineers = {str(each.uuid): each for each in self.engineers}
        return {
            "owner": owners.get(self.cleaned_data["owner"]),
            "leads": [engineers[each] for each in self.cleaned_data["leads"]],
        }


class RollOutForm(BlockForm):
    columns = ("roll_out_where", "roll_out_told", "roll_out_on")
    roll_out_where = _text("Where", "Where is it deployed or published?", rows=2)
    roll_out_told = _text("Who is told, and how", "People or groups, and the channel.", rows=2)
    roll_out_on = DateField(label="When", required=False)


class CodeForm(BlockForm):
    builds_code = forms.ChoiceField(
        label="Does it build code, of any kind?",
        required=False,
        choices=YES_NO,
        widget=forms.RadioSelect,
        help_text="Also a script or a plugin. Code needs a support plan that Engineering, "
        "Support and Product sign before the work starts, also where the customer owns it.",
    )
    inside_product = forms.BooleanField(
        label="It changes the product itself",
        required=False,
        help_text="Product or Engineering leadership approves that first.",
    )

    def stored(self) -> dict[str, Any]:
        assert self.project is not None  # noqa: S101 only asked for what is stored
        words = {True: "yes", False: "no", None: ""}
        return {
            "builds_code": words[self.project.builds_code],
            "inside_product": self.project.inside_product,
        }

    def values(self) -> dict[str, Any]:
        builds = {"yes": True, "no": False}.get(self.cleaned_data["builds_code"])
        return {"builds_code": builds, "inside_product": self.cleaned_data["inside_product"]}


class LinksForm(BlockForm):
    requests = RequestsField(
        label="Requests it serves",
        required=False,
        help_text="Their numbers, one on each line, such as REQ-12.",
        widget=forms.Textarea(attrs={"rows": 3}),
    )
    links = LinksField(
        label="Links",
        required=False,
        help_text="Statements of work, tickets, code: one https address on each line.",
        widget=forms.Textarea(attrs={"rows": 3}),
    )

    def __init__(
        self, project: Project | None, choices: Choices, data: QueryDict | None = None
    ) -> None:
        super().__init__(project, choices, data)
        field = self.fields["requests"]
        assert isinstance(field, RequestsField)  # noqa: S101
        field.user = choices.user

    def stored(self) -> dict[str, Any]:
        assert self.project is not None  # noqa: S101 only asked for what is stored
        numbers = self.project.request_links.order_by("request").values_list("request", flat=True)
        return {
            "requests": "\n".join(f"REQ-{number}" for number in numbers),
            "links": "\n".join(link["url"] for link in self.project.links),
        }

    def values(self) -> dict[str, Any]:
        links = parse_links_text(self.cleaned_data["links"])
        return {"requests": self.cleaned_data["requests"], "links": links}


class BlockedForm(BlockForm):
    columns = ("blocked_by",)
    blocked_by = LinesField(
        label="What blocks it?",
        help_text="Say what is missing, and from whom. Empty it once nothing is in the way.",
        required=False,
        max_length=BLOCKED_MAX,
        widget=forms.Textarea(attrs={"rows": 3}),
    )


def version_of(data: QueryDict | None) -> int | None:
    sent = data.get(VERSION, "") if data is not None else ""
    return int(sent) if sent.isdecimal() and len(sent) <= 9 else None  # noqa: PLR2004


def offer(form: forms.Form, name: str, choices: list[tuple[str, str]]) -> None:
    field = form.fields[name]
    assert isinstance(field, forms.ChoiceField)  # noqa: S101
    field.choices = choices


def refuse(form: forms.Form, error: ValidationError | DomainError) -> None:
    """Show what a service refused at its field, or above the form."""
    if isinstance(error, DomainError):
        field = error.field if isinstance(error, Invalid) else ""
        form.add_error(field if field in form.fields else None, error.message)
        return
    for name, errors in error.error_dict.items():
        form.add_error(name if name in form.fields else None, errors)


def named(people: list[User]) -> list[tuple[str, str]]:
    return [(str(each.uuid), each.name) for each in people]


def with_stored(people: list[User], stored: Sequence[User | None]) -> list[User]:
    """Return those offered, and who is there already though no longer offered."""
    known = {each.pk for each in people}
    return [*people, *(each for each in stored if each is not None and each.pk not in known)]
