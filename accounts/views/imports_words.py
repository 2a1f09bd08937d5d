"""Imports in words: their kinds and columns, how far they are, what they would do."""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, NamedTuple

from django.urls import reverse

from accounts.imports.columns import KINDS, Empty
from accounts.imports.effects import Effect, Mover, Side
from accounts.models import Import
from config.lib.ui.formats import number_text

# What accounts.imports.lifecycle calls a mapping that nobody gave a name.
CHOSEN = "chosen"
# Of the accounts that move so many are shown at once.
MOVERS_SHOWN = 10
LABELS = dict(Import.Kind.choices)
WHAT = {
    "accounts": "Customers and prospects. Bring them first: everything else belongs to one.",
    "subscriptions": "Contracts: they make ARR and licensed seats.",
    "instances": "Installations of the product; their counts add up.",
    "seat-readings": "How many seats were active at a time. They make the deployed seats.",
    "contacts": "People at the customer.",
    "assignments": "Who of us looks after which account.",
    "exchange-rates": "What a unit of another currency is worth.",
}
HINTS = {
    "external_id": "the id in the system it comes from",
    "account_external_id": "the id of its account",
    "instance_external_id": "the id of its instance",
    "parent_external_id": "the id of the account it belongs to",
    "name": "as people know it",
    "status": "prospect, customer or churned",
    "churned_on": "a day; needed for churned",
    "internal": "yes or no; our own accounts",
    "archived": "yes or no",
    "strategic": "yes or no",
    "region": "as you report by it",
    "segment": "as you report by it",
    "currency": "three capitals, EUR",
    "product": "what was sold",
    "kind": "paid, trial or poc",
    "seats": "a whole number, 1200",
    "unlimited": "yes or no; seats without limit",
    "arr": "a year, 1200.50",
    "tcv": "in total, instead of ARR",
    "start": "the first day, 2026-03-31",
    "end": "the first day not covered",
    "environment": "production, test …",
    "counted": "yes or no; whether its seats count",
    "observed_at": "a day or a time with its offset",
    "monthly_active": "a whole number",
    "email": "an address",
    "title": "their position",
    "roles": "with semicolons between them",
    "user_email": "the address of a person in Keel",
    "role": "TAM, CSM, AE, SA, IE, DE or CRE",
    "primary": "yes or no",
    "on": "from this day on, 2026-03-31",
    "rate": "of our currency for one unit",
}


class ColumnWords(NamedTuple):
    name: str
    needed: bool
    hint: str


class KindWords(NamedTuple):
    """A kind of file as the pages offer it."""

    value: str
    label: str
    what: str
    columns: list[ColumnWords]


def kind_words(kind: str) -> KindWords:
    columns = [
        ColumnWords(name, column.empty is Empty.MISSING, HINTS[name])
        for name, column in KINDS[kind].columns.items()
    ]
    return KindWords(kind, LABELS[kind], WHAT[kind], columns)


def all_kinds() -> list[KindWords]:
    return [kind_words(kind) for kind in KINDS]


class State(NamedTuple):
    """A tag for how far an import is."""

    label: str
    tone: str
    icon: str


STATES = {
    Import.Status.UPLOADED: State("Needs a mapping", "warn", "columns-3"),
    Import.Status.CHECKING: State("Being checked", "info", "loader"),
    Import.Status.CHECKED: State("Ready to apply", "info", "file-input"),
    Import.Status.WAITING: State("Waits for a second person", "warn", "hourglass"),
    Import.Status.APPLYING: State("Being applied", "info", "loader"),
    Import.Status.APPLIED: State("Applied", "good", "circle-check"),
    Import.Status.UNDOING: State("Being undone", "info", "loader"),
    Import.Status.UNDONE: State("Undone", "", "undo-2"),
    Import.Status.FAILED: State("Failed", "bad", "circle-alert"),
    Import.Status.DISCARDED: State("Discarded", "", "x"),
}


def state_of(import_: Import) -> State:
    status = Import.Status(import_.status)
    if status == Import.Status.CHECKED:
        if import_.bad_rows:
            return State(counted(import_.bad_rows, "bad row"), "bad", "circle-alert")
        if not changes_of(import_):
            return State("Nothing to change", "", "equal")
    return STATES[status]


def changes_of(import_: Import) -> int:
    return import_.creates + import_.updates


def counted(count: int, one: str, many: str = "") -> str:
    """Return "1 change", "61 changes"."""
    return f"{number_text(count)} {one if count == 1 else many or one + 's'}"


def mapping_name(import_: Import) -> str:
    """Say how the file was read, in a word or two."""
    columns, name = import_.mapping.get("columns"), import_.mapping.get("name")
    if name and name != CHOSEN:
        return str(name)
    return "Matched by hand" if columns else "Our own column names"


def theirs_of(import_: Import) -> dict[str, str]:
    """Return our columns and what the file calls them, where that is something else."""
    columns: Mapping[str, str] = import_.mapping.get("columns", {})
    return {ours: theirs for ours, theirs in columns.items() if theirs != ours}


@dataclass(frozen=True)
class Moved:
    """An account that changes sides, with the address of its page."""

    mover: Mover
    url: str


@dataclass(frozen=True)
class EffectWords:
    """What an import does to the number, as its page tells it."""

    effect: Effect

    @property
    def before(self) -> Fraction | None:
        return _share(self.effect.before)

    @property
    def after(self) -> Fraction | None:
        return _share(self.effect.after)

    @property
    def difference(self) -> Fraction | None:
        if self.before is None or self.after is None:
            return None
        return self.after - self.before

    @property
    def movers(self) -> list[Moved]:
        return [
            Moved(mover, reverse("accounts:account-detail", args=[_pk(mover.number)]))
            if _pk(mover.number)
            else Moved(mover, "")
            for mover in self.effect.movers
        ]

    @property
    def moves(self) -> int:
        return len(self.effect.movers) + self.effect.more

    @property
    def more(self) -> int:
        """How many move beside those that are shown at once."""
        return max(self.moves - MOVERS_SHOWN, self.effect.more)


def effect_of(import_: Import) -> EffectWords | None:
    told: Any = import_.effect
    return EffectWords(Effect.from_json(told)) if told else None


def _share(side: Side) -> Fraction | None:
    return Fraction(side.numerator, side.denominator) if side.denominator else None


def _pk(number: str) -> int | None:
    digits = number.removeprefix("ACC-")
    return int(digits) if digits.isdecimal() and digits.isascii() else None
