"""Fields for files of a request. What is in them is looked at by services.attachments."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile

from engagements.rules.file_types import SUFFIXES, TAKEN
from engagements.services.attachments import FILE_MOST, MEGABYTE
from engagements.services.conversation import FILES_MAX

LIMITS = f"Up to {FILE_MOST // MEGABYTE} MB each: {TAKEN}."
WORDS = {"required": "Choose a file.", "empty": "The file is empty. Choose another one."}


class FileField(forms.FileField):
    """One file, of a kind that is taken."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"help_text": LIMITS, "error_messages": WORDS, **kwargs})

    def widget_attrs(self, widget: forms.Widget) -> dict[str, Any]:
        return {**super().widget_attrs(widget), "accept": ",".join(SUFFIXES)}


class FilesInput(forms.FileInput):
    allow_multiple_selected = True


class FilesField(FileField):
    """Several files; the value is a list."""

    widget = FilesInput

    def __init__(self, **kwargs: Any) -> None:
        help_text = f"At most {FILES_MAX} at once. {LIMITS}"
        super().__init__(**{"help_text": help_text, **kwargs})

    def clean(self, data: Any, initial: Any = None) -> Any:
        sent = [each for each in data or [] if isinstance(each, UploadedFile)]
        if self.required and not sent:
            raise ValidationError(self.error_messages["required"], code="required")
        return [super(FilesField, self).clean(each, initial) for each in sent]
