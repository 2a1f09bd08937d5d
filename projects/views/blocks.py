"""The blocks of a charter's page: what they show, what they lack, and how they are edited."""

from dataclasses import dataclass
from typing import NamedTuple

from django.http import QueryDict
from django.urls import reverse

from projects.forms import charter_rows as rows
from projects.forms import charters as forms
from projects.selectors.charters import possible_leads, possible_owners
from projects.views.shell import Shell

AnyForm = forms.BlockForm | rows.RowsForm


class Block(NamedTuple):
    """One block, with the parts of rules.charter that belong to it."""

    name: str
    label: str
    form: type[forms.BlockForm] | type[rows.RowsForm]
    parts: tuple[str, ...] = ()
    # Whether it stands on the page, to be edited in its place.
    is_card: bool = True
    hint: str = ""


BLOCKS = (
    Block("outcome", "Outcome and measure", forms.OutcomeForm, ("objectives", "expected outcomes")),
    Block(
        "accounts",
        "Accounts and seats",
        rows.AccountsForm,
        ("at least one account",),
        hint="Name each account by its name or number, and the seats it would deploy more. "
        "Low and high say how sure you are. Empty a row to take it out.",
    ),
    Block("scope", "Scope", forms.ScopeForm, ("what is in scope", "what is out of scope")),
    Block("people", "People", forms.PeopleForm, ("an owner", "a lead")),
    Block(
        "stakeholders",
        "Stakeholders",
        rows.StakeholdersForm,
        ("stakeholders",),
        hint="People with a say, who are not expected to do the work. Empty a row to take it out.",
    ),
    Block(
        "roll-out",
        "Roll-out plan",
        forms.RollOutForm,
        (
            "where it is rolled out to",
            "who is told of the roll-out",
            "when it is rolled out",
        ),
    ),
    Block("code", "Code and support", forms.CodeForm, ("whether code is built",)),
    Block("links", "Requests and links", forms.LinksForm),
    Block("about", "Title, kind and type", forms.AboutForm, is_card=False),
    Block("blocked", "What blocks it", forms.BlockedForm, is_card=False),
)
BY_NAME = {block.name: block for block in BLOCKS}
BLOCK_OF = {part: block.name for block in BLOCKS for part in block.parts}
SCORED = ("impact", "effort")


@dataclass(frozen=True)
class BlockCard:
    """A block on the page of one project."""

    block: Block
    shell: Shell
    # Whether it was saved just now, so that the focus goes back to it.
    is_saved: bool = False

    @property
    def name(self) -> str:
        return self.block.name

    @property
    def label(self) -> str:
        return self.block.label

    @property
    def template(self) -> str:
        return f"projects/charter/{self.block.name.replace('-', '_')}.html"

    @property
    def edit_url(self) -> str:
        return reverse("projects:edit", args=[self.shell.project.pk, self.block.name])

    @property
    def missing(self) -> list[str]:
        return [part for part in self.shell.missing if part in self.block.parts]


class Gap(NamedTuple):
    """Something the project needs before the review, and where it is put right."""

    words: str
    url: str
    # The block to edit in its place; "" where it is elsewhere.
    block: str = ""


def cards_of(shell: Shell) -> dict[str, BlockCard]:
    cards = [BlockCard(block, shell) for block in BLOCKS if block.is_card]
    return {card.name.replace("-", "_"): card for card in cards}


def gaps_of(shell: Shell) -> list[Gap]:
    """Return what has to be there before it is ready for review, in the order of the page."""
    number = shell.project.pk
    gaps = []
    for part in shell.missing:
        words = f"{part[:1].upper()}{part[1:]}"
        if part in SCORED:
            gaps.append(Gap(words, reverse("projects:score", args=[number])))
        else:
            block = BLOCK_OF[part]
            gaps.append(Gap(words, reverse("projects:edit", args=[number, block]), block))
    option = shell.option("ready")
    for code, words in option.blocks if option else ():
        if code != "charter":
            gaps.append(Gap(words, reverse("projects:support", args=[number])))
    return gaps


def form_of(block: Block, shell: Shell, data: QueryDict | None = None) -> AnyForm:
    choices = forms.Choices(user=shell.here.user, owners=possible_owners, engineers=possible_leads)
    return block.form(shell.project, choices, data)
