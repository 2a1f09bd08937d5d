"""What somebody may try with board packs, and what two people do at the same moment."""

import pytest
from django.db import DatabaseError, connection

from metrics.models import BoardPack, MetricRun
from metrics.rules.packs import Month
from metrics.selectors import packs
from metrics.services.packs import NothingNew, TooEarly, make_pack
from people.models import Role
from tests.factories import ServiceRequestFactory, WorkAtRiskFactory
from tests.metrics.scene import SLUG, compute, customer, day, learn, moment, read
from tests.metrics.together import at_once

MAKERS = {Role.LEADERSHIP, Role.METRIC_OWNER}
NAMES = [
    '#read("/etc/passwd")',
    "$x$ @ref <label> [*_`",
    "</script><svg onload=alert(1)>&amp;",
    "\\u{41} ]]> -- /* //",
]


class TestPacks:
    @pytest.fixture
    def month(self, db):
        learn("02-01")
        found = [customer(79, at="02-20", name=name) for name in NAMES]
        for name, account in zip(NAMES, found, strict=True):
            request = ServiceRequestFactory(
                account=account, title=name, state="submitted", submitted_at=moment("03-05T10:00")
            )
            WorkAtRiskFactory(request=request)
        compute("02-28")
        learn("03-10")
        for each in found:
            read(each, 86, "03-10")
        compute("03-31")

    def test_names_are_words_on_the_page_and_on_paper(self, month, login, leadership):
        pack = make_pack(Month.parse("2026-03"), by=leadership, at=moment("04-01T09:00"))
        assert bytes(pack.pdf).startswith(b"%PDF")
        text = login(leadership).get("/metric/packs/2026-03/").content.decode()
        assert "<svg onload" not in text
        assert "&lt;svg onload=alert(1)&gt;" in text

    def test_a_month_ahead_held_or_before_the_ledger_makes_none(self, month, leadership):
        at = moment("04-01T09:00")
        for key in ("2026-04", "2099-12", "1990-01", "2026-01"):
            with pytest.raises(TooEarly):
                make_pack(Month.parse(key), by=leadership, at=at)
        run = MetricRun.objects.get(definition__slug=SLUG, day=day("03-31"))
        MetricRun.objects.filter(pk=run.pk).update(status="held", published_at=None)
        with pytest.raises(TooEarly, match="held"):
            make_pack(Month.parse("2026-03"), by=leadership, at=at)

    @pytest.mark.parametrize("key", ["2026-13", "0000-00", "9999-01", "2026-3", "2026-03-01"])
    def test_a_month_that_is_none_is_no_page(self, key, db, login, leadership):
        client = login(leadership)
        for path in (f"/metric/packs/{key}/", f"/metric/packs/{key}/pack.pdf"):
            assert client.get(path).status_code == 404

    def test_without_a_role_nothing_is_handed_out(self, month, login, leadership, person):
        pack = make_pack(Month.parse("2026-03"), by=leadership, at=moment("04-01T09:00"))
        client = login(person())
        for path in ("/metric/packs/", "/metric/packs/2026-03/", "/metric/packs/2026-03/pack.pdf"):
            assert client.get(path).status_code == 403, path
        assert client.get(f"/api/v1/board-packs/{pack.uuid}/pdf/").status_code in {401, 403}

    def test_what_it_says_cannot_be_changed_behind_its_back(self, month, leadership):
        make_pack(Month.parse("2026-03"), by=leadership, at=moment("04-01T09:00"))
        with connection.cursor() as cursor, pytest.raises(DatabaseError):
            cursor.execute(
                "UPDATE metrics_boardpack SET told = jsonb_set(told, '{number,numerator}', '9')"
            )

    def test_a_month_without_an_eligible_account_has_a_pack_all_the_same(
        self, db, login, leadership
    ):
        learn("02-01")
        customer(50, status="prospect")
        compute("03-31")
        pack = make_pack(Month.parse("2026-03"), by=leadership, at=moment("04-01T09:00"))
        assert bytes(pack.pdf).startswith(b"%PDF")
        assert login(leadership).get("/metric/packs/2026-03/").status_code == 200

    @pytest.mark.django_db(transaction=True)
    def test_two_makes_at_once_are_one_edition(self, leadership, metric_owner):
        compute("03-31", known_at="04-01T01:00")
        at = moment("04-01T09:00")
        raised = at_once(
            lambda: make_pack(Month.parse("2026-03"), by=leadership, at=at),
            lambda: make_pack(Month.parse("2026-03"), by=metric_owner, at=at),
        )
        assert raised.count(None) == 1, raised
        assert any(isinstance(each, NothingNew) for each in raised), raised
        assert BoardPack.objects.get().edition == 1

    @pytest.mark.parametrize(
        "write",
        [
            dict.clear,
            lambda told: told.pop("runs"),
            lambda told: told.pop("number"),
            lambda told: told.update(trend=None),
            lambda told: told.update(runs=[{}]),
            lambda told: told["runs"][0].update(day="2026-02-31"),
            lambda told: told["runs"][0].update(version="x"),
            lambda told: told["runs"][0].update(revision=10**20),
            lambda told: told.update(risks=[]),
            lambda told: told["made"].update(by="Somebody else"),
        ],
    )
    def test_whatever_is_written_in_it_verifying_says_so(self, write, month, leadership):
        pack = make_pack(Month.parse("2026-03"), by=leadership, at=moment("04-01T09:00"))
        assert packs.verified(pack).holds
        pack.told["risks"] = pack.told["risks"] or [{"account": "Gone"}]
        write(pack.told)
        assert not packs.verified(pack).holds

    def test_another_paper_is_found_out(self, month, leadership):
        pack = make_pack(Month.parse("2026-03"), by=leadership, at=moment("04-01T09:00"))
        pack.pdf = bytes(pack.pdf).replace(b"%PDF-1.7", b"%PDF-1.6") + b" "
        verdict = packs.verified(pack)
        assert (verdict.holds, verdict.amiss) == (
            False, ["The paper is not the one that was made."],
        )  # fmt: skip

    @pytest.mark.parametrize("edition", ["0", "-1", "1e9", "99999999999", "%00", "%EF%BC%91", "2"])
    def test_an_edition_that_is_none_is_no_page(self, edition, month, login, leadership):
        make_pack(Month.parse("2026-03"), by=leadership, at=moment("04-01T09:00"))
        for path in ("", "pack.pdf"):
            address = f"/metric/packs/2026-03/{path}?edition={edition}"
            assert login(leadership).get(address).status_code == 404

    @pytest.mark.parametrize("role", sorted({*Role.values} - MAKERS))
    def test_who_may_not_make_one_reads_it_and_no_month_before_its_time(
        self, role, month, login, person
    ):
        client = login(person(role))
        path = "/metric/packs/2026-03/"
        assert client.post(path).status_code == 403
        assert client.get(path).status_code == 404
        assert client.get(f"{path}pack.pdf").status_code == 404
        assert not BoardPack.objects.exists()
