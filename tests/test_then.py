"""The page for a day and a moment equals the page that was shown, whatever was learned since."""

import datetime as dt
import json
import re
from decimal import Decimal

import pytest
import time_machine
from django.core.cache import cache
from django.db import transaction
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from accounts.models import Subscription, Tier
from config.lib.versions import pretend_known_at
from engagements.models import RoutingRule
from events import workflow
from events.services import record, told_as_of
from metrics.services.current import refresh_current_facts
from metrics.services.runs import recompute
from people.models import system_user
from projects.models import Increment, Project, ProjectAccount
from tests import factories

FIRST, SHOWN, LATER = (dt.datetime(2030, 3, day, 12, tzinfo=dt.UTC) for day in (1, 20, 28))
DAYS = ("2030-03-20", "2030-03-12")
SLUG = "seats-deployed"
MAIN = re.compile(r"<main [^>]*>(.*)</main>", re.DOTALL)
# The bar, how far its calendar goes, and what belongs to the request.
NOT_COMPARED = re.compile(
    r'<section class="then.*?</section>|<input type="hidden" name="csrfmiddlewaretoken"[^>]*>'
    r'|max="[\d-]+"'
    r"|cursor=[\w-]+|nonce=\"[^\"]*\"",
    re.DOTALL,
)


class Company:
    """A small company whose facts come and change; `at` is when what follows is known."""

    def __init__(self):
        self.by = system_user()
        self.at = FIRST
        self.learn(FIRST)
        self.tam, self.other = factories.UserFactory.create_batch(2, roles=["tam"])
        self.accounts = [self.customer(name) for name in ("Halden", "Kestrel", "Marrow")]
        self.increment = factories.IncrementFactory(name="12a", start=dt.date(2030, 3, 4))
        self.cards = [
            factories.ProjectFactory(title=title, proposed_at=FIRST, owner=self.tam)
            for title in ("Single sign-on", "Move the archive", "Runbook")
        ]
        for card, account in zip(self.cards, self.accounts, strict=True):
            factories.ProjectAccountFactory(project=card, account=account)
        self.tier = Tier.objects.order_by("-arr_from").first()
        self.rule = RoutingRule.objects.order_by("priority").first()

    def learn(self, at):
        self.at = at
        pretend_known_at(at)
        told_as_of.set(at)

    def customer(self, name):
        account = factories.AccountFactory(name=name, region="EMEA", segment="Bank")
        factories.SubscriptionFactory(account=account, seats=100, arr=Decimal(90_000))
        factories.InstanceFactory(account=account, name=f"{name} one")
        factories.AssignmentFactory(account=account, user=self.tam)
        factories.ContactFactory(account=account, name=f"Ines of {name}")
        self.read(account, 70, "2030-03-01T09:00")
        return account

    def read(self, account, seats, at):
        instance = account.instances.order_by("pk").first()
        moment = dt.datetime.fromisoformat(at).replace(tzinfo=dt.UTC)
        rows = instance.readings.filter(observed_at=moment, source="import", known_to=None)
        rows.update(known_to=self.at)
        factories.SeatReadingFactory(
            instance=instance, observed_at=moment, seats=seats, known_from=self.at
        )

    def do(self, act, which, amount):
        account, card = self.accounts[which], self.cards[which]
        getattr(self, act)(account, card, amount)

    def a_late_reading(self, account, _card, amount):
        self.read(account, amount, "2030-03-10T09:00")

    def a_correction(self, account, _card, amount):
        self.read(account, amount, "2030-03-01T09:00")

    def a_renaming(self, account, _card, amount):
        account.name, account.segment = f"{account.name} {amount}", "Retail"
        account.version += 1
        account.save()
        record("account.updated", account, by=self.by, account_id=account.pk, after={"name": "x"})

    def a_status(self, account, _card, amount):
        account.internal, account.region = amount % 2 == 0, "APAC"
        account.save()

    def a_contract(self, account, _card, amount):
        account.subscriptions.update(seats=amount + 1, arr=Decimal(60_000 + amount))

    def a_contract_gone(self, account, _card, _amount):
        Subscription.objects.filter(account=account).delete()

    def an_instance(self, account, _card, amount):
        instance = factories.InstanceFactory(account=account, name=f"Another {amount}")
        factories.SeatReadingFactory(
            instance=instance,
            observed_at=dt.datetime(2030, 3, 9, tzinfo=dt.UTC),
            seats=amount,
            known_from=self.at,
        )

    def an_uncounted(self, account, _card, amount):
        account.instances.update(counted=amount % 2 == 0, name="Renamed")

    def a_tam(self, account, _card, _amount):
        account.assignments.update(user=self.other)

    def a_contact(self, account, _card, amount):
        account.contacts.update(name=f"Nuno {amount}")

    def an_account(self, _account, _card, amount):
        self.customer(f"Newcomer {amount}")

    def a_card(self, _account, card, amount):
        values = {"title": f"Card {amount}", "score": amount, "lift": None, "blocked_by": "Wait."}
        Project.objects.filter(pk=card.pk).update(
            **values, increment=self.increment, rank=f"a{amount}{card.pk}", version=amount + 2
        )

    def a_move(self, _account, card, amount):
        card.refresh_from_db()
        workflow.place(card, "scheduled" if amount % 2 else "closed")

    def a_projects_account(self, account, card, amount):
        ProjectAccount.objects.filter(project=card).update(
            account=account, seats_low=1, seats_likely=amount + 1, seats_high=200
        )

    def an_increment(self, _account, _card, amount):
        start = dt.date(2030, 3, 4)
        Increment.objects.update(end=start + dt.timedelta(days=amount % 14), name=f"i{amount}")

    def a_tier(self, _account, _card, amount):
        Tier.objects.filter(pk=self.tier.pk).update(arr_from=amount + 1, name=f"Band {amount}")

    def a_rule(self, _account, _card, amount):
        RoutingRule.objects.filter(pk=self.rule.pk).update(
            name=f"Rule {amount}", priority=amount + 200, end=dt.date(2030, 3, 15)
        )


ACTS = sorted(name for name in vars(Company) if name.startswith(("a_", "an_")))
DEEDS = st.lists(
    st.tuples(st.sampled_from(ACTS), st.integers(0, 2), st.integers(0, 120)), max_size=8
)


def pages_of(company):
    number = company.accounts[0].number
    account = f"/accounts/{number}/"
    tabs = ("", "subscriptions/", "instances/", "readings/", "people/", "timeline/", "data/")
    return [
        "/accounts/",
        "/accounts/?q=halden",
        *(account + tab for tab in tabs),
        "/board/",
        "/settings/routing/",
        "/settings/tiers/",
        "/metric/",
        "/accounts/export.csv",
        "/api/v1/accounts/",
        f"/api/v1/accounts/{company.accounts[1].uuid}/",
        "/api/v1/assignments/",
        "/api/v1/tiers/",
        "/api/v1/board/",
        "/api/v1/routing-rules/",
    ]


def shown(client, path, day, moment):
    """Return what a page shows for a day and a moment, without its bar."""
    cache.clear()
    known_at = f"{moment:%Y-%m-%dT%H:%M:%SZ}"
    sign = "&" if "?" in path else "?"
    response = client.get(f"{path}{sign}as_of={day}&known_at={known_at}")
    assert response.status_code in {200, 404}, (path, response.status_code)
    text = b"".join(response).decode()
    if path.startswith("/api/"):
        return json.loads(text)
    if found := MAIN.search(text):
        text = found[1]
    return NOT_COMPARED.sub("", text)


def night(company, moment):
    """Let the number of the day before be computed, by what is known."""
    recompute(
        SLUG, (moment - dt.timedelta(days=1)).date(), by=company.by, now=moment,
        known_at=moment, computed_at=moment,
    )  # fmt: skip


@pytest.fixture
def everybody():
    return factories.UserFactory(roles=["administrator", "de_lead", "leadership", "tam"])


@pytest.mark.django_db
@settings(
    max_examples=2,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(before=DEEDS, after=DEEDS)
def test_what_was_shown_stays_shown(client, everybody, before, after):
    with transaction.atomic():
        _play(client, everybody, before, after)
        transaction.set_rollback(True)


def test_everything_that_may_happen_leaves_it_as_it_was(client, db, everybody):
    deeds = [(act, number % 3, 7 * number) for number, act in enumerate(ACTS)]
    _play(client, everybody, deeds[::2], deeds)


def _play(client, everybody, before, after):
    token = told_as_of.set(FIRST)
    try:
        company = Company()
        for hour, deed in enumerate(before):
            company.learn(FIRST + dt.timedelta(days=2, hours=hour))
            company.do(*deed)
        company.learn(SHOWN - dt.timedelta(hours=2))
        with time_machine.travel(SHOWN, tick=False):
            client.force_login(everybody)
            refresh_current_facts(now=SHOWN)
            night(company, SHOWN - dt.timedelta(hours=1))
            paths = pages_of(company)
            then = {(path, day): shown(client, path, day, SHOWN) for path in paths for day in DAYS}
        for hour, deed in enumerate(after):
            company.learn(SHOWN + dt.timedelta(days=1, hours=hour))
            company.do(*deed)
        company.learn(LATER - dt.timedelta(hours=2))
        with time_machine.travel(LATER, tick=False):
            client.force_login(everybody)
            refresh_current_facts(now=LATER)
            night(company, LATER - dt.timedelta(hours=1))
            for (path, day), was in then.items():
                assert shown(client, path, day, SHOWN) == was, (path, day)
    finally:
        told_as_of.reset(token)
