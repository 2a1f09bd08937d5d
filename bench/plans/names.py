"""The hottest reads, and where their plans are kept."""

from pathlib import Path

FOLDER = Path(__file__).parent
# Tables that grow with the company.
BIG = {
    "accounts_account", "accounts_account_facts", "accounts_assignment", "accounts_subscription",
    "accounts_instance", "accounts_seatreading", "events_event", "metrics_metricrow",
}  # fmt: skip
HOT = {
    "api-first-page": ("api", "/api/v1/accounts/?ordering=name"),
    "api-by-arr": ("api", "/api/v1/accounts/?ordering=-arr"),
    "api-by-region": ("api", "/api/v1/accounts/?region=EMEA&ordering=name"),
    "api-by-renewal": ("api", "/api/v1/accounts/?ordering=renewal_on"),
    "api-changed-since": ("api", "/api/v1/accounts/?ordering=-updated_at"),
    "api-deep-inside": ("deep", ""),
    "page-accounts": ("page", "/accounts/"),
    "page-accounts-by-arr": ("page", "/accounts/?sort=-arr"),
    "page-account": ("page", "/accounts/ACC-101/"),
    "page-timeline": ("page", "/accounts/ACC-1/timeline/"),
}
