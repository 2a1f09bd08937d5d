"""Parameters in words."""

from decimal import Decimal, InvalidOperation
from typing import Any

from config.lib.ui.formats import money_text
from metrics.rules.parameters import SOURCES, Parameter


def shown(parameter: Parameter, value: Any, currency: str) -> str:
    """Write a parameter's value as pages print it."""
    match parameter.kind:
        case "money":
            try:
                return money_text(Decimal(value), currency)
            except InvalidOperation:
                return str(value)
        case "yes":
            return "yes" if value else "no"
        case "order":
            return ", then ".join(SOURCES.get(source, source) for source in value)
        case "words":
            return ", ".join(value) or "none"
    if value == 1 and parameter.suffix == " days":
        return "1 day"
    number = f"{value:,}" if isinstance(value, int) else str(value)
    return f"{number}{parameter.suffix}"
