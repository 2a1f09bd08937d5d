"""What a number is made from, told by the rule that reads its policy."""

from enum import StrEnum

from metrics.models import MetricDefinition
from metrics.rules.derived import RULES as DERIVED_RULES
from metrics.selectors import runs


class Family(StrEnum):
    # Shares of accounts, judged from the facts, with rows of their own in the ledger.
    SEATS = "seats"
    # Worked out from the rows of the run of `seats-deployed` of the same day.
    DERIVED = "derived"
    # Of requests and projects.
    FIGURES = "figures"


SEATS, DERIVED, FIGURES = Family.SEATS, Family.DERIVED, Family.FIGURES


def family_of(metric: MetricDefinition | str) -> Family:
    """Raises MetricDefinition.DoesNotExist for an unknown metric."""
    return _family_of_rule(metric.rule if isinstance(metric, MetricDefinition) else rule_of(metric))


def rule_of(slug: str) -> str:
    rule = runs.definitions().filter(slug=slug).values_list("rule", flat=True).first()
    if rule is None:
        raise MetricDefinition.DoesNotExist(f"There is no metric {slug}.")
    return rule


def slugs_of(family: Family) -> list[str]:
    """Return the slugs of the family; numbers on trial are none."""
    found = runs.definitions().order_by("slug").values_list("slug", "rule").distinct()
    return sorted({slug for slug, rule in found if _family_of_rule(rule) is family})


def _family_of_rule(rule: str) -> Family:
    if rule == runs.SEATS_DEPLOYED:
        return SEATS
    return DERIVED if rule in DERIVED_RULES else FIGURES
