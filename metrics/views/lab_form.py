"""The form of a definition as somebody would have it."""

import datetime as dt
from collections.abc import Mapping
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.forms.boundfield import BoundField
from django.http import QueryDict

from config.lib.form_fields import DateField, LinesField, NameField, StrictField, TextField
from config.lib.values import BadValue
from metrics.models import MetricDefinition
from metrics.rules import parameters
from metrics.rules.parameters import SEATS_RULE, SOURCES, Choices, Parameter
from metrics.rules.wording import seats_text
from metrics.services.proposals import SLUG_MAX, TEXT_MAX, TITLE_MAX, WHY_MAX

SUGGEST = "suggest"
RANKS = ("first", "second", "third", "fourth", "fifth")


class ParameterField(StrictField):
    """One value of the policy, read as its parameter reads it."""

    def __init__(self, parameter: Parameter) -> None:
        self.parameter = parameter
        unit = parameter.suffix.strip()
        super().__init__(
            label=f"{parameter.label}, in percent" if unit == "%" else
            f"{parameter.label}, in {unit}" if unit else parameter.label,
            help_text=parameter.help,
            error_messages={"required": f"Fill in “{parameter.label}”."},
        )  # fmt: skip
        self.widget.attrs["inputmode"] = "numeric" if parameter.kind == "whole" else "decimal"

    def parse(self, text: str) -> Any:
        return self.parameter.parse(text, as_text=True)


class ProposalForm(forms.Form):
    """Fields for the words, the parameters of the base, the day and the why."""

    title = NameField(
        label="Title",
        max_length=TITLE_MAX,
        error_messages={"required": "Give the number a title."},
    )
    slug = TextField(
        label="Name in addresses and in the API",
        max_length=SLUG_MAX,
        error_messages={"required": "Give the number a name, such as seats-established."},
    )
    text = LinesField(
        label="Handbook text",
        max_length=TEXT_MAX,
        help_text="Markdown. It should say what the parameters say: let Keel write it from them, "
        "then change what you like.",
        error_messages={"required": "Write the text that the Handbook shows."},
    )
    owner = NameField(
        label="Owner",
        max_length=TITLE_MAX,
        error_messages={"required": "Say who answers for the number."},
    )
    effective_on = DateField(
        label="First day",
        error_messages={"required": "Enter the first day that is computed by it."},
    )
    why = LinesField(
        label="Why",
        required=False,
        max_length=WHY_MAX,
        help_text="Who decides reads this. It is needed to propose it.",
    )

    def __init__(
        self,
        base: MetricDefinition,
        data: QueryDict | None = None,
        *,
        initial: Mapping[str, Any],
        choices: Choices,
        today: dt.date,
    ) -> None:
        self.base, self.choices = base, choices
        self.parameters = parameters.parameters_of(base.rule, base.policy)
        super().__init__(
            data, initial={**initial, **self._parameter_values(initial["policy"])}, auto_id="lab_%s"
        )
        self.use_required_attribute = False
        self.fields["text"].widget.attrs["rows"] = 18
        self.fields["why"].widget.attrs["rows"] = 3
        first = (today + dt.timedelta(days=32)).replace(day=1)
        self.fields[
            "effective_on"
        ].help_text = (
            f"Today or later, such as {first:%Y-%m-%d}. Days before keep their definition."
        )
        if base.rule == SEATS_RULE:
            self.fields["slug"].help_text = (
                f"Leave {base.slug} for its next version. Another name makes a second number"
                " beside it, which grace for new customers needs: with grace the number would"
                " rise without a seat deployed."
            )
        else:
            del self.fields["slug"]
        for each in self.parameters:
            self.fields.update(self._fields_of(each))

    def _fields_of(self, each: Parameter) -> dict[str, forms.Field]:
        if each.kind == "yes":
            tick = forms.BooleanField(label=each.label, required=False, help_text=each.help)
            return {each.name: tick}
        if each.kind == "words":
            known = {*self.choices.of(each.name), *self.initial.get(each.name, [])}
            field = forms.MultipleChoiceField(
                label=each.label,
                required=False,
                choices=[(name, name) for name in sorted(known)],
                widget=forms.CheckboxSelectMultiple,
                error_messages={"invalid_choice": "No account has that. Choose from the list."},
            )
            return {each.name: field} if known else {}
        if each.kind == "order":
            return {
                f"{each.name}_{number}": forms.ChoiceField(
                    label=f"Counts {rank}",
                    choices=list(SOURCES.items()),
                    error_messages={"required": f"Choose which source counts {rank}."},
                )
                for number, rank in enumerate(RANKS, 1)
            }
        return {each.name: ParameterField(each)}

    def _parameter_values(self, policy: Mapping[str, Any]) -> dict[str, Any]:
        whole = parameters.whole(self.base.rule, policy)
        values: dict[str, Any] = {}
        for each in self.parameters:
            if each.kind == "order":
                values |= {f"{each.name}_{n}": name for n, name in enumerate(whole[each.name], 1)}
            else:
                values[each.name] = whole[each.name]
        return values

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        for each in self.parameters:
            if each.kind == "order" and f"{each.name}_1" not in self.errors:
                order = self._order(each, given)
                try:
                    each.parse(order)
                except BadValue:
                    words = "Choose each source once."
                    self.add_error(f"{each.name}_1", ValidationError(words, code="not_an_order"))
        return given

    @staticmethod
    def _order(each: Parameter, given: Mapping[str, Any]) -> list[Any]:
        return [given.get(f"{each.name}_{number}") for number in range(1, len(RANKS) + 1)]

    @property
    def policy(self) -> dict[str, Any]:
        """Return the parameters that were read; a wrong one is left out."""
        given = self.cleaned_data
        values: dict[str, Any] = {}
        for each in self.parameters:
            if each.kind == "order":
                if f"{each.name}_1" not in self.errors:
                    values[each.name] = self._order(each, given)
            elif each.name in given:
                values[each.name] = given[each.name]
        return values

    @property
    def sent(self) -> dict[str, Any]:
        """Return what the services take, once the form is valid."""
        names = ("title", "slug", "text", "owner", "effective_on", "why")
        values = {name: self.cleaned_data[name] for name in names if name in self.cleaned_data}
        return {**values, "policy": self.policy}

    @property
    def can_suggest(self) -> bool:
        return self.base.rule == SEATS_RULE

    def suggested(self, before: Mapping[str, Any], *, currency: str) -> str:
        """Return the text that its parameters give; those that are wrong are as before."""
        policy = {**parameters.whole(self.base.rule, before), **self.policy}
        return seats_text(policy, currency=currency)

    def refuse(self, error: ValidationError) -> None:
        """Show what the service found wrong, each at its field."""
        for name, errors in error.error_dict.items():
            place = f"{name}_1" if f"{name}_1" in self.fields else name
            self.add_error(place if place in self.fields else None, errors)

    def _bound(self, *names: str) -> list[BoundField]:
        return [self[name] for name in names if name in self.fields]

    @property
    def naming(self) -> list[BoundField]:
        return self._bound("title", "slug", "owner")

    @property
    def numbers(self) -> list[BoundField]:
        return self._bound(*(each.name for each in self.parameters if each.kind != "order"))

    @property
    def orders(self) -> list[BoundField]:
        return [field for field in self if field.name.startswith("source_order_")]

    @property
    def ending(self) -> list[BoundField]:
        return self._bound("effective_on", "why")
