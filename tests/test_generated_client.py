"""A client made from our OpenAPI document by openapi-python-client works against the server."""

import datetime as dt
import importlib
import io
import subprocess
import sys
import uuid

import pytest
from django.core.management import call_command
from django.utils import timezone

from people import services as people_services
from people.models import Scope
from tests.factories import AccountFactory, UserFactory

PACKAGE = "generated_keel_client"
CRM = "crm"


@pytest.fixture(scope="module")
def generated(tmp_path_factory):
    """Generate the client and return what imports its modules."""
    folder = tmp_path_factory.mktemp("client")
    schema, settings = folder / "schema.json", folder / "settings.yml"
    call_command("spectacular", "--format", "openapi-json", "--file", str(schema))
    # It knows bytes of no type in particular only.
    overrides = "content_type_overrides: {application/pdf: application/octet-stream}"
    settings.write_text(f"post_hooks: []\n{overrides}\n")
    made = subprocess.run(
        [sys.executable, "-m", "openapi_python_client", "generate", "--meta", "none",
         "--path", schema, "--config", settings, "--output-path", folder / PACKAGE],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert made.returncode == 0, made.stdout + made.stderr
    # It tells here of whatever it could not make sense of.
    assert "WARNING" not in made.stdout + made.stderr
    sys.path.insert(0, str(folder))
    yield lambda name: importlib.import_module(f"{PACKAGE}{name}")
    sys.path.remove(str(folder))


@pytest.fixture
def client(generated, transactional_db, live_server):
    owner = UserFactory(roles=["metric_owner"])
    _, token = people_services.create_token(
        owner=owner, name="client", scopes=Scope.values, days=1, by=owner, at=timezone.now()
    )
    with generated("").AuthenticatedClient(base_url=live_server.url, token=token) as made:
        yield made


@pytest.fixture
def call(generated, client):
    """Call an operation by tag and name; returns the status, what was parsed and the headers."""

    def send(tag, operation, *path, **sent):
        module = generated(f".api.{tag}.{operation}")
        answer = module.sync_detailed(*path, client=client, **sent)
        return int(answer.status_code), answer.parsed, answer.headers

    return send


def test_reads_writes_and_understands_refusals(generated, call):
    models = generated(".models")
    outer_id = models.OuterId(source=CRM, external_id="A-1")
    AccountFactory(name="Acme")

    status, page, _ = call("accounts", "accounts_list")
    assert (status, [row.name for row in page.results]) == (200, ["Acme"])

    status, account, headers = call(
        "accounts",
        "accounts_create",
        body=models.AccountCreateRequest(source=CRM, external_id="A-1", name="Halden"),
    )
    assert (status, account.version, account.parent) == (201, 1, None)
    assert headers["ETag"] == f'"{account.id}.1"'

    status, subscription, _ = call(
        "subscriptions",
        "subscriptions_create",
        body=models.SubscriptionCreateRequest(
            account=outer_id,
            source="billing",
            external_id="S-1",
            start=dt.date(2026, 1, 1),
            seats=100,
            arr="90000.00",
        ),
        idempotency_key=str(uuid.uuid4()),
    )
    assert (status, subscription.account, subscription.arr) == (201, account.id, "90000.00")

    status, reading, _ = call(
        "seat_readings",
        "seat_readings_create",
        body=models.SeatReadingCreateRequest(
            account=account.id,
            observed_at=dt.datetime(2026, 1, 15, 12, tzinfo=dt.UTC),
            source="telemetry",
            seats=80,
        ),
    )
    assert (status, reading.seats, reading.monthly_active) == (201, 80, None)

    for expected in (201, 200):
        status, other, _ = call(
            "accounts",
            "accounts_by_external_id_update",
            CRM,
            "A/2",
            body=models.AccountUpsertRequest(name="Ridge", parent=outer_id),
        )
        assert (status, other.parent, other.version) == (expected, account.id, 1)

    status, account, newer = call(
        "accounts",
        "accounts_partial_update",
        account.id,
        body=models.PatchedAccountRequest(name="Halden AG"),
        if_match=headers["ETag"],
    )
    assert (status, account.name, account.version) == (200, "Halden AG", 2)

    start = dt.datetime(2026, 1, 16, tzinfo=dt.UTC)
    status, told, _ = call(
        "seat_readings",
        "seat_readings_bulk_create",
        body=[
            models.SeatReadingItemRequest(
                account=outer_id,
                observed_at=start + dt.timedelta(minutes=number),
                source="telemetry",
                seats=number,
            )
            for number in range(1_000)
        ],
        idempotency_key=str(uuid.uuid4()),
    )
    assert (status, told.created, told.unchanged, len(told.results)) == (200, 1_000, 0, 1_000)
    assert told.results[0].instance == reading.instance

    status, problem, fresh = call(
        "accounts",
        "accounts_partial_update",
        account.id,
        body=models.PatchedAccountRequest(name="Too late"),
        if_match=headers["ETag"],
    )
    assert (status, problem.code, fresh["ETag"]) == (412, "stale", newer["ETag"])

    status, problem, _ = call(
        "subscriptions",
        "subscriptions_bulk_create",
        body=models.SubscriptionBulkRequest(
            items=[
                models.SubscriptionItemRequest(source="billing", external_id="S-1", seats=-1),
                models.SubscriptionItemRequest(source="billing", external_id="S-2"),
            ]
        ),
        idempotency_key=str(uuid.uuid4()),
    )
    assert (status, problem.status) == (400, 400)
    assert [error.field for error in problem.errors] == ["items.0.seats"]


def test_a_file_is_uploaded_looked_at_and_applied(generated, call):
    models, types = generated(".models"), generated(".types")
    content = io.BytesIO(b"external_id,name,status\nA-1,Halden,\nA-2,Ridge,gone\n")
    status, sent, headers = call(
        "imports",
        "imports_create",
        body=models.UploadBodyRequest(
            file=types.File(payload=content, file_name="accounts.csv", mime_type="text/csv"),
            kind=models.UploadBodyRequestKind.ACCOUNTS,
            source=CRM,
        ),
        idempotency_key=str(uuid.uuid4()),
    )
    assert (status, sent.status.value, sent.creates, sent.bad_rows) == (201, "checked", 1, 1)
    assert headers["Location"] == f"/api/v1/imports/{sent.id}/"
    assert [(error.row, error.column) for error in sent.errors] == [(3, "status")]

    status, page, _ = call("imports", "imports_rows_list", sent.id)
    assert [(line.row, line.outcome.value) for line in page.results] == [
        (2, "create"),
        (3, "error"),
    ]

    status, less, _ = call(
        "imports", "imports_exclude_create", sent.id, body=models.ExcludeBodyRequest(rows=[3])
    )
    assert (status, less.excluded, less.bad_rows) == (200, 1, 0)
    status, problem, _ = call(
        "imports",
        "imports_apply_create",
        sent.id,
        body=models.ApplyBodyRequest(plan_hash=sent.plan_hash),
    )
    assert (status, problem.code) == (412, "plan_changed")
    status, done, _ = call(
        "imports",
        "imports_apply_create",
        sent.id,
        body=models.ApplyBodyRequest(plan_hash=less.plan_hash),
    )
    assert (status, done.status.value, done.undone) == (200, "applied", None)
