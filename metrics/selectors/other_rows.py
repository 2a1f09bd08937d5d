"""Which accounts two runs of one definition may see with another row, found by index.

In the first layer a row ends where the next one of its account begins, so the beginnings say it
all; closed rows lie everywhere in the table, and no index could gather them without being written
for each. Later layers are corrections, few, with an index of their own. Too many may be named.
"""

LATER_LAYER = "layer > 1"


def other_rows(definition: str, *, lower: str, upper: str, before: str, day: str) -> str:
    """Select the accounts, some more than once; all are SQL: the lower layer and the upper one,
    the earlier day and the later one."""
    whose = f"""SELECT account_id FROM metrics_metricrow
        WHERE definition_id = {definition} AND layer <= {upper}"""
    return f"""
        {whose} AND from_day > {before} AND from_day <= {day}
        UNION ALL
        {whose} AND {LATER_LAYER} AND to_day > {before} AND to_day <= {day}
        UNION ALL
        {whose} AND {LATER_LAYER} AND layer > {lower} AND from_day <= {day}
            AND (to_day IS NULL OR to_day > {before})"""
