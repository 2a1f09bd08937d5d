"""What the register of artefacts is narrowed to."""

from django import forms

from config.lib.form_fields import SearchField, filter_choice
from engagements.models import MaintenanceOwner
from projects.selectors.artefacts import NOBODY, Filters


class RegisterForm(forms.Form):
    q = SearchField(label="Name, project or request", required=False)
    maintained_by = filter_choice("Maintained by", [(NOBODY, "Nobody"), *MaintenanceOwner.choices])
    depends = forms.BooleanField(label="Depends on the server", required=False)
    mine = forms.BooleanField(label="Known by me", required=False)

    def filters(self) -> Filters:
        """Return what to narrow to; nothing at all while any part is malformed."""
        return Filters(**self.cleaned_data) if self.is_valid() else Filters()

    @property
    def notes(self) -> list[str]:
        """Return what is wrong with each malformed part."""
        return [
            f"{self[name].label}: {message}"
            for name, told in self.errors.items()
            for message in told
        ]
