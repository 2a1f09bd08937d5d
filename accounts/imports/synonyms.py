"""How other systems call what we call otherwise, in plain words. The likelier come first.

Data Loader writes names in capitals without spaces, so such names stand here in one word too.
"""

from collections.abc import Mapping

ACCOUNT = (
    "account id", "accountid", "account number", "accountnumber", "account", "customer id",
    "customerid", "customer", "organization id", "organisation id", "org id", "company id",
    "licensee company", "license to", "customer name", "account name", "company",
)  # fmt: skip
START = (
    "start date", "startdate", "starts at", "contract start date", "contract start",
    "license start date", "licence start date", "subscription start date", "effective date",
    "close date", "closedate", "valid from", "begin date", "from",
)  # fmt: skip
END = (
    "end date", "enddate", "expires at", "contract end date", "contract end", "renewal date",
    "license end date", "licence end date", "subscription end date", "expiry date",
    "expiration date", "valid until", "valid to", "to",
)  # fmt: skip
SEATS_READ = (
    "active seats", "active users", "activated users", "total activated users",
    "billable user count", "billable users", "deployed seats", "used seats", "seats used",
    "seats in use", "user count", "users",
)  # fmt: skip
MONTHLY = (
    "monthly active users", "mau", "active users last 30 days", "monthly users", "monthly actives",
)  # fmt: skip
OBSERVED = (
    "observed on", "date", "timestamp", "time", "recorded at", "recorded on", "measured at",
    "reported at", "generated at", "snapshot date", "day", "as of",
)  # fmt: skip
SYNONYMS: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "accounts": {
        "external_id": (
            "id", "account id", "accountid", "account number", "accountnumber", "customer id",
            "customerid", "organization id", "organisation id", "crm id",
        ),
        "name": (
            "account name", "accountname", "company name", "companyname", "company",
            "customer name", "customer", "organization name", "organisation name",
        ),
        "status": ("type", "account type", "account status", "customer status", "stage"),
        "churned_on": ("churn date", "churned date", "churned at", "cancellation date"),
        "internal": ("is internal", "test account"),
        "archived": ("is archived", "is deleted", "deleted"),
        "region": (
            "billing country", "billingcountry", "sales region", "territory", "geo", "country",
        ),
        "segment": ("industry", "company size", "market segment"),
        "currency": ("currency iso code", "currencyisocode", "currency code"),
        "parent_external_id": (
            "parent id", "parentid", "parent account id", "parent account", "parent",
        ),
        "strategic": ("is strategic", "key account"),
    },
    "subscriptions": {
        "external_id": (
            "id", "subscription id", "opportunity id", "opportunityid", "contract id",
            "contract number", "contractnumber", "license id", "licence id", "license key",
            "order number", "subscription number",
        ),
        "account_external_id": ACCOUNT,
        "product": (
            "product name", "plan", "license plan", "plan name", "sku", "opportunity name", "name",
        ),
        "kind": ("type", "subscription type", "license type", "stage", "stage name", "stagename"),
        "seats": (
            "total seats", "licensed seats", "license seats", "licence seats", "user limit",
            "license supported users", "maximum user count", "quantity", "licensed users",
            "licences", "licenses", "purchased seats",
        ),
        "unlimited": ("is unlimited",),
        "arr": ("arr value", "annual recurring revenue", "annual value", "acv"),
        "tcv": ("amount", "total contract value", "contract value", "total value"),
        "currency": ("currency iso code", "currencyisocode", "currency code"),
        "start": START,
        "end": END,
    },
    "instances": {
        "external_id": (
            "id", "instance id", "server id", "deployment id", "installation id", "host name",
            "hostname", "url", "site url",
        ),
        "account_external_id": ACCOUNT,
        "name": ("instance name", "server name", "host name", "hostname", "site url", "url"),
        "environment": ("env", "stage", "environment type", "server installation type"),
        "counted": ("is counted", "counts"),
    },
    "seat-readings": {
        "account_external_id": ACCOUNT,
        "instance_external_id": (
            "instance id", "instance", "server id", "deployment id", "installation id",
        ),
        "observed_at": OBSERVED,
        "seats": SEATS_READ,
        "monthly_active": MONTHLY,
    },
    "contacts": {
        "external_id": ("id", "contact id", "contactid", "user id"),
        "account_external_id": ACCOUNT,
        "name": ("full name", "fullname", "contact name", "contact"),
        "email": ("e mail", "email address", "mail", "contact email"),
        "title": ("job title", "position", "role"),
        "roles": ("contact roles", "responsibilities"),
    },
    "assignments": {
        "account_external_id": ACCOUNT,
        "user_email": (
            "email", "owner email", "user", "account owner email", "e mail", "team member email",
        ),
        "role": ("team role", "team member role", "teammemberrole", "account team role"),
        "primary": ("is primary", "primary contact", "lead"),
        "start": START,
        "end": END,
    },
    "exchange-rates": {
        "currency": ("currency code", "iso code", "isocode", "currency iso code"),
        "on": ("date", "start date", "startdate", "valid from", "day"),
        "rate": ("exchange rate", "conversion rate", "conversionrate"),
    },
}  # fmt: skip
