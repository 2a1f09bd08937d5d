"""The words for what the rules say of an account."""

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
}


def reason_text(code: str, policy: rules.Policy, currency: str) -> str:
    if code == "arr_not_above":
        return f"ARR not above {money_text(policy.min_arr, currency)}"
    return REASONS.get(code, code)


NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")


def number_word(number: int) -> str:
    """Write numbers below ten as words."""
    return NUMBERS[number] if 0 <= number < len(NUMBERS) else f"{number:,}"
