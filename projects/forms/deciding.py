"""The form of a decision: what its move asks for, and a note for the minutes."""

from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.http import QueryDict

from events.workflow import REASON_MAX, Case, Field
from projects.forms.moves import lacks_room
from projects.models import ReviewItem
from projects.services.deciding import COST, MOVES, STOPS, Wish
from projects.services.moving import workflow_of
from projects.services.reviews import NOTE_MAX

D = ReviewItem.Decision
NOTE, REASON, VERSION = "note", "reason", "version"
# Asked only once the move says that they are needed.
AT_NEED = ("despite", "limit_note")
UNASKED = ("before",)


class Raw(forms.Field):
    """Hands on what was typed, as it was; the engine judges it."""

    def clean(self, value: Any) -> Any:
        return value


class DecideForm(forms.Form):
    def __init__(
        self,
        case: Case,
        decision: str,
        data: QueryDict | None = None,
        *,
        increments: Sequence[tuple[str, str]] = (),
        stoppable: Sequence[tuple[str, str]] = (),
        asks_why: bool = False,
        initial: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(data, initial=dict(initial or {}), auto_id="decide_%s")
        self.use_required_attribute = False
        self.decision = decision
        self.sent = data or QueryDict()
        self.names: list[str] = []
        if decision in MOVES:
            transition = workflow_of(case.obj).transition(MOVES[D(decision)])
            for asked in transition.fields:
                if asked.name not in UNASKED:
                    self.names.append(asked.name)
                    self.fields[asked.name] = _field(asked, case)
            asks_why = asks_why or transition.needs_reason
        if increments:
            choices = [("", "Choose"), *increments]
            self.fields["increment"].widget = forms.Select(choices=choices)
        if decision == D.SCHEDULE and stoppable:
            self._ask_what_stops(stoppable)
        if asks_why:
            label = "Why" if decision == D.DECLINE else "Why it changes"
            area = forms.Textarea(attrs={"rows": 2, "maxlength": str(REASON_MAX)})
            self.fields[REASON] = Raw(label=label, widget=area)
        area = forms.Textarea(attrs={"rows": 2, "maxlength": str(NOTE_MAX)})
        self.fields[NOTE] = Raw(label="Note for the minutes", required=False, widget=area)

    @property
    def asked(self) -> list[forms.BoundField]:
        """Return the fields to show before the note, in their order."""
        shown = [name for name in self.fields if name not in (NOTE, REASON)]
        names = [name for name in shown if name not in AT_NEED or self._is_needed(name)]
        return [self[name] for name in [*names, *([REASON] if REASON in self.fields else [])]]

    @property
    def wish(self) -> Wish:
        sent = self.sent
        return Wish(
            decision=self.decision,
            note=sent.get(NOTE, ""),
            reason=sent.get(REASON, ""),
            values={name: sent[name] for name in self.names if name in sent},
            version=version_of(sent),
            as_text=True,
        )

    def refuse(self, error: ValidationError) -> None:
        """Show what was found wrong, each at its field."""
        for name, errors in error.error_dict.items():
            self.add_error(name if name in self.fields else None, errors)

    def _is_needed(self, name: str) -> bool:
        if name == "despite" and lacks_room(self.errors.as_data()):
            return True
        return bool(self.errors.get(name) or self.sent.get(name))

    def _ask_what_stops(self, stoppable: Sequence[tuple[str, str]]) -> None:
        self.names += [STOPS, COST]
        self.fields[STOPS] = Raw(
            label="Stops for it",
            help_text="Running work that is put on hold, where this comes first.",
            required=False,
            widget=forms.Select(choices=[("", "Nothing"), *stoppable]),
        )
        self.fields[COST] = Raw(
            label="What that costs, in days",
            help_text="Left empty: the part of the work that the rest of its increment was for.",
            required=False,
            widget=forms.TextInput(attrs={"inputmode": "decimal"}),
        )


def version_of(sent: QueryDict) -> int | None:
    text = sent.get(VERSION, "")
    return int(text) if text.isdecimal() and text.isascii() and len(text) <= 9 else None  # noqa: PLR2004


def _field(asked: Field, case: Case) -> forms.Field:
    return Raw(
        label=asked.label,
        help_text=asked.help,
        required=asked.required,
        initial=asked.initial(case) if asked.initial else None,
        widget=_widget(asked, case),
    )


def _widget(asked: Field, case: Case) -> forms.Widget:
    match asked.kind:
        case "lines":
            return forms.Textarea(attrs={"rows": 2})
        case "number":
            return forms.TextInput(attrs={"inputmode": "decimal"})
        case "choice":
            choices = asked.choices(case) if asked.choices else []
            return forms.Select(choices=[("", "Choose"), *choices])
    return forms.TextInput()
