"""A token limited to some accounts shows nothing of any other, whatever it asks."""

import datetime as dt
import uuid

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.urls import reverse
from django.utils import timezone
from rest_framework.test import APIClient

from config.lib.errors import Invalid
from events.models import Event
from events.services import record
from metrics.services.runs import recompute
from people import services
from people.models import ApiToken, Scope, system_user
from people.permissions import is_unlimited, reaches
from tests import factories
from tests.addresses import ROUTES, World

NEW_TOKEN = reverse("people:token-create")
TOKENS = reverse("people:token-list")
API = sorted(name for name in ROUTES if name.startswith("api:"))
# What a limited token may ask. Everything else is closed to it.
OPEN = {
    "api:me",
    "api:schema",
    "api:docs",
    "api:accounts-list",
    "api:accounts-detail",
    "api:account-health",
    "api:account-timeline-list",
    "api:subscriptions-list",
    "api:subscriptions-detail",
    "api:instances-list",
    "api:instances-detail",
    "api:contacts-list",
    "api:contacts-detail",
    "api:assignments-list",
    "api:assignments-detail",
    "api:seat-readings-list",
    "api:tiers-list",
    "api:tiers-detail",
    "api:metric-rows-list",
    "api:metric-flips-list",
    "api:service-requests-list",
    "api:service-requests-detail",
    "api:service-requests-transitions",
    "api:projects-list",
    "api:projects-detail",
    "api:projects-transitions",
    "api:votes",
    "api:score",
    "api:board",
    "api:support-plan",
    "api:project-checks-list",
    "api:artefacts-list",
    "api:artefacts-detail",
    "api:request-route",
    "api:sows-list",
    "api:sows-detail",
    "api:changes-list",
    "api:changes-detail",
    "api:sign-offs-list",
    "api:risks-list",
    "api:risks-detail",
    "api:comments-list",
    "api:attachments-list",
    "api:attachments-content",
    "api:deliverables-list",
    "api:tokens-list",
    "api:tokens-detail",
}
# Lists with exactly one row of the account inside, and the same outside.
ONE_EACH = {
    "api:accounts-list",
    "api:subscriptions-list",
    "api:instances-list",
    "api:contacts-list",
    "api:assignments-list",
    "api:seat-readings-list",
    "api:metric-rows-list",
    "api:metric-flips-list",
    "api:service-requests-list",
    "api:projects-list",
}
STRANGE = "Outlandish"


class Outside:
    """An account with one of everything, all of which has the strange word in its name."""

    def __init__(self):
        self.account = account = factories.AccountFactory(name=STRANGE, external_id=f"{STRANGE}-A")
        person = factories.UserFactory(name=f"{STRANGE} TAM", email=f"{STRANGE}@keel.example")
        instance = factories.InstanceFactory(
            account=account, name=f"{STRANGE} I", external_id=f"{STRANGE}-I"
        )
        factories.SeatReadingFactory(instance=instance, observed_at=timezone.now())
        self.things = {
            "accounts": account,
            "instances": instance,
            "subscriptions": factories.SubscriptionFactory(
                account=account, product=f"{STRANGE} P", external_id=f"{STRANGE}-S"
            ),
            "contacts": factories.ContactFactory(
                account=account, name=f"{STRANGE} C", email=f"{STRANGE}@customer.example"
            ),
            "assignments": factories.AssignmentFactory(account=account, user=person),
            "service-requests": factories.ServiceRequestFactory(
                account=account, filed_by=person, title=f"{STRANGE} R", state="submitted"
            ),
            "projects": factories.ProjectFactory(title=f"{STRANGE} J", owner=person),
        }
        factories.ProjectAccountFactory(project=self.things["projects"], account=account)
        factories.ProjectArtefactFactory(project=self.things["projects"], name=f"{STRANGE} F")
        factories.ArtefactFactory(request=self.things["service-requests"], name=f"{STRANGE} F")
        self.words = {STRANGE, *(str(thing.uuid) for thing in self.things.values())}


@pytest.fixture
def inside(db):
    world = World()
    factories.SeatReadingFactory(
        instance=world.things["instances"], observed_at=timezone.now(), seats=81
    )
    return world


@pytest.fixture
def outside(inside):
    outside = Outside()
    # The two know each other, which must not show either.
    inside.account.parent = outside.account
    inside.account.save(update_fields=["parent"])
    inside.request.preempted_by = outside.things["service-requests"]
    inside.request.successor_of = outside.things["service-requests"]
    inside.request.save(update_fields=["preempted_by", "successor_of"])
    inside.project.preempted_by = inside.project.part_of = outside.things["projects"]
    inside.project.save(update_fields=["preempted_by", "part_of"])
    record(
        "account.updated",
        inside.account,
        by=system_user(),
        account_id=inside.account.pk,
        before={"parent_external_id": None, "account_external_id": inside.account.external_id},
        after={
            "parent_external_id": outside.account.external_id,
            "account_external_id": outside.account.external_id,
        },
    )
    record(
        "account.updated", outside.account, by=system_user(), account_id=outside.account.pk,
        after={"name": STRANGE},
    )  # fmt: skip
    now = timezone.now()
    recompute("seats-deployed", now.date(), by=system_user(), now=now)
    return outside


def limited(user, *accounts, scopes=None):
    token, text = services.create_token(
        owner=user,
        name="Limited",
        scopes=scopes or Scope.values,
        accounts=[account.number for account in accounts],
        by=user,
        at=timezone.now(),
    )
    client = APIClient(headers={"Authorization": f"Bearer {text}"})
    client.token = token
    return client


@pytest.fixture
def client(administrator, inside):
    return limited(administrator, inside.account)


def text_of(answer):
    content = b"".join(answer.streaming_content) if answer.streaming else answer.content
    return content.decode()


def address_of(world, name, client):
    if name == "api:tokens-detail":
        return f"/api/v1/tokens/{client.token.uuid}/"
    return world(name)


@pytest.mark.parametrize("name", API)
def test_nothing_of_another_account_is_told(name, client, inside, outside):
    address = address_of(inside, name, client)

    answer = client.get(address)

    told = text_of(answer)
    if name in OPEN:
        assert answer.status_code == 200
    else:
        assert answer.status_code in {403, 405}, told
    if answer.status_code == 403:
        assert answer.json()["detail"] == "This token is limited to some accounts."
    assert not [word for word in outside.words if word.lower() in told.lower()]


@pytest.mark.parametrize("name", sorted(n for n in OPEN if n.endswith("-list")))
@pytest.mark.parametrize(
    "query",
    ["?count=true", "?format=csv", "?page_size=1", "?ordering=", f"?search={STRANGE}",
     "?as_of=today", "?updated_since=2020-01-01T00:00:00Z"],
)  # fmt: skip
def test_no_way_of_asking_tells_it(name, query, client, inside, outside):
    query = query.replace("today", timezone.now().date().isoformat())

    answer = client.get(inside(name) + query)

    told = text_of(answer).replace(f"search={STRANGE}", "")
    assert answer.status_code in {200, 400}
    assert not [word for word in outside.words if word.lower() in told.lower()]


@pytest.mark.parametrize(
    "query", ["?as_of={0:%F}", "?known_at={1:%FT%TZ}", "?as_of={0:%F}&known_at={1:%FT%TZ}"]
)
def test_no_other_day_tells_it(query, client, inside, outside):
    now = timezone.now()
    query = query.format(now, now + dt.timedelta(seconds=1))
    there, elsewhere = (f"/api/v1/accounts/{each.account.uuid}/" for each in (inside, outside))

    for address in (
        "/api/v1/accounts/", "/api/v1/assignments/", "/api/v1/board/", there, f"{there}health/",
    ):  # fmt: skip
        answer = client.get(address + query)
        told = text_of(answer)
        assert answer.status_code == 200, told
        assert not [word for word in outside.words if word.lower() in told.lower()], address
    for address in (elsewhere, f"{elsewhere}health/"):
        assert client.get(address + query).status_code == 404


@pytest.mark.parametrize("name", sorted(ONE_EACH))
def test_counts_are_of_what_is_inside(name, client, inside, outside, api_client, administrator):
    inner = client.get(inside(name), {"count": "true"}).json()
    whole = api_client(administrator).get(inside(name), {"count": "true"}).json()

    assert (inner["count"], len(inner["results"])) == (1, 1)
    assert whole["count"] == 2
    assert inner["next"] is None


@pytest.mark.parametrize(
    "kind",
    ["accounts", "instances", "subscriptions", "contacts", "assignments", "service-requests"],
)
def test_what_is_outside_is_not_there(kind, client, inside, outside, api_client, administrator):
    address = f"/api/v1/{kind}/{outside.things[kind].uuid}/"

    refused, unknown = client.get(address), client.get(f"/api/v1/{kind}/{uuid.uuid4()}/")

    assert api_client(administrator).get(address).status_code == 200
    assert refused.status_code == 404
    assert refused.json()["detail"] == unknown.json()["detail"]


def test_anothers_timeline_is_not_there(client, outside):
    address = f"/api/v1/accounts/{outside.account.uuid}/timeline/"

    assert client.get(address).status_code == 404


def test_own_facts_are_told_as_ever(client, inside, outside):
    row = client.get(f"/api/v1/accounts/{inside.account.uuid}/").json()
    first = client.get(f"/api/v1/accounts/{inside.account.uuid}/timeline/").json()["results"][0]

    assert (row["name"], row["parent"]) == (inside.account.name, None)
    assert first["before"]["account_external_id"] == inside.account.external_id
    assert first["after"] == {"parent_external_id": None, "account_external_id": None}


def test_a_parent_inside_is_told(administrator, inside, outside):
    both = limited(administrator, inside.account, outside.account)

    row = both.get(f"/api/v1/accounts/{inside.account.uuid}/").json()

    assert row["parent"] == str(outside.account.uuid)


def test_other_tokens_are_not_shown(client, administrator, api_client):
    api_client(administrator)

    listed = client.get("/api/v1/tokens/").json()["results"]

    assert [row["id"] for row in listed] == [str(client.token.uuid)]


def test_a_token_says_what_it_is_limited_to(client, inside):
    limit = [str(inside.account.uuid)]

    assert client.get("/api/v1/me/").json()["accounts"] == limit
    assert client.get("/api/v1/tokens/").json()["results"][0]["accounts"] == limit
    assert limit[0] in text_of(client.get("/api/v1/tokens/", {"format": "csv"}))


def test_a_limit_gives_no_right_and_no_scope(tam, inside):
    client = limited(tam, inside.account, scopes=["account:read"])

    assert client.get("/api/v1/contacts/").status_code == 403
    assert client.get("/api/v1/accounts/").status_code == 200


def test_the_next_request_is_limited_by_its_own_token_only(
    client, api_client, administrator, outside
):
    client.get("/api/v1/accounts/")
    assert len(api_client(administrator).get("/api/v1/accounts/").json()["results"]) == 2


def test_permissions_ask_the_user(administrator, inside):
    assert is_unlimited(administrator)
    assert reaches(administrator, inside.account.uuid)

    administrator.limited_to = frozenset({inside.account.uuid})
    assert not is_unlimited(administrator)
    assert reaches(administrator, inside.account.uuid)
    assert not reaches(administrator, uuid.uuid4())


class TestChoosing:
    """Naming the accounts of a new token."""

    @pytest.fixture
    def account(self, db):
        return factories.AccountFactory(name="Halvorsen, Lind & Co")

    def create(self, user, *words):
        token, _ = services.create_token(
            owner=user,
            name="T",
            scopes=["account:read"],
            accounts=words,
            by=user,
            at=timezone.now(),
        )
        return token

    def test_by_number_id_or_name(self, tam, account):
        words = [account.number, account.number.lower(), str(account.uuid), "halvorsen, LIND & co"]

        assert self.create(tam, *words).account_ids == [account.uuid]
        assert Event.objects.get(verb="token.created").after["accounts"] == [account.number]

    def test_of_nothing_in_particular_is_no_limit(self, tam):
        assert self.create(tam).account_ids is None

    @pytest.mark.parametrize(
        "word", ["ACC-999999999", "Nobody", "x" * 300, "%", str(uuid.UUID(int=7))]
    )
    def test_what_is_not_there_is_named(self, tam, account, word):
        with pytest.raises(Invalid, match="There is no account") as caught:
            self.create(tam, word)

        assert caught.value.field == "accounts"
        assert not ApiToken.objects.exists()

    def test_a_name_of_two_is_not_guessed(self, tam, account):
        factories.AccountFactory(name=account.name)

        with pytest.raises(Invalid, match="Several accounts are called"):
            self.create(tam, account.name)

    def test_not_too_many(self, tam, account):
        with pytest.raises(Invalid, match="at most 200"):
            self.create(tam, *[account.number] * 201)

    def test_whoever_sees_no_account_names_none(self, without_role, account):
        with pytest.raises(Invalid, match="There is no account"):
            services.create_token(
                owner=without_role, name="T", scopes=["account:read"],
                accounts=[account.number], by=system_user(), at=timezone.now(),
            )  # fmt: skip

    def test_on_the_page(self, login, tam, account):
        client = login(tam)
        typed = {"name": "Sync", "scopes": ["account:read"], "days": "30"}

        wrong = client.post(NEW_TOKEN, typed | {"accounts": f"{account.number}\r\nNobody"})
        assert wrong.status_code == 422
        assert "There is no account “Nobody”." in wrong.content.decode()
        assert f"{account.number}\r\nNobody" in wrong.content.decode()

        made = client.post(NEW_TOKEN, typed | {"accounts": f"\r\n{account.name}\r\n"})
        assert account.number in made.content.decode()
        assert ApiToken.objects.get().account_ids == [account.uuid]
        page = client.get(TOKENS).content.decode()
        assert f"{account.number} Halvorsen, Lind &amp; Co" in page

    def test_by_command(self, tam, account, capsys):
        call_command(
            "token", "create", "--user", tam.email, "--name", "T", "--scope", "read",
            "--account", account.number, str(account.uuid),
        )  # fmt: skip
        assert ApiToken.objects.get().account_ids == [account.uuid]
        assert account.number in capsys.readouterr().err

        call_command("token", "list")
        assert account.number in capsys.readouterr().out

        with pytest.raises(CommandError, match="There is no account"):
            call_command(
                "token", "create", "--user", tam.email, "--name", "T", "--scope", "read",
                "--account", "ACC-999999999",
            )  # fmt: skip
