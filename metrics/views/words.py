"""The words for what the rules say of an account."""

from metrics.selectors.reasons import REASONS, reason_text

__all__ = ["AMISS", "REASONS", "mender_of", "number_word", "reason_text"]

METRIC_OWNER = "The metric owner, by an import"
TAM = "The account's TAM"
# Reason or band, what is amiss, who can mend it, icon.
AMISS = (
    ("missing_rate", "No exchange rate, so ARR is unknown", METRIC_OWNER, "coins"),
    ("missing_amount", "A contract without an amount, so ARR is unknown", METRIC_OWNER, "coins"),
    ("conflict", "Churned, beside a contract that still runs", TAM, "calendar-x"),
    ("no_entitlement", "No licensed seats", METRIC_OWNER, "file-question-mark"),
    ("no_instance", "No counted instance", TAM, "server-off"),
    ("no_reading", "No reading yet", TAM, "radio"),
    ("stale", "Every reading is stale", TAM, "clock-alert"),
    ("partial", "Some instances have no usable reading", TAM, "circle-dashed"),
    ("over_deployed", "More seats deployed than licensed", TAM, "trending-up"),
    ("error", "Could not be computed", METRIC_OWNER, "bug"),
)


def mender_of(code: str, tam: str | None) -> str:
    """Return who can mend what is amiss with an account, by name where it is its TAM."""
    whose = {each[0]: each[2] for each in AMISS}.get("conflict" if code == "churned" else code, "")
    if whose != TAM:
        return whose
    return tam or "Nobody yet: the account has no TAM"


NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")


def number_word(number: int) -> str:
    """Write numbers below ten as words."""
    return NUMBERS[number] if 0 <= number < len(NUMBERS) else f"{number:,}"
