"""Rules of the router as administrators change them: dated, tried out before, never backwards."""

import datetime as dt
from dataclasses import replace
from decimal import Decimal

import pytest
from django.core.exceptions import PermissionDenied
from django.utils import timezone

from accounts.models import AccountFacts
from accounts.selectors import today
from config.lib.errors import Conflict, Invalid
from engagements import services
from engagements.forms.routing import RuleForm, initial_of
from engagements.models import RoutingRule
from engagements.rules.packs import packs
from engagements.rules.rule_changes import adoption, same_terms
from engagements.selectors import routing
from engagements.services.routing_rules import adopt_pack, end_rule, save_rule
from events.models import Event
from tests.factories import AccountFactory, ServiceRequestFactory

pytestmark = pytest.mark.django_db
RULES = "/settings/routing/"
NEW = "/settings/routing/new/"
TRY = "/settings/routing/try/"
DAY = dt.timedelta(days=1)


@pytest.fixture
def now():
    return timezone.now()


@pytest.fixture
def on(now):
    return today(now)


@pytest.fixture
def browser(login, administrator):
    return login(administrator)


def row(slug):
    return RoutingRule.objects.filter(slug=slug).latest("start")


def address(slug):
    return f"{RULES}rules/{row(slug).uuid}/"


def changed(slug, on, **values):
    """What the form of a rule sends, with these values otherwise."""
    sent = initial_of(routing.rule_of(row(slug)), on)
    return {name: value for name, value in {**sent, **values}.items() if value not in (None, False)}


def typed(on, **values):
    return {
        "name": "Upgrades",
        "priority": "5",
        "types": ["non_standard"],
        "standard_environment": "yes",
        "owner": "support",
        "why": "Support upgrades.",
        "next_step": "Open a ticket.",
        "examples": "non_standard, standard_environment=yes -> support",
        "start": str(on),
        "accept_broken": "on",
        **values,
    }


def decided(tam, slug="feedback"):
    request = ServiceRequestFactory(filed_by=tam, type=slug)
    services.move(request, "submit", by=tam, at=timezone.now())
    return request


class TestDates:
    def test_a_change_ends_the_version_before_on_its_day(self, browser, on, administrator):
        old = row("feedback")
        day = on + DAY

        browser.post(address("feedback"), changed("feedback", day, owner="csm_tam",
                     examples="feedback -> csm_tam"))  # fmt: skip

        old.refresh_from_db()
        new = row("feedback")
        assert (old.end, new.start, new.end) == (day, day, None)
        assert (old.owner, new.owner, new.set_by) == ("product", "csm_tam", administrator)
        assert [rule.owner for rule in routing.rules_on(on) if rule.slug == "feedback"] == [
            "product"
        ]
        assert [rule.owner for rule in routing.rules_on(day) if rule.slug == "feedback"] == [
            "csm_tam"
        ]
        assert set(Event.objects.values_list("verb", flat=True)) >= {
            "routing_rule.ended",
            "routing_rule.added",
        }

    def test_nothing_begins_or_ends_in_the_past(self, browser, on):
        yesterday = str(on - DAY)

        changing = browser.post(address("feedback"), changed("feedback", yesterday))
        ending = browser.post(f"{address('feedback')}end/", {"end": yesterday})

        assert changing.status_code == ending.status_code == 422
        assert "A rule begins today or later." in changing.content.decode()
        assert "A rule ends today or later." in ending.content.decode()

    def test_a_version_that_nobody_was_decided_by_is_replaced_on_its_first_day(self, browser, on):
        for why in ("First.", "Second."):
            browser.post(address("feedback"), changed("feedback", on, why=why))

        assert RoutingRule.objects.filter(slug="feedback").count() == 2
        assert row("feedback").why == "Second."

    def test_one_that_decided_stays_as_it_was(self, browser, on, tam):
        browser.post(address("feedback"), changed("feedback", on, why="First."))
        decided(tam)

        refused = browser.post(address("feedback"), changed("feedback", on, why="Second."))

        assert refused.status_code == 422
        assert "begin tomorrow" in refused.content.decode()
        assert "Second." in refused.content.decode()
        assert row("feedback").why == "First."

    def test_two_who_change_one_rule_do_not_both_win(self, on, now, administrator):
        shown = row("feedback")
        rule = routing.rule_of(shown)
        later = on + DAY
        save_rule(replace(rule, start=later, end=None), instead_of=shown, by=administrator, at=now)
        with pytest.raises(Conflict):
            save_rule(
                replace(rule, start=later + DAY, end=None),
                instead_of=shown,
                by=administrator,
                at=now,
            )

    def test_an_ended_rule_is_in_force_to_the_day_before(self, browser, on):
        browser.post(f"{address('feedback')}end/", {"end": str(on + DAY)})

        assert "feedback" in {rule.slug for rule in routing.rules_on(on)}
        assert "feedback" not in {rule.slug for rule in routing.rules_on(on + DAY)}

    def test_a_planned_rule_that_is_ended_was_never_there(self, browser, on):
        browser.post(NEW, typed(on + 10 * DAY))
        browser.post(f"{address('upgrades')}end/", {"end": str(on + DAY)})

        assert not RoutingRule.objects.filter(slug="upgrades").exists()
        assert Event.objects.filter(verb="routing_rule.dropped").exists()

    @pytest.mark.parametrize("role", ["tam", "de_lead", "leadership", "metric_owner"])
    def test_only_administrators(self, person, role, on, now):
        with pytest.raises(PermissionDenied):
            end_rule(row("feedback"), end=on, by=person(role), at=now)
        with pytest.raises(PermissionDenied):
            adopt_pack("b", start=on, by=person(role), at=now)


class TestTried:
    def test_examples_are_run_before_it_is_saved(self, browser, on):
        page = browser.post(NEW, typed(on, examples="feedback -> rd"))

        assert page.status_code == 422
        assert "“feedback -&gt; rd” does not hold: Product." in page.content.decode()
        assert not RoutingRule.objects.filter(slug="upgrades").exists()

    def test_examples_of_other_rules_that_break_are_shown_and_accepted(self, browser, on):
        sent = typed(on)
        del sent["accept_broken"]

        refused = browser.post(NEW, sent)

        assert refused.status_code == 422
        text = refused.content.decode()
        assert "Examples of other rules do not hold any more" in text
        assert "Predefined onboarding" in text
        assert browser.post(NEW, typed(on)).status_code == 302

    def test_looking_saves_nothing(self, browser, on):
        page = browser.post(NEW, typed(on, act="check"))

        assert page.status_code == 200
        assert "What would change" in page.content.decode()
        assert 'value="Upgrades"' in page.content.decode()
        assert not RoutingRule.objects.filter(slug="upgrades").exists()

    def test_what_would_change_for_the_requests_of_late(self, browser, on, tam):
        account = AccountFactory(name="Halden")
        AccountFacts.objects.create(account=account, arr=Decimal(90_000), data_state="fresh")
        request = ServiceRequestFactory(filed_by=tam, account=account, title="Mirror the registry")
        services.move(request, "submit", by=tam, at=timezone.now())

        sent = changed("one-off", on, arr_above="100000", act="check")
        text = browser.post(address("one-off"), sent).content.decode()

        assert "1 of the 1 request" in text
        assert f"REQ-{request.pk}" in text
        assert "A person decides" in text

    def test_a_rule_that_would_never_be_reached_is_named(self, browser, on):
        page = browser.post(NEW, typed(on, priority="999", act="check"))

        assert "Never reached" in page.content.decode()

    @pytest.mark.parametrize(
        ("field", "value", "message"),
        [
            ("name", "", "Enter a name."),
            ("priority", "ten", ""),
            ("priority", "10", "has priority 10"),
            ("types", ["feedback"], "Intake asks this for none of the types chosen"),
            ("types", ["lunch"], "lunch"),
            ("owner", "chef", "chef"),
            ("arr_above", "NaN", "is not a number"),
            ("examples", "", "Write one example at least."),
            ("examples", "feedback", "Line 1: Write facts"),
            ("examples", "feedback -> product\nlunch -> de", "Line 2: “lunch” is no type"),
            ("examples", "feedback, critical=yes -> de", "is not asked for feedback"),
            ("examples", "one_off, arr=lots -> de", "Line 1"),
            ("examples", "feedback -> nobody", "“nobody” is no owner"),
            ("start", "soon", "is not a day"),
            ("why", "", "Enter why it is theirs."),
            ("fast_path", "on", "Only what Deployment Engineering owns"),
            ("name", "Product feedback\x00", ""),
        ],
    )  # fmt: skip
    def test_mistakes_keep_what_was_typed(self, browser, on, field, value, message):
        page = browser.post(NEW, typed(on, **{field: value}))

        assert page.status_code == 422
        assert message in page.content.decode()
        assert "Open a ticket." in page.content.decode()
        assert not RoutingRule.objects.filter(slug="upgrades").exists()

    def test_no_two_rules_of_one_name(self, browser, on):
        browser.post(NEW, typed(on))
        again = browser.post(NEW, typed(on, priority="6"))

        assert "There is a rule of that name already" in again.content.decode()

    def test_a_name_in_any_script(self, browser, on):
        browser.post(NEW, typed(on, name="アップグレード"))

        assert RoutingRule.objects.get(name="アップグレード").slug.startswith("rule-")

    @pytest.mark.parametrize("slug", [rule.slug for rule in packs()["a"].rules])
    def test_every_shipped_rule_goes_through_the_form_unchanged(self, slug, on):
        rule = routing.rule_of(row(slug))
        form = RuleForm(changed(slug, on), slug=slug)

        assert form.is_valid(), form.errors
        assert same_terms(form.rule(slug), rule)


class TestTryIt:
    def test_facts_in_answer_out(self, browser):
        page = browser.get(TRY, {"type": "critical", "critical": "yes", "arr": "60000",
                                 "on": "2026-01-01"})  # fmt: skip

        text = page.content.decode()
        assert "In scope for Deployment Engineering, on the fast path" in text
        assert "Critical deployment escalation" in text
        assert "If the account&#x27;s ARR were $50,000 or less" in text

    @pytest.mark.parametrize(
        "query",
        [{"type": ""}, {"type": "lunch"}, {"type": "support", "on": "never"},
         {"type": "support", "arr": "-1", "on": "2026-01-01"}, {"type": "\x00"}],
    )  # fmt: skip
    def test_what_is_wrong_comes_back(self, browser, query):
        assert browser.get(TRY, query).status_code == 422


class TestPacks:
    def test_adopting_another_ends_the_rules_and_begins_its_own(self, browser, on):
        page = browser.get(f"{RULES}packs/b/").content.decode()
        assert "Account executives own renewals" in page

        browser.post(f"{RULES}packs/b/", {"start": str(on + DAY)})

        assert {rule.slug for rule in routing.rules_on(on)} == {r.slug for r in packs()["a"].rules}
        tomorrow = routing.rules_on(on + DAY)
        assert {rule.slug for rule in tomorrow} == {r.slug for r in packs()["b"].rules}
        assert set(RoutingRule.objects.filter(start=on + DAY).values_list("pack", flat=True)) == {
            "b"
        }

    def test_adopting_what_is_there_changes_nothing(self, on, now, administrator):
        before = Event.objects.count()

        adopt_pack("a", start=on, by=administrator, at=now)

        assert Event.objects.count() == before
        plan = adoption(packs()["a"], routing.rules_on(on), start=on)
        assert (plan.begin, plan.end) == ([], [])

    def test_there_and_back_on_one_day(self, on, now, administrator):
        adopt_pack("b", start=on, by=administrator, at=now)
        adopt_pack("a", start=on, by=administrator, at=now)

        assert {rule.slug for rule in routing.rules_on(on)} == {r.slug for r in packs()["a"].rules}

    def test_rules_that_decided_today_wait_for_tomorrow(self, on, now, administrator, tam):
        adopt_pack("b", start=on, by=administrator, at=now)
        decided(tam)

        with pytest.raises(Conflict):
            adopt_pack("a", start=on, by=administrator, at=now)
        adopt_pack("a", start=on + DAY, by=administrator, at=now)

    def test_not_backwards(self, on, now, administrator):
        with pytest.raises(Invalid):
            adopt_pack("b", start=on - DAY, by=administrator, at=now)

    @pytest.mark.parametrize("day", ["", "soon", "2000-01-01"])
    def test_a_wrong_day_comes_back(self, browser, day):
        assert browser.post(f"{RULES}packs/b/", {"start": day}).status_code == 422

    def test_there_is_no_such_pack(self, browser):
        assert browser.get(f"{RULES}packs/z/").status_code == 404


class TestList:
    def test_rules_of_a_day_with_how_often_they_stood(self, browser, tam, on):
        decided(tam)
        page = browser.get(RULES).content.decode()

        assert "Regular support, tiers 1 to 4" in page
        assert "0 of 1 overridden" in page
        early = browser.get(RULES, {"on": "1999-01-01"}).content.decode()
        assert "No rule is in force" in early

    def test_a_day_that_is_none_is_said_and_kept(self, browser):
        page = browser.get(RULES, {"on": "yesterday"}).content.decode()

        assert "is not a day" in page
        assert 'value="yesterday"' in page
