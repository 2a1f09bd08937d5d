"""Run by test_export_memory in a process of its own: how much more memory do more rows need?

Writes the accounts list as CSV and as a workbook, first some and then ten times as many. Prints
both peaks in kB. Writes nothing.
"""

import sys
from unittest.mock import patch

import django

django.setup()

from django.db import connection, transaction  # noqa: E402 -- only now can models be loaded
from django.test import RequestFactory  # noqa: E402

from accounts.views.exports import account_csv, account_xlsx  # noqa: E402
from people.models import system_user  # noqa: E402
from tests.accounts.memory_probe import peak  # noqa: E402

SMALL, LARGE = 2_000, 20_000
MADE = """
INSERT INTO accounts_account (uuid, version, source, external_id, name, status, internal, archived,
    region, segment, currency, strategic)
SELECT gen_random_uuid(), 1, 'probe', n::text, 'Company number ' || n, 'customer', false, false,
    'EMEA', '', 'USD', false
FROM generate_series(%s, %s) n
"""


def main():
    with transaction.atomic():
        measured(0, SMALL)
        small = peak()
        measured(SMALL, LARGE)
        large = peak()
        transaction.set_rollback(True)
    sys.stdout.write(f"{small} {large}\n")


def measured(since, count):
    with connection.cursor() as cursor:
        cursor.execute(MADE, [since + 1, count])
    request = RequestFactory().get("/accounts/export.csv")
    request.user = system_user()
    with (
        patch("accounts.views.listing.require"),
        patch("accounts.selectors.accounts_visible_to", everything),
    ):
        for export in (account_csv, account_xlsx):
            sizes = [len(piece) for piece in export(request).streaming_content]
            assert sum(sizes) > 10 * count, (export, sum(sizes))
            assert max(sizes) < 200_000


def everything(_user):
    from accounts.models import Account  # noqa: PLC0415 -- only now can models be loaded

    return Account.objects.all()


if __name__ == "__main__":
    main()
