"""Statements of work and certificates as PDF."""

import datetime as dt

import pytest
import typst

from config.lib.outline import outline
from engagements.models import SignOff
from engagements.services import papers
from tests.engagements.ready import Stage

pytestmark = pytest.mark.django_db
HOSTILE = '#panic("x") $x$ *b* @ref <label> `r` \\ // /* #import "x" \x7f ] } " \u202e'


@pytest.fixture
def stage():
    stage = Stage()
    stage.at("signed_off")
    return stage


@pytest.fixture
def sent(monkeypatch):
    """What goes to the typesetter, which still does its work."""
    seen = []

    def compile_(path, **options):
        seen.append(options)
        return real(path, **options)

    real = typst.compile
    monkeypatch.setattr(typst, "compile", compile_)
    return seen


def test_the_same_version_gives_the_same_bytes(stage):
    sow = stage.request.sows.get()
    first = papers.sow_pdf(sow)
    assert first.startswith(b"%PDF-")
    assert papers.sow_pdf(sow) == first


def test_it_says_what_is_promised_and_its_hash(stage, sent):
    sow = stage.request.sows.get()
    papers.sow_pdf(sow)
    data = sent[0]["sys_inputs"]["data"]
    for words in ("SAML sign-in for plant accounts", "4 Dec 2026", "You maintain it",
                  "What you will get", stage.account.name):  # fmt: skip
        assert words in data
    assert sow.digest in data.replace("\\u200b", "")
    assert sent[0]["ignore_system_fonts"]


def test_what_people_write_is_never_markup(stage):
    sow = stage.request.sows.get()
    row = dict.fromkeys(("key", "what", "detail", "by_whom", "by_when"), HOSTILE)
    sow.content = sow.content | {
        "title": HOSTILE,
        "needs": [HOSTILE, "x" * 400, "漢字 مرحبا 🎉"],
        "deliverables": [row | {"by_when": "2026-12-04"}] * 50,
        "maintenance": {"owner": "de", "depends_on_server_version": True, "text": HOSTILE * 20},
        "amount": "12000.50",
        "deemed_acceptance_days": 10,
    }
    assert papers.sow_pdf(sow).startswith(b"%PDF-")


def test_an_empty_draft_is_a_paper_too(stage):
    sow = stage.request.sows.get()
    sow.frozen_at, sow.content = None, {}
    assert papers.sow_pdf(sow).startswith(b"%PDF-")


def test_a_certificate_says_who_how_and_when(stage, sent):
    SignOff.objects.update(
        receipt="K7QF-2M9X-RT4B-WD3H", party_email="kari@halden.example", code_checked=True,
        answered_at=dt.datetime(2026, 10, 26, 9, 42, 7, tzinfo=dt.UTC),
    )  # fmt: skip
    papers.certificate_pdf(stage.request.sign_offs.get())
    data = sent[0]["sys_inputs"]["data"].replace("\\u200b", "")
    for words in ("Kari Solberg", "kari@halden.example", "By the emailed link",
                  "26 Oct 2026, 09:42:07 UTC", "K7QF-2M9X-RT4B-WD3H", "Unchanged",
                  "code that was sent to the mailbox"):  # fmt: skip
        assert words in data


def test_a_certificate_has_only_what_is_on_the_record(stage, sent):
    SignOff.objects.update(party_name="", party_title="", party_email="", ip="")
    papers.certificate_pdf(stage.request.sign_offs.get())
    data = sent[0]["sys_inputs"]["data"]
    assert "No name is on the record." in data
    assert "Kari" not in data


def test_markdown_becomes_runs(stage):
    blocks = outline("**a** [b](https://a.example) [c](javascript:x)\n\n1. one\n   * two\n\n# h")
    assert [(block["kind"], block.get("mark")) for block in blocks] == [
        ("text", None), ("item", "1."), ("item", "•"), ("heading", None),
    ]  # fmt: skip
    assert blocks[0]["runs"][0] == {"text": "a", "strong": True, "code": False}
    assert blocks[0]["runs"][2] == {"text": "b", "href": "https://a.example", "code": False}
    assert "href" not in blocks[0]["runs"][3] or not blocks[0]["runs"][3]["href"]
