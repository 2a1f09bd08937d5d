"""Forms of intake. What is not valid is shown as it was typed; nothing is lost."""

import datetime as dt
import re
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from config.lib.form_fields import StrictField
from config.lib.values import BadValue
from engagements import selectors
from engagements.models import RequestType, ServiceRequest
from engagements.rules import router
from engagements.rules.answers import ANSWERS, SEATS, out_of_order, words_of
from engagements.rules.links import MOST_LINKS
from people.models import User

# The kinds of ask: the words of RequestType, and an example where they need one.
EXAMPLES = {
    "non_standard": "Clusters, air-gapped networks, unusual identity providers",
    "critical": "For example performance getting worse",
    "opportunity": "For several customers, or for the product",
}
HINTS = {
    "problem": "Their reason, in their words if you have them.",
    "outcome": "What is different for them when it is done.",
    "time_reason": "For example a freeze, an audit or the renewal. If no date matters, say so.",
    "links": f"https addresses, one a line, {MOST_LINKS} at most: Zendesk, GitHub, Slack, Jira.",
    "contact": "Who answers questions, and signs the statement of work.",
    "product_approval": "Who agreed that they can support it, and where it is written.",
    "critical": "People cannot work, or soon will not.",
    "over_one_day": "As far as you can tell.",
}
DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
NAMES = (*ANSWERS, "type", "contact")
YES_NO = [("true", "Yes"), ("false", "No")]
OPTIONAL = frozenset(
    {"needed_by", "links", "seats_low", "seats_high", "product_approval", "contact"}
)
LONG = {"problem": 3, "outcome": 2, "if_not": 2, "time_reason": 2, "escalation_reason": 2,
        "product_approval": 2, "links": 2}  # fmt: skip


class Marked:
    """What a page shows beside a field."""

    # It comes from the pasted text, and nobody has looked at it yet.
    is_suggested = False
    # What is stored, where something else was typed in another window; None: the same.
    stored: str | None = None


class AnswerField(Marked, StrictField):
    """One answer, read by engagements.rules.answers. `required` only says that it is needed."""

    def __init__(self, name: str, **kwargs: Any) -> None:
        self.answer = ANSWERS[name]
        kwargs.setdefault("label", self.answer.label)
        kwargs.setdefault("help_text", HINTS.get(name, ""))
        super().__init__(required=name not in OPTIONAL, **kwargs)

    def parse(self, text: str) -> Any:
        return self.answer.parse_words(text)

    def validate(self, value: Any) -> None:
        """What is missing is said when one goes on, by selectors.missing_answers."""


class ChoiceField(Marked, forms.ChoiceField):
    """A choice that may stay open while the request is a draft."""

    def validate(self, value: Any) -> None:
        if value:
            super().validate(value)


class AskedForm(forms.Form):
    """Everything that is asked of a draft of this type, bound to what is stored or was typed."""

    use_required_attribute = False

    def __init__(
        self,
        draft: ServiceRequest,
        data: Mapping[str, Any] | None = None,
        *,
        user: User,
        on: dt.date,
    ) -> None:
        self.draft = draft
        super().__init__(stored_words(draft) if data is None else data, auto_id="answer_%s")
        self.fields["type"] = ChoiceField(
            label="What is the customer asking for?",
            choices=RequestType.choices,
            widget=forms.RadioSelect,
        )
        for name in self.facts:
            self.fields[name] = AnswerField(name, widget=forms.RadioSelect(choices=YES_NO))
        if "escalated" in self.facts:
            self.fields["escalation_reason"] = _answer("escalation_reason")
        if router.asks_for_approval(draft.type, inside_product=True):
            self.fields["product_approval"] = _answer("product_approval")
        for name in ("title", "problem", "outcome", "if_not"):
            self.fields[name] = _answer(name)
        self.fields["needed_by"] = _day(self.data.get("needed_by", ""))
        self.fields["time_reason"] = _answer("time_reason")
        if contacts := self._contacts(user, on):
            self.fields["contact"] = ChoiceField(
                label="Customer contact",
                help_text=HINTS["contact"],
                choices=[("", "Nobody chosen"), *contacts],
            )
        self.fields["links"] = _answer("links")
        if router.asks_for_seats(draft.type):
            for name in SEATS:
                self.fields[name] = _answer(name)

    @property
    def facts(self) -> tuple[str, ...]:
        return router.facts_asked(self.draft.type)

    @property
    def fact_fields(self) -> Iterable[forms.BoundField]:
        return [self[name] for name in self.facts]

    @property
    def seat_fields(self) -> Iterable[forms.BoundField]:
        return [self[name] for name in SEATS if name in self.fields]

    @property
    def types(self) -> list[tuple[str, str, str, bool]]:
        """Return each kind of ask with its example, and whether it is the one."""
        chosen = self["type"].value()
        return [
            (value, label, EXAMPLES.get(value, ""), value == chosen)
            for value, label in RequestType.choices
        ]

    @property
    def sent(self) -> dict[str, str]:
        """Return every answer that came, also to what another type of request is asked."""
        return {name: self.data[name] for name in NAMES if name in self.data}

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        seats = {name: cleaned.get(name) for name in SEATS}
        if late := out_of_order(seats):
            name, bad = late
            self._complain(name, bad)
        return cleaned

    def add_missing(self, missing: Mapping[str, str]) -> None:
        """Say at each answer what is needed of it, unless something is wrong with it already."""
        for name, words in missing.items():
            if name in self.fields and name not in self.errors:
                self.add_error(name, words)

    def mark(self, suggested: Collection[str], stored: Mapping[str, str]) -> None:
        for name, field in self.fields.items():
            assert isinstance(field, Marked)  # noqa: S101 -- every one of ours is
            field.is_suggested = name in suggested
            field.stored = stored.get(name)

    def _complain(self, name: str, bad: BadValue) -> None:
        self.add_error(name, ValidationError(bad.detail, code=bad.code))

    def _contacts(self, user: User, on: dt.date) -> list[tuple[str, str]]:
        if self.draft.account is None:
            return []
        found = selectors.contacts_to_choose(self.draft.account, user, on=on)
        return [
            (str(each.uuid), f"{each.name}, {each.title}" if each.title else each.name)
            for each in found
        ]


class PasteForm(forms.Form):
    """A text as it came; the service reads it."""

    use_required_attribute = False
    came_by = forms.ChoiceField(
        label="Where is it from?",
        choices=[
            (ServiceRequest.Came.EMAIL, "An e-mail"),
            (ServiceRequest.Came.CHAT, "A chat or a message"),
        ],
        widget=forms.RadioSelect,
        initial=ServiceRequest.Came.EMAIL,
    )
    text = forms.CharField(
        label="The text",
        help_text="With the subject line, if there is one. It is kept as you paste it.",
        widget=forms.Textarea(attrs={"rows": 12}),
        strip=False,
        required=False,
    )


def stored_words(draft: ServiceRequest) -> dict[str, str]:
    """Return the draft's answers as its form shows them: what was typed goes first."""
    words = {name: words_of(getattr(draft, name)) for name in ANSWERS}
    words["type"] = draft.type
    words["contact"] = str(draft.contact.uuid) if draft.contact else ""
    words.update(draft.typed)
    return words


def _answer(name: str) -> AnswerField:
    # No maxlength: a browser would cut off what is pasted, without a word.
    if name in LONG:
        return AnswerField(name, widget=forms.Textarea(attrs={"rows": str(LONG[name])}))
    if name in SEATS:
        return AnswerField(name, widget=forms.TextInput(attrs={"inputmode": "numeric"}))
    return AnswerField(name, widget=forms.TextInput)


def _day(words: str) -> AnswerField:
    """Return the field of a day; as text where a picker would hide what was typed."""
    is_day = not words or DAY.fullmatch(words)
    widget = forms.TextInput(attrs={"type": "date"} if is_day else {})
    return AnswerField("needed_by", widget=widget)
