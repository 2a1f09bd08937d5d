"""The house rules that no linter knows. See docs/architecture.md."""

import ast
from pathlib import Path

import pytest

APPS = ["events", "people", "accounts", "engagements", "projects", "metrics"]
MODULES = sorted(
    path
    for app in [*APPS, "config", "stack"]
    for path in Path(app).rglob("*.py")
    if "migrations" not in path.parts
)
EDGES = {"admin", "api", "forms", "tasks", "urls", "views", "management"}
RULES = {"models", "permissions", "selectors", "services", "rules", "tabular", "imports"}
HTTP = ("django.http", "django.shortcuts", "django.forms", "django.contrib.messages")


def imports(module):
    for node in ast.walk(ast.parse(module.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def room(module):
    return module.parts[1].removesuffix(".py") if len(module.parts) > 1 else ""


@pytest.mark.parametrize("module", [m for m in MODULES if room(m) in RULES], ids=str)
def test_rules_know_nothing_of_http(module):
    assert [name for name in imports(module) if name.startswith(HTTP)] == []


@pytest.mark.parametrize("module", MODULES, ids=str)
def test_no_module_is_over_400_lines(module):
    assert len(module.read_text().splitlines()) <= 400


@pytest.mark.parametrize("module", [m for m in MODULES if m.parts[0] in APPS], ids=str)
def test_an_apps_edges_are_its_own(module):
    others = tuple(f"{app}.{edge}" for app in APPS if app != module.parts[0] for edge in EDGES)
    assert [name for name in imports(module) if name.startswith(others)] == []


def services():
    for module in MODULES:
        if room(module) == "services":
            for node in ast.parse(module.read_text()).body:
                if isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
                    yield pytest.param(node, id=f"{module}:{node.name}")


def names_in(node):
    return {n.id for n in ast.walk(node) if isinstance(n, ast.Name)} | {
        n.attr for n in ast.walk(node) if isinstance(n, ast.Attribute)
    }


@pytest.mark.parametrize("service", list(services()))
def test_a_service_with_an_actor_asks_permission_before_it_writes(service):
    # One that may be nobody is no actor: somebody else's doing is told.
    required = zip(service.args.kwonlyargs, service.args.kw_defaults, strict=True)
    if "by" not in [arg.arg for arg, default in required if default is None]:
        return
    body = [n for n in service.body if not isinstance(getattr(n, "value", 0), ast.Constant)]
    writes = {"save", "create", "update", "delete", "bulk_create", "bulk_update", "record"}
    for statement in body:
        used = names_in(statement)
        if "require" in used or any(name.startswith("require_") for name in used):
            return
        assert not (used & writes), f"{service.name} writes before it asks"
    hands_on = [n for n in ast.walk(service) if isinstance(n, ast.keyword) and n.arg == "by"]
    assert hands_on, f"{service.name} neither asks nor hands the actor on"


@pytest.mark.parametrize("module", MODULES, ids=str)
def test_only_edges_read_the_clock(module):
    if room(module) in RULES:
        assert "timezone.now" not in module.read_text()


def writes_of_state(module):
    """Yield where a module assigns `.state`, or hands `state=` to what writes rows."""
    writers = {"update", "create", "bulk_create", "get_or_create", "update_or_create"}
    for node in ast.walk(ast.parse(module.read_text())):
        if isinstance(node, ast.Assign):
            targets = [t for target in node.targets for t in ast.walk(target)]
            if any(isinstance(t, ast.Attribute) and t.attr == "state" for t in targets):
                yield node.lineno
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            words = {word.arg for word in node.keywords}
            # What a Stay keeps is a state that a request had.
            is_stay = ast.unparse(node.func).startswith("Stay.")
            if node.func.attr in writers and "state" in words and not is_stay:
                yield node.lineno
        elif isinstance(node, ast.keyword) and node.arg == "update_fields":
            names = {each.value for each in ast.walk(node) if isinstance(each, ast.Constant)}
            if "state" in names:
                yield node.value.lineno


@pytest.mark.parametrize("module", [m for m in MODULES if m.parts[0] in APPS], ids=str)
def test_states_are_written_by_the_engine_only(module):
    if module != Path("events/workflow.py"):
        assert list(writes_of_state(module)) == []
