"""Board packs: what they say, that they are kept, made once and told once."""

import copy
import datetime as dt
import io
from fractions import Fraction

import pytest
import time_machine
from django.core.management import CommandError, call_command
from django.urls import reverse

from config.lib.errors import Conflict
from events.models import Event, Notice, OutboxMessage
from events.services.notices import set_how
from metrics.models import BoardPack, MetricRun
from metrics.rules.packs import Month, digest_of, months_until
from metrics.selectors import packs
from metrics.selectors.pack_document import document
from metrics.services.packs import make_due, make_pack
from metrics.tasks import monthly_packs
from people.models import Role, system_user
from tests.factories import ServiceRequestFactory, UserFactory
from tests.metrics.scene import compute, customer, day, learn, moment, read

pytestmark = pytest.mark.django_db
MARCH = Month.parse("2026-03")
MADE = moment("04-01T09:43")


@pytest.fixture
def month():
    """Two months ends: of ten accounts six passed, then eight of eleven."""
    learn("02-01")
    norvik = customer(79, at="02-20", name="Norvik")
    tarn = customer(70, at="02-20", name="Tarn")
    meridian = customer(85, at="02-20", name="Meridian")
    for number in range(5):
        customer(90, at="02-20", name=f"Stays {number}")
    customer(50, at="02-20", name="Below")
    customer(None, name="Silent")
    compute("02-28")
    learn("03-10")
    read(norvik, 86, "03-10")
    tarn.subscriptions.update(seats=80)
    read(meridian, 70, "03-11")
    customer(88, at="03-12", name="Vantor")
    compute("03-31")
    return {"norvik": norvik, "tarn": tarn}


@pytest.fixture
def readers(db):
    return [UserFactory(roles=[Role.LEADERSHIP]), UserFactory(roles=[Role.METRIC_OWNER])]


def made(at=MADE, by=None):
    return make_pack(MARCH, by=by or system_user(), at=at)


def gathered(at=MADE):
    return packs.gathered(MARCH, at=at).told


def test_months_are_of_the_calendar():
    assert [str(each) for each in months_until(Month.parse("2026-01"), 3)] == [
        "November 2025", "December 2025", "January 2026",
    ]  # fmt: skip
    assert Month.parse("2028-02").last == dt.date(2028, 2, 29)
    for wrong in ("2026-13", "2026-1", "2026-00", "1-1", "9999-01", "2026-01-01"):
        with pytest.raises(ValueError, match="month"):
            Month.parse(wrong)


def test_a_digest_is_over_the_content_and_every_run():
    told = {"number": 1, "runs": []}
    first = digest_of(told, ["a", "b"])
    assert digest_of(dict(reversed(told.items())), ["b", "a"]) == first
    assert digest_of(told, ["a", "c"]) != first
    assert digest_of(told | {"number": 2}, ["a", "b"]) != first


def test_the_parts_sum_to_the_change(month):
    told = gathered()["change"]
    delta = Fraction(told["delta"])
    number = gathered()["number"]
    before = told["before"]
    assert delta == Fraction(number["numerator"], number["denominator"]) - Fraction(
        before["numerator"], before["denominator"]
    )
    assert sum(Fraction(each["value"]) for each in told["causes"]) == delta
    assert Fraction(told["earned"]) + Fraction(told["unearned"]) == delta
    sides = [told["up"], told["down"]]
    shown = sum(Fraction(each["value"]) for side in sides for each in side["accounts"])
    assert shown + sum(Fraction(side["rest"]["value"]) for side in sides) == delta
    assert {each["cause"] for each in told["causes"]} == {
        "seats_gained", "seats_lost", "licences_shrank", "new_customer",
    }  # fmt: skip


def test_contraction_is_told_apart(month):
    told = gathered()
    assert [each["name"] for each in told["change"]["contraction"]["accounts"]] == ["Tarn"]
    words = " ".join(document(told).summary)
    assert "Contraction, not progress" in words
    assert "Tarn" in words


def test_it_says_who_crossed_and_who_is_near(month):
    flips = gathered()["flips"]
    assert {each["name"] for each in flips["crossed"]["accounts"]} == {"Norvik", "Tarn"}
    assert [each["name"] for each in flips["fell"]["accounts"]] == ["Meridian"]
    nearest = flips["closest"]["accounts"][0]
    assert (nearest["name"], nearest["seats"]) == ("Meridian", 10)
    assert flips["closest"]["count"] == 2


def test_the_trend_has_thirteen_months_and_gaps(month):
    trend = gathered()["trend"]
    assert len(trend) == 13
    assert [each["month"] for each in trend if each["run"]] == ["2026-02", "2026-03"]


def test_work_of_the_month_is_counted(month, tam):
    inside = {"account": month["norvik"], "filed_by": tam, "state": "submitted"}
    ServiceRequestFactory(submitted_at=moment("03-05T10:00"), **inside)
    ServiceRequestFactory(submitted_at=moment("02-05T10:00"), **inside)
    ServiceRequestFactory(submitted_at=moment("04-01T10:00"), **inside)
    assert gathered()["requests"]["filed"] == 1


def test_what_is_not_there_is_said(month):
    words = str(document(gathered()).as_json())
    for each in ("No project was delivered", "No work stood on a leader", "none is set",
                 "No run of the month was held"):  # fmt: skip
        assert each in words


def test_a_pack_is_kept_as_it_was_shown(month, login, leadership):
    pack = made()
    told, pdf = copy.deepcopy(pack.told), bytes(pack.pdf)
    learn("04-03")
    month["norvik"].subscriptions.update(seats=200)
    compute("03-31", "04-05")
    again = BoardPack.objects.get(pk=pack.pk)
    assert (again.told, bytes(again.pdf)) == (told, pdf)

    page = login(leadership).get(reverse("metrics:pack", args=[MARCH]))
    text = " ".join(page.content.decode().split())
    assert "Since then: revision 2 of 31 Mar" in text
    second = made(at=moment("04-06"))
    assert (second.edition, second.told["number"]["revision"]) == (2, 2)
    old = login(leadership).get(reverse("metrics:pack", args=[MARCH]) + "?edition=1")
    assert "This is edition 1, as it was shown" in " ".join(old.content.decode().split())


def test_the_same_again_is_no_edition(month):
    made()
    with pytest.raises(Conflict, match="Nothing has changed since edition 1"):
        made(at=moment("04-02"))


def test_a_month_waits_for_its_last_day(month):
    with pytest.raises(Conflict, match="not over"):
        made(at=moment("03-31T12:00"))
    with pytest.raises(Conflict, match="30 Apr 2026, the month's last day, has not been"):
        make_pack(MARCH.after, by=system_user(), at=moment("05-02"))


def test_a_held_run_is_waited_for(month):
    MetricRun.objects.filter(day=MARCH.last).update(status="held", published_at=None)
    with pytest.raises(Conflict, match="is held"):
        made()
    make_due(by=system_user(), at=moment("04-05"))
    assert not BoardPack.objects.filter(month=MARCH.first).exists()


def test_the_task_makes_each_month_once(month, readers):
    with time_machine.travel(moment("04-01T00:43"), tick=False):
        # The month before is caught up; of March the figures are not there yet.
        assert monthly_packs() == 1
    with time_machine.travel(moment("04-04T00:43"), tick=False):
        assert monthly_packs() == 1
        assert monthly_packs() == 0
    assert list(BoardPack.objects.order_by("month").values_list("month", "edition")) == [
        (day("02-01"), 1), (day("03-01"), 1),
    ]  # fmt: skip
    assert Event.objects.filter(verb="pack.made").count() == 2


def test_its_readers_are_told_once(month, readers, tam):
    set_how(readers[1], {"board_pack": "here"})
    pack = made()
    assert pack.mailed_at == MADE
    told = Notice.objects.filter(kind="board_pack")
    assert {each.to for each in told} == set(readers)
    assert OutboxMessage.objects.filter(topic="email").count() == 1
    notice = told.first()
    assert "March 2026" in notice.title
    assert "of customers above $50K ARR, 8 of 11" in notice.body
    assert notice.path.startswith("/metric/packs/2026-03/")
    with pytest.raises(Conflict):
        made()
    assert told.count() == 2


def test_verify_tells_what_was_revised_since(month):
    made()
    out = io.StringIO()
    call_command("verify_pack", "2026-03", stdout=out)
    assert "The ledger gives the same" in out.getvalue()
    learn("04-10")
    read(month["norvik"], 10, "03-30")
    compute("03-31", "04-11")
    out = io.StringIO()
    call_command("verify_pack", "2026-03", stdout=out)
    assert "revision 1 was shown, revision 2 stands now" in out.getvalue()
    with pytest.raises(CommandError, match="no board pack of April"):
        call_command("verify_pack", "2026-04")


def test_verify_finds_what_was_edited(month):
    pack = made()
    assert packs.verified(pack).holds
    pack.told["number"]["numerator"] = 11
    verdict = packs.verified(pack)
    assert (verdict.is_whole, verdict.differs) == (False, ["number"])


def test_verify_finds_a_run_that_the_ledger_has_otherwise(month):
    pack = made()
    pack.told["runs"][-1]["digest"] = "0" * 64
    pack.told["runs"][0]["revision"] = 9
    verdict = packs.verified(pack)
    assert not verdict.holds
    assert "revision 9: not in the ledger" in verdict.amiss[0]
    assert "digest of its inputs differ" in verdict.amiss[1]


def test_its_paper_is_a_tagged_pdf(month, login, tam):
    pack = made()
    assert bytes(pack.pdf).startswith(b"%PDF-")
    assert b"/StructTreeRoot" in bytes(pack.pdf)
    answer = login(tam).get(reverse("metrics:pack-pdf", args=[MARCH]))
    assert answer["Content-Type"] == "application/pdf"
    assert "board-pack-2026-03-edition-1.pdf" in answer["Content-Disposition"]
    assert answer.content == bytes(pack.pdf)


def test_a_month_so_far_is_shown_to_who_may_make_one(month, login, leadership, tam):
    with time_machine.travel(moment("03-31T12:00"), tick=False):
        address = reverse("metrics:pack", args=[MARCH])
        compute("03-30")
        page = login(leadership).get(address)
        assert page.status_code == 200
        assert "March 2026 so far" in page.content.decode()
        paper = login(leadership).get(reverse("metrics:pack-pdf", args=[MARCH]))
        assert paper.content.startswith(b"%PDF-")
        assert login(tam).get(address).status_code == 404
        refused = login(leadership).post(address, follow=True)
        assert "Not made. March 2026 is not over." in refused.content.decode()
    assert not BoardPack.objects.exists()
    assert not Notice.objects.exists()


def test_pages_by_hand(month, login, metric_owner, tam):
    with time_machine.travel(moment("04-20"), tick=False):
        owner = login(metric_owner)
        listing = owner.get(reverse("metrics:packs")).content.decode()
        assert "No board pack yet" in listing
        assert "Make it now" in listing
        address = reverse("metrics:pack", args=[MARCH])
        assert login(tam).post(address).status_code == 403
        page = owner.post(address, follow=True).content.decode()
        assert "Made: edition 1 of March 2026" in page
        for heading in ("In short", "What moved it", "Promises not kept", "Where this comes from"):
            assert heading in page
        assert 'role="img"' in page
        assert "72.7%" in owner.get(reverse("metrics:packs")).content.decode()
        for wrong in ("0", "9", "x", "1e9"):
            assert owner.get(f"{address}?edition={wrong}").status_code == 404
        assert owner.get("/metric/packs/2026-13/").status_code == 404


def test_the_api_has_them(month, api_client, leadership):
    pack = made()
    client = api_client(leadership, "metrics:read")
    (row,) = client.get("/api/v1/board-packs/?month=2026-03-01").json()["results"]
    assert (row["month"], row["edition"], row["value"]) == ("2026-03-01", 1, "0.727272")
    assert row["digest"] == pack.digest
    assert "told" not in row
    detail = client.get(f"/api/v1/board-packs/{row['id']}/").json()
    assert detail["told"]["number"]["numerator"] == 8
    paper = client.get(row["pdf"])
    assert paper.content == bytes(pack.pdf)
