"""Every page, in both themes and both widths, as axe-core and the keyboard see it.

A page that is not looked at here fails, so that a new one cannot forget to be.
"""

import datetime as dt
import re
import uuid
from dataclasses import dataclass
from io import BytesIO

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.db import transaction
from django.urls import resolve
from django.utils import timezone
from playwright.sync_api import expect

from accounts.imports import lifecycle
from accounts.models import Account, BulkEdit, Tier
from engagements.models import RoutingRule, ServiceLevel, SignOffMinimum, SowTemplate
from engagements.services import changing, links, recording, sows
from events import workflow
from metrics.models import MetricRun
from people import services
from people.models import User
from tests.e2e.conftest import PHONE, WIDE, assert_fits_a_phone
from tests.e2e.number_scenes import numbers_in_all_states
from tests.e2e.number_sights import NUMBER_SIGHTS
from tests.e2e.project_scenes import projects_in_all_states
from tests.e2e.project_sights import PROJECT_SIGHTS
from tests.e2e.scenes import requests_in_all_states
from tests.engagements.letters import tokens
from tests.engagements.ready import Stage
from tests.factories import (
    AlertFactory,
    ApiTokenFactory,
    ImportFactory,
    ImportRowFactory,
    SavedViewFactory,
)
from tests.test_routes import PAGES

RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
# A theme changes colours and nothing else.
RULES_OF_COLOUR = {"type": "rule", "values": ["color-contrast", "link-in-text-block"]}
RUN = """(runOnly) => axe.run({runOnly, resultTypes: ["violations"]}).then(({violations}) =>
    violations.flatMap(({id, nodes}) => nodes.map((node) => `${id}: ${node.html}`)))"""
# What Swagger UI does inside its own frame, whatever stands around it.
ACCEPTED = {"/api/v1/docs/": ("heading-order", "nested-interactive", "region", "target-size")}
# What a browser does not show: files, and answers to probes.
NO_PAGES = {
    "accounts:account-export", "accounts:account-workbook", "imports:rejected",
    "imports:template", "livez", "metrics:backtest-sides-csv", "metrics:changes-csv",
    "metrics:figure-accounts-csv", "metrics:figure-changes-csv", "metrics:flips-csv",
    "metrics:health-csv", "metrics:pack-pdf", "metrics:rows-csv", "metrics:rows-xlsx",
    "metrics:scenario-csv", "metrics:scenarios-csv", "metrics:series-csv", "notices:bell",
    "palette", "projects:artefacts-csv", "projects:export", "projects:review-decisions",
    "projects:workbook", "readyz", "requests:export", "requests:file", "requests:risk-csv",
    "requests:sign-off-certificate", "requests:sla-csv", "requests:sow-pdf",
    "requests:workbook",
}  # fmt: skip
STRANGER = ""
# The browser's own buttons come after the last of a dialog; there the page's focus is its body.
INSIDE_OR_OUT_OF_PAGE = """
    document.activeElement === document.body || Boolean(document.activeElement.closest("dialog"))
"""
# A page of 1280 pixels at a zoom of 400%.
NARROWEST = 320


@dataclass(frozen=True)
class Sight:
    """A page as somebody sees it, after they have done something there."""

    who: str
    path: str
    act: str = ""
    status: int = 200


def open_by(name):
    return lambda page: page.get_by_role("button", name=name, exact=True).click()


def send_empty(page):
    """Send the page's form with nothing in it, past what the browser itself would ask for."""
    form = page.locator("main form[method=post]").first
    form.evaluate("""(form) => {
        form.noValidate = true;
        for (const field of form.querySelectorAll("input:not([type=hidden]), textarea"))
            field.type === "checkbox" ? (field.checked = false) : (field.value = "");
    }""")
    form.locator("button[type=submit]").last.click()
    expect(page.locator(".errsum")).to_be_visible()


def open_definition(page):
    page.get_by_role("link", name="Definition", exact=True).click()
    expect(page.get_by_role("dialog")).to_be_visible()


def err_in_drawer(page):
    page.get_by_role("link", name="Enter a count").click()
    page.get_by_role("dialog").get_by_role("button", name="Save the count").click()
    expect(page.locator(".errsum")).to_be_visible()


def send(name):
    return lambda page: page.get_by_role("button", name=name).click()


def make_token(page):
    page.get_by_label("Name").fill("Looked at")
    page.get_by_label("Read metrics").check()
    page.get_by_role("button", name="Create token").click()
    expect(page.get_by_role("textbox", name="Token")).to_be_visible()


def match_nothing(page):
    for choice in page.locator("select[name=column-external_id], select[name=column-name]").all():
        choice.evaluate("(select) => { select.value = ''; }")
    page.get_by_role("button", name="Check the rows").click()
    expect(page.locator(".errsum")).to_be_visible()


def agree_without_a_name(page):
    page.get_by_label("Yes, I agree").check()
    page.get_by_role("button", name="Sign off version 1").click()
    expect(page.locator(".errsum")).to_be_visible()


def agree(page):
    page.get_by_label("Yes, I").check()
    page.get_by_label("Your full name").fill("Kari Solberg")
    page.get_by_label("Your job title").fill("Head of IT")
    page.get_by_role("checkbox").check()


def be_sent_a_code(page):
    agree(page)
    page.get_by_role("button", name="Sign off version 1").click()
    expect(page.get_by_label("Code from our e-mail")).to_be_visible()


def open_move(page):
    page.locator(".acts .btn-p").click()
    drawer = page.get_by_role("dialog", name="Next step")
    expect(drawer.get_by_role("button").last).to_be_visible()


def go_on(page):
    page.get_by_role("main").get_by_role("button", name="Continue").click()
    expect(page.locator(".errsum")).to_be_visible()


def open_all(page):
    page.locator("main details").evaluate_all("all => all.forEach((each) => { each.open = true })")


def tick_without_proof(page):
    page.get_by_text("Tick it").first.click()
    page.get_by_role("button", name="It is done").first.click()
    expect(page.locator(".errsum")).to_be_visible()


def say_nothing(page):
    page.get_by_role("button", name="Comment", exact=True).click()
    expect(page.locator(".errsum")).to_be_visible()


def open_palette(page):
    page.keyboard.press("Control+k")
    page.keyboard.type("acc")
    expect(page.get_by_role("option", name="Search accounts for “acc”")).to_be_visible()


def tick_two(page):
    for place in range(2):
        page.locator("tbody").get_by_role("checkbox").nth(place).check()
    expect(page.get_by_role("group", name=re.compile("^Selected "))).to_contain_text("2 selected")


def open_columns(page):
    page.get_by_role("link", name="Columns").click()
    expect(page.get_by_role("checkbox", name="Segment")).to_be_visible()


def open_save_view(page):
    page.get_by_role("link", name="Save view").click()
    expect(page.get_by_role("dialog").get_by_label("Name")).to_be_visible()


def open_move_menu(page):
    page.get_by_role("link", name=re.compile("^Move PRJ-")).first.click()
    expect(page.locator("#move-menu")).to_be_visible()


ACTS = {
    "move menu": open_move_menu,
    "agree": agree,
    "agree without a name": agree_without_a_name,
    "code": be_sent_a_code,
    "move": open_move,
    "more moves": open_by("More"),
    "not complete": go_on,
    "all open": open_all,
    "no proof": tick_without_proof,
    "no comment": say_nothing,
    "palette": open_palette,
    "rows ticked": tick_two,
    "columns drawer": open_columns,
    "save view": open_save_view,
    "errors": send_empty,
    "definition drawer": open_definition,
    "another day": open_by("As of"),
    "export menu": open_by("Export"),
    "theme menu": open_by("Theme"),
    "drawer with errors": err_in_drawer,
    "ready": lambda page: expect(page.locator(".opblock").first).to_be_visible(),
    "link": send("Send a link to set a password"),
    "columns": lambda page: page.locator(".fold summary").first.click(),
    "no columns": match_nothing,
    "question": lambda page: page.get_by_role("link", name="Apply").click(),
    "token": make_token,
    "errors of a rule": send("Save the rule"),
    "errors of a change": send("Write the new version"),
    "errors of a template": send("Save the template"),
    "what would change": send("See what would change"),
}
SIGHTS = [
    Sight(STRANGER, "/s/{open_link}/"),
    Sight(STRANGER, "/s/{open_link}/", "agree"),
    Sight(STRANGER, "/s/{open_link}/", "agree without a name", 422),
    Sight(STRANGER, "/s/{objection_link}/"),
    Sight(STRANGER, "/s/nothing/", status=404),
    Sight(STRANGER, "/verify/"),
    Sight(STRANGER, "/verify/{receipt}/"),
    Sight(STRANGER, "/verify/?code=nobody-has-it", status=404),
    Sight(STRANGER, "/s/{changed_link}/"),
    Sight(STRANGER, "/s/{coded_link}/", "code"),
    Sight(STRANGER, "/s/{expired_link}/", status=410),
    Sight(STRANGER, "/s/{answered_link}/", status=410),
    Sight(STRANGER, "/s/{delivery_link}/", "agree"),
    Sight("tam", "/s/{open_link}/"),
    Sight("tam", "/"),
    Sight("de_lead", "/"),
    Sight("de_engineer", "/"),
    Sight("leadership", "/"),
    Sight("administrator", "/"),
    Sight("tam", "/handbook/", "all open"),
    Sight("de_lead", "/requests/?view=all"),
    Sight("de_lead", "/requests/?view=all", "rows ticked"),
    Sight("tam", "/requests/?view=nothing&q=nobody&state=closed"),
    Sight("other-tam", "/requests/?view=mine"),
    Sight("de_lead", "/requests/bulk/?move=hold&request={triaged}&request={closed}"),
    Sight("de_lead", "/requests/bulk/?move=hold&request={triaged}", "errors", 422),
    Sight("tam", "/requests/new/?account={account}"),
    Sight("tam", "/requests/new/?q=nobody"),
    Sight("other-tam", "/requests/new/", "not complete", 422),
    Sight("tam", "/requests/new/paste/"),
    Sight("tam", "/requests/new/paste/", "errors", 422),
    Sight("tam", "/requests/{draft}/edit/account/"),
    Sight("tam", "/requests/{draft}/edit/asked/"),
    Sight("tam", "/requests/{unfinished}/edit/asked/", "not complete", 422),
    Sight("tam", "/requests/{draft}/edit/scope/"),
    Sight("tam", "/requests/{draft}/edit/check/"),
    Sight("tam", "/requests/{unfinished}/edit/check/"),
    Sight("tam", "/requests/{draft}/edit/discard/"),
    Sight("tam", "/requests/{draft}/"),
    Sight("tam", "/requests/{submitted}/"),
    Sight("de_lead", "/requests/{submitted}/", "move"),
    Sight("tam", "/requests/{needs_info}/", "move"),
    Sight("de_lead", "/requests/{routed_out}/", "all open"),
    Sight("tam", "/requests/{sow_drafting}/", "move"),
    Sight("tam", "/requests/{awaiting_signoff}/", "all open"),
    Sight("tam", "/requests/{signed_off}/", "more moves"),
    Sight("de_lead", "/requests/{triaged}/", "move"),
    Sight("de_engineer", "/requests/{scheduled}/", "all open"),
    Sight("tam", "/requests/{in_progress}/", "all open"),
    Sight("de_lead", "/requests/{in_progress}/", "no comment", 422),
    Sight("de_lead", "/requests/{on_hold}/"),
    Sight("tam", "/requests/{handed_over}/"),
    Sight("leadership", "/requests/{accepted}/"),
    Sight("tam", "/requests/{closed}/"),
    Sight("tam", "/requests/{declined}/"),
    Sight("tam", "/requests/{cancelled}/"),
    Sight("tam", "/requests/{submitted}/activity/"),
    Sight("tam", "/requests/{closed}/activity/?show=nothing"),
    Sight("de_lead", "/requests/{in_progress}/moves/hold/"),
    Sight("de_lead", "/requests/{in_progress}/moves/hold/", "errors", 422),
    Sight("de_lead", "/requests/{triaged}/moves/start/"),
    Sight("tam", "/requests/{submitted}/ask/fast_path/"),
    Sight("de_lead", "/requests/{submitted}/asked/{asked}/refuse/"),
    Sight("de_lead", "/requests/{submitted}/asked/{asked}/refuse/", "errors", 422),
    Sight("tam", "/requests/{in_progress}/comments/"),
    Sight("tam", "/requests/{in_progress}/comments/{comment}/edit/"),
    Sight("de_engineer", "/requests/{in_progress}/delivery/", "all open"),
    Sight("de_engineer", "/requests/{in_progress}/delivery/", "no proof", 422),
    Sight("tam", "/requests/{handed_over}/delivery/", "all open"),
    Sight("tam", "/requests/{sow_drafting}/delivery/"),
    Sight("tam", "/requests/{awaiting_signoff}/sign-offs/new/verbal/"),
    Sight("tam", "/requests/{awaiting_signoff}/sign-offs/new/verbal/", "errors", 422),
    Sight("tam", "/requests/{handed_over}/sign-offs/new/email/", "errors", 422),
    Sight("tam", "/requests/{awaiting_signoff}/links/new/"),
    Sight("de_lead", "/requests/{triaged}/risk/"),
    Sight("de_lead", "/requests/{sow_drafting}/risk/"),
    Sight("de_lead", "/requests/{written}/risk/", "errors", 422),
    Sight("leadership", "/requests/work-at-risk/"),
    Sight("leadership", "/requests/work-at-risk/?view=asked"),
    Sight("tam", "/requests/work-at-risk/?q=nobody"),
    Sight("leadership", "/requests/work-at-risk/{risk}/approve/"),
    Sight("leadership", "/requests/work-at-risk/{risk}/refuse/", "errors", 422),
    Sight("de_lead", "/notices/"),
    Sight("other-tam", "/notices/"),
    Sight("tam", "/notices/settings/"),
    Sight("administrator", "/requests/{signed}/"),
    Sight("tam", "/requests/{unwritten}/sow/"),
    Sight("tam", "/requests/{written}/sow/"),
    Sight("tam", "/requests/{written}/sow/?as=customer"),
    Sight("tam", "/requests/{written}/sow/edit/"),
    Sight("tam", "/requests/{changed}/sow/?v=2&compare=1"),
    Sight("leadership", "/requests/{changed}/sow/"),
    Sight("tam", "/requests/{changed}/sow/change/"),
    Sight("tam", "/requests/{agreed}/sow/change/"),
    Sight("tam", "/requests/{agreed}/sow/change/", "errors of a change", 422),
    Sight("administrator", "/settings/sow-templates/"),
    Sight("administrator", "/settings/sow-templates/new/"),
    Sight("administrator", "/settings/sow-templates/new/", "errors of a template", 422),
    Sight("administrator", "/settings/sow-templates/{template}/"),
    Sight("administrator", "/requests/{signed}/sign-offs/{sign_off}/"),
    Sight(STRANGER, "/account/login/"),
    Sight(STRANGER, "/account/login/", "errors"),
    Sight(STRANGER, "/account/password/reset/"),
    Sight(STRANGER, "/account/password/reset/", "errors"),
    Sight(STRANGER, "/account/password/reset/done/"),
    Sight(STRANGER, "/account/password/reset/key/1-nothing/"),
    Sight(STRANGER, "{link}"),
    Sight(STRANGER, "{link}", "errors"),
    Sight(STRANGER, "/account/password/reset/key/done/"),
    Sight(STRANGER, "/account/inactive/"),
    Sight(STRANGER, "/nothing/", status=404),
    Sight("newcomer", "/metric/", status=403),
    Sight("leadership", "/metric/"),
    Sight("leadership", "/metric/", "definition drawer"),
    Sight("leadership", "/metric/", "another day"),
    Sight("leadership", "/metric/", "export menu"),
    Sight("leadership", "/metric/", "theme menu"),
    Sight("leadership", "/metric/?as_of=2020-01-01"),
    Sight("leadership", "/metric/?vs={before}"),
    Sight("leadership", "/metric/changes/"),
    Sight("leadership", "/metric/changes/?vs={before}"),
    Sight("leadership", "/metric/changes/?vs={before}&cause=nothing&earned=no"),
    Sight("leadership", "/metric/accounts/"),
    Sight("leadership", "/metric/accounts/?band=below"),
    Sight("leadership", "/metric/accounts/?band=amiss"),
    Sight("leadership", "/metric/flips/"),
    Sight("leadership", "/metric/flips/?side=fall&seats=0"),
    Sight("leadership", "/metric/runs/"),
    Sight("leadership", "/metric/runs/{held}/"),
    Sight("metric_owner", "/metric/runs/{held}/", "errors", 422),
    Sight("leadership", "/metric/definition/"),
    Sight("leadership", "/metric/figures/"),
    Sight("leadership", "/metric/figures/request-sla-attainment/"),
    Sight("metric_owner", "/metric/lab/"),
    Sight("metric_owner", "/metric/lab/new/"),
    Sight("metric_owner", "/metric/lab/new/?metric=seats-deployed"),
    Sight("metric_owner", "/metric/lab/new/?metric=requests-declined"),
    Sight("leadership", "/metric/alerts/"),
    Sight("leadership", "/metric/alerts/?metric=nothing"),
    Sight("leadership", "/metric/alerts/{alert}/"),
    Sight("tam", "/metric/alerts/{alert}/"),
    Sight("tam", "/metric/alert-rules/"),
    Sight("metric_owner", "/metric/alert-rules/"),
    Sight("metric_owner", "/metric/alert-rules/new/"),
    Sight("metric_owner", "/metric/alert-rules/new/?metric=seats-deployed"),
    Sight("metric_owner", "/metric/alert-rules/new/?metric=seats-deployed", "errors", 422),
    Sight("metric_owner", "/metric/alert-rules/{alert_rule}/edit/"),
    Sight("leadership", "/requests/sla/"),
    Sight("leadership", "/requests/sla/?impact=1&clock=nothing"),
    Sight("leadership", "/metric/target/"),
    Sight("leadership", "/metric/target/", "errors", 422),
    Sight("leadership", "/accounts/?region=EMEA&sort=-arr"),
    Sight("leadership", "/accounts/?region=EMEA&view=nothing&cursor=nothing"),
    Sight("leadership", "/accounts/?q=nobody"),
    Sight("leadership", "/accounts/?columns=segment,region,strategic,metric,data,external_id"),
    Sight("leadership", "/accounts/?saved={view}&region=AMER"),
    Sight("leadership", "/accounts/", "palette"),
    Sight("leadership", "/accounts/?view=below", "columns drawer"),
    Sight("leadership", "/accounts/?view=below", "save view"),
    Sight("metric_owner", "/accounts/", "rows ticked"),
    Sight("metric_owner", "/accounts/bulk/?field=segment&account={account}"),
    Sight("metric_owner", "/accounts/bulk/?field=tam&account={account}&value=nobody", status=422),
    Sight("metric_owner", "/accounts/bulk/?field=strategic&account={account}&value=yes"),
    Sight("metric_owner", "/accounts/bulk/?field=archived"),
    Sight("metric_owner", "/accounts/bulk/{edit}/"),
    Sight("leadership", "/views/"),
    Sight("tam", "/views/"),
    Sight("leadership", "/views/new/?page=accounts&view=below"),
    Sight("leadership", "/views/new/?page=accounts", "errors", 422),
    Sight("leadership", "/views/columns/?page=accounts"),
    Sight("leadership", "/views/{view}/"),
    Sight("leadership", "/views/{view}/delete/"),
    Sight("leadership", "/accounts/{account}/"),
    Sight("leadership", "/accounts/{account}/subscriptions/"),
    Sight("leadership", "/accounts/{account}/instances/"),
    Sight("leadership", "/accounts/{account}/readings/"),
    Sight("leadership", "/accounts/{account}/people/"),
    Sight("leadership", "/accounts/{account}/timeline/"),
    Sight("leadership", "/accounts/{account}/data/"),
    Sight("leadership", "/accounts/{unknown}/"),
    Sight("leadership", "/accounts/ACC-999999999/", status=404),
    Sight("leadership", "/settings/company/", status=403),
    Sight("metric_owner", "/imports/"),
    Sight("metric_owner", "/imports/?kind=contacts"),
    Sight("leadership", "/imports/"),
    Sight("metric_owner", "/imports/new/"),
    Sight("metric_owner", "/imports/new/", "errors", 422),
    Sight("metric_owner", "/imports/new/", "columns"),
    Sight("metric_owner", "/imports/{uploaded}/"),
    Sight("metric_owner", "/imports/{uploaded}/mapping/"),
    Sight("metric_owner", "/imports/{uploaded}/mapping/", "no columns", 422),
    Sight("metric_owner", "/imports/{bad}/"),
    Sight("metric_owner", "/imports/{bad}/rows/?tab=update"),
    Sight("metric_owner", "/imports/{good}/"),
    Sight("metric_owner", "/imports/{good}/", "question"),
    Sight("metric_owner", "/imports/{good}/?confirm=apply"),
    Sight("metric_owner", "/imports/{working}/"),
    Sight("administrator", "/imports/{waiting}/"),
    Sight("metric_owner", "/imports/{failed}/"),
    Sight("metric_owner", "/imports/{applied}/"),
    Sight("metric_owner", "/imports/{undone}/"),
    Sight("tam", "/accounts/{account}/readings/", "drawer with errors", 422),
    Sight("tam", "/accounts/{account}/readings/new/"),
    Sight("tam", "/accounts/{account}/readings/new/", "errors", 422),
    Sight("administrator", "/settings/company/"),
    Sight("administrator", "/settings/company/", "errors", 422),
    Sight("administrator", "/settings/tiers/"),
    Sight("administrator", "/settings/tiers/new/"),
    Sight("administrator", "/settings/tiers/new/", "errors", 422),
    Sight("administrator", "/settings/tiers/{tier}/end/"),
    Sight("administrator", "/settings/hours/"),
    Sight("administrator", "/settings/hours/", "errors", 422),
    Sight("administrator", "/settings/hours/levels/{level}/end/"),
    Sight("administrator", "/settings/reasons/"),
    Sight("administrator", "/settings/sign-off/"),
    Sight("administrator", "/settings/sign-off/minimums/{minimum}/end/"),
    Sight("administrator", "/settings/sign-off/minimums/{minimum}/end/", "errors", 422),
    Sight("administrator", "/settings/routing/"),
    Sight("administrator", "/settings/routing/?on=yesterday"),
    Sight("administrator", "/settings/routing/new/"),
    Sight("administrator", "/settings/routing/new/", "errors of a rule", 422),
    Sight("administrator", "/settings/routing/rules/{rule}/", "what would change"),
    Sight("administrator", "/settings/routing/rules/{rule}/end/"),
    Sight("administrator", "/settings/routing/packs/b/"),
    Sight("administrator", "/settings/routing/try/"),
    Sight("administrator", "/settings/routing/try/?type=product&on=2026-01-01"),
    Sight("administrator", "/settings/people/"),
    Sight("administrator", "/settings/people/?q=nobody"),
    Sight("administrator", "/settings/people/new/"),
    Sight("administrator", "/settings/people/new/", "errors", 422),
    Sight("administrator", "/settings/people/{person}/"),
    Sight("administrator", "/settings/people/{person}/", "link"),
    Sight("administrator", "/me/tokens/"),
    Sight("administrator", "/me/tokens/new/"),
    Sight("administrator", "/me/tokens/new/", "errors", 422),
    Sight("administrator", "/me/tokens/new/", "token"),
    Sight("administrator", "/me/tokens/{token}/revoke/"),
    Sight("administrator", "/account/password/change/"),
    Sight("administrator", "/account/password/change/", "errors"),
    Sight("administrator", "/account/reauthenticate/"),
    Sight("administrator", "/account/logout/"),
    Sight("administrator", "/api/v1/docs/", "ready"),
    *(Sight(*each) for each in PROJECT_SIGHTS + NUMBER_SIGHTS),
]


def name_of(sight):
    return " ".join(filter(None, [sight.who or "stranger", sight.path, sight.act]))


@pytest.fixture(scope="package")
def parts(server):
    """What fills the addresses."""
    administrator = User.objects.get(email="administrator@keel.example")
    newcomer = User.objects.get(email="newcomer@keel.example")
    link = services.send_invitation(newcomer, by=administrator)
    return {
        "account": Account.objects.get(name="Ravello Foods").number,
        "unknown": Account.objects.get(name="Halden Energy").number,
        "person": newcomer.uuid,
        "token": ApiTokenFactory(owner=administrator, name="CRM sync").uuid,
        "tier": Tier.objects.first().uuid,
        "before": timezone.now().date() - dt.timedelta(days=3),
        "link": re.sub(r"^https?://[^/]+", "", link),
        "rule": RoutingRule.objects.get(slug="one-off").uuid,
        "level": ServiceLevel.objects.get(clock="routed").uuid,
        "held": a_held_run().uuid,
        **an_alert(),
        "minimum": SignOffMinimum.objects.get(amount_from=50_000).uuid,
        **sign_offs_asked_for(),
        **statements_of_work(),
        **requests_in_all_states(),
        **projects_in_all_states(),
        **numbers_in_all_states(),
        **lists_kept(),
        **imports_in_all_states(),
    }


def a_held_run():
    """Make a held run of a day before all others, so that it stands beside no number."""
    last = MetricRun.objects.filter(definition__slug="seats-deployed").latest("day", "revision")
    return MetricRun.objects.create(
        definition=last.definition,
        day=last.day - dt.timedelta(days=40),
        revision=1,
        status="held",
        known_at=last.known_at,
        digest=last.digest,
        numerator=1,
        denominator=2,
        held_for=[{"code": "failed", "detail": "Could not be computed: Halden."}],
    )


def an_alert():
    alert = AlertFactory(raised_by__revision=99)
    return {"alert": alert.uuid, "alert_rule": alert.rule.uuid}


@transaction.atomic
def sign_offs_asked_for():
    """Ask a customer by link for an answer, and note what was said; returns what leads there."""
    stage = Stage(account=Account.objects.get(name="Ravello Foods"))
    stage.at("awaiting_signoff")
    links.send_link(stage.request, stage.contact, by=stage.filer, at=stage.now)
    said = recording.Evidence(
        contact=stage.contact, name="Kari Solberg", answered_at=stage.now, note="All plants"
    )
    sign_off = recording.record_verbal(stage.request, said, by=stage.filer, at=stage.now)
    asked, objects = tokens(stage.contact.email)
    return {
        "open_link": asked,
        "objection_link": objects,
        "receipt": sign_off.receipt,
        "signed": stage.request.number,
        "sign_off": sign_off.uuid,
    }


@transaction.atomic
def statements_of_work():
    """Make requests whose statement of work is not begun, is a draft with an error, was agreed to,
    and is being changed."""
    made = {}
    states = {"unwritten": "routed_out", "written": "sow_drafting"}
    states |= dict.fromkeys(("agreed", "changed"), "in_progress")
    for name, state in states.items():
        stage = Stage(account=Account.objects.get(name="Ravello Foods"))
        stage.request.filed_by = stage.filer = User.objects.get(email="tam@keel.example")
        stage.request.save(update_fields=["filed_by"])
        stage.at(state)
        made[name] = stage
    workflow.place(made["unwritten"].request, "sow_drafting")
    writer, now = made["written"].filer, timezone.now()
    draft = made["written"].request.sows.get()
    typed = {"title": "SAML", "timeframe": {"start": "next week"}, "deliverables": [{"what": "x"}]}
    sows.save_draft(draft, typed, by=writer, at=now, as_text=True)
    change = changing.begin_change(
        made["changed"].request, by=writer, at=now, reason="One more plant", asked_by_customer=True
    )
    rows = [{"what": "A runbook", "by_when": "2027-04-01"}, *change.after.content["deliverables"]]
    content = change.after.content | {"deliverables": rows, "needs": ["Two test realms"]}
    sows.save_draft(change.after, content, by=writer, at=now)
    return {
        "template": SowTemplate.objects.first().uuid,
        **{name: stage.request.number for name, stage in made.items()},
    }


def lists_kept():
    """Make a view of the team and a change of many accounts; returns their public ids."""
    owner = User.objects.get(email="metric_owner@keel.example")
    first, second, third = Account.objects.order_by("pk")[:3]
    edit = BulkEdit.objects.create(
        field="region",
        value="EMEA",
        changed=[{"account": first.pk, "before": "APAC", "version": 1}],
        skipped=[{"account": second.pk, "reason": "It is so already."}],
        not_undone=[{"account": third.pk, "reason": "Somebody has changed it since."}],
        undone_at=timezone.now(),
        by=owner,
    )
    leader = User.objects.get(email="leadership@keel.example")
    view = SavedViewFactory(owner=leader, is_team=True, name="Ours", query="region=EMEA")
    return {"edit": edit.uuid, "view": view.uuid}


def imports_in_all_states():
    """Make an import of each state that looks different; returns their numbers."""
    owner = User.objects.get(email="metric_owner@keel.example")
    other = User.objects.get(email="administrator@keel.example")
    account = Account.objects.get(name="Ravello Foods")
    now = timezone.now()
    file = BytesIO(b"Id,Account Name,Type\n001,Halden,Direct\n")
    uploaded = lifecycle.upload(kind="accounts", file=file, filename="a.csv", by=owner, at=now)
    mover = {"number": account.number, "name": account.name, "was": "below", "becomes": "passes"}
    sides = [{"numerator": each, "denominator": 10} for each in (6, 7)]
    effect = {"before": sides[0], "after": sides[1], "movers": [mover], "more": 2}
    made = {
        "bad": ImportFactory(by=owner, effect=effect, bad_rows=1, updates=1, excluded=[9]),
        "good": ImportFactory(by=owner, effect=effect),
        "working": ImportFactory(by=owner, status="checking", rows=0),
        "waiting": ImportFactory(by=owner, status="waiting", mass=["60 of 400 archived."]),
        "failed": ImportFactory(by=owner, status="failed", failure="Row 9 opens a quote."),
        "applied": ImportFactory(by=owner, status="applied", applied_by=owner, applied_at=now),
        "undone": ImportFactory(
            by=owner,
            status="undone",
            applied_at=now,
            undone_by=other,
            undone_at=now,
            undone={"count": 1, "skipped": [["Halden", "It was changed since."]]},
        ),
    }
    for each in made.values():
        ImportRowFactory(file=each, row=2, label=account.name, account_id=account.pk)
    problem = ["status", "costumer", "“costumer” is none of: prospect, customer.", "not_a_choice"]
    bad_row = {"outcome": "error", "label": "", "changes": [], "problems": [problem]}
    ImportRowFactory(file=made["bad"], row=3, cells=["A-1", "costumer"], **bad_row)
    return {"uploaded": uploaded.number} | {name: each.number for name, each in made.items()}


def violations(page):
    """Look at a page in both themes and both widths; returns what axe-core finds."""
    page.evaluate(Axe().axe_script)
    found = {}
    for theme, rules in {"light": RULES, "dark": RULES_OF_COLOUR}.items():
        for size in (WIDE, PHONE):
            page.emulate_media(color_scheme=theme, reduced_motion="reduce")
            page.set_viewport_size(size)
            for line in page.evaluate(RUN, rules):
                found.setdefault(line, []).append(f"{theme} {size['width']}")
    page.set_viewport_size(WIDE)
    return found


class Samples(dict):
    """What fills an address where only its shape matters; a request's number where not said."""

    def __missing__(self, name):
        kinds = {"def": "DEF-1", "pack": "2026-10", "prj": "PRJ-1", "rev": "REV-1"}
        return kinds.get(name.partition("_")[0], "REQ-1")


def test_every_page_is_looked_at():
    uuids = (
        "absence", "alert", "alert_rule", "allocation", "asked", "comment", "edit", "increment",
        "left_artefact", "membership", "prj_asked", "team", "held", "level", "minimum", "person",
        "risk", "rule", "sign_off", "template", "tier", "token", "view",
    )  # fmt: skip
    imports = ("uploaded", "bad", "good", "working", "waiting", "failed", "applied", "undone")
    samples = Samples(dict.fromkeys(uuids, uuid.uuid4()) | dict.fromkeys(imports, "IMP-1"))
    samples |= {"account": "ACC-1", "unknown": "ACC-2", "link": "/"}
    seen = {
        resolve(sight.path.partition("?")[0].format_map(samples)).view_name
        for sight in SIGHTS
        if sight.status != 404
    }
    pages = {name for name, answers in PAGES.items() if 200 in answers.values()}
    assert pages - NO_PAGES <= seen


@pytest.mark.parametrize("sight", SIGHTS, ids=name_of)
def test_axe_finds_nothing(sight, parts, visit):
    path = sight.path.format(**parts)
    page = visit(sight.who and f"{sight.who}@keel.example", path, expected=[sight.status])
    if sight.who:
        assert page.url.endswith(path), f"{path} led to {page.url}"
    if sight.act:
        ACTS[sight.act](page)

    accepted = ACCEPTED.get(sight.path, ())
    found = {
        line: where for line, where in violations(page).items() if rule_of(line) not in accepted
    }
    assert found == {}
    assert_fits_a_phone(page, width=NARROWEST)


def rule_of(line):
    return line.partition(":")[0]


@pytest.mark.urls("tests.urls_styleguide")
@pytest.mark.parametrize(
    "path", ["?toast=1", "?error=1", "errors/409/", "errors/429/", "errors/500/"]
)
def test_axe_finds_nothing_in_the_components(path, visit):
    page = visit("leadership@keel.example", f"/styleguide/{path}", expected=[409, 429, 500])

    assert violations(page) == {}
    assert_fits_a_phone(page, width=NARROWEST)


def test_the_first_key_leads_past_the_navigation(visit):
    page = visit("leadership@keel.example", "/metric/")

    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to main content")).to_be_focused()
    expect(page.get_by_role("link", name="Skip to main content")).to_be_in_viewport()
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_be_focused()


@pytest.mark.parametrize(
    ("email", "path", "opener", "title"),
    [
        ("leadership@keel.example", "/metric/", "Definition", "How this number is defined"),
        (
            "tam@keel.example",
            "/accounts/{account}/readings/",
            "Enter a count",
            "Enter a seat count",
        ),
    ],
)
def test_a_drawer_gives_the_focus_back(email, path, opener, title, parts, visit):
    page = visit(email, path.format(**parts))
    link = page.get_by_role("link", name=opener, exact=True)
    drawer = page.get_by_role("dialog", name=title)

    link.press("Enter")
    expect(drawer).to_be_visible()
    for _ in range(12):
        page.keyboard.press("Tab")
        assert page.evaluate(INSIDE_OR_OUT_OF_PAGE), "the focus left the drawer"
    page.keyboard.press("Escape")
    expect(drawer).to_be_hidden()
    expect(link).to_be_focused()


def test_the_menu_of_a_phone_by_keys(visit):
    page = visit("leadership@keel.example", "/metric/")
    page.set_viewport_size(PHONE)
    button = page.get_by_role("button", name="Open menu")

    button.press("Enter")
    menu = page.get_by_role("complementary", name="Main navigation")
    expect(menu).to_be_visible()
    page.keyboard.press("Escape")
    expect(menu).to_be_hidden()
    expect(button).to_be_focused()
    button.press("Enter")
    menu.get_by_role("link", name="Accounts").press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Accounts")


def test_the_theme_changes_by_keys_and_is_kept(visit):
    page = visit("other-tam@keel.example", "/accounts/")
    button = page.get_by_role("button", name="Theme")
    dark = page.get_by_role("button", name="Dark")

    button.press("Enter")
    expect(dark).to_have_attribute("aria-pressed", "false")
    with page.expect_response("**/me/preferences/theme"):
        dark.press("Enter")
    expect(dark).to_have_attribute("aria-pressed", "true")
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    page.keyboard.press("Escape")
    expect(dark).to_be_hidden()
    expect(button).to_be_focused()

    page.goto("/metric/")
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")


def test_single_keys_lead_on_and_can_be_switched_off(visit):
    page = visit("leadership@keel.example", "/metric/")
    title = page.get_by_role("heading", level=1)

    page.keyboard.press("g")
    page.keyboard.press("a")
    page.wait_for_url("**/accounts/")
    page.keyboard.press("/")
    search = page.get_by_role("combobox", name="Account, page or command")
    expect(search).to_be_focused()
    page.keyboard.type("gs")
    expect(search).to_have_value("gs")
    expect(title).to_have_text("Accounts")

    page.goto("/metric/")
    page.keyboard.press("Shift+?")
    keys = page.get_by_role("dialog", name="Keyboard shortcuts")
    keys.get_by_label("Use single-key shortcuts").uncheck()
    page.keyboard.press("Escape")
    page.keyboard.press("Shift+?")
    expect(keys).to_be_hidden()
    page.evaluate("localStorage.clear()")
