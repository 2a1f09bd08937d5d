"""The words for why an account stands where it stands."""

from config.lib.ui.formats import money_text
from metrics import rules

# Code of the reason -> what stands in a list.
REASONS = {
    "passes": "Reaches the line",
    "over_deployed": "More seats deployed than licensed",
    "below": "Below the line",
    "no_entitlement": "No licensed seats",
    "partial": "Some instances have no usable reading",
    "stale": "Every reading is stale",
    "no_reading": "No reading yet",
    "no_instance": "No counted instance",
    "error": "Could not be computed",
    "unlimited": "Unlimited licence",
    "missing_rate": "ARR unknown: no exchange rate",
    "missing_amount": "ARR unknown: a contract without an amount",
    "prospect": "Prospect",
    "internal": "Internal account",
    "archived": "Archived",
    "churned": "Churned",
    "rolled_up": "Counted at its parent",
    "left_out": "Region or segment left out",
    "in_grace": "New customer, in its time of grace",
}


def reason_text(code: str, policy: rules.Policy, currency: str) -> str:
    if code == "arr_not_above":
        return f"ARR not above {money_text(policy.min_arr, currency)}"
    return REASONS.get(code, code)
