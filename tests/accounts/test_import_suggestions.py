"""Which columns of foreign files are taken for which of ours, and how that is told."""

import io

import pytest
from django.core.exceptions import PermissionDenied
from django.utils import timezone

from accounts.imports import lifecycle, saved
from accounts.imports.mappings import UnusableMapping, load_mapping, shipped_names
from accounts.imports.suggesting import Fitting, look_at
from accounts.models import SavedMapping
from accounts.tabular import Layout, UnusableFile
from config.lib.errors import Conflict, Invalid, Missing
from events.models import Event
from tests import factories

NOW = timezone.now()
# The header of Salesforce's Data Loader, as far as it matters, and one row.
DATA_LOADER = {
    "accounts": (
        "ID,ISDELETED,NAME,TYPE,PARENTID,BILLINGCOUNTRY,INDUSTRY,ANNUALREVENUE\n"
        "001A0000006fk2RIAQ,false,Alder,Customer - Direct,,Norway,Retail,3.5E8\n"
    ),
    "subscriptions": (
        "ID,ACCOUNTID,NAME,STAGENAME,AMOUNT,CLOSEDATE,TYPE\n"
        "006A0000006fk2RIAQ,001A0000006fk2RIAQ,Alder 2026,Closed Won,60000,2026-01-31,New\n"
        "006A0000006fk2SIAQ,001A0000006fk2RIAQ,Alder 2027,Prospecting,9000,2027-01-31,New\n"
    ),
    "contacts": (
        "ID,ACCOUNTID,LASTNAME,FIRSTNAME,NAME,EMAIL,TITLE\n"
        "003A0000006fk2RIAQ,001A0000006fk2RIAQ,Berg,Ada,Ada Berg,ada@alder.example,CIO\n"
    ),
}
GITLAB_USAGE = (
    'License Key,"eyJkYXRhIjoi\n"\nEmail,ops@alder.example\nCompany,Alder\n"",""\n'
    "Date,Billable User Count\n2026-01-11 12:00:05,210\n2026-01-12 12:00:05,212\n"
)
GITLAB_LICENCE = (
    '{"id": 2, "plan": "ultimate", "starts_at": "2026-01-27", "expires_at": "2027-01-27",'
    ' "user_limit": 100, "active_users": 90, "expired": false,'
    ' "licensee": {"Name": "Ada Berg", "Company": "Alder"}, "add_ons": {"GitLab_FileLocks": 1}}'
)
TRUE_UP = (
    '{"server_id": "srv1", "license_id": "lic1", "licensed_seats": 500, "license_plan": "E20",'
    ' "customer_name": "Alder", "total_activated_users": 410, "daily_active_users": 180,'
    ' "monthly_active_users": 395, "plugins": {"total_plugins": 1, "plugin_names": ["x"]}}'
)
PACKET = "license_to: Alder\nlicense_supported_users: 500\nactive_users: 410\nmonthly_active_users: 395\n"  # noqa: E501


def look(content, kind="accounts", saved=()):
    file = io.BytesIO(content.encode())
    return look_at(file, kind, Layout(), saved, shipped(kind))


def shipped(kind):
    return saved.shipped_mappings(kind)


def ideas(sheet):
    return {ours: (each.theirs, each.how) for ours, each in sheet.suggestions.items()}


class TestIdeas:
    def test_the_same_name_is_told_from_one_that_is_alike(self):
        sheet = look("EXTERNAL_ID,Company Name,Region,Notes\n1,Alder,EMEA,x\n")

        assert ideas(sheet) == {
            "external_id": ("EXTERNAL_ID", "same"),
            "name": ("Company Name", "alike"),
            "region": ("Region", "same"),
        }

    @pytest.mark.parametrize(
        ("kind", "theirs", "ours"),
        [
            ("accounts", "AccountNumber", "external_id"),
            ("accounts", "Account ID", "external_id"),
            ("accounts", "PARENTID", "parent_external_id"),
            ("subscriptions", "CloseDate", "start"),
            ("subscriptions", "Amount", "tcv"),
            ("subscriptions", "arr_value", "arr"),
            ("subscriptions", "total_seats", "seats"),
            ("subscriptions", "licensee.Company", "account_external_id"),
            ("seat-readings", "Billable User Count", "seats"),
            ("seat-readings", "MAU", "monthly_active"),
            ("contacts", "E-Mail", "email"),
            ("assignments", "TeamMemberRole", "role"),
            ("exchange-rates", "IsoCode", "currency"),
            ("instances", "Server ID", "external_id"),
        ],
    )
    def test_known_names_of_other_systems(self, kind, theirs, ours):
        assert ideas(look(f"{theirs},x\n1,2\n", kind))[ours] == (theirs, "alike")

    def test_no_column_of_theirs_is_two_of_ours(self):
        sheet = look("Account ID,Owner\n1,x\n", "subscriptions")
        assert ideas(sheet) == {"account_external_id": ("Account ID", "alike")}

    def test_what_nothing_is_known_of_is_not_guessed(self):
        assert ideas(look("Foo,Bar\n1,2\n")) == {}

    def test_first_rows_and_words_of_columns_are_shown(self):
        rows = "".join(f"A-{n},{'paid' if n % 2 else 'trial'}\n" for n in range(30))
        sheet = look("Order,Kind\n" + rows, "subscriptions")

        assert list(sheet.rows) == [[f"A-{n}", "paid" if n % 2 else "trial"] for n in range(5)]
        assert dict(sheet.words) == {"Kind": ["trial", "paid"]}

    def test_rows_of_another_length_are_passed_over(self):
        assert list(look("external_id,name\n1\n2,Birch\n").rows) == [["2", "Birch"]]

    def test_a_file_is_looked_at_in_the_encoding_named(self):
        content = "ID,Größe\n1,ä\n".encode("cp1252")
        file = io.BytesIO(content)
        with pytest.raises(UnusableFile):
            look_at(file, "accounts", Layout(), (), ())
        assert look_at(file, "accounts", Layout(encoding="cp1252"), (), ()).header == [
            "ID",
            "Größe",
        ]

    def test_a_file_in_utf_16_can_be_looked_at_twice(self):
        file = io.BytesIO("ID,NAME\n1,Alder\n".encode("utf-16"))
        for _ in range(2):
            assert look_at(file, "accounts", Layout(), (), shipped("accounts")).header == [
                "ID",
                "NAME",
            ]


class TestShipped:
    @pytest.mark.parametrize(
        ("kind", "name"),
        [
            ("accounts", "salesforce-accounts"),
            ("subscriptions", "salesforce-opportunities"),
            ("contacts", "salesforce-contacts"),
        ],
    )
    def test_data_loader_files_are_known_by_their_columns(self, kind, name):
        sheet = look(DATA_LOADER[kind], kind)

        assert Fitting(name=name, how="shipped") in sheet.mappings
        assert {how for _, how in ideas(sheet).values()} >= {"shipped"}

    def test_reports_are_known_by_theirs(self):
        accounts = look("Account ID,Account Name,Type\n001A0000006fk2R,Alder,Customer\n")
        won = look(
            "Opportunity ID,Account ID,Opportunity Name,Stage,Amount,Close Date\n1,2,3,4,5,6\n",
            "subscriptions",
        )
        assert [each.name for each in accounts.mappings] == ["salesforce-accounts-report"]
        assert [each.name for each in won.mappings] == ["salesforce-opportunities-report"]

    @pytest.mark.parametrize(
        ("kind", "content", "name"),
        [
            ("seat-readings", GITLAB_USAGE, "gitlab-licence-usage"),
            ("subscriptions", GITLAB_LICENCE, "gitlab-licence"),
            ("subscriptions", TRUE_UP, "mattermost-licence"),
            ("seat-readings", TRUE_UP, "mattermost-true-up"),
            ("seat-readings", PACKET, "mattermost-support-packet"),
        ],
    )
    def test_licence_and_usage_files_of_products(self, kind, content, name):
        assert [each.name for each in look(content, kind).mappings] == [name]

    def test_a_header_further_down_is_found_by_the_mapping_that_knows_it(self):
        sheet = look(GITLAB_USAGE, "seat-readings")

        assert (sheet.header, sheet.skip_until) == (["Date", "Billable User Count"], "Date")
        assert sheet.preamble["Company"] == "Alder"

    @pytest.mark.parametrize("name", sorted(set(shipped_names()) - {"generic"}))
    def test_each_is_for_one_kind_and_says_where_from(self, name):
        kinds = [kind for kind in saved.KINDS if _reads(name, kind)]
        assert len(kinds) == 1
        assert load_mapping(name, kinds[0]).source in {"salesforce", "gitlab", "mattermost"}


def _reads(name, kind):
    try:
        return bool(load_mapping(name, kind).columns)
    except UnusableMapping:
        return False


@pytest.mark.django_db
class TestForeignFiles:
    """The shipped mappings, carried through to a checked import."""

    @pytest.fixture
    def sent(self, metric_owner):
        def send(content, kind, **how):
            return lifecycle.upload(
                kind=kind, file=io.BytesIO(content.encode()), filename="theirs", by=metric_owner,
                at=NOW, **how,
            )  # fmt: skip

        return send

    def test_salesforce_accounts_then_won_opportunities_then_contacts(self, sent, metric_owner):
        accounts = sent(DATA_LOADER["accounts"], "accounts", mapping="salesforce-accounts")
        lifecycle.request_apply(accounts, plan_hash=accounts.plan_hash, by=metric_owner, at=NOW)
        won = sent(
            DATA_LOADER["subscriptions"], "subscriptions", mapping="salesforce-opportunities"
        )
        contacts = sent(DATA_LOADER["contacts"], "contacts", mapping="salesforce-contacts")

        assert (accounts.creates, accounts.bad_rows) == (1, 0)
        # The one that is not won says so, and can be left out.
        assert (won.creates, won.bad_rows) == (1, 1)
        assert (contacts.creates, contacts.bad_rows) == (1, 0)

    def test_gitlab(self, sent):
        factories.AccountFactory(source="gitlab", external_id="Alder")
        licence = sent(
            GITLAB_LICENCE, "subscriptions", mapping="gitlab-licence", source="gitlab-alder"
        )
        usage = sent(GITLAB_USAGE, "seat-readings", mapping="gitlab-licence-usage")

        assert (licence.creates, licence.bad_rows, licence.source) == (1, 0, "gitlab-alder")
        assert (usage.creates, usage.bad_rows) == (2, 0)

    @pytest.mark.parametrize(
        ("content", "name"),
        [(TRUE_UP, "mattermost-true-up"), (PACKET, "mattermost-support-packet")],
    )
    def test_seats_that_say_no_day_are_given_one(self, content, name, sent, metric_owner):
        factories.AccountFactory(source="mattermost", external_id="Alder")
        with pytest.raises(UnusableFile, match="observed_at"):
            sent(content, "seat-readings", mapping=name)
        import_ = sent(content, "seat-readings")
        raw = {**lifecycle.mapping_named(name, "seat-readings").raw}
        raw["constants"] = {"observed_at": "2026-01-31T12:00:00Z"}
        import_ = lifecycle.choose_mapping(import_, raw, by=metric_owner, at=NOW)

        assert (import_.creates, import_.bad_rows) == (1, 0)


@pytest.mark.django_db
class TestSaved:
    RAW = {"columns": {"external_id": "Kunde", "name": "Firma"}, "delimiter": ";"}

    def create(self, by, **how):
        return saved.create_mapping(
            **{"name": "Our CRM", "kind": "accounts", "raw": self.RAW, "by": by, "at": NOW, **how}
        )

    def test_one_is_offered_before_the_shipped_ones(self, metric_owner):
        raw = {"columns": {"external_id": "Account ID", "name": "Account Name"}}
        self.create(metric_owner, raw=raw)
        sheet = look("Account ID,Account Name,Type\n1,Alder,x\n", saved=saved.as_read("accounts"))

        assert [(each.name, each.how) for each in sheet.mappings] == [
            ("Our CRM", "saved"),
            ("salesforce-accounts-report", "shipped"),
        ]
        assert ideas(sheet)["name"] == ("Account Name", "saved")
        assert ideas(sheet)["status"] == ("Type", "shipped")

    def test_it_knows_how_its_file_is_written(self, metric_owner):
        self.create(metric_owner)
        sheet = look("Kunde;Firma\n1;Alder\n", saved=saved.as_read("accounts"))
        assert [each.name for each in sheet.mappings] == ["Our CRM"]

    def test_it_is_changed_renamed_and_deleted_on_the_record(self, metric_owner):
        mapping = self.create(metric_owner)
        changed = saved.update_mapping(
            mapping, name="CRM", raw={**self.RAW, "decimal": ","}, by=metric_owner, at=NOW
        )
        assert saved.mapping_named("CRM", "accounts").decimal == ","
        saved.delete_mapping(changed, by=metric_owner)

        assert not SavedMapping.objects.exists()
        told = Event.objects.filter(object_id=mapping.uuid).order_by("id")
        assert [event.verb for event in told] == [
            "mapping.saved", "mapping.changed", "mapping.deleted",
        ]  # fmt: skip
        with pytest.raises(Missing):
            saved.delete_mapping(changed, by=metric_owner)

    def test_a_change_that_is_none_leaves_no_trace(self, metric_owner):
        mapping = self.create(metric_owner)
        before = Event.objects.count()
        saved.update_mapping(mapping, name="Our CRM", raw=self.RAW, by=metric_owner, at=NOW)
        assert Event.objects.count() == before

    @pytest.mark.parametrize("name", ["Our CRM", "salesforce-accounts", "generic"])
    def test_a_name_stands_once(self, name, metric_owner):
        self.create(metric_owner)
        with pytest.raises(Conflict, match="already"):
            self.create(metric_owner, name=name)

    @pytest.mark.parametrize(
        ("how", "error"),
        [
            ({"name": " "}, Invalid),
            ({"name": "x" * 61}, Invalid),
            ({"kind": "cats"}, Invalid),
            ({"raw": {"columns": {"seats": "x"}}}, UnusableMapping),
            ({"raw": {"values": {"name": {"x" * 70_000: "y"}}}}, UnusableMapping),
        ],
    )
    def test_what_makes_no_sense_is_refused(self, how, error, metric_owner):
        with pytest.raises(error):
            self.create(metric_owner, **how)

    def test_only_metric_owners_keep_mappings(self, person):
        with pytest.raises(PermissionDenied):
            self.create(person("administrator"))

    def test_they_are_listed_by_name_and_kind(self, metric_owner):
        for name, kind in (("b", "accounts"), ("a", "accounts"), ("c", "contacts")):
            self.create(metric_owner, name=name, kind=kind, raw={})
        assert [each.name for each in saved.saved_mappings("accounts")] == ["a", "b"]
        assert saved.saved_mappings().count() == 3
