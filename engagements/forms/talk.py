"""Saying something about a request."""

from collections.abc import Iterable
from typing import Any

from django import forms

from config.lib.form_fields import LinesField
from engagements.forms.files import FilesField
from engagements.services.conversation import TEXT_MAX
from people.models import User


class CommentForm(forms.Form):
    """What one says, with whom one names and what one adds."""

    text = LinesField(
        label="Comment",
        help_text="Write @ and a name to mention somebody. Markdown works. The customer never"
        " sees this.",
        max_length=TEXT_MAX,
        required=False,
        widget=forms.Textarea(
            attrs={"rows": 4, "data-mentions": "mentions", "aria-autocomplete": "list"}
        ),
    )
    mentions = forms.MultipleChoiceField(
        label="Mention", required=False, widget=forms.CheckboxSelectMultiple
    )
    uploads = FilesField(label="Files", required=False)

    def __init__(self, *args: Any, people: Iterable[User], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.people = list(people)
        field = self.fields["mentions"]
        assert isinstance(field, forms.MultipleChoiceField)  # noqa: S101
        field.choices = [(str(each.uuid), each.name) for each in self.people]

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        if not given.get("text") and not given.get("uploads") and not self.errors:
            self.add_error("text", "Write something, or choose a file.")
        return given


class EditForm(CommentForm):
    """One's own words once more; files stay as they are."""

    uploads = None  # type: ignore[assignment]
    version = forms.IntegerField(widget=forms.HiddenInput, min_value=1, max_value=2**31 - 1)
    has_files = False

    def clean(self) -> dict[str, Any]:
        given = forms.Form.clean(self) or {}
        if not given.get("text") and not self.has_files and not self.errors:
            self.add_error("text", "Write something, or withdraw the comment.")
        return given
