"""The tables of the workflow engine as people read them: docs/states.md and the Handbook page."""

from collections.abc import Iterable
from dataclasses import dataclass

from events.workflow import Transition, Workflow


@dataclass(frozen=True)
class Row:
    """One transition in words."""

    label: str
    id: str
    sources: list[str]
    targets: list[str]
    who: str
    guards: list[str]
    asks_for: list[str]
    is_automatic: bool


@dataclass(frozen=True)
class Table:
    """One workflow in words; `edges` are its moves from state to state, without doubles."""

    name: str
    noun: str
    states: list[tuple[str, str]]
    rows: list[Row]
    edges: list[tuple[str, str, str]]


def table_of(workflow: Workflow) -> Table:
    transitions = [workflow.transition(each.id) for each in workflow.transitions]
    return Table(
        name=workflow.name,
        noun=workflow.noun,
        states=[(str(value), str(label)) for value, label in workflow.states.choices],
        rows=[_row(workflow, each) for each in transitions],
        edges=list(_edges(workflow, transitions)),
    )


def markdown_of(tables: Iterable[Table]) -> str:
    """Return the whole of docs/states.md."""
    return INTRODUCTION + "".join(_section(table) for table in tables)


INTRODUCTION = """# States and moves

Printed from the tables that the engine carries out: `make manage ARGS="print_states"` writes this
file, and `make check` fails when it is stale. The same tables stand in Keel on the Handbook page.

Every change of state, from a page, the API, a bulk action, a task, is one of these moves: it asks
who may, checks every guard, locks the row, writes the Event, and does what follows in the same
transaction. Who may not make a move can ask those who may, where it can be asked for.
"""


def _row(workflow: Workflow, each: Transition) -> Row:
    in_order = list(workflow.states)
    return Row(
        label=each.label,
        id=each.id,
        sources=[state.label for state in in_order if state in each.sources],
        targets=[state.label for state in in_order if state in each.leads_to],
        who=" ".join((each.who.__doc__ or "").split()),
        guards=[guard.says for guard in each.guards],
        asks_for=_asks_for(each),
        is_automatic=each.is_automatic,
    )


def _asks_for(each: Transition) -> list[str]:
    words = [one.label if one.required else f"{one.label} (optional)" for one in each.fields]
    return [*words, "A reason"] if each.needs_reason else words


def _edges(workflow: Workflow, transitions: list[Transition]) -> Iterable[tuple[str, str, str]]:
    for each in transitions:
        if each.target is None and each.sources == each.targets:
            continue
        for source in workflow.states:
            for target in workflow.states:
                if source in each.sources and target in each.leads_to:
                    yield str(source), str(target), each.label


def _section(table: Table) -> str:
    lines = [
        "",
        f"## {table.noun[0].upper()}{table.noun[1:]}",
        "",
        "```mermaid",
        "stateDiagram-v2",
        *(f"    {value}: {label}" for value, label in table.states),
        *(f"    {source} --> {target}: {label}" for source, target, label in table.edges),
        "```",
        "",
        "| move | from | to | who | guards | asks for |",
        "|---|---|---|---|---|---|",
    ]
    for row in table.rows:
        cells = (
            f"{row.label} (`{row.id}`)",
            ", ".join(row.sources),
            "as before" if row.sources == row.targets else " or ".join(row.targets),
            row.who,
            " ".join(row.guards),
            ", ".join(row.asks_for),
        )
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"
