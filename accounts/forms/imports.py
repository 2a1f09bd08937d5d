"""An upload, and how the columns of a file are matched with ours."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from accounts.imports.columns import KINDS
from accounts.imports.suggesting import Sheet
from accounts.models import Import
from accounts.tabular import DELIMITERS, ENCODINGS, Layout
from config.lib.form_fields import NO_SUCH_CHOICE, SourceField, TextField, filter_choice

ABSENT, CONSTANT = "", "constant"
THEIRS, ABOVE = "column:", "above:"
ISO_DAY = ""
DAYS = [
    (ISO_DAY, "2026-03-31"),
    ("%d/%m/%Y", "31/03/2026, the day first"),
    ("%m/%d/%Y", "03/31/2026, the month first"),
    ("%d.%m.%Y", "31.03.2026"),
    ("%d-%m-%Y", "31-03-2026"),
    ("%d-%b-%Y", "31-Mar-2026"),
    ("%Y/%m/%d", "2026/03/31"),
    ("%Y-%m-%dT%H:%M:%S", "2026-03-31T14:30:00, of which only the day counts"),
]
AMOUNTS = [(".", "1200.50"), (",", "1200,50")]
# A word of theirs that ours already is needs no translation.
AS_IT_IS = ""
LONGEST_NAME = 60
# The columns that hold one of a few words, and how else these may be written.
YES_NO = ("yes", "no")
ALSO = frozenset({"true", "false", "1", "0"})
WORDS: Mapping[str, tuple[str, ...]] = {
    "status": ("prospect", "customer", "churned"),
    "kind": ("paid", "trial", "poc"),
    "role": ("TAM", "CSM", "AE", "SA", "IE", "DE", "CRE"),
    **dict.fromkeys(
        ("internal", "archived", "strategic", "unlimited", "counted", "primary"), YES_NO
    ),
}
LAYOUT_FIELDS = ("encoding", "delimiter", "skip_until")


class ImportFilterForm(forms.Form):
    """The filters of the list, from its address."""

    kind = filter_choice("Kind", Import.Kind.choices)
    status = filter_choice("State", Import.Status.choices)


class UploadForm(forms.Form):
    """A file, what is in it, and where it comes from."""

    kind = forms.ChoiceField(
        label="What is in the file",
        choices=Import.Kind.choices,
        widget=forms.RadioSelect,
        error_messages={"required": "Choose what is in the file."},
    )
    file = forms.FileField(
        help_text=(
            "CSV or XLSX with column names in the first row, up to 100 MB; or the JSON or YAML"
            " that a product reports."
        ),
        error_messages={
            "required": "Choose a file.",
            "empty": "The file is empty. Choose another one.",
        },
    )
    source = SourceField(
        label="Where it comes from",
        help_text=(
            "The system the ids belong to, such as salesforce, billing or telemetry. Use the same"
            " word for every file of it. Left empty, it is the mapping's, or “import”."
        ),
        required=False,
        widget=forms.TextInput(attrs={"list": "sources", "autocomplete": "off"}),
    )
    mapping = forms.ChoiceField(
        label="How its columns are matched",
        help_text="With our column names in it, a file needs no mapping.",
        required=False,
        error_messages=NO_SUCH_CHOICE,
    )

    def __init__(
        self, data: Any, files: Any, *, mappings: Sequence[Any], initial: Mapping[str, Any]
    ) -> None:
        super().__init__(data, files, initial=dict(initial))
        field = self.fields["mapping"]
        assert isinstance(field, forms.ChoiceField)  # noqa: S101
        field.choices = [("", "Look at the file first"), *mappings]


class MappingForm(forms.Form):
    """One choice for each of our columns, and how the file is written.

    What it says as a mapping is `raw`; what of `base` it does not ask for is kept.
    """

    encoding = forms.ChoiceField(
        choices=[("", "As the file says, or UTF-8"), *[(name, name) for name in ENCODINGS]],
        required=False,
        error_messages=NO_SUCH_CHOICE,
    )
    delimiter = forms.ChoiceField(
        label="Between columns",
        choices=[(sign, name.capitalize()) for sign, name in DELIMITERS.items()],
        required=False,
        error_messages=NO_SUCH_CHOICE,
    )
    skip_until = TextField(
        label="The header begins with",
        help_text="Where other lines stand above it: the first cell of the header.",
        required=False,
    )
    date_format = forms.ChoiceField(
        label="Days are written as", choices=DAYS, required=False, error_messages=NO_SUCH_CHOICE
    )
    decimal = forms.ChoiceField(
        label="Amounts are written as",
        choices=AMOUNTS,
        required=False,
        error_messages=NO_SUCH_CHOICE,
    )
    end_is_last_day = forms.BooleanField(
        label="“End” is the last day covered, not the first that is not", required=False
    )
    salesforce_ids = forms.BooleanField(label="The ids are Salesforce ids", required=False)
    account_source = SourceField(
        label="Accounts are named by their ids in",
        help_text="Only where that is another source than the file's.",
        required=False,
    )
    time_zone = TextField(
        label="Times without an offset are of the zone",
        help_text="Such as Europe/Oslo. Left empty, it is the company's.",
        required=False,
    )
    save_as = TextField(
        label="Keep this mapping as",
        help_text=(
            "It is suggested for the next file with these columns. The name of the saved mapping"
            " you started from changes that one."
        ),
        max_length=LONGEST_NAME,
        required=False,
    )

    def __init__(
        self,
        data: Any = None,
        *,
        kind: str,
        sheet: Sheet,
        base: Mapping[str, Any],
        initial: Mapping[str, Any] | None = None,
    ) -> None:
        self.kind, self.sheet, self.base = kind, sheet, base
        super().__init__(data, initial={**self._initial(), **(initial or {})})
        self._keep_what_matters()
        self._offer_days()
        places = self._places()
        for ours in KINDS[kind].columns:
            self.fields[column_field(ours)] = forms.ChoiceField(
                label=ours, choices=places, required=False, error_messages=NO_SUCH_CHOICE
            )
            self.fields[constant_field(ours)] = TextField(
                label=f"{ours} in every row", required=False
            )
            self._ask_for_words(ours)

    def _keep_what_matters(self) -> None:
        """Ask only what this kind of file can need."""
        columns = KINDS[self.kind].columns
        if "end" not in columns:
            del self.fields["end_is_last_day"]
        if not {"arr", "tcv", "rate"} & columns.keys():
            del self.fields["decimal"]
        if "observed_at" not in columns:
            del self.fields["time_zone"]
        if "account_external_id" not in columns:
            del self.fields["account_source"]
        if not {name for name in columns if name.endswith("external_id")}:
            del self.fields["salesforce_ids"]
        if not {"churned_on", "start", "on", "observed_at"} & columns.keys():
            del self.fields["date_format"]

    def _offer_days(self) -> None:
        field = self.fields.get("date_format")
        written = self.base.get("date_format", "")
        if isinstance(field, forms.ChoiceField) and written not in dict(DAYS):
            field.choices = [*DAYS, (written, written)]

    def _places(self) -> list[Any]:
        theirs = [(f"{THEIRS}{name}", name) for name in self.sheet.header if name]
        above = [(f"{ABOVE}{name}", name) for name in self.sheet.preamble]
        places: list[Any] = [(ABSENT, "Not in the file"), (CONSTANT, "The same in every row")]
        places.append(("Columns of the file", theirs))
        return [*places, ("Above the header", above)] if above else places

    def _ask_for_words(self, ours: str) -> None:
        """Ask what each of the few words means that stand in the chosen column."""
        allowed = WORDS.get(ours)
        theirs = self.chosen(ours).removeprefix(THEIRS)
        if not allowed or theirs not in self.sheet.words:
            return
        for place, word in enumerate(self.sheet.words[theirs]):
            nothing = "as it is" if _is_ours(word, allowed) else "not known: its rows are bad"
            if not word:
                nothing = "nothing: left as it is"
            self.fields[word_field(ours, place)] = forms.ChoiceField(
                label=word or "(empty)",
                choices=[(AS_IT_IS, nothing), *[(each, each) for each in allowed]],
                required=False,
                initial=self.base.get("values", {}).get(ours, {}).get(word, AS_IT_IS),
                error_messages=NO_SUCH_CHOICE,
            )

    def _initial(self) -> dict[str, Any]:
        base = self.base
        known: dict[str, Any] = {
            name: base[name] for name in self.base_fields if name in base and name != "save_as"
        }
        known |= {"delimiter": self.sheet.delimiter, "skip_until": self.sheet.skip_until}
        for ours, suggestion in self.sheet.suggestions.items():
            known[column_field(ours)] = f"{THEIRS}{suggestion.theirs}"
        if base.get("columns"):
            known |= {column_field(ours): ABSENT for ours in KINDS[self.kind].columns}
        for ours, theirs in base.get("columns", {}).items():
            known[column_field(ours)] = f"{THEIRS}{self._as_written(theirs)}"
        for ours, theirs in base.get("preamble", {}).items():
            known[column_field(ours)] = f"{ABOVE}{theirs}"
        for ours, value in base.get("constants", {}).items():
            known[column_field(ours)] = CONSTANT
            known[constant_field(ours)] = _typed(value)
        return known

    def _as_written(self, theirs: str) -> str:
        """Return their column as this file writes it, for case does not matter."""
        alike = [name for name in self.sheet.header if name.lower() == theirs.lower()]
        return theirs if theirs in self.sheet.header or len(alike) != 1 else alike[0]

    def chosen(self, ours: str) -> str:
        """Return what stands in the choice for our column now."""
        name = column_field(ours)
        return str((self.data.get(name) if self.is_bound else self.initial.get(name)) or "")

    def words_of(self, ours: str) -> Iterator[Any]:
        prefix = f"word-{ours}-"
        return (self[name] for name in self.fields if name.startswith(prefix))

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        for ours in KINDS[self.kind].columns:
            if cleaned.get(column_field(ours)) == CONSTANT and not cleaned[constant_field(ours)]:
                self.add_error(
                    constant_field(ours), f"Enter the {ours} of every row, or choose a column."
                )
        for ours in self._missing(cleaned):
            self.add_error(
                column_field(ours),
                ValidationError(
                    f"Choose the column that holds the {ours}, or give one for every row.",
                    code="needed",
                ),
            )
        return cleaned

    def _missing(self, cleaned: Mapping[str, Any]) -> list[str]:
        given = {ours for ours in KINDS[self.kind].columns if cleaned.get(column_field(ours))}
        missing = [ours for ours in KINDS[self.kind].needed if ours not in given]
        one_of = {"account_external_id", "instance_external_id"}
        if self.kind == Import.Kind.SEAT_READINGS and not given & one_of:
            missing.append("account_external_id")
        return missing

    def raw(self) -> dict[str, Any]:
        """Return the mapping as a TOML file would say it."""
        asked = {name for name in self.fields if name in self.base_fields and name != "save_as"}
        tables = ("columns", "constants", "preamble", "values")
        raw = {k: v for k, v in self.base.items() if k not in {*asked, *tables}}
        raw |= {name: value for name in asked if (value := self.cleaned_data.get(name))}
        columns: dict[str, str] = {}
        constants: dict[str, Any] = {}
        preamble: dict[str, str] = {}
        for ours in KINDS[self.kind].columns:
            choice = self.cleaned_data[column_field(ours)]
            if choice == CONSTANT:
                constants[ours] = self.cleaned_data[constant_field(ours)]
            elif choice.startswith(ABOVE):
                preamble[ours] = choice.removeprefix(ABOVE)
            elif choice:
                columns[ours] = choice.removeprefix(THEIRS)
        given = {**columns, **constants, **preamble}
        values = {ours: words for ours in given if (words := self._translations(ours))}
        found = {
            "columns": columns,
            "constants": constants,
            "preamble": preamble,
            "values": values,
        }
        return {**raw, **{name: table for name, table in found.items() if table}}

    def _translations(self, ours: str) -> dict[str, str]:
        """Return what words of theirs mean: those asked for, and others that `base` knows."""
        words = dict(self.base.get("values", {}).get(ours, {}))
        theirs = self.cleaned_data[column_field(ours)].removeprefix(THEIRS)
        for place, word in enumerate(self.sheet.words.get(theirs, ())):
            name = word_field(ours, place)
            if name not in self.fields:
                continue
            words.pop(word, None)
            if meaning := self.cleaned_data.get(name):
                words[word] = meaning
        return words


def column_field(ours: str) -> str:
    return f"column-{ours}"


def constant_field(ours: str) -> str:
    return f"constant-{ours}"


def word_field(ours: str, place: int) -> str:
    return f"word-{ours}-{place}"


def _is_ours(word: str, allowed: tuple[str, ...]) -> bool:
    written = word.strip().lower()
    return written in {each.lower() for each in allowed} or (allowed == YES_NO and written in ALSO)


def layout_from(given: Mapping[str, Any]) -> Layout:
    """Return how the file is written, as a mapping or a form says."""
    texts = {name: str(given.get(name) or "") for name in LAYOUT_FIELDS}
    if texts["delimiter"] not in DELIMITERS:
        texts["delimiter"] = ","
    return Layout(**texts)


def _typed(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)
