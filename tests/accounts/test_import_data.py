"""The command as somebody types it: what it prints and how it ends."""

import io

import pytest
from django.core.management import CommandError, call_command

from accounts.models import Account, Subscription
from tests.factories import AccountFactory, SubscriptionFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def run(tmp_path):
    """Import a text as a file; return (exit code, what was printed, the error)."""

    def import_data(kind, content, *arguments):
        path = tmp_path / "facts.csv"
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        out = io.StringIO()
        try:
            call_command("import_data", kind, str(path), *arguments, stdout=out)
        except CommandError as error:
            return error.returncode, out.getvalue(), str(error)
        return 0, out.getvalue(), ""

    return import_data


def test_a_clean_preview(run):
    code, told, _ = run("accounts", "external_id,name\nA,Acme\n", "--source", "crm")

    assert code == 0
    assert "facts.csv: 1 rows of accounts, source crm" in told
    assert "create            1" in told
    assert "row 2: Acme (external_id A, status customer, currency USD)" in told
    assert "Run it again with --apply" in told
    assert not Account.objects.exists()


def test_apply_and_again(run):
    content = "external_id,name\nA,Acme\n"

    assert run("accounts", content, "--apply")[1].endswith("Applied.\n")
    code, told, _ = run("accounts", content, "--apply")

    assert code == 0
    assert "already applied on" in told
    assert told.endswith("Nothing to change.\n")


def test_updates_show_old_and_new_and_long_lists_end(run):
    account = AccountFactory(external_id="A")
    for number in range(25):
        SubscriptionFactory(external_id=f"S{number:02}", account=account, seats=5)
    rows = "".join(f"S{number:02},7,60000.50\n" for number in range(25))

    _, told, _ = run("subscriptions", f"external_id,seats,arr\n{rows}")

    assert "row 2: S00: seats 5 → 7, arr 60000.00 → 60000.50" in told
    assert "and 5 more" in told


def test_bad_rows_end_with_1_and_write_nothing(run):
    code, told, error = run(
        "accounts",
        "id,title\nA,Acme\nB,\nC,\x1b[31mred\n",
        "--mapping",
        "generic",
    )
    assert code == 2

    code, told, error = run(
        "accounts", "external_id,name,churned_on\nA,Acme,01/02/2026\nB,,\n", "--apply"
    )

    assert code == 1
    assert error == "2 bad rows. Nothing was written."
    assert "row 2, churned_on: “01/02/2026” can be read as two days." in told
    assert "row 3, name: A value is missing." in told
    assert not Account.objects.exists()


def test_bad_rows_name_both_columns_and_show_no_control_characters(run, tmp_path):
    mapping = tmp_path / "own.toml"
    mapping.write_text('[columns]\nexternal_id = "Id"\nname = "Company"\n')

    code, told, _ = run("accounts", "Id,Company\nA,\x1b[31mred\n", "--mapping", str(mapping))

    assert code == 1
    assert "row 2, name (Company): Remove the control character U+001B. [ [31mred]" in told
    assert "\x1b" not in told


@pytest.mark.parametrize(
    ("kind", "content", "arguments", "words"),
    [
        ("customers", "a\n1\n", [], "“customers” is none of: accounts, subscriptions"),
        ("accounts", "", [], "The file is empty"),
        ("accounts", "a,b\n1,2\n", [], "Unknown columns: a, b"),
        ("accounts", "external_id\nA\n", ["--mapping", "none"], "no mapping “none”"),
        ("accounts", "external_id\nA\n", ["--source", "Sales Force"], "is no source"),
        ("accounts", "external_id\nA\n", ["--encoding", "klingon"], "none of the encodings"),
        ("accounts", "external_id\nA\n", ["--date-format", "%H"], "must name year"),
        ("accounts", "external_id\nä\n".encode("cp1252"), [], "is not UTF-8"),
    ],
)
def test_unusable_files_end_with_2(run, kind, content, arguments, words):
    code, _, error = run(kind, content, *arguments)

    assert code == 2
    assert words in error


@pytest.mark.parametrize("name", ["nowhere.csv", ".", "a\0b"])
def test_a_file_that_cannot_be_read_ends_with_2(name, tmp_path):
    with pytest.raises(CommandError) as caught:
        call_command("import_data", "accounts", str(tmp_path / name))

    assert caught.value.returncode == 2


def test_the_options_win_over_the_mapping(run, tmp_path):
    AccountFactory(external_id="A", source="crm")
    mapping = tmp_path / "own.toml"
    mapping.write_text('source = "old"\ndate_format = "%Y/%m/%d"\n')

    code, _, _ = run(
        "subscriptions",
        "external_id,account_external_id,start\nS,A,01.02.2026\n",
        "--mapping", str(mapping), "--source", "billing", "--account-source", "crm",
        "--date-format", "%d.%m.%Y", "--apply",
    )  # fmt: skip

    assert code == 0
    found = Subscription.objects.get()
    assert (found.source, found.start.isoformat()) == ("billing", "2026-02-01")


def test_readings_are_told(run):
    AccountFactory(external_id="A", name="Acme")
    head = "account_external_id,observed_at,seats,monthly_active\n"

    _, told, _ = run("seat-readings", f"{head}A,2026-01-01,5,\n", "--apply")
    assert "1 account gets its default instance." in told
    _, told, _ = run("seat-readings", f"{head}A,2026-01-01,6,3\n", "--apply")

    assert "row 2: Acme 2026-01-01 00:00 UTC: 5 seats → 6 seats (3 active in the month)" in told
