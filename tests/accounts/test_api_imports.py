"""Imports over the API: upload, look, apply, undo, by programs that may send things twice."""

import uuid

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from accounts.imports import files, working
from accounts.models import Account, Import, ImportChunk
from people.models import Scope
from tests import factories

PATH = "/api/v1/imports/"
TWO = "external_id,name\nA-1,Alder\nA-2,Birch\n"
BAD = "external_id,name,status\nA-1,Alder,\nA-2,Birch,gone\n"
OTHERS = "Account ID,Account Name\nA-1,Alder\n"


@pytest.fixture
def client(api_client, metric_owner):
    return api_client(metric_owner)


def upload(client, content=TWO, kind="accounts", *, key=None, name="facts.csv", **fields):
    data = content.encode() if isinstance(content, str) else content
    return client.post(
        PATH,
        {"file": SimpleUploadedFile(name, data), "kind": kind, **fields},
        format="multipart",
        headers={"Idempotency-Key": key or str(uuid.uuid4())},
    )


def act(client, import_, what, body=None, **headers):
    return client.post(f"{PATH}{import_['id']}/{what}/", body, format="json", headers=headers)


def apply(client, import_, **headers):
    return act(client, import_, "apply", {"plan_hash": import_["plan_hash"]}, **headers)


def test_a_file_is_sent_looked_at_applied_and_undone(client):
    answer = upload(client, source="crm")
    sent = answer.json()
    assert answer.status_code == 201
    assert answer["Location"] == f"{PATH}{sent['id']}/"
    assert answer["ETag"] == f'"{sent["id"]}.{sent["version"]}"'
    assert (sent["status"], sent["rows"], sent["creates"], sent["errors"]) == ("checked", 2, 2, [])
    assert client.get(answer["Location"]).json() == sent

    lines = client.get(f"{PATH}{sent['id']}/rows/?outcome=create").json()["results"]
    assert [line["label"] for line in lines] == ["Alder", "Birch"]
    assert {"column": "name", "before": None, "after": "Alder"} in lines[0]["changes"]

    applied = apply(client, sent)
    assert (applied.status_code, applied.json()["status"]) == (200, "applied")
    assert applied["ETag"] != answer["ETag"]
    assert Account.objects.filter(source="crm").count() == 2

    undone = act(client, sent, "undo").json()
    assert (undone["status"], undone["undone"]["count"]) == ("undone", 2)


def test_a_key_is_needed_and_sent_twice_it_is_one_upload(client):
    without = client.post(PATH, {"kind": "accounts"}, format="multipart")
    assert (without.status_code, without.json()["code"]) == (400, "idempotency_key_required")

    first, again = upload(client, key="k-1"), upload(client, key="k-1")
    assert again["Idempotency-Replayed"] == "true"
    assert first.json() == again.json()
    assert Import.objects.count() == 1
    assert upload(client, BAD, key="k-1").status_code == 422


def test_bad_rows_are_named_and_can_be_left_out(client):
    sent = upload(client, BAD).json()
    assert sent["errors"] == [
        {
            "row": 3,
            "column": "status",
            "value": "gone",
            "detail": sent["errors"][0]["detail"],
            "code": "not_a_choice",
        }
    ]
    refused = apply(client, sent)
    assert (refused.status_code, refused.json()["code"]) == (409, "bad_rows")

    less = act(client, sent, "exclude", {"rows": "bad"}).json()
    assert (less["bad_rows"], less["excluded"]) == (0, 1)
    assert act(client, sent, "exclude", {"rows": "none"}).json()["excluded"] == 0
    assert act(client, sent, "exclude", {"rows": [3]}).json()["plan_hash"] == less["plan_hash"]
    assert apply(client, less).json()["status"] == "applied"


@pytest.mark.parametrize("rows", [None, "all", {}, [0], [1.5], ["3"], [True], [10**12], 3])
def test_rows_are_numbers_of_rows(rows, client):
    answer = act(client, upload(client, BAD).json(), "exclude", {"rows": rows})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "rows")


def test_a_foreign_file_waits_for_its_mapping(client):
    sent = upload(client, OTHERS).json()
    assert sent["status"] == "uploaded"

    head = client.get(f"{PATH}{sent['id']}/mapping/").json()
    assert head["header"] == ["Account ID", "Account Name"]
    assert {"column": "name", "theirs": "Account Name", "how": "alike"} in head["suggestions"]

    raw = {"columns": {each["column"]: each["theirs"] for each in head["suggestions"]}}
    wrong = act(client, sent, "mapping", {"mapping": {"columns": {"name": "Nobody"}}})
    assert (wrong.status_code, wrong.json()["code"]) == (400, "unusable_file")
    done = act(client, sent, "mapping", {"mapping": raw, "save_as": "Our CRM"}).json()
    assert (done["status"], done["creates"]) == ("checked", 1)
    taken = act(client, sent, "mapping", {"mapping": raw, "save_as": "Our CRM"})
    assert taken.status_code == 409

    again = upload(client, OTHERS, mapping="Our CRM").json()
    assert (again["status"], again["mapping"]["name"]) == ("checked", "Our CRM")
    assert act(client, again, "mapping", {"mapping": "Our CRM"}).json()["status"] == "checked"


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"kind": "cats"}, "kind"),
        ({"source": "Not a source"}, "source"),
        ({"account_source": ""}, "account_source"),
        ({"surprise": "x"}, "surprise"),
        ({"encoding": ["utf-8", "cp1252"]}, "encoding"),
        ({"mapping": "x" * 61}, "mapping"),
    ],
)
def test_fields_that_are_wrong_are_named(fields, field, client):
    answer = upload(client, **{"kind": "accounts", **fields})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, field)
    assert not Import.objects.exists()


def test_a_file_that_is_a_text_is_no_file(client):
    answer = client.post(
        PATH,
        {"file": "external_id", "kind": "accounts"},
        format="multipart",
        headers={"Idempotency-Key": "k"},
    )
    assert answer.json()["errors"][0] == {
        "field": "file",
        "code": "not_a_file",
        "detail": "Send a file, with its name.",
    }


def test_an_upload_is_a_form_and_the_rest_is_json(client):
    sent = upload(client).json()
    answers = [
        client.post(PATH, {}, format="json", headers={"Idempotency-Key": "k"}),
        client.post(f"{PATH}{sent['id']}/apply/", {"plan_hash": "x"}, format="multipart"),
    ]
    assert [answer.status_code for answer in answers] == [415, 415]


@pytest.mark.parametrize("content", [b"", b"\x00\x01", b"PK\x03\x04nothing", b"a\n1\n" * 3])
def test_files_of_no_use_are_refused_with_a_reason(content, client):
    answer = upload(client, content)
    if answer.status_code == 201:
        assert answer.json()["status"] == "uploaded"
    else:
        assert (answer.status_code, answer.json()["code"]) == (400, "unusable_file")
        assert not Import.objects.exists()


def test_what_is_too_large_is_not_even_read(client, monkeypatch):
    monkeypatch.setattr("config.lib.uploads.MOST_BYTES", 300)
    assert upload(client, TWO * 10).status_code == 413
    monkeypatch.undo()
    monkeypatch.setattr(files, "MOST_BYTES", 10)
    assert upload(client).status_code == 413


PART = b'--b\r\nContent-Disposition: form-data; name="%s"\r\n\r\n%s\r\n'
FILE = (
    b'--b\r\nContent-Disposition: form-data; name="file"; filename="%s"\r\n'
    b"Content-Type: %s\r\n\r\n%s\r\n"
)
END = b"--b--\r\n"
FORMS = {
    "nothing": b"",
    "no end": PART % (b"kind", b"accounts"),
    "no parts": END,
    "rubbish": b"\x00\xff" * 50,
    "many fields": b"".join(PART % (b"f%d" % n, b"x") for n in range(600)) + END,
    "many files": (FILE % (b"a.csv", b"text/csv", b"x")) * 6 + END,
    "a field of 3 MB": PART % (b"kind", b"x" * 3_000_000) + END,
    "a NUL": PART % (b"kind", b"acc\x00ounts") + FILE % (b"a.csv", b"text/csv", b"a,b") + END,
    "no UTF-8": PART % (b"kind", b"\xff\xfe") + FILE % (b"\xff.csv", b"text/csv", b"a,b") + END,
    "base64": (FILE % (b"a.csv", b"text/csv\r\nContent-Transfer-Encoding: base64", b"!!!")) + END,
    "a charset": FILE % (b"a.csv", b"text/csv; charset=rot13", b"a,b") + END,
    "no file name": FILE % (b"", b"text/csv", b"a,b") + PART % (b"kind", b"accounts") + END,
    "only a kind": PART % (b"kind", b"accounts") + END,
    "a name of dots": FILE % (b"..", b"text/csv", b"a,b") + PART % (b"kind", b"accounts") + END,
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(
    "content_type",
    [
        "multipart/form-data; boundary=b",
        "multipart/form-data",
        "multipart/form-data; boundary=\xe4",
    ],
)
def test_forms_that_are_none_are_refused(form, content_type, client, login, metric_owner):
    for sender in (client, login(metric_owner)):
        answer = sender.post(
            PATH, FORMS[form], content_type=content_type, headers={"Idempotency-Key": "k"}
        )
        assert answer.status_code in {400, 413}, answer.content
        assert answer.headers["Content-Type"] == "application/problem+json"
    assert not Import.objects.exists()


def test_a_name_is_made_safe(client):
    sent = upload(client, name="../../etc/pass\r\nSet-Cookie: a=b\u202e.csv").json()
    assert "/" not in sent["filename"]
    assert sent["filename"].isprintable()


@pytest.mark.parametrize("headers", [{}, {"Idempotency-Key": "k-2"}])
def test_facts_that_changed_meanwhile_are_a_412_and_a_fresh_plan(headers, client):
    sent = upload(client).json()
    apply(client, upload(client, "external_id,name\nA-1,Something else\n").json())
    answer = apply(client, sent, **headers)

    assert (answer.status_code, answer.json()["code"]) == (412, "plan_changed")
    assert answer.json()["detail"] == "Data changed since the preview."
    fresh = client.get(f"{PATH}{sent['id']}/").json()
    assert (fresh["status"], fresh["creates"], fresh["updates"]) == ("checked", 1, 1)
    assert fresh["plan_hash"] != sent["plan_hash"]
    assert apply(client, fresh).json()["status"] == "applied"


def test_a_mass_change_takes_two(client, api_client, person):
    sent = upload(client).json()
    Import.objects.update(mass=["Many at once."])
    waiting = apply(client, sent).json()
    assert (waiting["status"], waiting["mass"]) == ("waiting", ["Many at once."])
    plan = {"plan_hash": sent["plan_hash"]}
    assert act(client, sent, "approve", plan).status_code == 403

    admin = api_client(person("administrator"))
    assert act(admin, sent, "approve").status_code == 400
    assert act(admin, sent, "approve", {"plan_hash": "another"}).json()["code"] == "plan_changed"
    assert client.get(f"{PATH}{sent['id']}/").json()["status"] == "waiting"
    approved = act(admin, sent, "approve", plan).json()
    assert approved["status"] == "applied"
    assert approved["approved_by"] != approved["by"]


def test_what_a_worker_goes_on_with_is_accepted(client, monkeypatch):
    monkeypatch.setattr(files, "SMALL", 20)
    monkeypatch.setattr(files, "SMALL_WORKBOOK", 10)
    answer = upload(client)
    sent = answer.json()

    assert (answer.status_code, sent["status"]) == (202, "checking")
    assert answer["Location"] == f"{PATH}{sent['id']}/"
    assert apply(client, sent | {"plan_hash": "x"}).json()["code"] == "not_now"
    found = Import.objects.get()
    working.run(found.pk, now=found.created_at)
    checked = client.get(answer["Location"]).json()
    assert (checked["status"], checked["creates"], checked["progress"]) == ("checked", 2, None)
    assert apply(client, checked).status_code == 202


def test_the_list_is_filtered_and_paged(client):
    for _ in range(3):
        upload(client, source="crm")
    act(client, upload(client, "currency,on,rate\nEUR,2026-01-01,1.1\n", "exchange-rates").json(),
        "discard")  # fmt: skip

    page = client.get(f"{PATH}?status=checked&source=crm&page_size=2").json()
    assert len(page["results"]) == 2
    assert client.get(page["next"]).json()["results"][0]["number"].startswith("IMP-")
    kinds = [each["kind"] for each in client.get(f"{PATH}?kind=exchange-rates").json()["results"]]
    assert kinds == ["exchange-rates"]
    assert client.get(f"{PATH}?format=csv").status_code == 200
    assert client.get(f"{PATH}?stage=x").status_code == 400


def test_contacts_are_shown_to_tokens_for_contacts_only(api_client, metric_owner):
    factories.AccountFactory(source="import", external_id="A-1")
    content = "external_id,account_external_id,name,email\nC-1,A-1,Ada,none\n"
    blind = api_client(metric_owner, Scope.IMPORT_RUN)
    sent = upload(blind, content, "contacts").json()

    assert sent["errors"][0]["value"] == "(personal)"
    for path in ("rows", "mapping"):
        assert blind.get(f"{PATH}{sent['id']}/{path}/").status_code == 403
    seeing = api_client(metric_owner, Scope.IMPORT_RUN, Scope.CONTACT_READ)
    assert seeing.get(f"{PATH}{sent['id']}/").json()["errors"][0]["value"] == "none"
    assert seeing.get(f"{PATH}{sent['id']}/rows/").json()["results"][0]["row"] == 2


def test_whoever_may_not_import_gets_no_further(api_client, person):
    lead = api_client(person("de_lead"))
    assert upload(lead).status_code == 403
    tam = api_client(person("tam"))
    assert tam.get(PATH).status_code == 403
    assert upload(tam).status_code == 403
    assert not ImportChunk.objects.exists()


def test_there_is_no_such_import(client):
    for path in ("", "rows/", "mapping/"):
        answer = client.get(f"{PATH}{uuid.uuid4()}/{path}")
        assert answer.status_code == 404
    assert act(client, {"id": uuid.uuid4()}, "undo").status_code == 404
