"""The editor of a statement of work as a form, and the small forms around it.

What a version holds is read by engagements.rules.sow_reading alone; here its parts only get
names, controls and back what was typed.
"""

import datetime as dt
import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django import forms
from django.forms.utils import ErrorDict
from django.http import QueryDict

from config.lib import values
from config.lib.form_fields import DateField, LinesField, StrictField, TextField
from config.lib.values import BadValue
from engagements.models import RequestType, SowTemplate
from engagements.rules import sow, sow_reading
from engagements.services.changing import REASON_MAX
from engagements.services.sows import NOTE_MAX

CELLS = ("what", "by_whom", "by_when", "detail")
ROW = re.compile(r"deliverables__([0-9]{1,3})__(key|what|by_whom|by_when|detail)")
ISO_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
BLANK_MAX = 10
OWNERS = [(code, words[:1].upper() + words[1:]) for code, words in sow.MAINTENANCE_OWNERS.items()]
NOT_SAID = [("", "Not said yet")]
DEPENDS = [*NOT_SAID, ("true", "Yes"), ("false", "No")]
HINTS = {
    "needs": "One a line. What they provide, and until when.",
    "in_scope": "One a line.",
    "out_of_scope": "One a line. What they might expect, and will not get.",
    "acceptance": "One a line. How both sides see that it is done.",
    "assumptions": "One a line. What has to be so; if it is not, dates change.",
    "customer_owner": "Who decides and accepts there.",
    "maintenance__text": "What happens with defects, until when, and who helps then.",
    "maintenance__depends_on_server_version": "Whether it has to be checked before an upgrade.",
    "deemed_acceptance_days": "Business days. Leave it empty: silence is no acceptance.",
    "amount": "0.00 where it costs nothing extra.",
}


def name_of(path: str) -> str:
    return path.replace(".", "__")


def texts_of(content: Mapping[str, Any], typed: Mapping[str, str]) -> dict[str, str]:
    """Return what each field of the form shows: what was typed there, or what is stored."""
    shown: dict[str, str] = {}
    for name, value in sow.complete(content).items():
        if name == "deliverables":
            for place, row in enumerate(value):
                for cell, text in row.items():
                    shown[f"{name}.{place}.{cell}"] = _text(text)
        elif isinstance(value, Mapping):
            shown |= {f"{name}.{inner}": _text(item) for inner, item in value.items()}
        elif isinstance(value, list):
            shown[name] = "\n".join(value)
        else:
            shown[name] = _text(value)
    return {name_of(path): text for path, text in {**shown, **typed}.items()}


def data_of(texts: Mapping[str, str]) -> dict[str, Any]:
    """Return what the form's texts say, in the shape that is read; blank rows are left out."""
    data: dict[str, Any] = {"deliverables": [row for _, row in filled_rows(texts)]}
    for name in sow.empty():
        if name == "deliverables":
            continue
        inner = {path: texts[path] for path in texts if path.startswith(f"{name}__")}
        if inner:
            data[name] = {path.removeprefix(f"{name}__"): text for path, text in inner.items()}
        elif name in texts:
            data[name] = texts[name]
    return data


def filled_rows(texts: Mapping[str, str]) -> list[tuple[int, dict[str, str]]]:
    """Return the rows that hold anything, each with its place in the form."""
    return [
        (place, row) for place, row in rows_of(texts) if any(row[cell].strip() for cell in CELLS)
    ]


def rows_of(texts: Mapping[str, str]) -> list[tuple[int, dict[str, str]]]:
    found: dict[int, dict[str, str]] = {}
    for name, text in texts.items():
        if match := ROW.fullmatch(name):
            row = found.setdefault(int(match[1]), dict.fromkeys(("key", *CELLS), ""))
            row[match[2]] = text
    return sorted(found.items())


def with_rows(texts: Mapping[str, str], rows: list[dict[str, str]]) -> dict[str, str]:
    """Return the texts with these rows in the place of all there were."""
    rest = {name: text for name, text in texts.items() if not ROW.fullmatch(name)}
    placed = {
        f"deliverables__{place}__{cell}": text
        for place, row in enumerate(rows)
        for cell, text in row.items()
    }
    return rest | placed


def texts_sent(sent: QueryDict) -> dict[str, str]:
    """Return the fields of the editor in what a browser sent, whatever else it sent."""
    single = {name_of(path) for path in texts_of(sow.empty(), {})}
    return {
        name: str(value)
        for name, value in sent.items()
        if name in single or ROW.fullmatch(name) or name == "note"
    }


class ShownForm(forms.Form):
    """Shows texts and the errors that reading found; validates nothing itself.

    What is required may be missing from a draft: the word "optional" stands at the rest.
    """

    use_required_attribute = False

    def full_clean(self) -> None:
        self._errors = ErrorDict()
        self.cleaned_data: dict[str, Any] = {}

    def own_errors(self, where: str) -> list[tuple[str, str]]:
        """Return the errors at fields, each with the id of its control."""
        return [
            (str(self[name].id_for_label), f"{self[name].label}{where}: {error}")
            for name in self.errors
            if name in self.fields
            for error in self[name].errors
        ]


class RowForm(ShownForm):
    """One deliverable."""

    key = forms.CharField(widget=forms.HiddenInput, required=False)
    what = forms.CharField(label=sow.LABELS["what"])
    by_whom = forms.CharField(label=sow.LABELS["by_whom"])
    by_when = forms.CharField(label=sow.LABELS["by_when"])
    detail = forms.CharField(
        label=sow.LABELS["detail"], required=False, widget=forms.Textarea(attrs={"rows": 2})
    )

    def __init__(self, place: int, row: Mapping[str, str], *, in_days: bool) -> None:
        self.place = place
        super().__init__({f"deliverables__{place}__{name}": text for name, text in row.items()})
        _limit(self.fields["what"], sow_reading.WHAT_MAX)
        _limit(self.fields["by_whom"], sow_reading.PERSON_MAX)
        if in_days:
            self.fields["by_when"].label = "Days after the start"
        self.fields["by_when"].widget = _date_input(row["by_when"], in_days=in_days)
        self.full_clean()

    def add_prefix(self, field_name: str) -> str:
        return f"deliverables__{self.place}__{field_name}"

    @property
    def number(self) -> int:
        return self.place + 1


class SowForm(ShownForm):
    """The editor."""

    title = forms.CharField(label=sow.LABELS["title"])
    customer_owner = forms.CharField(label=sow.LABELS["customer_owner"])
    timeframe__start = forms.CharField(label="First day")
    timeframe__end = forms.CharField(label="Last day")
    needs = forms.CharField(label=sow.LABELS["needs"], required=False, widget=forms.Textarea)
    in_scope = forms.CharField(label=sow.LABELS["in_scope"], widget=forms.Textarea)
    out_of_scope = forms.CharField(label=sow.LABELS["out_of_scope"], widget=forms.Textarea)
    acceptance = forms.CharField(label=sow.LABELS["acceptance"], widget=forms.Textarea)
    assumptions = forms.CharField(label=sow.LABELS["assumptions"], widget=forms.Textarea)
    maintenance__owner = forms.CharField(
        label=sow.LABELS["maintenance.owner"],
        widget=forms.Select(choices=[*NOT_SAID, *OWNERS]),
    )
    maintenance__depends_on_server_version = forms.CharField(
        label="Does it depend on the version of the server?",
        widget=forms.Select(choices=DEPENDS),
    )
    maintenance__text = forms.CharField(
        label=sow.LABELS["maintenance.text"], required=False, widget=forms.Textarea
    )
    deemed_acceptance_days = forms.CharField(
        label="Accepted if they say nothing for", required=False
    )
    amount = forms.CharField(label=sow.LABELS["amount"], required=False)
    currency = forms.CharField(label=sow.LABELS["currency"], required=False)

    def __init__(
        self,
        texts: Mapping[str, str],
        errors: Mapping[str, BadValue] | None = None,
        *,
        blank: int = 0,
        in_days: bool = False,
    ) -> None:
        super().__init__(dict(texts))
        self.rows = [RowForm(place, row, in_days=in_days) for place, (_, row) in
                     enumerate(rows_of(texts))]  # fmt: skip
        empty_row = dict.fromkeys(("key", *CELLS), "")
        for _ in range(min(blank, BLANK_MAX) or (not self.rows)):
            self.rows.append(RowForm(len(self.rows), empty_row, in_days=in_days))
        if in_days:
            self.fields["timeframe__start"].label = "First day, in days after the start"
            self.fields["timeframe__end"].label = "Last day, in days after the start"
        for name in ("timeframe__start", "timeframe__end"):
            self.fields[name].widget = _date_input(texts.get(name, ""), in_days=in_days)
        for name, field in self.fields.items():
            field.help_text = HINTS.get(name, "")
            if isinstance(field.widget, forms.Textarea):
                field.widget.attrs["rows"] = 3
        _limit(self.fields["title"], sow_reading.TITLE_MAX)
        _limit(self.fields["customer_owner"], sow_reading.PERSON_MAX)
        self.full_clean()
        self.show(errors or {})

    def show(self, errors: Mapping[str, BadValue]) -> None:
        """Put each error at its field; what belongs to no field goes above the form."""
        for path, bad in errors.items():
            name = name_of(path)
            row = ROW.fullmatch(name)
            if row and int(row[1]) < len(self.rows):
                self.rows[int(row[1])].add_error(row[2] if row[2] != "key" else "what", bad.detail)
            elif name in self.fields:
                self.add_error(name, bad.detail)
            else:
                self.add_error(None, f"{sow.label_of(path)}: {bad.detail}")

    @property
    def all_errors(self) -> list[tuple[str, str]]:
        """Return every error with the id of its field, in the order of the page."""
        found = [("deliverables-title", str(error)) for error in self.non_field_errors()]
        found += self.own_errors("")
        for row in self.rows:
            found += row.own_errors(f", row {row.number}")
        return found


class NoteForm(forms.Form):
    note = TextField(
        label="What is new in this version",
        required=False,
        max_length=NOTE_MAX,
        help_text="For your colleagues, in a sentence.",
    )


class StartForm(forms.Form):
    """What a version starts from."""

    template = forms.ChoiceField(label="Start from", required=False, choices=())
    start = DateField(
        label="First day of the work",
        required=False,
        help_text="The template's days are counted from it.",
    )

    def __init__(self, templates: list[SowTemplate], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.templates = {str(each.uuid): each for each in templates}
        choices = [(uuid, each.name) for uuid, each in self.templates.items()]
        self.fields["template"].choices = [*choices, ("", "An empty page")]  # type: ignore[attr-defined]

    @property
    def chosen(self) -> SowTemplate | None:
        return self.templates.get(self.cleaned_data["template"])

    @property
    def first_day(self) -> dt.date | None:
        day: dt.date | None = self.cleaned_data["start"]
        return day


class ChangeForm(forms.Form):
    reason = LinesField(
        label="What changes, and why",
        max_length=REASON_MAX,
        error_messages={"required": "Say what changes, and why."},
    )
    asked_by_customer = forms.BooleanField(label="The customer asked for it", required=False)


class DecisionForm(forms.Form):
    reason = LinesField(label="Reason", required=False, max_length=REASON_MAX)


class EstimateField(StrictField):
    attrs = {"inputmode": "decimal"}

    def parse(self, text: str) -> Decimal:
        return values.parse_decimal(text, places=1, whole_digits=3)


class EstimateForm(forms.Form):
    effort_days = EstimateField(
        label="Days of work we expect",
        required=False,
        help_text="The customer does not see it. More days than before make a change a larger one.",
    )


class TemplateForm(forms.Form):
    """What a template is called, and for which type of request it comes first."""

    name = TextField(label="Name", max_length=80)
    type = forms.ChoiceField(
        label="Offered first for",
        required=False,
        choices=[("", "Any type of request"), *RequestType.choices],
    )


def _text(value: Any) -> str:
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _limit(field: forms.Field, longest: int) -> None:
    field.widget.attrs["maxlength"] = str(longest)


def _date_input(text: str, *, in_days: bool) -> forms.Widget:
    """Return a control that can show the text: a browser's date field shows dates alone."""
    if in_days:
        return forms.TextInput(attrs={"inputmode": "numeric"})
    if text and not ISO_DAY.fullmatch(text):
        return forms.TextInput()
    return forms.TextInput(attrs={"type": "date"})
