"""Alerts and their rules in the browser."""

import pytest

from metrics.models import Alert, AlertRule
from tests.factories import AlertFactory
from tests.metrics.alarms import ask, rule, run
from tests.metrics.pages import said as text_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("morning")]
ALERTS, RULES = "/metric/alerts/", "/metric/alert-rules/"
FORM = {
    "kind": "fell", "value": "3", "days": "7", "tells": ["leadership"], "note": "Ask Tariq.",
    "do": "save",
}  # fmt: skip


@pytest.fixture
def alert(leadership):
    rule("fell", "0.05", days=7, note="Look at the readings.")
    run("03-12", 70)
    run("03-19", 64)
    ask("03-19")
    return Alert.objects.get()


def test_the_list_says_what_is_so_and_where_to_look(login, tam, alert):
    page = login(tam).get(ALERTS)
    text = text_of(page)
    assert "Fell 6 points in 7 days, from 70.0% to 64.0%; the rule says 5." in text
    html = page.content.decode()
    assert 'href="/metric/?as_of=2026-03-19"' in html
    assert 'href="/metric/changes/?as_of=2026-03-19&amp;vs=2026-03-12"' in html


def test_the_list_is_narrowed_to_a_number(login, tam, alert):
    client = login(tam)
    other = AlertFactory()
    both = text_of(client.get(ALERTS))
    assert other.says[:10] in both
    one = text_of(client.get(f"{ALERTS}?metric=seats-deployed"))
    assert other.says not in one
    assert "Fell 6 points" in one
    assert client.get(f"{ALERTS}?metric=nothing%00").status_code == 200


def test_nothing_is_open(login, tam):
    assert "No alert is open" in text_of(login(tam).get(ALERTS))


def test_one_is_snoozed_with_a_reason_and_woken(login, leadership, alert):
    client, url = login(leadership), f"{ALERTS}{alert.uuid}/"
    move = f"{url}moves/snooze/"
    wrong = client.post(move, {"until": "2026-03-25", "reason": ""})
    assert wrong.status_code == 422
    assert 'value="2026-03-25"' in wrong.content.decode()
    assert "Say why." in text_of(wrong)
    long = client.post(move, {"until": "2027-03-25", "reason": "Telemetry is late."})
    assert "90 days" in text_of(long)
    assert "Telemetry is late." in text_of(long)
    done = client.post(move, {"until": "2026-03-25", "reason": "Telemetry is late."}, follow=True)
    text = text_of(done)
    assert "Snoozed until 25 Mar." in text
    assert "Telemetry is late." in text
    assert "Snoozed" in text_of(client.get(ALERTS))
    client.post(f"{url}moves/wake/")
    alert.refresh_from_db()
    assert alert.state == "open"
    # A form that was open in another tab.
    assert client.post(f"{url}moves/wake/", follow=True).status_code == 200


def test_who_may_not_snooze_reads_why(login, tam, alert):
    client = login(tam)
    assert "can snooze an alert" in text_of(client.get(f"{ALERTS}{alert.uuid}/"))
    answer = client.post(f"{ALERTS}{alert.uuid}/moves/snooze/", {"until": "2026-03-25"})
    assert answer.status_code == 403
    for name in ("end", "raise_again", "nothing"):
        assert client.post(f"{ALERTS}{alert.uuid}/moves/{name}/").status_code == 404


def test_the_dashboard_and_my_work_say_so(login, leadership, metric_owner, tam, alert):
    says = "Customer Seats Deployed: fell 6 points"
    assert says in text_of(login(tam).get("/metric/"))
    assert says not in text_of(login(tam).get("/metric/?as_of=2026-03-12"))
    for person in (leadership, metric_owner):
        assert "Customer Seats Deployed needs a look" in text_of(login(person).get("/"))
    assert "needs a look" not in text_of(login(tam).get("/"))


def test_a_rule_is_tried_then_made(login, metric_owner, alert):
    client = login(metric_owner)
    assert "Customer Seats Deployed" in text_of(client.get(f"{RULES}new/"))
    new = f"{RULES}new/?metric=seats-deployed"
    assert client.get(new).status_code == 200
    tried = text_of(client.post(new, {**FORM, "do": "preview"}))
    assert "True on 1 of the last 1 day with a number." in tried
    assert AlertRule.objects.count() == 1
    client.post(new, FORM)
    made = AlertRule.objects.latest("pk")
    assert (made.kind, str(made.value), made.days) == ("fell", "0.030000", 7)
    text = text_of(client.get(RULES))
    assert "Customer Seats Deployed falls by at least 3 points in 7 days" in text
    assert "Ask Tariq." in text


@pytest.mark.parametrize(
    ("sent", "says"),
    [
        ({"value": "many"}, "is not a number"),
        ({"value": "101"}, "A share is at most 1"),
        ({"value": ""}, "Say how much."),
        ({"days": ""}, "Say in how many days."),
        ({"days": "9" * 30}, "366"),
        ({"tells": []}, "at least one role"),
        ({"tells": ["king"]}, "no such role"),
        ({"kind": "jumped"}, "Choose one of these."),
        ({"note": "a\x00b"}, "control"),
    ],
)
def test_what_is_wrong_comes_back(login, metric_owner, sent, says):
    before = AlertRule.objects.count()
    new = f"{RULES}new/?metric=seats-deployed"
    answer = login(metric_owner).post(new, {**FORM, "value": "2.5", **sent})
    assert answer.status_code == 422
    assert says in text_of(answer)
    assert sent.get("value", "2.5") in answer.content.decode()
    assert AlertRule.objects.count() == before


def test_money_and_counts_are_typed_as_such(login, leadership):
    slug = next(iter(AlertRule.objects.filter(slug="arr-at-risk").values_list("slug", flat=True)))
    client = login(leadership)
    new = f"{RULES}new/?metric={slug}"
    sent = {**FORM, "kind": "rose", "value": "1,250,000", "days": "30"}
    client.post(new, sent)
    made = AlertRule.objects.latest("pk")
    assert (made.slug, made.value) == (slug, 1_250_000)
    shown = text_of(client.get(RULES))
    assert "rises by at least $1,250,000 in 30 days" in shown
    assert "The number has no run yet. The rule waits for one." in shown
    assert 'value="1250000' in client.get(f"{RULES}{made.uuid}/edit/").content.decode()


def test_a_rule_is_changed_from_what_was_seen_and_switched_off(login, leadership, alert):
    client, url = login(leadership), f"{RULES}{alert.rule.uuid}/"
    page = client.get(f"{url}edit/")
    assert 'value="5"' in page.content.decode()
    changed = {**FORM, "value": "4", "version": "1"}
    client.post(f"{url}edit/", changed)
    stale = client.post(f"{url}edit/", {**changed, "value": "6"})
    assert (stale.status_code, 'value="6"' in stale.content.decode()) == (412, True)
    assert AlertRule.objects.get().value * 100 == 4
    client.post(f"{url}switch/")
    alert.refresh_from_db()
    assert (alert.state, AlertRule.objects.get().is_active) == ("over", False)
    assert "Switch on" in text_of(client.get(RULES))
    client.post(f"{url}switch/", {"active": "yes"})
    assert AlertRule.objects.get().is_active


def test_who_may_not_change_rules_reads_them(login, tam):
    text = text_of(login(tam).get(RULES))
    assert "Only the metric owner and leadership" in text
    assert "New rule" not in text
