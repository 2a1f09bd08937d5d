"""Accounts, contracts and readings written through the API. Runs in a worker."""

import datetime as dt
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from itertools import count
from typing import Any

from accounts.models import Account
from bench.actions.calls import OWNER, Answer, api
from bench.actions.measuring import Sample, check_constraints, execute, measured, undone, vacuum
from bench.databases import Company
from events.models import Event

TABLES = (
    "accounts_account", "accounts_account_version", "accounts_account_facts",
    "accounts_subscription", "accounts_subscription_version", "accounts_seatreading",
    "events_event", "people_idempotencykey",
)  # fmt: skip
_numbers = count(1)


@contextmanager
def _undone() -> Iterator[None]:
    # A token is told to have been used once a minute; that and the token itself should stay.
    api("GET", "/api/v1/tiers/", user=OWNER)
    with undone():
        yield


def create_one(way: str) -> Sample:
    (body,) = _new_accounts(1)
    with _undone():
        sample = measured(lambda: _posted(f"{ADDRESSES[way]}/accounts/", body, 201, keyed=False))
        _check_events(1)
    return _lean(sample, 1)


def create_many(way: str, number: int) -> Sample:
    path = f"{ADDRESSES[way]}/accounts/{'' if way == 'stock' else 'bulk/'}"
    items = _new_accounts(number)
    with _undone():
        sample = measured(lambda: _posted(path, items, 201 if way == "stock" else 200))
        _check_events(number)
    return _lean(sample, number)


ADDRESSES = {"ours": "/api/v1", "stock": "/api/stock"}


def create_bad(number: int) -> Sample:
    """Send some items of which every hundredth is wrong, each in its own way."""
    items = _new_accounts(number)
    wrong = list(range(0, number, 100))
    for place in wrong:
        items[place] |= [{"name": ""}, {"status": "lost"}, {"currency": "usd"}][place // 100 % 3]
    with _undone():
        sample = measured(lambda: api("POST", "/api/v1/accounts/bulk/", items, user=OWNER))
        answer: Answer = sample.more["result"]
        written = Account.objects.filter(external_id=items[1]["external_id"]).exists()
    told = {error["field"].split(".")[1] for error in answer.json["errors"]}
    sample.more = {
        "wrong": len(wrong),
        "told": len(told & set(map(str, wrong))),
        "status": answer.status,
        "written": written,
    }
    return sample


def sustained(kind: str, company: Company, number: int, calls: int) -> Sample:
    """Send calls one after the other; what each of them writes is checked as by a commit."""
    make = MAKERS[kind]
    seconds = 0.0
    for place in range(calls):
        path, items = make(company, number, place)
        with _undone():
            seconds += measured(partial(_posted, path, items, 200)).seconds
    vacuum(*TABLES)
    sample = Sample(seconds)
    sample.more = {"records": number * calls}
    return sample


def _posted(path: str, body: Any, status: int, *, keyed: bool = True) -> Answer:
    answer = api("POST", path, body, user=OWNER, keyed=keyed)
    assert answer.status == status, f"{path} answers {answer.status}: {answer.body[:500]!r}"
    check_constraints()
    return answer


def _check_events(number: int) -> None:
    made = Event.objects.filter(verb="account.created", actor=OWNER).order_by("-id")[:number]
    assert len(made) == number


def _lean(sample: Sample, records: int) -> Sample:
    sample.more = {"records": records}
    return sample


def _new_accounts(number: int) -> list[dict[str, Any]]:
    made = []
    for _ in range(number):
        name = f"N-{next(_numbers):08}"
        made.append(
            {
                "source": "bench-api",
                "external_id": name,
                "name": f"New customer {name}",
                "region": "EMEA",
                "segment": "Enterprise",
                "status": "customer",
                "currency": "USD",
            }
        )
    return made


def _accounts(_: Company, number: int, __: int) -> tuple[str, list[dict[str, Any]]]:
    return "/api/v1/accounts/bulk/", _new_accounts(number)


def _updates(company: Company, number: int, place: int) -> tuple[str, list[dict[str, Any]]]:
    return "/api/v1/accounts/bulk/", [
        {
            "source": "bench",
            "external_id": f"A-{1 + (place * number + i) % company.accounts:08}",
            "segment": f"Segment {uuid.uuid4().hex[:4]}",
            "region": "Elsewhere",
        }
        for i in range(min(number, company.accounts))
    ]


def _subscriptions(company: Company, number: int, place: int) -> tuple[str, list[dict[str, Any]]]:
    return "/api/v1/subscriptions/bulk/", [
        {
            "source": "bench-api",
            "external_id": f"T-{next(_numbers):08}",
            "account": _account(company, place * number + i),
            "kind": "paid",
            "seats": 25,
            "arr": "12000.00",
            "currency": "USD",
            "start": company.until,
        }
        for i in range(number)
    ]


def _readings(company: Company, number: int, place: int) -> tuple[str, list[dict[str, Any]]]:
    moment = f"{dt.date.fromisoformat(company.until)}T09:{place:02}:00Z"
    instances = execute(
        "SELECT i.external_id, a.external_id FROM accounts_instance i"
        " JOIN accounts_account a ON a.id = i.account_id ORDER BY i.id LIMIT %s",
        [number],
    )
    return "/api/v1/seat-readings/bulk/", [
        {
            "account": {"source": "bench", "external_id": account},
            "instance": {"source": "bench", "external_id": instance},
            "observed_at": moment,
            "source": "telemetry",
            "seats": 120,
        }
        for instance, account in instances
    ]


def _account(company: Company, number: int) -> dict[str, str]:
    return {"source": "bench", "external_id": f"A-{1 + number % company.accounts:08}"}


MAKERS: dict[str, Callable[[Company, int, int], tuple[str, list[dict[str, Any]]]]] = {
    "accounts made": _accounts,
    "accounts changed": _updates,
    "subscriptions made": _subscriptions,
    "readings": _readings,
}
