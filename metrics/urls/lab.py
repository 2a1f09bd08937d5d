"""The definition lab; included in `/metric/`."""

from django.urls import path, register_converter
from django.urls.converters import StringConverter
from django.urls.resolvers import URLPattern

from metrics.views import (
    lab,
    lab_backtests,
    lab_proposal,
    lab_work,  # noqa: F401 puts proposals on My work
)


class ProposalNumberConverter(StringConverter):
    """`DEF-12` in an address is proposal 12."""

    regex = "DEF-[1-9][0-9]{0,17}"

    def to_python(self, value: str) -> int:  # type: ignore[override]
        return int(value.removeprefix("DEF-"))

    def to_url(self, value: int) -> str:  # type: ignore[override]
        return f"DEF-{value}"


register_converter(ProposalNumberConverter, "proposal_number")

ONE = "lab/<proposal_number:number>/"
urlpatterns: list[URLPattern] = [
    path("lab/", lab.proposal_list, name="lab"),
    path("lab/new/", lab.proposal_new, name="proposal-new"),
    path(ONE, lab_proposal.detail, name="proposal"),
    path(f"{ONE}edit/", lab.proposal_edit, name="proposal-edit"),
    path(f"{ONE}moves/<slug:transition>/", lab_proposal.move, name="proposal-move"),
    path(f"{ONE}backtest/", lab_backtests.start, name="backtest"),
    path(f"{ONE}backtest/stop/", lab_backtests.stop, name="backtest-stop"),
    path(f"{ONE}backtest/progress/", lab_backtests.progress, name="backtest-progress"),
    path(f"{ONE}sides/", lab_backtests.sides, name="backtest-sides"),
    path(f"{ONE}sides.csv", lab_backtests.sides_csv, name="backtest-sides-csv"),
]
