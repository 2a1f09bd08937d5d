"""The demo company's service requests: every state, and a year of closed ones before."""

import datetime as dt
import tomllib
from collections.abc import Iterator, Mapping
from itertools import cycle
from pathlib import Path
from typing import Any

from django.db import transaction

from accounts.models import Account, Assignment, Contact
from engagements.models import ServiceRequest
from events.models import Notice, OutboxMessage
from metrics.demo import people, projects
from metrics.demo.play import Play, Stage
from metrics.demo.story import SOURCE
from metrics.demo.work import Cast
from people.models import User

FILE = Path(__file__).with_suffix(".toml")
# Old notices were seen long ago.
FRESH = dt.timedelta(days=4)
YEAR_BACK = dt.timedelta(days=345)


def bring(*, now: dt.datetime) -> int:
    """File them and take each as far as it has come; return how many there are."""
    told = tomllib.loads(FILE.read_text())
    with transaction.atomic():
        mark = OutboxMessage.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
        projects.set_up(now=now)
        ways = told["ways"]
        stages = _stages(since=now.date() - YEAR_BACK)
        for past in told["past"]:
            for number, title in enumerate(past["titles"]):
                asked = past | {"title": title, "number": number, **_past_values(number)}
                Play(next(stages), asked, ways[asked["until"]], now).run()
        mine = _stages(since=now.date() - YEAR_BACK, tam=people.PEOPLE[0][0])
        for asked in told["ask"]:
            others = mine if asked.get("mine") else stages
            stage = _small_stage() if asked.get("account") == "small" else next(others)
            Play(stage, asked, ways.get(asked["until"], []), now).run()
        projects.bring(next(mine)[2], now=now)
        # Nobody is to be written to about what never happened.
        OutboxMessage.objects.filter(pk__gt=mark).delete()
        Notice.objects.update(mailed_at=now)
        Notice.objects.filter(at__lt=now - FRESH).update(seen_at=now)
    return ServiceRequest.objects.count()


def _past_values(number: int) -> dict[str, Any]:
    """Vary what happened in the months before; every fourth was delivered late."""
    return {
        "type": "non_standard" if number % 3 == 0 else "one_off",
        "seats": [20 + 5 * number, 60 + 10 * number, 120 + 15 * number],
        "impact": 1 + number % 4,
        "effort": ("low", "medium")[number % 2],
        "days": 330 - 26 * number,
        "until": "decline" if number == 7 else "close",
        "late": number % 4 == 1,
        "rating": (5, 4, None, 5)[number % 4],
        "code": "no_capacity",
        "reason": "Nobody is free before their date.",
        "alternative": "A partner has done it before; their TAM has the name.",
    }


def _stages(*, since: dt.date, tam: str = "") -> Iterator[Stage]:
    """Yield customers with a contact and the same TAM all along; the nearest to 80% first."""
    teams = Assignment.objects.filter(
        role="TAM", end=None, start__lte=since, account__source=SOURCE, user__name__startswith=tam
    )
    accounts = (
        Account.objects.filter(
            pk__in=teams.values("account"), facts__eligible=True, contacts__isnull=False
        )
        .distinct()
        .order_by("facts__passes", "facts__seats_to_go", "pk")
    )
    named = _named()
    for account in cycle(list(accounts[:40])):
        yield account, _contact_of(account), _cast_of(account, named)


def _small_stage() -> Stage:
    account = (
        Account.objects.filter(
            source=SOURCE,
            facts__arr__lt=50_000,
            contacts__isnull=False,
            status="customer",
            assignments__role="CSM",
            assignments__end=None,
            archived=False,
            internal=False,
        )
        .order_by("pk")
        .distinct()[0]
    )
    return account, _contact_of(account), _cast_of(account, _named())


def _contact_of(account: Account) -> Contact:
    return account.contacts.exclude(email="").order_by("pk")[0]


def _cast_of(account: Account, named: Mapping[str, User]) -> Cast:
    team = {
        each.role: each.user
        for each in Assignment.objects.filter(account=account, end=None).select_related("user")
    }
    filer = team.get("TAM") or team["CSM"]
    return Cast(filer=filer, colleague=team.get("CSM", filer), **named)


def _named() -> dict[str, User]:
    emails = {people.email_of(name): role for role, name in _NAMES.items()}
    return {emails[each.email]: each for each in User.objects.filter(email__in=emails)}


_NAMES = {
    "engineer": "Sam Eriksen",
    "second_engineer": "Yara Costa",
    "lead": "Ruth Adeyemi",
    "second_lead": "Ole Brandt",
    "leader": "Helena Marsh",
    "engineering": "Viktor Hale",
    "support": "Mina Sato",
    "product": "Colm Brady",
}
