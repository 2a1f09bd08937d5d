"""What a charter needs before the work can be decided on. domain.md, section 5."""

import datetime as dt
from dataclasses import dataclass

KINDS = ("input", "feedback", "uses")


@dataclass(frozen=True, slots=True, kw_only=True)
class Charter:
    objectives: str
    outcomes: str
    in_scope: str
    out_of_scope: str
    has_impact: bool
    has_effort: bool
    # Kinds of the stakeholders there are.
    stakeholders: frozenset[str]
    has_owner: bool
    leads: int
    roll_out_where: str
    roll_out_told: str
    roll_out_on: dt.date | None
    builds_code: bool | None
    is_external: bool
    accounts: int


def missing_parts(charter: Charter) -> list[str]:
    """Return what is missing, in the words and the order of the charter's page."""
    needed = (
        ("objectives", charter.objectives.strip()),
        ("expected outcomes", charter.outcomes.strip()),
        ("at least one account", charter.accounts or not charter.is_external),
        ("what is in scope", charter.in_scope.strip()),
        ("what is out of scope", charter.out_of_scope.strip()),
        ("impact", charter.has_impact),
        ("effort", charter.has_effort),
        ("stakeholders", charter.stakeholders),
        ("an owner", charter.has_owner),
        ("a lead", charter.leads),
        ("where it is rolled out to", charter.roll_out_where.strip()),
        ("who is told of the roll-out", charter.roll_out_told.strip()),
        ("when it is rolled out", charter.roll_out_on),
        ("whether code is built", charter.builds_code is not None),
    )
    return [name for name, there in needed if not there]
