"""How a project is split: a title and days for each part, and where the seats go."""

from collections.abc import Iterator
from decimal import ROUND_DOWN, Decimal
from math import ceil
from typing import Any, NamedTuple

from django import forms
from django.core.exceptions import ValidationError
from django.forms.boundfield import BoundField

from config.lib.form_fields import NameField
from config.lib.values import NAME_MAX
from projects.forms.scoring import DaysField
from projects.models import Project
from projects.rules.scoring import plain
from projects.services.splitting import LONGEST, MOST_PARTS, Part

COUNT, MORE, FEWER = "count", "more", "fewer"
FEWEST = 2
VERSION = "version"
TENTH = Decimal("0.1")


class Row(NamedTuple):
    number: int
    title: BoundField
    days: BoundField


class SplitForm(forms.Form):
    """`count` parts; `more` and `fewer` are buttons that change how many, and save nothing."""

    version = forms.IntegerField(widget=forms.HiddenInput, required=False)
    seats_with = forms.ChoiceField(
        label="The seats come with",
        widget=forms.RadioSelect,
        help_text="They count once, when this part is delivered.",
        error_messages={"required": "Choose the part that the seats come with."},
    )

    def __init__(
        self, project: Project, data: Any = None, *, has_seats: bool, typed: Any = None
    ) -> None:
        """`typed` is what was in a form of another number of parts, shown again."""
        self.count = _count(project, data if typed is None else typed)
        super().__init__(data, initial=_initial(project, self.count, typed))
        for place in range(self.count):
            self.fields[f"title_{place}"] = NameField(
                label=f"Title of part {place + 1}",
                error_messages={"required": f"Give part {place + 1} a title."},
            )
            self.fields[f"days_{place}"] = DaysField(
                label=f"Days of part {place + 1}", required=False
            )
        seats = self.fields["seats_with"]
        assert isinstance(seats, forms.ChoiceField)  # noqa: S101
        seats.choices = [(str(place), f"Part {place + 1}") for place in range(self.count)]
        if not has_seats:
            del self.fields["seats_with"]

    @property
    def rows(self) -> Iterator[Row]:
        for place in range(self.count):
            yield Row(place + 1, self[f"title_{place}"], self[f"days_{place}"])

    @property
    def may_grow(self) -> bool:
        return self.count < MOST_PARTS

    @property
    def may_shrink(self) -> bool:
        return self.count > FEWEST

    @property
    def parts(self) -> list[Part]:
        told = self.cleaned_data
        return [Part(told[f"title_{n}"], told[f"days_{n}"]) for n in range(self.count)]

    @property
    def place_of_seats(self) -> int:
        return int(self.cleaned_data.get("seats_with") or 0)

    def refuse(self, error: ValidationError) -> None:
        """Show what the service refused at its field, or above the form."""
        for name, told in error.error_dict.items():
            self.add_error(name if name in self.fields else None, told)


def _initial(project: Project, count: int, typed: Any) -> dict[str, Any]:
    shares = _shares(project.days, count)
    initial: dict[str, Any] = {VERSION: project.version, "seats_with": count - 1}
    for place in range(count):
        title = project.title if place == 0 else f"{project.title}, part {place + 1}"
        initial |= {f"title_{place}": title[:NAME_MAX], f"days_{place}": _shown(shares[place])}
    if typed is None:
        return initial
    kept = {name: typed[name] for name in initial.keys() & typed.keys() if name != "seats_with"}
    was = _stated(typed, COUNT) or count
    proposed = [_shown(days) for days in _shares(project.days, was)]
    if [typed.get(f"days_{place}", "") for place in range(was)] == proposed:
        # Nobody touched the shares: they are shared out anew.
        kept = {name: value for name, value in kept.items() if not name.startswith("days_")}
    return initial | kept


def _shown(days: Decimal | None) -> str:
    return "" if days is None else plain(days)


def _count(project: Project, data: Any) -> int:
    """Return how many parts are asked for: as many as two weeks each take, until said otherwise."""
    if data is None:
        needed = ceil(project.days / LONGEST) if project.days else FEWEST
        return min(max(needed, FEWEST), MOST_PARTS)
    count = _stated(data, COUNT) + (MORE in data) - (FEWER in data)
    return min(max(count, FEWEST), MOST_PARTS)


def _stated(data: Any, name: str) -> int:
    text = data.get(name, "")
    return int(text) if text.isascii() and text.isdecimal() and len(text) == 1 else FEWEST


def _shares(days: Decimal | None, count: int) -> list[Decimal | None]:
    """Return the days in equal shares of tenths; the last takes what is left."""
    if days is None:
        return [None] * count
    each = (days / count).quantize(TENTH, ROUND_DOWN) or TENTH
    last = days - each * (count - 1)
    return [*[each] * (count - 1), last if last > 0 else TENTH]
