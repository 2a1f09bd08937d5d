import datetime as dt

import pytest
from django.test import Client
from django.utils import timezone

from accounts.measure import facts_changed
from accounts.models import Company, SeatReading
from events.models import Event
from tests.factories import AccountFactory, AssignmentFactory, InstanceFactory, SubscriptionFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def account(tam):
    account = AccountFactory(name="Halden")
    SubscriptionFactory(account=account, seats=100)
    AssignmentFactory(account=account, user=tam)
    facts_changed([account.pk])
    return account


@pytest.fixture
def instance(account):
    return InstanceFactory(account=account, name="Kongsberg")


@pytest.fixture
def browser(login, tam):
    return login(tam)


def new(account):
    return f"/accounts/ACC-{account.pk}/readings/new/"


def given(**values):
    at = (timezone.now() - dt.timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M")
    return {"seats": "85", "observed_at": at, "note": "Admin console", **values}


class TestEntering:
    def test_a_count_shows_at_once_and_says_what_comes(self, browser, account, instance):
        response = browser.post(new(account), given(instance=instance.pk), follow=True)
        page = response.content.decode()
        assert "85 seats recorded for Kongsberg" in page
        assert "the number moves with the next recompute" in page
        assert "By hand, TAM" in page
        assert "85 of 100" in page
        reading = SeatReading.objects.get()
        assert (reading.seats, reading.note, reading.source) == (85, "Admin console", "manual")

    def test_the_same_form_sent_twice_is_one_reading(self, browser, account, instance):
        form = given(instance=instance.pk)
        for _ in range(2):
            assert browser.post(new(account), form).status_code == 302
        assert SeatReading.objects.count() == 1
        assert Event.objects.filter(verb="reading.entered").count() == 1

    def test_another_count_for_the_same_time_corrects_the_first(self, browser, account, instance):
        form = given(instance=instance.pk)
        browser.post(new(account), form)
        browser.post(new(account), form | {"seats": "60"})
        assert SeatReading.objects.count() == 2
        page = " ".join(browser.get(new(account).removesuffix("new/")).content.decode().split())
        assert "<del>85</del>" in page
        assert "Corrected" in page
        assert "to 60," in page

    def test_without_an_instance_a_default_one_is_made(self, browser, account):
        browser.post(new(account), given())
        assert SeatReading.objects.get().instance.is_default

    def test_the_time_is_on_the_companys_clocks(self, browser, account, instance):
        Company.objects.update(time_zone="Asia/Tokyo")
        form = given(instance=instance.pk, observed_at="2026-01-16T05:00")
        browser.post(new(account), form)
        observed_at = SeatReading.objects.get().observed_at
        assert observed_at == dt.datetime(2026, 1, 15, 20, tzinfo=dt.UTC)
        assert "Asia/Tokyo" in browser.get(new(account)).content.decode()

    def test_a_time_that_comes_twice_is_the_first(self, browser, account, instance):
        Company.objects.update(time_zone="Europe/Oslo")
        browser.post(new(account), given(instance=instance.pk, observed_at="2025-10-26T02:30"))
        assert SeatReading.objects.get().observed_at == dt.datetime(
            2025, 10, 26, 0, 30, tzinfo=dt.UTC
        )

    @pytest.mark.parametrize(
        ("field", "value", "message"),
        [
            ("seats", "", "Enter the number of active seats."),
            ("seats", "-1", "may not be negative"),
            ("seats", "1.5", "not a whole number"),
            ("seats", "1,012", "not a whole number"),
            ("seats", "٣", "not a whole number"),
            ("seats", "2147483648", ""),
            ("observed_at", "", "Enter when the seats were counted."),
            ("observed_at", "yesterday", "Enter a day and a time"),
            ("observed_at", "2999-01-01T00:00", "Days are from 1990 to 2100."),
            ("observed_at", "2098-01-01T00:00", "The count cannot lie in the future."),
            ("observed_at", "0001-01-01T00:00", ""),
            ("note", "", "Say where the count comes from."),
            ("note", "   ", "Say where the count comes from."),
            ("note", "a\x00b", ""),
            ("note", "x" * 501, ""),
            ("instance", "", "Choose an instance."),
            ("instance", "999999", "Choose an instance of this account."),
            ("instance", "x", "Choose an instance of this account."),
        ],
    )
    def test_mistakes_keep_what_was_typed(self, browser, account, instance, field, value, message):
        form = given(instance=instance.pk) | {field: value}
        response = browser.post(new(account), form)
        page = response.content.decode()
        assert response.status_code == 422
        assert "<title>Error:" in page
        assert message in page
        assert f'id="id_{field}_error"' in page
        if field != "note":
            assert "Admin console" in page
        assert not SeatReading.objects.exists()

    def test_a_time_that_the_clocks_skip(self, browser, account, instance):
        Company.objects.update(time_zone="Europe/Oslo")
        form = given(instance=instance.pk, observed_at="2025-03-30T02:30")
        response = browser.post(new(account), form)
        assert response.status_code == 422
        assert "The clocks skip this time" in response.content.decode()

    def test_not_on_an_instance_of_another_account(self, browser, account, instance):
        foreign = InstanceFactory()
        response = browser.post(new(account), given(instance=foreign.pk))
        assert response.status_code == 422
        assert foreign.name not in response.content.decode()

    def test_in_a_drawer(self, browser, account, instance):
        page = browser.get(new(account), headers={"HX-Target": "reading-form"}).content.decode()
        assert "<html" not in page
        assert 'id="reading-form"' in page
        wrong = browser.post(new(account), {}, headers={"HX-Target": "reading-form"})
        assert wrong.status_code == 422
        right = browser.post(
            new(account), given(instance=instance.pk), headers={"HX-Request": "true"}
        )
        assert right["HX-Redirect"] == f"/accounts/ACC-{account.pk}/readings/"

    def test_reading_it_changes_nothing(self, browser, account):
        browser.get(new(account))
        assert not account.instances.exists()


class TestWhoMay:
    @pytest.mark.parametrize(
        "role", ["de_engineer", "de_lead", "leadership", "metric_owner", "administrator", "csm"]
    )
    def test_others_see_who_can(self, person, login, account, role):
        client = login(person(role))
        page = client.get(f"/accounts/ACC-{account.pk}/readings/").content.decode()
        assert "Enter a count" not in page
        assert "TAM (TAM)" in page
        assert client.get(new(account)).status_code == 403
        response = client.post(new(account), given())
        assert response.status_code == 403
        assert not SeatReading.objects.exists()

    def test_no_longer_assigned(self, account, login, person):
        former = person("tam")
        AssignmentFactory(account=account, user=former, primary=False, end=dt.date(2025, 6, 1))
        assert login(former).post(new(account), given()).status_code == 403

    def test_assigned_without_a_requester_role(self, account, login, de_engineer):
        AssignmentFactory(account=account, user=de_engineer, role="DE")
        assert login(de_engineer).post(new(account), given()).status_code == 403

    def test_a_form_from_elsewhere(self, account, tam):
        client = Client(enforce_csrf_checks=True)
        client.force_login(tam)
        assert client.post(new(account), given()).status_code == 403
        assert not SeatReading.objects.exists()
