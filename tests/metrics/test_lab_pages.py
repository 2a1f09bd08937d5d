"""The pages of the definition lab, and the page of a definition."""

import re

import pytest
from django.core.management import call_command

from metrics.demo import lab as told
from metrics.models import DefinitionProposal, MetricDefinition
from metrics.rules.examples import EXAMPLES
from metrics.selectors import lab
from metrics.services import backtests, proposals
from metrics.views.lab_words import difference
from tests.metrics.scene import compute, customer, day, learn, moment

AT = moment("03-20T12:00")


@pytest.fixture(autouse=True)
def _then(time_machine):
    time_machine.move_to(AT, tick=False)


@pytest.fixture
def ledger(db):
    learn("01-01")
    accounts = [customer(seats, name=name) for name, seats in
                (("Alder", 85), ("Birch", 77), ("Cedar", 50))]  # fmt: skip
    for each in ("03-10", "03-11", "03-12"):
        compute(each)
    return accounts


@pytest.fixture
def base(ledger):
    return MetricDefinition.objects.get(slug="seats-deployed", number=1)


@pytest.fixture
def proposal(base, metric_owner):
    made = proposals.create_proposal(
        base,
        {"policy": {"share_percent": 75}, "text": "Three of four.", "why": "The board asked."},
        by=metric_owner,
        at=AT,
    )
    test = backtests.start_backtest(made, by=metric_owner, at=AT)
    backtests.run(test.pk, clock=lambda: AT)
    return made


def form_of(base, **changed):
    policy = {
        "min_arr": "50000", "share_percent": "80", "stale_days": "60", "grace_days": "0",
        **{f"source_order_{n}": name for n, name in enumerate(base.policy["source_order"], 1)},
    }  # fmt: skip
    return {
        "metric": base.slug, "version": "1", "title": base.title, "slug": base.slug,
        "text": base.text, "owner": base.owner, "effective_on": "2026-04-01", "why": "",
        **policy, **changed,
    }  # fmt: skip


def test_without_a_proposal_the_list_says_what_the_lab_is_for(db, login, metric_owner, tam):
    assert "Nothing is proposed yet" in text_of(login(metric_owner).get("/metric/lab/"))
    page = text_of(login(tam).get("/metric/lab/"))
    assert "Only the metric owner can propose a definition" in page
    assert "Propose a definition</a>" not in page


def test_what_waits_for_a_decision_is_on_my_work_of_leadership(
    proposal, login, metric_owner, leadership
):
    says = f"Decide on a definition: {proposal.number}"
    assert says not in text_of(login(leadership).get("/"))
    proposals.move(proposal, "propose", by=metric_owner, at=AT)
    assert says in text_of(login(leadership).get("/"))
    assert says not in text_of(login(metric_owner).get("/"))


def test_a_draft_is_begun_from_a_version(base, login, metric_owner):
    client = login(metric_owner)
    assert "Customer Seats Deployed, definition 1" in text_of(client.get("/metric/lab/new/"))
    assert client.get("/metric/lab/new/?metric=seats-deployed&version=9").status_code == 404

    answer = client.post("/metric/lab/new/", form_of(base, share_percent="75"))

    made = DefinitionProposal.objects.get()
    assert answer.url == f"/metric/lab/DEF-{made.pk}/"
    assert (made.policy["share_percent"], made.effective_on) == (75, day("04-01"))
    page = text_of(client.get(answer.url))
    assert "The parameters changed and the text did not" in page
    assert "It was not back-tested" in page


def test_what_was_typed_comes_back_beside_what_is_wrong(base, login, metric_owner):
    answer = login(metric_owner).post(
        "/metric/lab/new/",
        form_of(base, share_percent="101", title="My title", source_order_1="api"),
    )

    page = text_of(answer)
    assert answer.status_code == 422
    assert 'value="101"' in page
    assert 'value="My title"' in page
    assert "Choose each source once." in page
    assert not DefinitionProposal.objects.exists()


def test_grace_says_why_it_has_to_be_a_second_number(base, login, metric_owner):
    answer = login(metric_owner).post("/metric/lab/new/", form_of(base, grace_days="90"))

    assert answer.status_code == 422
    assert "Grace would move Customer Seats Deployed without a seat deployed" in text_of(answer)


def test_the_text_is_written_from_the_parameters_and_nothing_is_saved(base, login, metric_owner):
    sent = form_of(base, share_percent="75", text="Mine.", do="suggest")
    answer = login(metric_owner).post("/metric/lab/new/", sent)

    page = text_of(answer)
    assert answer.status_code == 200
    assert "38 of 51 is not 75%" in page
    assert "Mine." not in page
    assert not DefinitionProposal.objects.exists()


def test_a_draft_is_changed_from_the_version_that_was_read(proposal, base, login, metric_owner):
    client, path = login(metric_owner), f"/metric/lab/DEF-{proposal.pk}/edit/"
    assert 'value="75"' in text_of(client.get(path))
    assert client.post(path, form_of(base, version="1", share_percent="70")).status_code == 302
    stale = client.post(path, form_of(base, version="1", share_percent="65"))

    assert stale.status_code == 412
    assert 'value="65"' in text_of(stale)
    proposal.refresh_from_db()
    assert proposal.policy["share_percent"] == 70


def test_the_page_tells_what_it_would_come_to(proposal, login, tam):
    page = text_of(login(tam).get(f"/metric/lab/DEF-{proposal.pk}/"))

    for words in (
        "33.3%", "66.7%", "1 of 3", "2 of 3", "on trial", "definition 1, revision 1",
        "1 pass, 0 pass no more", "As published, solid", "As proposed, dashed",
        "<del>The", "<ins><u>Three", "Deployed of licensed, at least", "80%", "75%",
    ):  # fmt: skip
        assert words in page, words
    # The chart's figures stand in a table, and readers find no button.
    assert len(re.findall(r"10 Mar 2026|11 Mar 2026|12 Mar 2026", page)) >= 3
    assert "moves/propose" not in page
    assert "Only the metric owner who began this proposal" in page


def test_the_accounts_that_change_side(proposal, login, tam):
    client = login(tam)
    page = text_of(client.get(f"/metric/lab/DEF-{proposal.pk}/sides/?day=2026-03-11"))
    assert "Birch" in page
    assert "Alder" not in page
    assert "77 of 100 seats" in page
    assert "That day was not back-tested" in text_of(
        client.get(f"/metric/lab/DEF-{proposal.pk}/sides/?day=2025-03-11")
    )

    file = client.get(f"/metric/lab/DEF-{proposal.pk}/sides.csv?day=2026-03-11")
    header, row = b"".join(file.streaming_content).decode("utf-8-sig").splitlines()[:2]
    assert header.startswith("day,account,external_id,name,change,was,is_proposed,why_was")
    assert ",Birch,Pass now,fails,passes,Below the line,Reaches the line,77,100,77,100,1," in row


def test_a_back_test_is_begun_watched_and_stopped(base, login, metric_owner, tam):
    made = proposals.create_proposal(
        base, {"policy": {"share_percent": 75}}, by=metric_owner, at=AT
    )
    client, path = login(metric_owner), f"/metric/lab/DEF-{made.pk}/"
    assert login(tam).post(f"{path}backtest/").status_code == 403
    client.post(f"{path}backtest/", {"first_day": "nonsense"})
    assert not made.backtests.exists()
    client.post(f"{path}backtest/", {"first_day": "2026-03-11", "last_day": "2026-03-12"})
    page = text_of(client.get(path))
    assert 'hx-trigger="every 2s"' in page
    assert "0 of 2 days" in page
    part = client.get(f"{path}backtest/progress/", headers={"HX-Target": "backtest"})
    assert text_of(part).lstrip().startswith('<div id="backtest"')
    assert client.get(f"{path}backtest/progress/").status_code == 302

    client.post(f"{path}backtest/stop/")
    assert lab.newest_test(made).progress == "stopped"
    assert "Go on" in text_of(client.get(path))


def test_it_is_proposed_and_decided_on_pages(proposal, login, metric_owner, leadership):
    path = f"/metric/lab/DEF-{proposal.pk}/"
    assert login(leadership).get(f"{path}moves/propose/").status_code == 403
    login(metric_owner).post(f"{path}moves/propose/", {"version": "1"})
    page = text_of(login(leadership).get(path))
    assert "Leadership decides, but never who proposed it" in page
    refused = login(leadership).post(f"{path}moves/reject/", {"version": "2", "reason": ""})
    assert refused.status_code == 422
    stale = login(leadership).post(f"{path}moves/approve/", {"version": "1"})
    assert stale.status_code == 412
    done = login(leadership).post(f"{path}moves/approve/", {"version": "2"})

    assert done.url == path
    proposal.refresh_from_db()
    assert (proposal.state, proposal.made.number) == ("approved", 2)
    assert login(leadership).get(f"{path}moves/nothing/").status_code == 404


def test_a_definition_has_its_versions_and_both_series(proposal, login, metric_owner, leadership):
    client = login(metric_owner)
    page = text_of(client.get("/metric/definition/?metric=seats-deployed"))
    assert f"As DEF-{proposal.pk} would have it" in page
    for example in EXAMPLES[:3]:
        assert example.title.replace("'", "&#x27;") in page
    proposals.move(proposal, "propose", by=metric_owner, at=AT)
    proposals.move(proposal, "approve", by=leadership, at=AT)

    page = text_of(client.get("/metric/definition/?metric=seats-deployed&version=2"))

    assert "Both versions" in page
    assert "Definition 2, solid" in page
    assert "Definition 1, dashed" in page
    assert "until 21 Mar 2026" in page


@pytest.mark.parametrize("slug", ["requests-declined", "increments-on-time"])
def test_every_number_has_a_page_of_its_definition(slug, login, tam):
    page = text_of(login(tam).get(f"/metric/definition/?metric={slug}"))

    assert MetricDefinition.objects.get(slug=slug).title in page
    assert "Worked examples" not in page


@pytest.mark.parametrize("query", ["metric=nothing", "metric=a%00b", "version=0", "version=x"])
def test_a_definition_that_is_not_there(query, login, tam):
    assert login(tam).get(f"/metric/definition/?{query}").status_code == 404


def test_two_texts_beside_each_other():
    found = difference(
        "One **two** three.\n\n1. Same\n   2. wrapped\n2. Gone",
        "One two four.\n\n1. Same 2. wrapped",
    )

    assert [[(piece.how, piece.words) for piece in each.pieces] for each in found] == [
        [("", "One two"), ("del", "three."), ("ins", "four.")],
        [("", "1. Same 2. wrapped")],
        [("del", "2. Gone")],
    ]


@pytest.mark.django_db
def test_the_printed_definitions_are_those_that_are_shipped():
    call_command("print_definitions", check=True)


def test_the_demo_tells_of_four_proposals(base, metric_owner, leadership):
    told.tell(now=AT)

    found = list(DefinitionProposal.objects.all())
    assert sorted(each.state for each in found) == [
        "approved", "draft", "proposed", "rejected",
    ]  # fmt: skip
    assert MetricDefinition.objects.filter(slug="seats-deployed", number=2).count() == 0
    second = MetricDefinition.objects.get(slug="seats-deployed-established")
    assert (second.number, second.policy["grace_days"]) == (1, 90)
    assert lab.test_of(next(each for each in found if each.state == "proposed"))


def text_of(answer):
    return answer.content.decode()
