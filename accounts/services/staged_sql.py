"""The statements of a batch of readings: staged, placed, compared, written."""

# ruff: noqa: S608 -- put together from parts that stand here

TABLES = """
DROP TABLE IF EXISTS pg_temp.staged_reading, pg_temp.staged_place, pg_temp.staged_change;
CREATE TEMPORARY TABLE staged_reading (
    line integer, place bigint, observed_at timestamptz, seats integer, monthly_active integer
) ON COMMIT DROP
"""

# Where each pair of names leads; few beside the readings. Of several instances of one name at an
# account, the one of the same source is meant.
_PLACES = """
CREATE TEMPORARY TABLE staged_place ON COMMIT DROP AS
WITH named AS (
    SELECT n.place, n.account, n.instance, a.id AS account_id
    FROM {named}
    LEFT JOIN accounts_account a ON a.source = %(account_source)s AND a.external_id = n.account
)
SELECT n.place, n.account, n.instance,
    coalesce(n.account_id, found.account_id) AS account_id,
    CASE WHEN found.matches = 1 OR found.same_source THEN found.id END AS instance_id,
    CASE WHEN n.account <> '' AND n.account_id IS NULL THEN 'account'
        WHEN n.instance = '' THEN NULL
        WHEN found.id IS NULL AND n.account <> '' AND elsewhere.id IS NOT NULL THEN 'other'
        WHEN found.id IS NULL THEN 'instance'
        WHEN found.matches > 1 AND NOT found.same_source THEN 'several' END AS astray
FROM named n
LEFT JOIN LATERAL (
    SELECT i.id, i.account_id, i.source = %(source)s AS same_source, count(*) OVER () AS matches
    FROM accounts_instance i
    WHERE i.account_id = n.account_id
        AND CASE WHEN n.instance = '' THEN i.is_default ELSE i.external_id = n.instance END
    UNION ALL
    SELECT i.id, i.account_id, true, 1
    FROM accounts_instance i
    WHERE n.account = '' AND i.source = %(source)s AND i.external_id = n.instance
    ORDER BY 3 DESC, 1 LIMIT 1
) found ON true
LEFT JOIN accounts_instance elsewhere
    ON elsewhere.source = %(source)s AND elsewhere.external_id = n.instance;
ANALYZE staged_place
"""
PLACES = "ANALYZE staged_reading;" + _PLACES.format(
    named="json_to_recordset(%(named)s) AS n(place bigint, account text, instance text)"
)
# Of a whole file the names stand in a table.
PLACES_OF_FILE = _PLACES.format(named="staged_name n")

# Where somebody has found the accounts and instances already; the default one may be yet to make.
KNOWN_PLACES = """
ANALYZE staged_reading;
CREATE TEMPORARY TABLE staged_place ON COMMIT DROP AS
SELECT n.place, n.account, n.instance, n.account_id, coalesce(n.instance_id, i.id) AS instance_id,
    NULL::text AS astray
FROM json_to_recordset(%(named)s) AS n(
    place integer, account text, instance text, account_id bigint, instance_id bigint
)
LEFT JOIN accounts_instance i
    ON n.instance_id IS NULL AND i.account_id = n.account_id AND i.is_default;
ANALYZE staged_place
"""

ASTRAY = """
SELECT s.line, p.account, p.instance, p.astray
FROM staged_reading s JOIN staged_place p USING (place) WHERE p.astray IS NOT NULL
"""

# An account without its default instance stands for it.
TWINS = """
SELECT dense_rank() OVER (ORDER BY t.whose, t.observed_at), t.line, t.observed_at
FROM (
    SELECT s.line, s.observed_at, coalesce(p.instance_id, -p.account_id) AS whose,
        count(*) OVER (PARTITION BY coalesce(p.instance_id, -p.account_id), s.observed_at) AS times
    FROM staged_reading s JOIN staged_place p USING (place) WHERE p.astray IS NULL
) t
WHERE t.times > 1 ORDER BY t.line
"""

DEFAULTS_WANTED = """
SELECT account_id FROM staged_place
WHERE instance_id IS NULL AND instance = '' AND astray IS NULL ORDER BY account_id
"""
SURVEY = f"""
SELECT min(observed_at), max(observed_at), (SELECT count(*) FROM ({DEFAULTS_WANTED}) wanted),
    count(*) > count(DISTINCT (coalesce(p.instance_id, -p.account_id), s.observed_at))
FROM staged_reading s JOIN staged_place p USING (place)
"""

# The bounds let the planner leave out the months that no reading falls into.
COMPARE = """
CREATE TEMPORARY TABLE staged_change ON COMMIT DROP AS
SELECT s.line, p.account_id, p.instance_id, s.observed_at, s.seats,
    CASE WHEN %(has_monthly_active)s THEN s.monthly_active ELSE r.monthly_active END
        AS monthly_active,
    r.seats AS old_seats, r.monthly_active AS old_active, r.known_from AS old_known_from
FROM staged_reading s
JOIN staged_place p USING (place)
LEFT JOIN accounts_seatreading r
    ON r.instance_id = p.instance_id AND r.observed_at = s.observed_at
    AND r.source = %(source)s AND r.known_to IS NULL
    AND r.observed_at >= %(first)s AND r.observed_at <= %(last)s
WHERE p.astray IS NULL;
ANALYZE staged_change
"""

DIFFERS = "(seats, monthly_active) IS DISTINCT FROM (old_seats, old_active)"
COUNT = f"""
SELECT count(*) FILTER (WHERE old_seats IS NULL),
    count(*) FILTER (WHERE old_seats IS NOT NULL AND {DIFFERS}),
    count(*) FILTER (WHERE old_seats IS NOT NULL AND NOT {DIFFERS})
FROM staged_change
"""
CORRECTIONS = f"""
SELECT c.line, a.name, c.observed_at, c.old_seats, c.old_active, c.seats, c.monthly_active
FROM staged_change c JOIN accounts_account a ON a.id = c.account_id
WHERE c.old_seats IS NOT NULL AND {DIFFERS} ORDER BY c.line LIMIT %s
"""

MAKE_MONTHS = """
SELECT keel_knowledge_time(), count(keel_make_reading_month(month)) FROM (
    SELECT DISTINCT date_trunc('month', observed_at AT TIME ZONE 'UTC')::date AS month
    FROM staged_change WHERE old_seats IS NULL
) months
"""
CLOSED = "greatest(%(known_from)s, old_known_from + interval '1 microsecond')"
CLOSE = f"""
UPDATE accounts_seatreading r SET known_to = {CLOSED}
FROM staged_change c
WHERE c.old_seats IS NOT NULL
    AND (c.seats, c.monthly_active) IS DISTINCT FROM (c.old_seats, c.old_active)
    AND r.instance_id = c.instance_id AND r.observed_at = c.observed_at
    AND r.source = %(source)s AND r.known_to IS NULL
"""
INSERT = f"""
INSERT INTO accounts_seatreading
    (instance_id, observed_at, source, known_from, seats, monthly_active, last_import_id)
SELECT coalesce(c.instance_id, i.id), observed_at, %(source)s,
    CASE WHEN old_seats IS NULL THEN %(known_from)s ELSE {CLOSED} END,
    seats, monthly_active, %(import)s
FROM staged_change c
LEFT JOIN accounts_instance i
    ON c.instance_id IS NULL AND i.account_id = c.account_id AND i.is_default
WHERE old_seats IS NULL OR {DIFFERS}
ORDER BY date_trunc('day', observed_at), 1, observed_at
"""
BY_ACCOUNT = f"""
SELECT a.id, a.uuid, a.name, count(*), count(*) FILTER (WHERE old_seats IS NOT NULL),
    max(observed_at)
FROM staged_change c JOIN accounts_account a ON a.id = c.account_id
WHERE old_seats IS NULL OR {DIFFERS} GROUP BY a.id ORDER BY a.id
"""
OUTCOMES = f"""
SELECT c.line, i.uuid,
    CASE WHEN old_seats IS NULL THEN 'created' WHEN {DIFFERS} THEN 'updated' ELSE 'unchanged' END
FROM staged_change c
JOIN accounts_instance i ON i.account_id = c.account_id
    AND (i.id = c.instance_id OR c.instance_id IS NULL AND i.is_default)
"""
