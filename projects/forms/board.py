"""How the board reads its filters from the address, and the limits of its columns."""

from typing import Any

from django import forms

from config.lib.form_fields import ANY, SearchField, filter_choice
from projects.models import LANES, MOST_DAYS, Lane, Project, ProjectType
from projects.selectors.board import FLAGS, ME, NOBODY, Choices, Filters

MOVES = [("yes", "Yes"), ("no", "No, or not known")]


class BoardFilterForm(forms.Form):
    """The filters of the board, from its address. Unknown parameters are no concern of it."""

    q = SearchField(label="Title or number", required=False)
    owner = filter_choice("Owner")
    lead = filter_choice("Lead")
    account = filter_choice("Account")
    type = filter_choice("Type", ProjectType.choices)
    kind = filter_choice("Kind", Project.Kind.choices)
    flag = filter_choice("Flag", [(name, label) for name, (label, _) in FLAGS.items()])
    moves = filter_choice("Moves the metric", MOVES)

    def __init__(self, data: Any, *, choices: Choices) -> None:
        super().__init__(data)
        me, nobody = (ME, "Me"), (NOBODY, "Nobody")
        self._offer("owner", [me, nobody, *choices.owners])
        self._offer("lead", [me, nobody, *choices.leads])
        self._offer("account", choices.accounts)

    def _offer(self, name: str, choices: list[tuple[str, str]]) -> None:
        field = self.fields[name]
        assert isinstance(field, forms.ChoiceField)  # noqa: S101
        field.choices = [ANY, *choices]

    def filters(self) -> Filters:
        """Return what to narrow to; nothing at all while any part is malformed."""
        return Filters(**self.cleaned_data) if self.is_valid() else Filters()

    def problems(self) -> list[tuple[str, str]]:
        """Return (label, what is wrong) of each malformed part."""
        return [
            (str(self[name].label), str(message))
            for name, messages in self.errors.items()
            for message in messages
        ]


class LimitsForm(forms.Form):
    """Most cards of each column; empty for any number."""

    def __init__(self, data: Any, *, lanes: list[Lane]) -> None:
        super().__init__(data, auto_id="limit_%s")
        by_state = {lane.state: lane for lane in lanes}
        for state, label in LANES.items():
            self.fields[state.value] = forms.IntegerField(
                label=label,
                required=False,
                min_value=1,
                max_value=MOST_DAYS,
                initial=by_state[state.value].limit,
                widget=forms.TextInput(attrs={"inputmode": "numeric", "size": 4}),
                error_messages={
                    "invalid": f"“{label}”: write a whole number, or leave it empty.",
                    "min_value": f"“{label}”: at least 1, or leave it empty for any number.",
                    "max_value": f"“{label}”: at most {MOST_DAYS}.",
                },
            )

    def limits(self) -> dict[str, int | None]:
        return dict(self.cleaned_data)
