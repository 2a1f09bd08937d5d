"""Run by test_import_memory in a process of its own: how much more memory do more rows need?

Prints the peak after small files and after files ten times as large, in kB. Writes nothing.
"""

import io
import re
import resource
import sys
from pathlib import Path

import django

django.setup()

from django.db import transaction  # noqa: E402 -- only now can models be loaded
from django.utils import timezone  # noqa: E402

from accounts.imports.running import Order, apply_import, preview_import  # noqa: E402
from accounts.models import Import  # noqa: E402
from people.models import system_user  # noqa: E402

SMALL, LARGE = 2_000, 20_000


def main():
    with transaction.atomic():
        small = measured(SMALL)
        large = measured(LARGE)
        transaction.set_rollback(True)
    sys.stdout.write(f"{small} {large}\n")


def measured(count):
    by, now = system_user(), timezone.now()

    def run(how, kind, content, **more):
        order = Order(kind=kind, file=io.BytesIO(content), filename="f.csv")
        return how(order, by=by, now=now, **more)

    keep = Import.objects.create(kind="accounts", filename="f.csv", sha256="0" * 64, by=by)
    report = run(preview_import, "accounts", accounts(count), keep=keep)
    assert (report.rows, report.bad_rows) == (count, count // 4), report.problems[:3]
    owners = b"external_id,name\n" + b"".join(b"A%d,Acme\n" % n for n in range(10))
    run(apply_import, "accounts", owners)
    report = run(apply_import, "seat-readings", readings(count, year=2020 + (count == LARGE)))
    assert report.creates == count, report.problems[:3]
    return peak()


def peak():
    """This program's own peak in kB: what getrusage tells begins with that of who started it."""
    status = Path("/proc/self/status")
    if not status.exists():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    found = re.search(r"^VmHWM:\s+(\d+) kB$", status.read_text(), re.MULTILINE)
    return int(found[1])


def accounts(count):
    """Return a file of accounts; each fourth row is bad."""
    lines = [b"external_id,name,region,currency,parent_external_id"]
    for n in range(count):
        region = b"x" * 70 if n % 4 == 3 else b"EMEA"
        lines.append(b"A%d,Company number %d,%s,USD,%s" % (n, n, region, b"A0" if n % 5 else b""))
    return b"\n".join(lines)


def readings(count, year):
    lines = [b"account_external_id,observed_at,seats"]
    for n in range(count):
        minutes = n // 10
        lines.append(
            b"A%d,%d-01-%02dT%02d:%02d:00Z,%d"
            % (n % 10, year, 1 + minutes // 1440, minutes // 60 % 24, minutes % 60, n % 500)
        )
    return b"\n".join(lines)


if __name__ == "__main__":
    main()
