"""Pages of a statement of work: read, compared, written, changed; and its templates."""

import html
import re

import pytest

from engagements import selectors, services
from engagements.models import ChangeRequest, SowTemplate
from engagements.rules import sow as rules
from engagements.services import changing, sows
from events import workflow
from events.workflow import Given
from tests.engagements.ready import Stage

pytestmark = pytest.mark.django_db


@pytest.fixture
def stage():
    return Stage()


@pytest.fixture
def client(stage, login):
    return login(stage.filer)


def url(stage, rest=""):
    return f"/requests/{stage.request.number}/sow/{rest}"


def said(response):
    text = re.sub(r"<(script|style).*?</\1>", "", response.content.decode(), flags=re.DOTALL)
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", text)).split())


def form_of(sow, **changes):
    """Return what the editor sends, with `deliverables__0__what=` and the like put in."""
    sent = {
        "sow": sow.number, "version": sow.version, "title": sow.content["title"],
        "customer_owner": sow.content["customer_owner"],
        "timeframe__start": sow.content["timeframe"]["start"],
        "timeframe__end": sow.content["timeframe"]["end"],
        "maintenance__owner": sow.content["maintenance"]["owner"],
        "maintenance__depends_on_server_version": "false",
        "maintenance__text": "", "deemed_acceptance_days": "", "amount": "0.00",
        "currency": "USD", "note": sow.note,
    }  # fmt: skip
    for name in rules.LISTS:
        sent[name] = "\r\n".join(sow.content[name])
    for place, row in enumerate(sow.content["deliverables"]):
        sent |= {f"deliverables__{place}__{cell}": text for cell, text in row.items()}
    return sent | changes


@pytest.fixture
def draft(stage):
    stage.at("sow_drafting")
    return stage.request.sows.get()


@pytest.fixture
def two_versions(stage):
    """A version sent, and one after it in which a date, a need and a deliverable are others."""
    stage.at("signed_off")
    services.move(
        stage.request, "revise", by=stage.filer, at=stage.now, given=Given(reason="Dates")
    )
    sow = selectors.current_sow(stage.request)
    content = sow.content | {"needs": [*sow.content["needs"], "A contact on shift"]}
    rows = [dict(content["deliverables"][0], by_when="2026-12-02"), {"what": "Runbook"}]
    return sows.save_draft(sow, content | {"deliverables": rows}, by=stage.filer, at=stage.now).sow


class TestReading:
    def test_first_use_offers_templates(self, stage, client):
        workflow.place(stage.request, "sow_drafting")
        page = said(client.get(url(stage)))
        assert "No statement of work yet" in page
        assert "One-off script, plugin or integration" in page

    def test_others_are_told_who_writes_it(self, stage, login):
        workflow.place(stage.request, "sow_drafting")
        page = login(stage.engineer).get(url(stage))
        assert "Start writing" not in said(page)
        assert stage.filer.name in said(page)

    def test_the_document(self, stage, client, draft):
        page = said(client.get(url(stage)))
        for words in ("SAML sign-in for plant accounts", "4 Dec 2026", "Other identity providers",
                      "The customer maintains it", "All its parts are there"):  # fmt: skip
            assert words in page

    def test_a_customer_reads_it_in_other_words(self, stage, client, draft):
        page = said(client.get(url(stage, "?as=customer")))
        assert "What you will get" in page
        assert "You maintain it." in page

    def test_what_changed_is_marked_and_counted(self, stage, client, two_versions):
        response = client.get(url(stage, "?v=2&compare=1"))
        text = response.content.decode()
        assert '<del><span class="vh">removed: </span>4 Dec 2026</del>' in text
        assert '<ins><span class="vh">added: </span>2 Dec 2026</ins>' in text
        assert "3 changes" in said(response)

    def test_what_is_missing_is_named(self, stage, client, two_versions):
        page = said(client.get(url(stage)))
        assert "who delivers it (deliverable 2)" in page

    def test_markdown_of_people_is_harmless(self, stage, client, draft):
        row = draft.content["deliverables"][0]
        evil = "<script>alert(1)</script> [x](javascript:alert(1)) **bold**"
        content = draft.content | {"deliverables": [row | {"detail": evil}], "needs": [evil]}
        sows.save_draft(draft, content, by=stage.filer, at=stage.now)
        text = client.get(url(stage)).content.decode()
        assert "<script>alert" not in text
        assert 'href="javascript' not in text
        assert "<strong>bold</strong>" in text

    @pytest.mark.parametrize("query", ["?v=9", "?v=x", "?compare=9", "?v=1&compare=-1"])
    def test_a_version_that_is_not_there_is_not_found(self, stage, client, draft, query):
        assert client.get(url(stage, query)).status_code == 404

    def test_the_toggle_answers_a_fragment(self, stage, client, two_versions):
        response = client.get(
            url(stage, "?v=2"), headers={"HX-Request": "true", "HX-Target": "sow"}
        )
        assert response.content.decode().lstrip().startswith('<div class="stack" id="sow">')

    def test_versions_say_what_became_of_them(self, stage, client, two_versions):
        page = said(client.get(url(stage)))
        assert re.search(r"v2 .*Draft v1 .*Signed", page)

    def test_the_pdf(self, stage, client, draft):
        response = client.get(url(stage, "v1.pdf"))
        assert response.content.startswith(b"%PDF-")
        assert response.headers["Content-Type"] == "application/pdf"
        assert (
            f"{stage.request.number}-statement-of-work-v1.pdf"
            in response.headers["Content-Disposition"]
        )


class TestStarting:
    def test_from_a_template(self, stage, client):
        workflow.place(stage.request, "sow_drafting")
        template = SowTemplate.objects.get(type="one_off")
        response = client.post(
            url(stage, "start/"), {"template": str(template.uuid), "start": "2026-11-23"}
        )
        assert response.url == url(stage, "edit/")
        assert stage.request.sows.get().content["timeframe"]["start"] == "2026-11-23"

    def test_empty(self, stage, client):
        workflow.place(stage.request, "sow_drafting")
        client.post(url(stage, "start/"), {"template": ""})
        assert stage.request.sows.get().content["deliverables"] == []

    @pytest.mark.parametrize("sent", [{"template": "x"}, {"start": "soon"}])
    def test_nonsense_starts_nothing(self, stage, client, sent):
        workflow.place(stage.request, "sow_drafting")
        client.post(url(stage, "start/"), sent)
        assert not stage.request.sows.exists()

    def test_a_template_replaces_a_draft(self, stage, client, draft):
        template = SowTemplate.objects.get(type="critical")
        client.post(url(stage, "start/"), {"template": str(template.uuid)})
        draft.refresh_from_db()
        assert len(draft.content["deliverables"]) == 3

    def test_a_draft_is_thrown_away(self, stage, client, draft):
        client.post(url(stage, "discard/"))
        assert selectors.current_sow(stage.request) is None


class TestEditing:
    def test_shows_what_is_stored(self, stage, client, draft):
        text = client.get(url(stage, "edit/")).content.decode()
        assert 'value="SAML sign-in for plant accounts"' in text
        assert 'type="date" name="deliverables__0__by_when"' in text.replace("\n", " ") or (
            'name="deliverables__0__by_when" value="2026-12-04"' in text
        )

    def test_saves_and_shows_it(self, stage, client, draft):
        sent = form_of(draft, title="SAML for all", act="leave")
        assert client.post(url(stage, "edit/"), sent).url == url(stage)
        draft.refresh_from_db()
        assert draft.content["title"] == "SAML for all"

    def test_the_form_sent_as_it_is_changes_nothing(self, stage, client, draft):
        client.post(url(stage, "edit/"), form_of(draft, act="save"))
        version, content = draft.version, draft.content
        draft.refresh_from_db()
        assert (draft.version, draft.content) == (version, content)

    def test_what_was_typed_comes_back_with_its_error(self, stage, client, draft):
        sent = form_of(draft, timeframe__start="next week", amount="12,5", act="leave")
        response = client.post(url(stage, "edit/"), sent)
        assert response.status_code == 422
        assert "“next week” is not a day" in said(response)
        assert 'value="next week"' in response.content.decode()
        again = client.get(url(stage, "edit/"))
        assert "“12,5” is not a number" in said(again)

    def test_rows_are_added_moved_and_removed_without_a_script(self, stage, client, draft):
        response = client.post(url(stage, "edit/"), form_of(draft, act="add"))
        assert response.url == f"{url(stage, 'edit/')}?blank=1#deliverables"
        assert "Deliverable 2" in said(client.get(response.url))
        draft.refresh_from_db()
        sent = form_of(draft, deliverables__1__what="Runbook", act="up-1")
        client.post(url(stage, "edit/"), sent)
        draft.refresh_from_db()
        assert [row["what"] for row in draft.content["deliverables"]] == [
            "Runbook", "SAML sign-in for plant accounts",
        ]  # fmt: skip
        client.post(url(stage, "edit/"), form_of(draft, act="remove-0"))
        draft.refresh_from_db()
        assert [row["key"] for row in draft.content["deliverables"]] == ["d1"]

    @pytest.mark.parametrize(
        "act", ["up-0", "down-0", "up-9", "remove-x", "-", "fly", "remove-" * 9]
    )
    def test_a_button_that_cannot_be_does_nothing(self, stage, client, draft, act):
        assert client.post(url(stage, "edit/"), form_of(draft, act=act)).status_code == 302
        draft.refresh_from_db()
        assert len(draft.content["deliverables"]) == 1

    def test_a_stale_form_keeps_what_was_typed_and_saves_the_second_time(
        self, stage, client, draft
    ):
        sows.save_draft(
            draft, draft.content | {"title": "Theirs"}, by=stage.colleague, at=stage.now
        )
        sent = form_of(draft, title="Mine", act="leave")
        response = client.post(url(stage, "edit/"), sent)
        assert response.status_code == 409
        assert stage.colleague.name in said(response)
        assert 'value="Mine"' in response.content.decode()
        version = re.search(r'name="version"[^>]*value="(\d+)"', response.content.decode())[1]
        assert client.post(url(stage, "edit/"), sent | {"version": version}).status_code == 302
        draft.refresh_from_db()
        assert draft.content["title"] == "Mine"

    def test_what_was_sent_meanwhile_is_not_changed_and_nothing_typed_is_lost(
        self, stage, client, draft
    ):
        services.move(stage.request, "send_for_signoff", by=stage.filer, at=stage.now)
        response = client.post(url(stage, "edit/"), form_of(draft, title="Mine"))
        assert response.status_code == 409
        assert 'value="Mine"' in response.content.decode()
        assert "was sent and does not change" in said(response)

    def test_saved_as_it_is_typed(self, stage, client, draft):
        sent = form_of(draft, title="Typed", deliverables__3__what="Runbook", amount="x")
        response = client.post(
            url(stage, "save/"), sent, headers={"HX-Request": "true", "HX-Target": "saved"}
        )
        text = response.content.decode()
        assert "Saved" in text
        assert "1 answer to correct" in said(response)
        # Rows that are new get their keys where they stand.
        assert re.search(r'id="id_deliverables__3__key"\s+value="d2"', text)
        draft.refresh_from_db()
        assert draft.content["title"] == "Typed"
        assert re.search(rf'id="version"\s+value="{draft.version}"', text)

    def test_a_stale_autosave_says_so(self, stage, client, draft):
        response = client.post(url(stage, "save/"), form_of(draft, version=99))
        assert response.status_code == 409
        assert "Not saved" in said(response)

    @pytest.mark.parametrize(
        "sent",
        [
            {}, {"sow": "9" * 40}, {"sow": "1", "version": "x"},
            {"sow": "1", "version": "1", "title": "\x00\ud800".encode("utf-8", "replace")},
            {"sow": "1", "version": "1", "note": "a\nb"},
            {"sow": "1", "version": "1", "deliverables__999__what": "x", "act": "add"},
            {"sow": "1", "version": "1", "deliverables__0__key": "d7", "needs": "x\n" * 99},
        ],
    )  # fmt: skip
    def test_nothing_that_is_sent_breaks_it(self, stage, client, draft, sent):
        for rest in ("edit/", "save/"):
            assert client.post(url(stage, rest), sent).status_code < 500
        assert client.get(url(stage, "edit/")).status_code == 200
        assert client.get(url(stage)).status_code == 200

    @pytest.mark.parametrize("who", ["stranger", "engineer", "lead", "leadership"])
    def test_only_its_requester_writes(self, stage, login, draft, who):
        client = login(getattr(stage, who))
        assert client.get(url(stage, "edit/")).status_code == 403
        assert client.post(url(stage, "edit/"), form_of(draft)).status_code == 403

    def test_without_a_draft_one_is_led_to_the_document(self, stage, client):
        stage.at("signed_off")
        assert client.get(url(stage, "edit/")).url == url(stage)


class TestChange:
    def test_begins_and_leads_to_the_editor(self, stage, client):
        stage.at("in_progress")
        assert "customer confirms it in writing" in said(client.get(url(stage, "change/")))
        response = client.post(
            url(stage, "change/"), {"reason": "One more plant", "asked_by_customer": "on"}
        )
        assert response.url == url(stage, "edit/")
        assert ChangeRequest.objects.get().asked_by_customer

    def test_says_why_not(self, stage, client):
        stage.at("signed_off")
        assert "once a request is triaged" in said(client.get(url(stage, "change/")))
        assert client.post(url(stage, "change/"), {"reason": "More"}).status_code == 409

    def test_needs_a_reason(self, stage, client):
        stage.at("in_progress")
        response = client.post(url(stage, "change/"), {"reason": " "})
        assert response.status_code == 422
        assert "Say what changes, and why." in said(response)

    def test_a_lead_decides_on_the_page(self, stage, login):
        stage.at("in_progress")
        change = changing.begin_change(stage.request, by=stage.filer, at=stage.now, reason="More")
        end = change.after.content["timeframe"] | {"end": "2027-03-01"}
        sows.save_draft(
            change.after, change.after.content | {"timeframe": end}, by=stage.filer, at=stage.now
        )
        client = login(stage.lead)
        assert "Waits for a DE lead" in said(client.get(url(stage)))
        client.post(url(stage, f"change/{change.uuid}/approve/"), {})
        change.refresh_from_db()
        assert (change.state, change.decided_by) == ("approved", stage.lead)

    def test_a_refusal_needs_a_reason(self, stage, login):
        stage.at("in_progress")
        change = changing.begin_change(stage.request, by=stage.filer, at=stage.now, reason="More")
        client = login(stage.lead)
        client.post(url(stage, f"change/{change.uuid}/refuse/"), {})
        change.refresh_from_db()
        assert change.state == "proposed"
        client.post(url(stage, f"change/{change.uuid}/refuse/"), {"reason": "Not now"})
        change.refresh_from_db()
        assert (change.state, change.answer) == ("refused", "Not now")

    def test_an_estimate_is_saved_by_des_people(self, stage, login, draft):
        client = login(stage.engineer)
        client.post(url(stage, "estimate/"), {"effort_days": "4.5"})
        draft.refresh_from_db()
        assert str(draft.effort_days) == "4.5"
        client.post(url(stage, "estimate/"), {"effort_days": "many"})
        draft.refresh_from_db()
        assert str(draft.effort_days) == "4.5"


def test_the_templates_of_a_type_come_first(stage, client):
    workflow.place(stage.request, "sow_drafting")
    stage.request.type = "non_standard"
    stage.request.save(update_fields=["type"])
    text = client.get(url(stage)).content.decode()
    options = re.findall(r'<option value="[^"]*"( selected)?>\s*([^<]+)', text)
    assert options[0] == (" selected", "Non-standard deployment or migration")
