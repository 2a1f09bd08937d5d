"""Two files of the demo company's own: one that is applied, one that has rows to mend."""

import datetime as dt
import io
from itertools import cycle, islice

from accounts.imports import lifecycle
from accounts.models import Account, Import, Subscription
from metrics.demo import people
from metrics.demo.story import SOURCE
from people.models import User

CRM = "crm"
FIRST_NAMES = ("Ingrid", "Marco", "Aisha", "Tom", "Yuki", "Carla", "Omar", "Nadia")
LAST_NAMES = ("Lund", "Ferri", "Khan", "Baker", "Mori", "Diaz", "Saleh", "Petrov", "Voss")
TITLES = ("Head of IT", "Platform owner", "Procurement lead")
CONTACTS, RENEWALS = 24, 30
# What the renewals on the way make of the seats, in percent.
CHANGES = (110, 100, 125, 95, 100, 105)
BAD_ROWS = ("{first},1.2k", "{second},-40", "SUB-99999,250")


def bring(*, now: dt.datetime) -> None:
    """Import them as the metric owner would have this morning."""
    by = User.objects.get(email=people.email_of("Tariq Nasser"))
    at = now - dt.timedelta(hours=3)
    contacts = _sent("contacts", "contacts-2026.csv", _contacts(), by, at)
    at += dt.timedelta(minutes=4)
    lifecycle.request_apply(contacts, plan_hash=contacts.plan_hash, by=by, at=at)
    at += dt.timedelta(minutes=50)
    _sent("subscriptions", "renewals.csv", _renewals(now.date()), by, at)


def _sent(kind: str, name: str, lines: list[str], by: User, at: dt.datetime) -> Import:
    return lifecycle.upload(
        kind=kind,
        file=io.BytesIO("\n".join([*lines, ""]).encode()),
        filename=name,
        source=SOURCE if kind == "subscriptions" else CRM,
        account_source=SOURCE,
        by=by,
        at=at,
    )


def _contacts() -> list[str]:
    accounts = Account.objects.filter(source=SOURCE, status=Account.Status.CUSTOMER)
    lines = ["external_id,account_external_id,name,email,title"]
    ids = accounts.order_by("external_id").values_list("external_id", flat=True)[:CONTACTS]
    for number, external_id in enumerate(ids):
        first = FIRST_NAMES[number % len(FIRST_NAMES)]
        last = LAST_NAMES[number % len(LAST_NAMES)]
        email = f"{first}.{last}@{external_id}.example".lower()
        title = TITLES[number % len(TITLES)]
        lines.append(f"P-{number + 1:03},{external_id},{first} {last},{email},{title}")
    return lines


def _renewals(today: dt.date) -> list[str]:
    running = Subscription.objects.filter(
        source=SOURCE, kind=Subscription.Kind.PAID, seats__gt=0, start__lte=today, end__gt=today
    ).order_by("external_id")
    found = list(running.values_list("external_id", "seats")[:RENEWALS])
    changes = islice(cycle(CHANGES), len(found))
    good = [
        f"{external_id},{(seats or 0) * change // 100}"
        for (external_id, seats), change in zip(found[2:], changes, strict=False)
    ]
    bad = [row.format(first=found[0][0], second=found[1][0]) for row in BAD_ROWS]
    return ["external_id,seats", *good[:9], bad[0], *good[9:17], *bad[1:], *good[17:]]
