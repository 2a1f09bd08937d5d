"""Every address, asked as everybody: who is let in, who is sent to sign in, who is refused.

The addresses come from the URL configuration. One that is not in the tables fails, so that a new
page or resource cannot forget to say who may see it.
"""

import pytest
from django.test import Client
from django.utils import timezone

from events.models import Event
from people.models import REQUESTERS, Role, Scope
from people.permissions import MAKERS_OF_TEAM_VIEWS
from tests import factories
from tests.addresses import ROUTES, World

ROLES = [str(role) for role in Role.values]
ANONYMOUS, NOBODY = "anonymous", "without role"
EVERYBODY = [ANONYMOUS, NOBODY, *ROLES]


def everybody(status=200):
    return dict.fromkeys(EVERYBODY, status)


def signed_in(status=200):
    return everybody(status) | {ANONYMOUS: 302}


def any_role(status=200):
    return signed_in(status) | {NOBODY: 403}


def only(*roles, status=200):
    return any_role(403) | dict.fromkeys([str(role) for role in roles], status)


def api(answers):
    return answers | {ANONYMOUS: 401}


ADMINISTRATOR = only(Role.ADMINISTRATOR)
REQUESTER = only(*REQUESTERS)
# Whoever sees the contacts of all accounts sees imports.
ALL_CONTACTS = [Role.DE_LEAD, Role.LEADERSHIP, Role.METRIC_OWNER, Role.ADMINISTRATOR]
SEES_IMPORTS = only(*ALL_CONTACTS)
EDITS_ANY_ACCOUNT = [str(Role.METRIC_OWNER), str(Role.ADMINISTRATOR)]
MAKES_TEAM_VIEWS = [str(role) for role in MAKERS_OF_TEAM_VIEWS]
# What GET answers. Requesters below are not assigned to the account; its own TAM is tested apart.
PAGES = {
    "home": any_role(),
    "livez": everybody(),
    "readyz": everybody(),
    "metrics:dashboard": any_role(),
    "metrics:account-list": any_role(),
    "metrics:rows-csv": any_role(),
    "metrics:rows-xlsx": any_role(),
    "metrics:series-csv": any_role(),
    "metrics:changes": any_role(),
    # There is no earlier day to compare with.
    "metrics:changes-csv": any_role(400),
    "metrics:definition": any_role(),
    "metrics:number-panel": any_role(302),
    "metrics:target": only(Role.LEADERSHIP),
    "metrics:recompute": any_role(405),
    "metrics:figures": any_role(),
    "metrics:figure": any_role(),
    "metrics:figure-accounts": any_role(),
    "metrics:figure-accounts-csv": any_role(),
    "metrics:figure-changes": any_role(),
    # There is no earlier day to compare with.
    "metrics:figure-changes-csv": any_role(400),
    "metrics:lab": any_role(),
    "metrics:proposal-new": only(Role.METRIC_OWNER),
    "metrics:proposal": any_role(),
    # Somebody else's draft.
    "metrics:proposal-edit": any_role(403),
    "metrics:proposal-move": any_role(404),
    "metrics:backtest": any_role(405),
    "metrics:backtest-stop": any_role(405),
    "metrics:backtest-progress": any_role(302),
    # It was not back-tested; tests/metrics/test_lab_pages.py looks at one that was.
    "metrics:backtest-sides": any_role(404),
    "metrics:backtest-sides-csv": any_role(404),
    "metrics:packs": any_role(),
    # There is none of that month; tests/metrics/test_packs.py makes some.
    "metrics:pack": any_role(404),
    "metrics:pack-pdf": any_role(404),
    "metrics:alerts": any_role(),
    "metrics:alert": any_role(),
    "metrics:alert-move": any_role(404),
    "metrics:alert-rules": any_role(),
    "metrics:alert-rule-new": only(Role.METRIC_OWNER, Role.LEADERSHIP),
    "metrics:alert-rule-edit": only(Role.METRIC_OWNER, Role.LEADERSHIP),
    "metrics:alert-rule-switch": any_role(405),
    "metrics:health": any_role(),
    # Nothing was said yet.
    "metrics:health-csv": any_role(400),
    "metrics:account-health": any_role(),
    # A part of another page; alone it leads to the tab.
    "metrics:account-health-panel": any_role(302),
    "metrics:account-health-override": any_role(405),
    "metrics:account-health-override-end": any_role(405),
    "metrics:flip-list": any_role(),
    "metrics:flips-csv": any_role(),
    "metrics:what-if": any_role(),
    "metrics:scenario-list": any_role(),
    "metrics:scenarios-csv": any_role(),
    # There is none; tests/metrics/test_what_if.py keeps one.
    "metrics:scenario": any_role(404),
    "metrics:scenario-csv": any_role(404),
    "metrics:scenario-delete": any_role(405),
    "metrics:run-list": any_role(),
    "metrics:run-detail": any_role(404),
    "accounts:account-list": any_role(),
    "accounts:account-export": any_role(),
    "accounts:account-workbook": any_role(),
    # Without a field there is nothing to change; tests/accounts/test_bulk_edits.py asks with one.
    "accounts:bulk-edit": any_role(404),
    "accounts:bulk-report": any_role(404) | dict.fromkeys(EDITS_ANY_ACCOUNT, 200),
    "accounts:bulk-undo": any_role(405),
    "accounts:account-detail": any_role(),
    "accounts:account-subscriptions": any_role(),
    "accounts:account-instances": any_role(),
    "accounts:account-readings": any_role(),
    "accounts:reading-create": any_role(403),
    "accounts:account-people": any_role(),
    "accounts:account-timeline": any_role(),
    "accounts:account-data": any_role(),
    "imports:list": SEES_IMPORTS,
    "imports:new": only(Role.METRIC_OWNER),
    "imports:template": SEES_IMPORTS,
    "imports:detail": SEES_IMPORTS,
    "imports:rows": SEES_IMPORTS,
    "imports:rejected": SEES_IMPORTS,
    # Somebody else has uploaded it; they alone say how it is read.
    "imports:mapping": only(Role.METRIC_OWNER, status=302),
    "imports:progress": only(*ALL_CONTACTS, status=302),
    "imports:exclude": any_role(405),
    "imports:apply": any_role(405),
    "imports:approve": any_role(405),
    "imports:undo": any_role(405),
    "imports:discard": any_role(405),
    "handbook": any_role(),
    "palette": any_role(302),
    "views:list": any_role(),
    "views:create": any_role(404),
    "views:columns": any_role(404),
    "views:edit": any_role(403) | dict.fromkeys(MAKES_TEAM_VIEWS, 200),
    "views:save": any_role(405),
    "views:delete": any_role(403) | dict.fromkeys(MAKES_TEAM_VIEWS, 200),
    "requests:risk-list": any_role(),
    "requests:risk-csv": any_role(),
    "requests:risk-ask": only(Role.DE_LEAD),
    "requests:risk-move": only(Role.LEADERSHIP),
    "projects:list": any_role(),
    "projects:export": any_role(),
    "projects:workbook": any_role(),
    "projects:new": any_role(),
    "projects:detail": any_role(),
    "projects:edit": only(Role.DE_LEAD),
    "projects:activity": any_role(),
    # What there is to ask for is of a request.
    "projects:move": any_role(404),
    "projects:ask-move": any_role(404),
    "projects:refuse-move": any_role(404),
    "projects:from-request": only(Role.DE_ENGINEER, Role.DE_LEAD),
    "projects:split": only(Role.DE_LEAD),
    # Parts of other pages; alone they lead to the list.
    "projects:request-panel": any_role(302),
    "projects:account-panel": any_role(302),
    "projects:board": any_role(),
    # Without a card there is no menu; tests/projects/test_board_pages.py asks with one.
    "projects:board-move": any_role(404),
    "projects:artefacts": any_role(),
    "projects:artefacts-csv": any_role(),
    # What a request or a project left behind is looked after by engineers, or who works on it.
    "projects:artefact": only(Role.DE_ENGINEER, Role.DE_LEAD),
    "projects:score": any_role(),
    # Without htmx the whole tab is shown.
    "projects:score-why": any_role(302),
    "projects:vote": any_role(405),
    "projects:vote-open": any_role(405),
    "projects:vote-close": any_role(405),
    "projects:override": only(Role.DE_LEAD),
    "projects:override-end": any_role(405),
    "settings:scoring": any_role(),
    "settings:scoring-take-back": any_role(405),
    "settings:health": any_role(),
    "settings:health-take-back": any_role(405),
    "projects:support": any_role(),
    "projects:support-plan": any_role(405),
    "projects:support-sign": any_role(405),
    "projects:official": any_role(405),
    "projects:official-withdraw": any_role(405),
    "projects:inside-product": any_role(405),
    "projects:inside-product-withdraw": any_role(405),
    "projects:delivery": any_role(),
    "projects:artefact-add": any_role(405),
    "projects:artefact-change": any_role(405),
    "projects:artefact-remove": any_role(405),
    "projects:roll-out": any_role(405),
    "projects:roll-out-take-back": any_role(405),
    "projects:retrospective": any_role(405),
    "projects:outcome-check": any_role(405),
    "notices:list": any_role(),
    "notices:seen": any_role(405),
    # A page left open is not thrown away for the sake of a number.
    "notices:bell": everybody() | {ANONYMOUS: 204, NOBODY: 204},
    "notices:settings": any_role(),
    "settings": any_role(302),
    "settings:board": only(Role.DE_LEAD, Role.ADMINISTRATOR),
    "settings:company": ADMINISTRATOR,
    "settings:tier-list": ADMINISTRATOR,
    "settings:tier-create": ADMINISTRATOR,
    "settings:tier-end": only(Role.ADMINISTRATOR),
    "people:token-list": any_role(),
    "people:token-create": any_role(),
    "people:token-revoke": any_role(404),
    "people:theme": signed_in(405),
    "people:person-list": ADMINISTRATOR,
    "people:person-create": ADMINISTRATOR,
    "people:person-edit": ADMINISTRATOR,
    "people:person-deactivate": any_role(405),
    "people:person-reactivate": any_role(405),
    "people:person-link": any_role(405),
    "account_login": signed_in(302) | {ANONYMOUS: 200},
    "account_logout": signed_in(),
    "account_inactive": everybody(),
    "account_reauthenticate": signed_in(),
    "account_change_password": signed_in(),
    "account_reset_password": everybody(),
    "account_reset_password_done": everybody(),
    "account_reset_password_from_key": everybody(),
    "account_reset_password_from_key_done": everybody(),
    "account_confirm_email": any_role(404),
    "requests:new": REQUESTER,
    "requests:paste": REQUESTER,
    # It was sent, so there is nothing to write any more: the request's page answers.
    "requests:resume": only(*REQUESTERS, status=302),
    "requests:intake": only(*REQUESTERS, status=302),
    "requests:discard": only(*REQUESTERS, status=302),
    "requests:intake-save": any_role(405),
    "requests:list": any_role(),
    "requests:export": any_role(),
    "requests:workbook": any_role(),
    # Without a move there is nothing to do; tests/engagements/test_bulk_moves.py asks with one.
    "requests:bulk": any_role(404),
    "requests:bulk-report": any_role(404),
    # The part of an account's page; without the script it leads to the list.
    "requests:account-panel": any_role(302),
    "requests:detail": any_role(),
    "requests:activity": any_role(),
    # Who may not make the move is led to asking for it, and the other way round.
    "requests:move": any_role(302) | {str(Role.DE_LEAD): 200},
    "requests:ask-move": any_role() | {str(Role.DE_LEAD): 302},
    "requests:refuse-move": only(Role.DE_LEAD),
    "requests:comments": any_role(),
    "requests:comment-edit": any_role(403),
    "requests:comment-withdraw": any_role(405),
    "requests:file": any_role(),
    "requests:sow": any_role(),
    "requests:sow-pdf": any_role(),
    # Of its requester alone; tests/engagements/test_sow_pages.py.
    "requests:sow-edit": any_role(403),
    "requests:sow-change": any_role(403),
    "requests:sow-start": any_role(405),
    "requests:sow-save": any_role(405),
    "requests:sow-discard": any_role(405),
    "requests:sow-estimate": any_role(405),
    "requests:sow-change-decide": any_role(405),
    "requests:delivery": any_role(),
    "requests:deliverable-tick": any_role(405),
    "requests:deliverable-untick": any_role(405),
    "requests:artefact-add": any_role(405),
    "requests:artefact-change": any_role(405),
    "requests:artefact-remove": any_role(405),
    "requests:roll-out": any_role(405),
    "requests:roll-out-take-back": any_role(405),
    "requests:retrospective": any_role(405),
    "requests:outcome-check": any_role(405),
    "requests:sla": any_role(),
    "requests:sla-csv": any_role(),
    # Its request was never submitted, so none of its clocks was missed.
    "requests:level-note": any_role(403) | {str(Role.DE_LEAD): 404},
    "settings:hours": ADMINISTRATOR,
    "settings:level-end": only(Role.ADMINISTRATOR),
    "settings:reasons": ADMINISTRATOR,
    "requests:scope-check": any_role(405),
    "settings:routing": ADMINISTRATOR,
    "settings:sow-templates": ADMINISTRATOR,
    "settings:sow-template-new": ADMINISTRATOR,
    "settings:sow-template": ADMINISTRATOR,
    "settings:routing-new": ADMINISTRATOR,
    "settings:routing-try": ADMINISTRATOR,
    "settings:routing-pack": ADMINISTRATOR,
    "settings:routing-rule": ADMINISTRATOR,
    "settings:routing-end": ADMINISTRATOR,
    # Of its requester alone; tests/engagements/test_recording.py.
    "requests:sign-off-record": any_role(403),
    "requests:sign-off": any_role(),
    "requests:sign-off-confirm": any_role(405),
    "requests:sign-off-withdraw": any_role(405),
    "requests:sign-off-certificate": only(*ALL_CONTACTS),
    "requests:link-new": any_role(403),
    "requests:link-resend": any_role(405),
    "requests:link-remind": any_role(405),
    "requests:link-revoke": any_role(405),
    "requests:link-confirm": any_role(405),
    "settings:sign-off": ADMINISTRATOR,
    "settings:sign-off-minimum-end": only(Role.ADMINISTRATOR),
    # Customers have no account; a link that opens is in tests/engagements/test_public_pages.py.
    "public:sign": everybody(404),
    "public:document": everybody(404),
    "public:renew": everybody(405),
    "public:receipt": everybody(410),
    "public:certificate": everybody(410),
    "public:verify": everybody(),
    "public:receipt-check": everybody(),
    "projects:reviews": any_role(),
    "projects:review-new": only(Role.DE_LEAD),
    "projects:review-decisions": any_role(),
    "projects:review": any_role(),
    "projects:review-edit": only(Role.DE_LEAD),
    "projects:review-move": only(Role.DE_LEAD),
    "projects:review-people": any_role(405),
    "projects:review-refresh": any_role(405),
    "projects:review-compare": any_role(),
    "projects:review-add": any_role(405),
    "projects:review-decide": any_role(405),
    "projects:review-note": any_role(405),
    "projects:review-remove": any_role(405),
    "projects:capacity": any_role(),
    "projects:teams": any_role(),
    "projects:team": any_role(),
    "projects:member": only(Role.DE_LEAD),
    "projects:increment": any_role(),
    "projects:increment-edit": only(Role.DE_LEAD),
    "projects:allocate": any_role(405),
    "projects:allocation": only(Role.DE_LEAD),
    "projects:absence-at-risk": any_role(),
    "people:absences": any_role(),
    "people:absence-new": any_role(),
    "people:absence": any_role(),
    # Of somebody else.
    "people:absence-edit": only(Role.DE_LEAD, Role.LEADERSHIP),
    "people:absence-move": any_role(405),
    "api:docs": signed_in(),
}
# Who may POST where there is no page to GET.
POSTS = {
    "metrics:pack": {Role.METRIC_OWNER, Role.LEADERSHIP},
    "metrics:proposal-new": {Role.METRIC_OWNER},
    "metrics:backtest": {Role.METRIC_OWNER},
    "metrics:backtest-stop": {Role.METRIC_OWNER},
    "metrics:alert-rule-new": {Role.METRIC_OWNER, Role.LEADERSHIP},
    "metrics:alert-rule-edit": {Role.METRIC_OWNER, Role.LEADERSHIP},
    "metrics:alert-rule-switch": {Role.METRIC_OWNER, Role.LEADERSHIP},
    "projects:review-new": {Role.DE_LEAD},
    "projects:review-edit": {Role.DE_LEAD},
    "projects:review-move": {Role.DE_LEAD},
    "projects:review-people": {Role.DE_LEAD},
    "projects:review-refresh": {Role.DE_LEAD},
    "projects:review-compare": {Role.DE_LEAD},
    "projects:review-add": {Role.DE_LEAD},
    "projects:review-decide": {Role.DE_LEAD},
    "projects:review-note": {Role.DE_LEAD},
    "projects:review-remove": {Role.DE_LEAD},
    "projects:new": set(Role),
    "projects:edit": {Role.DE_LEAD},
    "projects:from-request": {Role.DE_ENGINEER, Role.DE_LEAD},
    "projects:split": {Role.DE_LEAD},
    "projects:teams": {Role.DE_LEAD},
    "projects:team": {Role.DE_LEAD},
    "projects:member": {Role.DE_LEAD},
    "projects:increment-edit": {Role.DE_LEAD},
    "projects:allocate": {Role.DE_LEAD},
    "projects:allocation": {Role.DE_LEAD},
    "people:absence-edit": {Role.DE_LEAD, Role.LEADERSHIP},
    "imports:new": {Role.METRIC_OWNER},
    "imports:mapping": {Role.METRIC_OWNER},
    "imports:exclude": set(),
    "imports:apply": {Role.METRIC_OWNER},
    "imports:approve": {Role.METRIC_OWNER, Role.ADMINISTRATOR},
    "imports:undo": {Role.METRIC_OWNER},
    "imports:discard": {Role.METRIC_OWNER, Role.ADMINISTRATOR},
    "metrics:recompute": {Role.METRIC_OWNER},
    "metrics:target": {Role.LEADERSHIP},
    "people:person-deactivate": {Role.ADMINISTRATOR},
    "people:person-reactivate": {Role.ADMINISTRATOR},
    "people:person-link": {Role.ADMINISTRATOR},
    # Of a draft its author alone; tests/engagements/test_intake_pages.py.
    "requests:intake-save": set(),
    "requests:move": {Role.DE_LEAD},
    "requests:refuse-move": {Role.DE_LEAD},
    "requests:sow-edit": set(),
    "requests:sow-change": set(),
    "requests:sow-start": set(),
    "requests:sow-save": set(),
    "requests:sow-discard": set(),
    "requests:sow-estimate": {Role.DE_ENGINEER, Role.DE_LEAD},
    "requests:sow-change-decide": {Role.DE_LEAD},
    "requests:risk-ask": {Role.DE_LEAD},
    "requests:risk-move": {Role.LEADERSHIP},
    "requests:sign-off-record": set(),
    "requests:sign-off-confirm": {Role.DE_LEAD},
    "requests:sign-off-withdraw": {Role.DE_LEAD},
    "requests:link-new": set(),
    "requests:link-resend": set(),
    "requests:link-remind": set(),
    "requests:link-revoke": {Role.DE_LEAD, Role.ADMINISTRATOR},
    "requests:link-confirm": {Role.DE_LEAD},
    "settings:sign-off-minimum-end": {Role.ADMINISTRATOR},
    "settings:tier-end": {Role.ADMINISTRATOR},
    "settings:level-end": {Role.ADMINISTRATOR},
    "requests:scope-check": set(Role),
    "settings:board": {Role.DE_LEAD, Role.ADMINISTRATOR},
    "projects:artefact": {Role.DE_ENGINEER, Role.DE_LEAD},
    "projects:artefact-add": {Role.DE_ENGINEER, Role.DE_LEAD},
    "projects:artefact-change": {Role.DE_ENGINEER, Role.DE_LEAD},
    "projects:artefact-remove": {Role.DE_ENGINEER, Role.DE_LEAD},
    "projects:score": {Role.DE_LEAD},
    "projects:vote": set(Role),
    "projects:vote-open": {Role.DE_LEAD},
    # There is no round to close, whoever asks.
    "projects:vote-close": set(Role),
    "projects:override": {Role.DE_LEAD},
    "projects:override-end": {Role.DE_LEAD},
    "settings:scoring": {Role.ADMINISTRATOR},
    "settings:scoring-take-back": {Role.ADMINISTRATOR},
    "settings:health": {Role.METRIC_OWNER, Role.ADMINISTRATOR},
    "settings:health-take-back": {Role.METRIC_OWNER, Role.ADMINISTRATOR},
    # Its own primary TAM and CSM too: tests/metrics/test_health.py.
    "metrics:account-health-override": {Role.DE_LEAD, Role.LEADERSHIP},
    "metrics:account-health-override-end": {Role.DE_LEAD, Role.LEADERSHIP},
    "projects:support-plan": {Role.DE_LEAD},
    "projects:support-sign": {Role.ENGINEERING_LEADERSHIP},
    "projects:official": {Role.ENGINEERING_LEADERSHIP, Role.PRODUCT_LEADERSHIP},
    "projects:official-withdraw": {Role.ENGINEERING_LEADERSHIP, Role.PRODUCT_LEADERSHIP},
    "projects:inside-product": {Role.ENGINEERING_LEADERSHIP, Role.PRODUCT_LEADERSHIP},
    "projects:inside-product-withdraw": {Role.ENGINEERING_LEADERSHIP, Role.PRODUCT_LEADERSHIP},
    "projects:roll-out": {Role.DE_LEAD},
    "projects:roll-out-take-back": {Role.DE_LEAD},
    "projects:retrospective": {Role.DE_LEAD},
    "projects:outcome-check": {Role.DE_LEAD},
    "views:save": set(MAKES_TEAM_VIEWS),
    "views:delete": set(MAKES_TEAM_VIEWS),
}
# What GET answers to a browser's session, and the scope that a token needs for it.
RESOURCES = {
    "api:schema": (signed_in(), None),
    "api:me": (signed_in(), None),
    "api:accounts-list": (any_role(), Scope.ACCOUNT_READ),
    "api:accounts-detail": (any_role(), Scope.ACCOUNT_READ),
    "api:account-timeline-list": (any_role(), Scope.ACCOUNT_READ),
    "api:subscriptions-list": (any_role(), Scope.ACCOUNT_READ),
    "api:subscriptions-detail": (any_role(), Scope.ACCOUNT_READ),
    "api:instances-list": (any_role(), Scope.ACCOUNT_READ),
    "api:instances-detail": (any_role(), Scope.ACCOUNT_READ),
    "api:contacts-list": (any_role(), Scope.CONTACT_READ),
    "api:contacts-detail": (any_role(404), Scope.CONTACT_READ),
    "api:assignments-list": (any_role(), Scope.ACCOUNT_READ),
    "api:assignments-detail": (any_role(), Scope.ACCOUNT_READ),
    "api:tiers-list": (any_role(), Scope.ACCOUNT_READ),
    "api:tiers-detail": (any_role(), Scope.ACCOUNT_READ),
    "api:exchange-rates-list": (any_role(), Scope.ACCOUNT_READ),
    "api:exchange-rates-detail": (any_role(), Scope.ACCOUNT_READ),
    "api:seat-readings-list": (any_role(), Scope.ACCOUNT_READ),
    "api:imports-list": (SEES_IMPORTS, Scope.IMPORT_RUN),
    "api:imports-detail": (SEES_IMPORTS, Scope.IMPORT_RUN),
    "api:imports-mapping": (SEES_IMPORTS, Scope.IMPORT_RUN),
    "api:import-rows-list": (SEES_IMPORTS, Scope.IMPORT_RUN),
    "api:imports-exclude": (any_role(405), None),
    "api:imports-apply": (any_role(405), None),
    "api:imports-approve": (any_role(405), None),
    "api:imports-undo": (any_role(405), None),
    "api:imports-discard": (any_role(405), None),
    "api:routing-rules-list": (any_role(), Scope.REQUEST_READ),
    "api:routing-rules-detail": (any_role(), Scope.REQUEST_READ),
    "api:service-requests-list": (any_role(), Scope.REQUEST_READ),
    "api:service-requests-detail": (any_role(), Scope.REQUEST_READ),
    "api:service-requests-transitions": (any_role(), Scope.REQUEST_READ),
    "api:service-requests-ask": (any_role(405), None),
    "api:projects-list": (any_role(), Scope.PROJECT_READ),
    "api:projects-detail": (any_role(), Scope.PROJECT_READ),
    "api:projects-transitions": (any_role(), Scope.PROJECT_READ),
    "api:projects-ask": (any_role(405), None),
    "api:request-route": (any_role(), Scope.REQUEST_READ),
    "api:sows-list": (any_role(), Scope.REQUEST_READ),
    "api:sows-detail": (any_role(), Scope.REQUEST_READ),
    "api:sows-estimate": (any_role(405), None),
    "api:changes-list": (any_role(), Scope.REQUEST_READ),
    "api:changes-detail": (any_role(), Scope.REQUEST_READ),
    "api:changes-transitions": (any_role(405), None),
    "api:metrics-list": (any_role(), Scope.METRICS_READ),
    "api:metrics-detail": (any_role(), Scope.METRICS_READ),
    "api:metric-series-list": (any_role(), Scope.METRICS_READ),
    "api:metric-segments-list": (any_role(), Scope.METRICS_READ),
    "api:metric-rows-list": (any_role(), Scope.METRICS_READ),
    "api:metric-flips-list": (any_role(), Scope.METRICS_READ),
    "api:metric-changes-list": (any_role(), Scope.METRICS_READ),
    "api:definition-proposals-list": (any_role(), Scope.METRICS_READ),
    "api:definition-proposals-detail": (any_role(), Scope.METRICS_READ),
    "api:definition-proposals-transitions": (any_role(), Scope.METRICS_READ),
    # Not back-tested yet.
    "api:definition-proposals-backtest": (any_role(404), Scope.METRICS_READ),
    "api:alerts-list": (any_role(), Scope.METRICS_READ),
    "api:alerts-detail": (any_role(), Scope.METRICS_READ),
    "api:alerts-transitions": (any_role(), Scope.METRICS_READ),
    "api:alert-rules-list": (any_role(), Scope.METRICS_READ),
    "api:alert-rules-detail": (any_role(), Scope.METRICS_READ),
    "api:account-health": (any_role(), Scope.METRICS_READ),
    "api:account-health-override": (any_role(405), None),
    "api:health-policies-list": (any_role(), Scope.METRICS_READ),
    "api:comments-list": (any_role(), Scope.REQUEST_READ),
    "api:attachments-list": (any_role(), Scope.REQUEST_READ),
    "api:attachments-content": (any_role(), Scope.REQUEST_READ),
    "api:deliverables-list": (any_role(), Scope.REQUEST_READ),
    "api:deliverables-tick": (any_role(405), None),
    "api:deliverables-untick": (any_role(405), None),
    "api:tokens-list": (any_role(), Scope.TOKEN_READ),
    "api:tokens-detail": (any_role(404), Scope.TOKEN_READ),
    "api:users-list": (only(Role.ADMINISTRATOR), None),
    "api:users-detail": (only(Role.ADMINISTRATOR), None),
}
RESOURCES |= {
    "api:score": (any_role(), Scope.PROJECT_READ),
    "api:votes": (any_role(), Scope.PROJECT_READ),
    "api:votes-round": (any_role(405), None),
    "api:override": (any_role(405), None),
    "api:support-plan": (any_role(), Scope.PROJECT_READ),
    "api:artefacts-list": (any_role(), Scope.PROJECT_READ),
    "api:artefacts-detail": (any_role(), Scope.PROJECT_READ),
    "api:project-checks-list": (any_role(), Scope.PROJECT_READ),
    "api:project-checks-record": (any_role(405), None),
    "api:sign-offs-list": (any_role(), Scope.REQUEST_READ),
    "api:risks-list": (any_role(), Scope.REQUEST_READ),
    "api:risks-detail": (any_role(), Scope.REQUEST_READ),
    "api:risks-transitions": (any_role(405), None),
    "api:notices-list": (any_role(), Scope.REQUEST_READ),
    "api:board-packs-list": (any_role(), Scope.METRICS_READ),
    "api:board-packs-detail": (any_role(404), Scope.METRICS_READ),
    "api:board-packs-pdf": (any_role(404), Scope.METRICS_READ),
    "api:notices-seen": (any_role(405), None),
}
RESOURCES |= {
    "api:board": (any_role(), Scope.PROJECT_READ),
    "api:board-moves": (any_role(405), None),
}
RESOURCES |= {
    "api:reviews-list": (any_role(), Scope.PROJECT_READ),
    "api:reviews-detail": (any_role(), Scope.PROJECT_READ),
    "api:reviews-agenda": (any_role(), Scope.PROJECT_READ),
    "api:reviews-transitions": (any_role(405), None),
    "api:review-items-list": (any_role(), Scope.PROJECT_READ),
    "api:review-items-transitions": (any_role(405), None),
}
PLANNING = ("teams", "members", "increments", "allocations", "absences")
RESOURCES |= {
    f"api:{kind}-{address}": (any_role(), Scope.PROJECT_READ)
    for kind in PLANNING
    for address in ("list", "detail")
}
RESOURCES["api:increments-sheet"] = (any_role(), Scope.PROJECT_READ)
RESOURCES["api:absences-transitions"] = (any_role(405), None)
RESOURCES["api:contacts-detail"][0].update(dict.fromkeys(map(str, ALL_CONTACTS), 200))
# What is written over the API: by whom a session's empty body gets past the question who it is,
# and the scope that a token needs for it.
KEEPERS = {Role.METRIC_OWNER, Role.ADMINISTRATOR}
WRITES = {
    (method, f"api:{kind}-{address}"): (
        KEEPERS,
        Scope.CONTACT_WRITE if kind == "contacts" else Scope.ACCOUNT_WRITE,
    )
    for kind in (
        "accounts", "subscriptions", "instances", "contacts", "assignments", "exchange-rates",
    )
    for method, address in (
        ("post", "list"), ("put", "detail"), ("patch", "detail"), ("post", "bulk"),
        ("put", "by-external-id"),
    )
    if address != "by-external-id" or kind not in {"assignments", "exchange-rates"}
}  # fmt: skip
# Whether somebody may enter a reading depends on the account it names.
WRITES["post", "api:seat-readings-list"] = (set(Role), Scope.SEATS_WRITE)
WRITES["post", "api:seat-readings-bulk"] = (KEEPERS, Scope.SEATS_WRITE)
# Each move and change asks for itself; who files is in tests/engagements/test_requests_api.py.
WRITES["patch", "api:service-requests-detail"] = (set(Role), Scope.REQUEST_WRITE)
WRITES["post", "api:service-requests-transitions"] = (set(Role), Scope.REQUEST_WRITE)
WRITES["post", "api:service-requests-ask"] = (set(Role), Scope.REQUEST_WRITE)
WRITES["post", "api:projects-list"] = (set(Role), Scope.PROJECT_WRITE)
WRITES["patch", "api:projects-detail"] = (set(Role), Scope.PROJECT_WRITE)
WRITES["post", "api:projects-transitions"] = (set(Role), Scope.PROJECT_WRITE)
WRITES["post", "api:projects-ask"] = (set(Role), Scope.PROJECT_WRITE)
# What is wrong in a body is said first, then who may.
WRITES |= {("post", f"api:{kind}-list"): (set(Role), Scope.PROJECT_WRITE) for kind in PLANNING}
WRITES |= {
    ("patch", f"api:{kind}-detail"): (set(Role), Scope.PROJECT_WRITE)
    for kind in ("teams", "increments", "absences")
}
WRITES["post", "api:absences-transitions"] = (set(Role), Scope.PROJECT_WRITE)
# It writes nothing: facts go in, who would own them comes out.
WRITES["post", "api:comments-list"] = (set(Role), Scope.REQUEST_WRITE)
WRITES["post", "api:route-preview"] = (set(Role), Scope.REQUEST_READ)
RESOURCES["api:route-preview"] = (any_role(405), None)
WRITES["post", "api:sows-list"] = (set(Role), Scope.REQUEST_WRITE)
WRITES["put", "api:sows-detail"] = (set(Role), Scope.REQUEST_WRITE)
WRITES["post", "api:sows-estimate"] = (set(Role), Scope.REQUEST_WRITE)
WRITES["post", "api:changes-list"] = (set(Role), Scope.REQUEST_WRITE)
WRITES["post", "api:changes-transitions"] = (set(Role), Scope.REQUEST_WRITE)
WRITES["post", "api:risks-list"] = (set(Role), Scope.REQUEST_WRITE)
WRITES["post", "api:risks-transitions"] = (set(Role), Scope.REQUEST_WRITE)
WRITES["post", "api:score"] = (set(Role), Scope.PROJECT_WRITE)
WRITES["post", "api:votes"] = (set(Role), Scope.PROJECT_WRITE)
WRITES["post", "api:votes-round"] = (set(Role), Scope.PROJECT_WRITE)
WRITES["post", "api:override"] = (set(Role), Scope.PROJECT_WRITE)
WRITES["post", "api:artefacts-list"] = (set(Role), Scope.PROJECT_WRITE)
WRITES["patch", "api:artefacts-detail"] = (set(Role), Scope.PROJECT_WRITE)
WRITES["post", "api:project-checks-record"] = (set(Role), Scope.PROJECT_WRITE)
WRITES["post", "api:reviews-list"] = (set(Role), Scope.PROJECT_WRITE)
WRITES["post", "api:reviews-transitions"] = (set(Role), Scope.PROJECT_WRITE)
WRITES["post", "api:review-items-list"] = (set(Role), Scope.PROJECT_WRITE)
WRITES["post", "api:review-items-transitions"] = (set(Role), Scope.PROJECT_WRITE)
WRITES["post", "api:board-moves"] = (set(Role), Scope.PROJECT_WRITE)
# Each write asks for itself who may; tests/metrics/test_lab_api.py.
WRITES["post", "api:definition-proposals-list"] = (set(Role), Scope.METRICS_WRITE)
WRITES["patch", "api:definition-proposals-detail"] = (set(Role), Scope.METRICS_WRITE)
WRITES["post", "api:definition-proposals-transitions"] = (set(Role), Scope.METRICS_WRITE)
WRITES["post", "api:definition-proposals-backtest"] = ({Role.METRIC_OWNER}, Scope.METRICS_WRITE)
WRITES["post", "api:alerts-transitions"] = (set(Role), Scope.METRICS_WRITE)
WRITES["post", "api:alert-rules-list"] = (set(Role), Scope.METRICS_WRITE)
WRITES["patch", "api:alert-rules-detail"] = (set(Role), Scope.METRICS_WRITE)
WRITES["delete", "api:alert-rules-detail"] = (set(Role), Scope.METRICS_WRITE)
WRITES["post", "api:account-health-override"] = (set(Role), Scope.METRICS_WRITE)
# It has no body to be wrong; its own primary TAM and CSM too: tests/metrics/test_health.py.
WRITES["delete", "api:account-health-override"] = (
    {Role.DE_LEAD, Role.LEADERSHIP},
    Scope.METRICS_WRITE,
)
WRITES["post", "api:metric-what-if"] = (set(Role), Scope.METRICS_READ)
RESOURCES["api:metric-what-if"] = (any_role(405), None)
IN_THE_WAY = {"api:definition-proposals-backtest", "api:account-health-override"}
WRITES["post", "api:notices-seen"] = (set(Role), Scope.REQUEST_WRITE)
RESOURCES |= {
    name: (any_role(405), None) for _, name in WRITES if name.endswith(("-bulk", "-external-id"))
}
# Addresses of the sign-in library that are closed: they have another name, or none.
CLOSED = {
    "account_signup",
    "account_email",
    "account_email_verification_sent",
    "account_set_password",
    "account_confirm_login_code",
}


@pytest.fixture
def world(db):
    return World()


def address_of(world, name):
    today = timezone.now().date()
    asked = {
        "api:metric-segments-list": "?by=tier",
        "api:metric-changes-list": f"?from={today}&to={today}",
    }
    return world(name) + asked.get(name, "")


@pytest.fixture
def as_(person):
    def become(who):
        client = Client()
        if who != ANONYMOUS:
            client.force_login(person() if who == NOBODY else person(who))
        return client

    return become


def test_every_address_says_who_may_see_it():
    assert set(ROUTES) == set(PAGES) | set(RESOURCES) | CLOSED


def test_there_is_a_number_for_the_metric_routes(world):
    assert world("api:metrics-detail") == "/api/v1/metrics/seats-deployed/"


@pytest.mark.parametrize("name", PAGES)
def test_pages_let_in_whom_the_table_says(name, world, as_, number):
    answers = {who: as_(who).get(address_of(world, name)) for who in EVERYBODY}

    assert {who: answer.status_code for who, answer in answers.items()} == PAGES[name]
    if PAGES[name][ANONYMOUS] == 302:
        assert answers[ANONYMOUS].url.startswith("/account/login/")


@pytest.mark.parametrize("name", RESOURCES)
def test_resources_answer_sessions_as_the_table_says(name, world, as_, number):
    answers = {who: as_(who).get(address_of(world, name)) for who in EVERYBODY}

    assert {who: answer.status_code for who, answer in answers.items()} == api(RESOURCES[name][0])
    refused = [answer for answer in answers.values() if answer.status_code >= 400]
    assert {answer.headers["Content-Type"] for answer in refused} <= {"application/problem+json"}


@pytest.mark.parametrize("name", [name for name, (_, scope) in RESOURCES.items() if scope])
def test_a_token_needs_the_scope(name, world, api_client, metric_owner, number):
    allowed, needed = RESOURCES[name]

    answers = {
        scope: api_client(metric_owner, scope).get(address_of(world, name)).status_code
        for scope in Scope.values
    }

    expected = dict.fromkeys(Scope.values, 403) | {str(needed): allowed["metric_owner"]}
    assert answers == expected


@pytest.mark.parametrize("name", sorted(set(PAGES) | set(RESOURCES)))
def test_reading_changes_nothing(name, world, as_, number):
    client = as_("administrator")
    before = Event.objects.count()

    client.get(address_of(world, name))
    client.head(world(name))

    assert Event.objects.count() == before


@pytest.mark.parametrize("name", sorted({*POSTS, *(n for n in PAGES if PAGES[n] == ADMINISTRATOR)}))
def test_writing_is_refused_to_whom_it_is_not_given(name, world, as_, number):
    allowed = POSTS.get(name, {Role.ADMINISTRATOR})
    before = Event.objects.count()
    answers = {who: as_(who).post(world(name), {}).status_code for who in EVERYBODY}

    refused = {who: status for who, status in answers.items() if who not in allowed}
    assert refused.pop(ANONYMOUS) == 302
    assert set(refused.values()) <= {403, 405}
    assert not {answers[str(role)] for role in allowed} & {403, 500}
    assert Event.objects.count() - before <= 2 * len(allowed)


@pytest.mark.parametrize(("method", "name"), WRITES)
def test_facts_are_written_by_those_who_keep_them(method, name, world, as_):
    allowed, _ = WRITES[method, name]
    before = Event.objects.count()

    def answer(who):
        return getattr(as_(who), method)(world(name), {}, "application/json").status_code

    answers = {who: answer(who) for who in EVERYBODY}

    assert answers.pop(ANONYMOUS) == 401
    refused = {who for who, status in answers.items() if status == 403}
    assert refused == answers.keys() - {str(role) for role in allowed}
    # 409: there is no ledger to test over, and no word to end.
    assert set(answers.values()) <= {200, 400, 403, 428} | ({409} if name in IN_THE_WAY else set())
    assert Event.objects.count() == before


@pytest.mark.parametrize(("method", "name"), WRITES)
def test_a_token_needs_the_scope_to_write(method, name, world, api_client, person):
    allowed, needed = WRITES[method, name]
    user = person(Role.METRIC_OWNER if Role.METRIC_OWNER in allowed else min(allowed))

    def answer(scope):
        client = api_client(user, scope)
        return getattr(client, method)(world(name), {}, format="json").status_code

    refused = {scope for scope in Scope.values if answer(scope) == 403}
    assert refused == set(Scope.values) - {str(needed)}


@pytest.mark.parametrize("role", sorted(REQUESTERS))
def test_the_accounts_own_people_may_enter_seats(role, world, login, person):
    user = person(role)
    factories.AssignmentFactory(account=world.account, user=user, role="SA", primary=False)

    assert login(user).get(world("accounts:reading-create")).status_code == 200


@pytest.mark.parametrize(
    "path",
    [
        "/accounts/ACC-999999999/",
        "/accounts/ACC-x/",
        "/settings/tiers/00000000-0000-0000-0000-000000000000/end/",
        "/api/v1/accounts/00000000-0000-0000-0000-000000000000/",
        "/api/v1/accounts/1/",
        "/api/v1/nothing/",
        "/nothing/",
        "/account/signup/",
        "/account/email/",
    ],
)
def test_what_is_not_there_is_not_found(path, as_, world):
    assert as_("administrator").get(path).status_code == 404


@pytest.fixture
def number(world):
    """A run of today, so that there is a number to read."""
    from metrics.services.runs import recompute  # noqa: PLC0415 -- needs the app registry
    from people.models import system_user  # noqa: PLC0415

    now = timezone.now()
    recompute("seats-deployed", now.date(), by=system_user(), now=now)
