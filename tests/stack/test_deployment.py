"""What the container files promise, as far as reading them tells."""

import ast
import re
import subprocess
import sys
from importlib.metadata import packages_distributions

import pytest
import yaml
from django.conf import settings

from stack.state import ROOT, new_secrets

COMPOSE = (ROOT / "docker-compose.yml").read_text()
SERVICES = yaml.safe_load(COMPOSE)["services"]
OURS = ["web", "worker", "beat", "migrate"]


def variables():
    return set(re.findall(r"(?<!\$)\$\{(\w+)(:[?-][^}]*)?\}", COMPOSE))


def test_each_secret_has_to_be_given():
    required = {name for name, rest in variables() if rest.startswith(":?")}
    assert set(new_secrets()) <= required
    example = (ROOT / ".env.example").read_text()
    given = set(re.findall(r"^(\w+)=", example, re.MULTILINE)) | set(new_secrets())
    assert required <= given


@pytest.mark.parametrize("name", OURS)
def test_our_containers_may_do_little(name):
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["environment"]["KEEL_MODE"] == "production"


def test_only_the_migration_has_the_owners_password():
    for name in OURS:
        has_it = "KEEL_OWNER_PASSWORD" in str(SERVICES[name])
        assert has_it == (name == "migrate")


@pytest.mark.parametrize("name", ["web", "worker", "beat"])
def test_nothing_starts_before_the_migration(name):
    after = SERVICES[name]["depends_on"]
    assert after["migrate"] == {"condition": "service_completed_successfully"}
    assert after["postgres"] == {"condition": "service_healthy"}


def test_the_broker_keeps_its_work():
    command = " ".join(SERVICES["valkey"]["command"])
    assert "appendonly yes" in command
    assert "maxmemory-policy noeviction" in command


@pytest.mark.parametrize("name", ["web", "worker", "postgres", "valkey"])
def test_health_is_watched(name):
    assert SERVICES[name]["healthcheck"]["test"]


def test_the_roles_are_those_of_the_demo():
    assert (
        "./stack/roles.sql:/docker-entrypoint-initdb.d/roles.sql:ro"
        in SERVICES["postgres"]["volumes"]
    )


def test_the_image_runs_as_nobody_in_particular_and_from_the_lock():
    dockerfile = (ROOT / "Dockerfile").read_text()
    assert re.search(r"^USER \d+:\d+$", dockerfile, re.MULTILINE)
    assert "HEALTHCHECK" in dockerfile
    assert dockerfile.count("--require-hashes") == dockerfile.count("pip install ")


def test_the_image_holds_every_app():
    allowed = (ROOT / ".dockerignore").read_text().split()
    packages = {name.split(".")[0] for name in settings.INSTALLED_APPS}
    ours = {name for name in packages if (ROOT / name).is_dir()}
    assert {f"!{name}" for name in ours | {"config", "templates", "static"}} <= set(allowed)


def test_make_secrets_prints_what_the_environment_takes():
    done = subprocess.run(
        [sys.executable, "-m", "stack", "secrets"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    printed = dict(line.split("=", 1) for line in done.stdout.splitlines())
    assert set(printed) == set(new_secrets())
    # Each may stand in an address, and in a file that a shell or compose reads.
    assert all(re.fullmatch(r"[\w=:-]+", value) for value in printed.values())


def test_locks_carry_hashes_and_no_host():
    for lock in (ROOT / "requirements").glob("*.txt"):
        text = lock.read_text()
        packages = re.findall(r"^[\w.-]+==[^ ]+", text, re.MULTILINE)
        assert packages
        assert text.count("--hash=sha256:") >= len(packages)
        assert "://" not in text
        assert "-index" not in text


def imported_packages():
    apps = {name.split(".")[0] for name in settings.INSTALLED_APPS} | {"config"}
    files = [file for app in apps for file in (ROOT / app).glob("**/*.py")]
    for file in files:
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Import):
                yield from (alias.name.split(".")[0] for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and node.module:
                yield node.module.split(".")[0]


def test_what_the_application_imports_is_in_its_lock():
    """Tools for tests bring packages of their own, which a running site does not have."""
    lock = (ROOT / "requirements" / "runtime.txt").read_text().lower()
    packages = packages_distributions()
    for name in set(imported_packages()) & set(packages):
        names = {re.sub(r"[-_.]+", "-", package).lower() for package in packages[name]}
        assert any(f"\n{package}==" in lock for package in names), name
