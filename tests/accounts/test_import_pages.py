"""What people read on the pages of imports, and what each button does."""

import csv
import datetime as dt
import io
import re
from html import unescape

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from accounts.forms.imports import WORDS, YES_NO
from accounts.imports import lifecycle
from accounts.imports.cells import Reading
from accounts.imports.columns import KINDS
from accounts.models import Account, Import, SavedMapping
from accounts.views.imports_words import HINTS, WHAT
from people.models import Role
from tests.factories import AccountFactory, ImportFactory, ImportRowFactory

pytestmark = pytest.mark.django_db
LIST, NEW = "/imports/", "/imports/new/"
TWO = "external_id,name\nA-1,Halden\nA-2,Ravello\n"
BAD = "external_id,name,status\nA-1,Halden,customer\nA-2,Ravello,costumer\n=A-3,,prospect\n"
FOREIGN = "Id,Account Name,Type\n001,Halden,Direct\n002,Ravello,Prospect\n"


@pytest.fixture
def browser(login, metric_owner):
    return login(metric_owner)


def file(content, name="accounts.csv"):
    return SimpleUploadedFile(name, content.encode(), "text/csv")


def send(browser, content=TWO, *, name="accounts.csv", **values):
    given = {"kind": "accounts", "source": "crm", "mapping": "", **values}
    return browser.post(NEW, {**given, "file": file(content, name)})


def sent(browser, content=TWO, **values):
    """Upload the file, and return its import."""
    response = send(browser, content, **values)
    assert response.status_code == 302, words(response)
    return Import.objects.latest("pk")


def page_of(import_, part=""):
    return f"/imports/{import_.number}/{part}"


def words(response):
    """Return what one reads on a page, with single spaces."""
    text = re.sub(r"<(script|svg|select).*?</\1>", " ", response.content.decode(), flags=re.S)
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", text)).split())


def read(browser, import_, part=""):
    return words(browser.get(page_of(import_, part)))


def do(browser, import_, act, **values):
    return words(browser.post(page_of(import_, f"{act}/"), values, follow=True))


def apply(browser, import_):
    import_.refresh_from_db()
    return do(browser, import_, "apply", plan_hash=import_.plan_hash)


class TestList:
    def test_first_use_leads_to_the_first_file(self, browser):
        page = browser.get(LIST).content.decode()
        assert "Files you bring in are listed here" in page
        assert f'href="{NEW}"' in page

    def test_who_may_only_look_reads_who_can_import(self, login, de_lead):
        page = words(login(de_lead).get(LIST))
        assert "Only metric owners can import data." in page
        assert "New import" not in page

    def test_what_when_and_by_whom(self, browser, metric_owner):
        ImportFactory(filename="crm.csv", by=metric_owner, creates=40, updates=21, rows=1204)
        page = words(browser.get(LIST))
        for told in ("crm.csv", "Accounts from crm", "1,204", "61", metric_owner.name, "Ready"):
            assert told in page

    @pytest.mark.parametrize(
        ("query", "shown"),
        [
            ("kind=seat-readings", ["seats.csv"]),
            ("status=applied", ["crm.csv"]),
            ("kind=contacts", []),
            ("kind=nonsense", ["crm.csv", "seats.csv"]),
        ],
    )
    def test_filters(self, browser, query, shown):
        now = timezone.now()
        ImportFactory(filename="crm.csv", status="applied", applied_at=now)
        ImportFactory(filename="seats.csv", kind="seat-readings")
        listed = words(browser.get(f"{LIST}?{query}")).partition("Last arrived")[0]
        assert [name for name in ("crm.csv", "seats.csv") if name in listed] == shown

    def test_how_fresh_each_source_is(self, browser):
        seats = {"kind": "seat-readings", "source": "telemetry", "status": "applied"}
        ImportFactory(**seats, rows=9, applied_at=timezone.now() - dt.timedelta(days=7))
        ImportFactory(**seats, rows=1204, applied_at=timezone.now())
        page = words(browser.get(LIST)).partition("Last arrived")[2]
        assert "Seat readings from telemetry last" in page
        assert "1,204 rows" in page
        assert page.count("telemetry") == 1


class TestNew:
    def test_every_kind_with_its_columns(self, browser):
        page = words(browser.get(NEW))
        for kind, shape in KINDS.items():
            assert WHAT[kind] in page
            for column in shape.columns:
                assert column in page

    @pytest.mark.parametrize("kind", KINDS)
    def test_a_template_has_the_columns(self, browser, kind):
        answer = browser.get(f"/imports/templates/{kind}.csv")
        header = b"".join(answer.streaming_content).decode().splitlines()
        assert header == [",".join(KINDS[kind].columns)]
        assert f"{kind}.csv" in answer.headers["Content-Disposition"]

    def test_a_file_with_our_columns_is_checked_at_once(self, browser):
        import_ = sent(browser)
        assert import_.status == "checked"
        assert "Apply 2 changes" in read(browser, import_)

    def test_a_file_with_other_columns_goes_to_the_mapping(self, browser):
        response = send(browser, FOREIGN)
        assert response.url == page_of(Import.objects.get(), "mapping/")

    def test_a_named_mapping_is_used(self, browser, metric_owner):
        raw = {"columns": {"external_id": "Id", "name": "Account Name"}}
        SavedMapping.objects.create(name="CRM", kind="accounts", mapping=raw, by=metric_owner)
        import_ = sent(browser, FOREIGN, mapping="CRM")
        assert (import_.status, import_.creates) == ("checked", 2)

    @pytest.mark.parametrize(
        ("values", "message"),
        [
            ({"kind": ""}, "Choose what is in the file."),
            ({"kind": "spaceships"}, "Select a valid choice"),
            ({"source": "keel"}, "keel"),
            ({"mapping": "nonsense"}, "There is no such choice."),
            ({"content": ""}, "The file is empty."),
            ({"content": "PK\x03\x04nonsense"}, "damaged"),
        ],
    )
    def test_mistakes_are_told_and_nothing_is_kept(self, browser, values, message):
        response = send(browser, **values)
        assert response.status_code == 422
        assert message in words(response)
        assert not Import.objects.exists()

    def test_a_double_click_brings_one_file(self, browser):
        nonce = re.search(r'name="once" value="([^"]+)"', browser.get(NEW).content.decode())[1]

        def sent():
            file = SimpleUploadedFile("a.csv", b"external_id,name\nA,Acme\n")
            typed = {"kind": "accounts", "source": "crm", "file": file, "once": nonce}
            return browser.post(NEW, typed)

        first, second = sent(), sent()

        assert first.status_code == second.status_code == 302
        assert first.url == second.url
        assert Import.objects.count() == 1

    def test_what_was_typed_comes_back(self, browser):
        response = browser.post(NEW, {"kind": "contacts", "source": "zendesk"})
        page = response.content.decode()
        assert "Choose a file." in page
        assert 'value="zendesk"' in page
        assert re.search(r'value="contacts"[^>]*checked', page)

    def test_only_a_metric_owner_may(self, login, administrator):
        assert send(login(administrator)).status_code == 403
        assert not Import.objects.exists()


class TestMapping:
    @pytest.fixture
    def uploaded(self, browser):
        return sent(browser, FOREIGN)

    def chosen(self, **values):
        return {
            "column-external_id": "column:Id",
            "column-name": "column:Account Name",
            **values,
        }

    def test_suggestions_are_marked_as_such(self, browser):
        import_ = sent(browser, "external_id,Account Name\nA-1,Halden\n")
        page = read(browser, import_, "mapping/")
        assert "Suggested: same name" in page
        assert "Looks alike: check" in page
        assert "Halden" in page

    def test_choices_are_checked_and_kept_under_a_name(self, browser, uploaded):
        answer = browser.post(page_of(uploaded, "mapping/"), self.chosen(save_as="CRM accounts"))
        uploaded.refresh_from_db()
        assert answer.url == page_of(uploaded)
        assert (uploaded.status, uploaded.creates) == ("checked", 2)
        assert SavedMapping.objects.get().mapping["columns"]["name"] == "Account Name"
        assert "CRM accounts" in read(browser, uploaded)

        second = sent(browser, FOREIGN.replace("Halden", "Halden AS"))
        assert "From the mapping CRM accounts" in read(browser, second, "mapping/")

    def test_a_saved_mapping_is_changed_from_its_own_page(self, browser, uploaded, metric_owner):
        raw = {"columns": {"external_id": "Id", "name": "Account Name"}}
        SavedMapping.objects.create(name="CRM", kind="accounts", mapping=raw, by=metric_owner)
        values = self.chosen(**{"from": "CRM", "save_as": "CRM", "column-segment": "column:Type"})
        browser.post(page_of(uploaded, "mapping/"), values)
        assert SavedMapping.objects.get().mapping["columns"]["segment"] == "Type"

    def test_words_and_constants(self, browser, uploaded):
        place = lifecycle.sheet_of(uploaded).words["Type"].index("Direct")
        values = self.chosen(
            **{
                "column-status": "column:Type",
                f"word-status-{place}": "customer",
                "column-region": "constant",
                "constant-region": "EMEA",
            }
        )
        browser.post(page_of(uploaded, "mapping/"), values)
        uploaded.refresh_from_db()
        apply(browser, uploaded)
        halden = Account.objects.get(external_id="001")
        assert (halden.status, halden.region) == ("customer", "EMEA")

    def test_another_look_keeps_the_choices_and_takes_nothing(self, browser, uploaded):
        values = self.chosen(**{"column-status": "column:Type", "look": "1"})
        response = browser.post(page_of(uploaded, "mapping/"), values)
        uploaded.refresh_from_db()
        assert (response.status_code, uploaded.status) == (200, "uploaded")
        assert "Direct" in words(response)
        assert re.search(r'value="column:Type" selected', response.content.decode())

    def test_a_missing_column_is_told_at_its_place(self, browser, uploaded):
        values = {"column-name": "column:Account Name", "column-region": "constant"}
        response = browser.post(page_of(uploaded, "mapping/"), values)
        page = response.content.decode()
        assert response.status_code == 422
        assert "Choose the column that holds the external_id, or give one for every row." in page
        assert "Enter the region of every row, or choose a column." in page
        assert re.search(r'value="column:Account Name" selected', page)

    def test_semicolons_are_seen(self, browser):
        import_ = sent(browser, "Id;Account Name\n001;Halden\n")
        page = browser.get(page_of(import_, "mapping/")).content.decode()
        assert re.search(r'value=";" selected', page)
        assert 'value="column:Account Name"' in page

    def test_a_file_that_cannot_be_read_so_says_why(self, browser, uploaded):
        values = {"look": "1", "skip_until": "Nothing"}
        response = browser.post(page_of(uploaded, "mapping/"), values)
        assert "The file cannot be read so. No row begins with “Nothing”" in words(response)
        assert 'value="Nothing"' in response.content.decode()

    def test_only_who_uploaded_it_can_match_it(self, login, person, uploaded):
        other = login(person(Role.METRIC_OWNER))
        assert other.get(page_of(uploaded, "mapping/")).url == page_of(uploaded)

    def test_once_applied_there_is_nothing_to_match(self, browser):
        import_ = sent(browser)
        apply(browser, import_)
        assert browser.get(page_of(import_, "mapping/")).url == page_of(import_)

    def test_our_words_are_those_that_the_importer_takes(self):
        reading = Reading(now=timezone.now(), zone=None)
        for shape in KINDS.values():
            for name, allowed in WORDS.items():
                if name in shape.columns:
                    for word in allowed:
                        parsed = shape.columns[name].parse(word, reading)
                        assert parsed == word or allowed == YES_NO

    def test_every_column_is_explained(self):
        assert {name for shape in KINDS.values() for name in shape.columns} == HINTS.keys()


class TestPreview:
    def test_new_and_changed_values(self, browser):
        AccountFactory(source="crm", external_id="A-1", name="Haldane")
        import_ = sent(browser)
        updates = read(browser, import_, "rows/?tab=update")
        assert "Haldane becomes Halden" in updates
        assert "Ravello" in read(browser, import_, "rows/?tab=create")

    def test_a_tab_alone_for_htmx(self, browser):
        import_ = sent(browser)
        part = browser.get(page_of(import_, "rows/?tab=create"), HTTP_HX_TARGET="rows")
        assert part.content.decode().strip().startswith('<section class="card" id="rows"')

    def test_bad_rows_by_cause_and_by_row(self, browser):
        import_ = sent(browser, BAD)
        page = read(browser, import_)
        assert "2 bad rows of 3." in page
        assert "“costumer” is none of: prospect, customer, churned." in page
        assert "Apply" not in page

    def test_bad_rows_are_left_out_and_taken_up_again(self, browser):
        import_ = sent(browser, BAD)
        assert "2 rows left out. This is the new plan." in do(browser, import_, "exclude")
        assert "Apply 1 change" in read(browser, import_)
        assert "Take them up again" in read(browser, import_, "rows/?tab=excluded")
        do(browser, import_, "exclude", rows="none")
        assert "2 bad rows of 3." in read(browser, import_)

    def test_the_download_of_bad_rows_is_harmless_and_can_be_sent_again(self, browser):
        import_ = sent(browser, BAD)
        answer = browser.get(page_of(import_, "rejected.csv"))
        text = b"".join(answer.streaming_content).decode()
        rows = list(csv.DictReader(io.StringIO(text)))
        assert [row["keel_row"] for row in rows] == ["3", "4"]
        assert rows[0]["status"] == "costumer"
        assert "costumer" in rows[0]["keel_problem"]
        assert rows[1]["external_id"] == "'=A-3"

        mended = text.replace("costumer", "customer").replace("A-3,,", "A-3,Saltmarsh,")
        again = sent(browser, mended)
        assert (again.status, again.bad_rows, again.creates) == ("checked", 0, 2)

    def test_mended_rows_come_back_after_the_rest(self, browser):
        content = "Id;Name;Type\n001;Halden;customer\n002;Ravello;costumer\n"
        import_ = sent(browser, content)
        columns = {"external_id": "Id", "name": "Name", "status": "Type"}
        values = {f"column-{ours}": f"column:{theirs}" for ours, theirs in columns.items()}
        browser.post(page_of(import_, "mapping/"), {**values, "delimiter": ";"})
        do(browser, import_, "exclude")
        page = apply(browser, import_)
        assert "Bring them mended" in page

        rejected = b"".join(browser.get(page_of(import_, "rejected.csv")).streaming_content)
        given = {"kind": "accounts", "source": "crm"}
        mended = file(rejected.decode().replace("costumer", "customer"))
        browser.post(f"{NEW}?like={import_.number}", {**given, "file": mended})
        second = Import.objects.latest("pk")
        assert (second.status, second.creates, second.bad_rows) == ("checked", 1, 0)

    def test_a_corrected_file_is_read_as_the_first_one(self, browser):
        first = sent(browser, FOREIGN)
        values = {"column-external_id": "column:Id", "column-name": "column:Account Name"}
        browser.post(page_of(first, "mapping/"), values)
        address = f"{NEW}?like={first.number}"
        assert "It is read the same way." in words(browser.get(address))

        given = {"kind": "accounts", "source": "crm", "file": file(FOREIGN + "003,Saltmarsh,\n")}
        browser.post(address, given)
        second = Import.objects.latest("pk")
        assert (second.status, second.creates) == ("checked", 3)

    def test_the_same_file_again(self, browser):
        apply(browser, sent(browser))
        page = read(browser, sent(browser))
        assert "This very file was already applied" in page
        assert "Nothing to change." in page

    def test_the_effect_on_the_number(self, browser):
        account = AccountFactory(name="Ferrous Dynamics")
        mover = {
            "number": account.number,
            "name": account.name,
            "was": "passes",
            "becomes": "left the number: ARR not above $50K",
        }
        effect = {
            "before": {"numerator": 43, "denominator": 64},
            "after": {"numerator": 42, "denominator": 63},
            "movers": [mover],
            "more": 2,
        }
        page = browser.get(page_of(ImportFactory(effect=effect)))
        for told in ("67.2% becomes 66.7%", "Ferrous Dynamics", "left the number", "and 2 more"):
            assert told in words(page)
        assert f'href="/accounts/{account.number}/"' in page.content.decode()

    def test_long_lists_have_pages(self, browser):
        import_ = ImportFactory(updates=60)
        ImportRowFactory.create_batch(60, file=import_)
        page = browser.get(page_of(import_)).content.decode()
        link = unescape(re.search(r'rel="next"\s+href="([^"]+)"', page)[1])
        assert words(browser.get(link)).count("Halden Aerospace") == 10

    def test_rows_of_long_ago_are_only_counted(self, browser):
        import_ = ImportFactory(status="applied", applied_at=timezone.now())
        assert "is kept for a week after the end" in read(browser, import_)

    def test_a_file_that_cannot_be_taken(self, browser, metric_owner):
        import_ = ImportFactory(status="failed", failure="Row 9 opens a quote.", by=metric_owner)
        page = read(browser, import_)
        assert "This file could not be taken. Row 9 opens a quote." in page
        assert "Upload a corrected file" in page


class TestApply:
    def test_asks_first_and_works_without_a_script(self, browser):
        import_ = sent(browser)
        page = browser.get(page_of(import_, "?confirm=apply"))
        assert "2 changes are written at once, or nothing." in words(page)
        assert f'action="{page_of(import_, "apply/")}"' in page.content.decode()

    def test_the_receipt(self, browser, metric_owner):
        import_ = sent(browser)
        page = apply(browser, import_)
        import_.refresh_from_db()
        assert Account.objects.count() == 2
        assert f"2 changes applied by {metric_owner.name}" in page
        assert "(24 hours left)" in page
        assert import_.sha256 in page

    def test_pressed_twice(self, browser):
        import_ = sent(browser)
        apply(browser, import_)
        page = apply(browser, import_)
        assert "2 changes applied by" in page
        assert Account.objects.count() == 2

    def test_data_that_changed_since_is_explained(self, browser):
        import_ = sent(browser)
        AccountFactory(source="crm", external_id="A-1", name="Haldane")
        page = apply(browser, import_)
        assert "Data changed since the preview. Nothing was written." in page
        assert "Apply 2 changes" in page
        assert Account.objects.get().name == "Haldane"

    def test_an_old_page_is_not_applied(self, browser):
        import_ = sent(browser)
        page = do(browser, import_, "apply", plan_hash="of another plan")
        assert "Data changed since the preview." in page
        assert not Account.objects.exists()

    def test_discarded(self, browser):
        import_ = sent(browser)
        assert "Nothing of it was applied." in do(browser, import_, "discard")
        assert "Apply" not in read(browser, import_)
        assert "cannot be" in apply(browser, import_)

    def test_those_who_only_look_are_offered_nothing(self, login, leadership, browser):
        import_ = sent(browser)
        page = login(leadership).get(page_of(import_)).content.decode()
        assert "Halden" in page
        assert f"{page_of(import_)}apply/" not in page
        assert f"{page_of(import_)}discard/" not in page


class TestUndo:
    def test_put_back(self, browser, metric_owner):
        import_ = sent(browser)
        apply(browser, import_)
        assert "What this import changed is put back" in read(browser, import_, "?confirm=undo")

        page = do(browser, import_, "undo")
        assert f"Undone by {metric_owner.name}" in page
        assert "2 facts are as before." in page
        assert not Account.objects.exists()
        assert "cannot be undone now" in do(browser, import_, "undo")

    def test_what_could_not_be_put_back_is_told(self, browser, metric_owner):
        skipped = [["Ravello", "It was changed since."]]
        import_ = ImportFactory(
            status="undone",
            applied_at=timezone.now(),
            undone_by=metric_owner,
            undone_at=timezone.now(),
            undone={"count": 1, "skipped": skipped, "more": 1200},
        )
        page = read(browser, import_)
        assert "1,201 could not be put back: Ravello: It was changed since." in page
        assert "and 1,200 more" in page

    def test_not_after_a_day(self, browser):
        at = timezone.now() - dt.timedelta(hours=25)
        import_ = ImportFactory(status="applied", applied_at=at)
        page = read(browser, import_)
        assert "The 24 hours to undo it are over." in page
        assert f"{page_of(import_)}undo/" not in page
        assert "more than 24 hours ago" in do(browser, import_, "undo")


class TestSecondPerson:
    @pytest.fixture
    def mass(self, metric_owner):
        reasons = ["60 of 400 customers are archived."]
        return ImportFactory(by=metric_owner, mass=reasons)

    def test_the_first_one_asks(self, browser, mass, administrator):
        page = read(browser, mass)
        assert "This is a mass change." in page
        assert "60 of 400 customers are archived." in page
        assert "Ask a second person" in page
        page = apply(browser, mass)
        assert "Waits for a second person." in page
        assert f"{administrator.name} may approve it." in page
        assert "Approve and apply" not in page

    def test_nobody_else_is_there(self, browser, mass):
        assert "Nobody else may approve it yet" in apply(browser, mass)

    def test_the_second_one_approves_or_discards(self, browser, login, mass, administrator):
        apply(browser, mass)
        second = login(administrator)
        page = read(second, mass)
        assert "Approve and apply 2 changes" in page
        assert "Discarded." in do(second, mass, "discard")

    def test_the_first_one_cannot_approve(self, browser, mass):
        apply(browser, mass)
        assert browser.post(page_of(mass, "approve/")).status_code == 403


class TestProgress:
    def test_a_page_that_asks_again(self, browser):
        import_ = ImportFactory(status="checking")
        page = browser.get(page_of(import_)).content.decode()
        assert "<progress" in page
        assert 'hx-trigger="every 2s"' in page
        assert ">Reload</a>" in page

    def test_asked_by_the_page(self, browser):
        import_ = ImportFactory(status="applying")
        headers = {"HX-Request": "true", "HX-Target": "progress"}
        part = browser.get(page_of(import_, "progress/"), headers=headers)
        assert part.content.decode().strip().startswith('<div id="progress"')
        Import.objects.update(status="applied", applied_at=timezone.now())
        done = browser.get(page_of(import_, "progress/"), headers=headers)
        assert done.headers["HX-Redirect"] == page_of(import_)


def test_an_import_that_is_not_there(browser):
    for path in ("/imports/IMP-999999999/", "/imports/IMP-x/", "/imports/templates/nothing.csv"):
        assert browser.get(path).status_code == 404
