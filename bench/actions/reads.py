"""Pages and lists, asked for as people and programs do. Runs in a worker."""

import gc
from functools import cache
from urllib.parse import quote

from accounts.models import Account
from bench.actions.calls import OWNER, Answer, api, page
from bench.actions.measuring import Sample, measured
from config.lib import keyset
from metrics.selectors import dashboard, summaries

DEPTH = 0.9
DEEP = "deep"
ACCOUNTS = "/api/v1/accounts/"


def reads(method: str, path: str, times: int) -> list[Sample]:
    """Ask some times for a page or a list; `forgotten`: a page of which nothing is kept."""
    if method == DEEP:
        path = deep_path()
    _warm_up(method, path)
    samples = []
    for _ in range(times):
        if method == "forgotten":
            forget()
        sample = measured(lambda: asked(method, path))
        answer = sample.more["result"]
        assert answer.status == 200, f"{path} answers {answer.status}: {answer.body[:300]!r}"
        sample.more = {"bytes": len(answer.body)}
        samples.append(sample)
    return samples


def asked(method: str, path: str) -> Answer:
    match method:
        case "page" | "forgotten":
            return page(path)
        case "page of the owner":
            return page(path, user=OWNER)
        case _:
            return api("GET", path)


@cache
def _warm_up(method: str, path: str) -> None:
    """Let a process do what it does only once: sign in, compile a template."""
    asked(method, path)


@cache
def deep_path() -> str:
    """Return the address of the page that starts after most of the accounts, by name."""
    keys = keyset.total(Account, keyset.keys_for(Account, ["name"]))
    place = int(Account.objects.count() * DEPTH)
    row = Account.objects.order_by("name", "id").values_list("name", "id")[place]
    binding = f"{ACCOUNTS}|{[('ordering', 'name')]}||{keys}"
    cursor = keyset.sealed(keyset.Position("after", list(row)), binding)
    return f"{ACCOUNTS}?ordering=name&cursor={quote(cursor)}"


def forget() -> None:
    """Drop what the process has kept of the newest run."""
    for kept in (*vars(dashboard).values(), *vars(summaries).values()):
        if hasattr(kept, "cache_clear"):
            kept.cache_clear()
    gc.collect()
