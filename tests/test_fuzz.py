"""Schemathesis asks the API all that its own OpenAPI document allows, and what it forbids.

Few examples here; `make fuzz` sends thousands, KEEL_FUZZ_EXAMPLES for each operation and from
another seed each time. No answer may be a 5xx or differ from the document.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.utils import timezone

from metrics.services.runs import recompute
from people import services
from people.models import Role, Scope, system_user
from tests.addresses import World
from tests.factories import UserFactory

EXAMPLES = os.environ.get("KEEL_FUZZ_EXAMPLES", "")
FEW = ["--max-examples", "2", "--seed", "1", "--phases", "fuzzing,stateful"]
MANY = ["--max-examples", EXAMPLES, "--phases", "examples,coverage,fuzzing,stateful"]
# The one check left out sends what the document allows and wants a 2xx: no document can say which
# account a contract belongs to.
LEFT_OUT = "positive_data_acceptance"
CALLERS = {
    "a metric owner's": (Role.METRIC_OWNER, list(Scope.values)),
    "a TAM's reading": (
        Role.TAM,
        ["account:read", "contact:read", "request:read", "metrics:read", "token:read"],
    ),
}


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("whose", CALLERS)
def test_the_api_keeps_its_document(whose, live_server, settings, tmp_path, monkeypatch):
    # It tries wrong tokens at every operation, which from one address is too often.
    monkeypatch.setattr("people.authentication.WRONG_TOKENS", {"wrong_token": "60000/m/ip"})
    settings.BASE_URL = live_server.url
    role, scopes = CALLERS[whose]
    World()
    now = timezone.now()
    recompute("seats-deployed", now.date(), by=system_user(), now=now)
    owner = UserFactory(roles=[role])
    _, token = services.create_token(
        owner=owner, name="Fuzz", scopes=scopes, days=2, by=owner, at=now
    )

    done = subprocess.run(
        [
            Path(sys.executable).parent / "schemathesis",
            "--config-file", Path(__file__).parent / "schemathesis.toml", "run",
            f"{live_server.url}/api/v1/schema/?format=json",
            "--header", f"Authorization: Bearer {token}",
            *(MANY if EXAMPLES else FEW), "--exclude-checks", LEFT_OUT,
            "--suppress-health-check", "all", "--warnings", "off", "--request-timeout", "20",
            "--continue-on-failure",
        ],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
