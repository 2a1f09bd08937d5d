"""Who owns a request: dated rules over facts. Pure."""


def facts_asked(type_: str) -> tuple[str, ...]:
    """Return the names of the facts that matter for a type of request."""
    return ("over_one_day",) if type_ else ()


def asks_for_seats(type_: str) -> bool:
    """Whether a request of this type can unlock seats."""
    return type_ in {"one_off", "non_standard", "critical", "onboarding"}
