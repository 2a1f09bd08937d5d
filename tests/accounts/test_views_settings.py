import pytest

from accounts.models import Company, Tier
from tests.factories import TierFactory

pytestmark = pytest.mark.django_db
COMPANY = "/settings/company/"
TIERS = "/settings/tiers/"
NEW_TIER = "/settings/tiers/new/"


@pytest.fixture
def browser(login, administrator):
    return login(administrator)


def company(**values):
    return {
        "name": "Northwind",
        "time_zone": "Europe/Oslo",
        "reporting_currency": "EUR",
        "version": "1",
        **values,
    }


def tier(**values):
    return {"name": "Opal", "arr_from": "250000", "start": "2026-06-01", **values}


class TestCompany:
    def test_saved(self, browser):
        response = browser.post(COMPANY, company(), follow=True)
        assert "Settings saved." in response.content.decode()
        stored = Company.objects.get()
        assert (stored.name, stored.time_zone) == ("Northwind", "Europe/Oslo")

    @pytest.mark.parametrize(
        ("field", "value", "message"),
        [
            ("name", "", "Enter the name of the company."),
            ("time_zone", "Mars/Olympus", "is no time zone"),
            ("time_zone", "../../etc/passwd", "is no time zone"),
            ("reporting_currency", "euro", "not a currency code"),
            ("version", "x", ""),
        ],
    )
    def test_mistakes_keep_what_was_typed(self, browser, field, value, message):
        response = browser.post(COMPANY, company(**{field: value}))
        assert response.status_code == 422
        assert message in response.content.decode()
        assert Company.objects.get().name == "Our company"

    def test_who_was_slower_sees_both(self, browser):
        browser.post(COMPANY, company(name="First"))
        response = browser.post(COMPANY, company(name="Second"))
        page = response.content.decode()
        assert response.status_code == 409
        assert "“First”" in page
        assert 'value="Second"' in page
        assert Company.objects.get().name == "First"

    def test_every_zone_is_offered(self, browser):
        assert 'value="America/Argentina/Buenos_Aires"' in browser.get(COMPANY).content.decode()


class TestTiers:
    def test_in_force_planned_and_ended(self, browser):
        TierFactory(name="Planned one", start="2090-01-01")
        TierFactory(name="Ended one", start="2001-01-01", end="2002-01-01")
        page = browser.get(TIERS).content.decode()
        for words in ("Diamond", "Planned one", "Ended one", "In force today"):
            assert words in page

    def test_a_new_one(self, browser):
        response = browser.post(NEW_TIER, tier(cadence_days="14"), follow=True)
        assert "Opal is in force from" in response.content.decode()
        assert Tier.objects.get(name="Opal").cadence_days == 14

    def test_a_new_version_starts_from_the_old_terms(self, browser):
        ruby = Tier.objects.get(name="Ruby")
        page = browser.get(NEW_TIER, {"like": str(ruby.uuid)}).content.decode()
        assert 'value="50000.00"' in page
        assert 'value="Ruby"' in page

    @pytest.mark.parametrize("like", ["x", "\x00", "8f14e45f-ceea-467f-a9f5-2e1b1c1d1e1f"])
    def test_like_nothing(self, browser, like):
        assert browser.get(NEW_TIER, {"like": like}).status_code == 200

    @pytest.mark.parametrize(
        ("field", "value", "message"),
        [
            ("name", "", "Enter a name."),
            ("arr_from", "NaN", "is not a number"),
            ("arr_from", "-1", "may not be negative"),
            ("arr_from", "150000", "Sapphire begins at the same ARR"),
            ("start", "2026-02-30", "is not a day"),
            ("cadence_days", "0", ""),
            ("cadence_days", "99999", ""),
        ],
    )
    def test_mistakes_keep_what_was_typed(self, browser, field, value, message):
        response = browser.post(NEW_TIER, tier(**{field: value}))
        assert response.status_code == 422
        assert message in response.content.decode()
        assert not Tier.objects.filter(name="Opal").exists()

    def test_ending_one(self, browser):
        ruby = Tier.objects.get(name="Ruby")
        url = f"/settings/tiers/{ruby.uuid}/end/"
        assert browser.get(url).status_code == 200
        early = browser.post(url, {"end": "1999-01-01"})
        assert early.status_code == 422
        assert "after the day it starts" in early.content.decode()
        browser.post(url, {"end": "2026-06-01"})
        ruby.refresh_from_db()
        assert str(ruby.end) == "2026-06-01"

    def test_there_is_no_such_tier(self, browser):
        unknown = "8f14e45f-ceea-467f-a9f5-2e1b1c1d1e1f"
        assert browser.get(f"/settings/tiers/{unknown}/end/").status_code == 404


@pytest.mark.parametrize("role", ["tam", "leadership", "metric_owner"])
@pytest.mark.parametrize("method", ["get", "post"])
@pytest.mark.parametrize("url", [COMPANY, NEW_TIER])
def test_others_learn_who_can(person, login, role, method, url):
    response = getattr(login(person(role)), method)(url)
    assert response.status_code == 403
    assert "Only administrators can change company settings" in response.content.decode()
