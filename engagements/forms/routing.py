"""Rules of the router as administrators write them, and facts to try them with."""

import datetime as dt
from decimal import Decimal
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from config.lib.form_fields import DateField, LinesField, MoneyField, NameField, StrictField
from config.lib.values import BadValue, money_text, parse_integer_text
from engagements.models import Owner, RequestType
from engagements.rules import router
from engagements.rules.handing_over import LABELS
from engagements.rules.router import ABOVE, APPROVAL, AT_MOST, TYPE, Facts, Rule
from engagements.rules.routing_words import FACTS, example_text, examples_of

EITHER = [("", "Does not matter"), ("yes", "Yes"), ("no", "No")]
KNOWN = [("", "Not known"), ("yes", "Yes"), ("no", "No")]
NAME_MAX, TEXT_MAX, EXAMPLES_MAX = 160, 1_000, 20_000
PRIORITY_MAX = 32_767
NEVER_ASKED = "Intake asks this for none of the types chosen, so the rule would never match."
EXAMPLE_HELP = (
    "One a line, such as “one_off, inside_product=no, over_one_day=yes, arr=60000.00 -> de”. "
    f"Owners: {', '.join(Owner.values)}, person. They are run before the rule is saved."
)


class PriorityField(StrictField):
    attrs = {"inputmode": "numeric"}

    def parse(self, text: str) -> int:
        return parse_integer_text(text, low=1, high=PRIORITY_MAX)


def _yes_or_no(name: str, choices: list[tuple[str, str]]) -> forms.ChoiceField:
    return forms.ChoiceField(label=FACTS[name], choices=choices, required=False)


class ExamplesField(LinesField):
    def to_python(self, value: Any) -> Any:
        text = super().to_python(value)
        try:
            return examples_of(text, owners=Owner.values)
        except BadValue as bad:
            raise ValidationError(bad.detail, code=bad.code) from bad


class RuleForm(forms.Form):
    """A rule from a day on."""

    name = NameField(max_length=NAME_MAX, error_messages={"required": "Enter a name."})
    priority = PriorityField(
        help_text="The rule with the lowest is tried first.",
        error_messages={"required": "Enter the priority."},
    )
    types = forms.MultipleChoiceField(
        label="Types of request",
        choices=RequestType.choices,
        widget=forms.CheckboxSelectMultiple,
        required=False,
        help_text="None: whatever the type.",
    )
    arr_above = MoneyField(label="ARR above", required=False)
    arr_at_most = MoneyField(label="ARR at most", required=False)
    owner = forms.ChoiceField(
        choices=[("", "A person decides"), *Owner.choices], label="Whose it is", required=False
    )
    fast_path = forms.BooleanField(label="On the fast path: no statement of work", required=False)
    why = LinesField(
        max_length=TEXT_MAX,
        help_text="For the requester. {account} and {arr} are filled in.",
        error_messages={"required": "Enter why it is theirs."},
    )
    next_step = LinesField(
        max_length=TEXT_MAX,
        label="What happens next",
        error_messages={"required": "Enter what the requester does next."},
    )
    way_out = LinesField(
        max_length=TEXT_MAX,
        label="Way out",
        help_text="How it could come to Deployment Engineering all the same.",
        required=False,
    )
    hand_over = forms.ChoiceField(
        label="Text handed to the owner",
        choices=[("", "What fits the owner"), *LABELS.items()],
        required=False,
    )
    examples = ExamplesField(
        max_length=EXAMPLES_MAX,
        help_text=EXAMPLE_HELP,
        error_messages={"required": "Write one example at least."},
    )
    start = DateField(
        label="In force from",
        help_text="Today or later. The version before it ends on this day.",
        error_messages={"required": "Enter the first day."},
    )
    accept_broken = forms.BooleanField(
        label="Save it though examples of other rules do not hold any more", required=False
    )

    def __init__(self, *args: Any, slug: str = "", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.slug = slug
        for name in (*router.YES_OR_NO, APPROVAL):
            self.fields[name] = _yes_or_no(name, EITHER)
        self.fields["why"].widget.attrs["rows"] = 3
        for name in ("next_step", "way_out"):
            self.fields[name].widget.attrs["rows"] = 2
        self.fields["examples"].widget.attrs |= {"rows": 5, "spellcheck": "false"}

    @property
    def facts(self) -> list[forms.BoundField]:
        return [self[name] for name in (*router.YES_OR_NO, APPROVAL)]

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        for name in router.never_asked(self.conditions(cleaned)):
            self.add_error(name, NEVER_ASKED)
        above, most = cleaned.get("arr_above"), cleaned.get("arr_at_most")
        if above is not None and most is not None and most <= above:
            self.add_error("arr_at_most", "This is not above the other amount: nothing matches.")
        if cleaned.get("fast_path") and cleaned.get("owner") != Owner.DE:
            words = "Only what Deployment Engineering owns can go on the fast path."
            self.add_error("fast_path", words)
        return cleaned

    @staticmethod
    def conditions(cleaned: dict[str, Any]) -> dict[str, Any]:
        wanted: dict[str, Any] = {}
        if types := cleaned.get("types"):
            wanted[TYPE] = types[0] if len(types) == 1 else types
        for name in (*router.YES_OR_NO, APPROVAL):
            if cleaned.get(name):
                wanted[name] = cleaned[name] == "yes"
        for name in (ABOVE, AT_MOST):
            if cleaned.get(name) is not None:
                wanted[name] = money_text(cleaned[name])
        return wanted

    def rule(self, slug: str) -> Rule:
        """Return the rule as it was written, once the form is valid."""
        cleaned = self.cleaned_data
        plain = ("name", "priority", "owner", "fast_path", "why", "next_step", "way_out",
                 "hand_over", "start")  # fmt: skip
        return Rule(
            slug=slug,
            conditions=self.conditions(cleaned),
            needs_sow=not cleaned["fast_path"],
            examples=tuple(cleaned["examples"]),
            **{name: cleaned[name] for name in plain},
        )


def initial_of(rule: Rule, start: dt.date) -> dict[str, Any]:
    """Return what the form shows of a rule that is to be changed from a day on."""
    names = ("name", "priority", "owner", "fast_path", "why", "next_step", "way_out", "hand_over")
    facts = {
        name: "yes" if rule.conditions[name] else "no"
        for name in (*router.YES_OR_NO, APPROVAL)
        if name in rule.conditions
    }
    return {
        **{name: getattr(rule, name) for name in names},
        **facts,
        "types": router.types_of(rule.conditions) if TYPE in rule.conditions else [],
        "arr_above": rule.conditions.get(ABOVE),
        "arr_at_most": rule.conditions.get(AT_MOST),
        "examples": "\n".join(example_text(each) for each in rule.examples),
        "start": start,
    }


class EndForm(forms.Form):
    end = DateField(
        label="First day no longer in force",
        help_text="Today or later. What was decided by it stays as it was.",
        error_messages={"required": "Enter a day."},
    )


class AdoptForm(forms.Form):
    start = DateField(
        label="In force from",
        help_text="The other rules end on this day.",
        error_messages={"required": "Enter the first day."},
    )


class TryForm(forms.Form):
    """Facts, to see whose they are."""

    type = forms.ChoiceField(
        label="Type of request",
        choices=[("", "Choose"), *RequestType.choices],
        error_messages={"required": "Choose the type."},
    )
    arr = MoneyField(label="Account's ARR", required=False, help_text="Empty: not known.")
    product_approval = forms.BooleanField(label=FACTS[APPROVAL], required=False)
    on = DateField(label="On the day", error_messages={"required": "Enter a day."})

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in router.YES_OR_NO:
            self.fields[name] = _yes_or_no(name, KNOWN)
        self.order_fields([TYPE, *router.YES_OR_NO, APPROVAL, "arr", "on"])

    @property
    def told(self) -> Facts:
        cleaned = self.cleaned_data
        arr: Decimal | None = cleaned["arr"]
        facts = {
            name: None if not cleaned[name] else cleaned[name] == "yes" for name in router.YES_OR_NO
        }
        return Facts(type=cleaned["type"], product_approval=cleaned[APPROVAL], arr=arr, **facts)
