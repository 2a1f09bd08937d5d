"""How the list of projects reads its filters from the address."""

from typing import Any

from accounts.models import Account
from config.lib.form_fields import filter_choice
from projects.forms.board import BoardFilterForm
from projects.models import ProjectState
from projects.selectors.board import Choices
from projects.selectors.lists import GROUPS, ListFilters


class ProjectFilterForm(BoardFilterForm):
    """The filters of the list: those of the board that fit, and the state."""

    state = filter_choice("State")
    field_order = ("q", "state", "kind", "type", "owner", "lead", "account")

    def __init__(self, data: Any, *, choices: Choices, account: Account | None) -> None:
        super().__init__(data, choices=choices)
        for name in ("flag", "moves"):
            del self.fields[name]
        groups = [(name, label) for name, (label, _) in GROUPS.items()]
        self._offer("state", [*groups, *ProjectState.choices])
        if account is not None and all(each[0] != account.number for each in choices.accounts):
            self._offer("account", [*choices.accounts, (account.number, account.name)])

    def filters(self) -> ListFilters:
        """Return what to narrow to; nothing at all while any part is malformed."""
        return ListFilters(**self.cleaned_data) if self.is_valid() else ListFilters()
