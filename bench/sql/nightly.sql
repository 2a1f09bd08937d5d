-- The night by hand: what the ledger gets for one day, from the same tables, as directly as it goes.
-- It hashes nothing, looks nothing up as of another moment and trusts that there is one reading at
-- a time. Parameters: definition, day, day_end, known_at, usable_from, min_arr, share.

-- @settings
SET LOCAL max_parallel_workers_per_gather = 0;
SET LOCAL jit = off;
SET LOCAL work_mem = '64MB'

-- @judge
CREATE TEMPORARY TABLE bare ON COMMIT DROP AS
WITH rates AS (
    SELECT DISTINCT ON (currency) currency, rate FROM accounts_exchangerate_version
    WHERE known_from <= %(known_at)s AND (known_to IS NULL OR known_to > %(known_at)s) AND "on" <= %(day)s
    ORDER BY currency, "on" DESC
), tiers AS (
    SELECT array_agg(arr_from ORDER BY arr_from) AS bands, array_agg(fact_id ORDER BY arr_from) AS ids
    FROM accounts_tier_version
    WHERE known_from <= %(known_at)s AND (known_to IS NULL OR known_to > %(known_at)s)
        AND start <= %(day)s AND ("end" IS NULL OR "end" > %(day)s)
), contracts AS (
    SELECT s.account_id, min(s.start) AS customer_since, bool_or(s.runs) AS runs,
        coalesce(sum(s.seats) FILTER (WHERE s.runs), 0)::bigint AS licensed,
        bool_or(s.unlimited) FILTER (WHERE s.runs) AS unlimited, min(s."end") FILTER (WHERE s.runs) AS renewal_on,
        bool_or(s.arr IS NULL AND s.tcv IS NULL) FILTER (WHERE s.runs) AS no_amount,
        bool_or(coalesce(x.rate, y.one) IS NULL) FILTER (WHERE s.runs) AS no_rate,
        sum(CASE WHEN s.tcv IS NULL THEN s.arr * coalesce(x.rate, y.one)
            ELSE s.tcv * 365 * coalesce(x.rate, y.one) / (s."end" - s.start) END) FILTER (WHERE s.runs) AS arr
    FROM (SELECT *, "end" IS NULL OR "end" > %(day)s AS runs FROM accounts_subscription_version) s
    LEFT JOIN rates x USING (currency)
    LEFT JOIN (SELECT 'USD' AS currency, 1 AS one) y USING (currency)
    WHERE s.known_from <= %(known_at)s AND (s.known_to IS NULL OR s.known_to > %(known_at)s)
        AND s.kind = 'paid' AND s.start <= %(day)s
    GROUP BY s.account_id
), counted AS (
    SELECT i.account_id, count(*) AS instances, count(r.seats) AS heard_of,
        count(*) FILTER (WHERE r.observed_at >= %(usable_from)s) AS usable,
        (sum(r.seats) FILTER (WHERE r.observed_at >= %(usable_from)s))::bigint AS deployed,
        CASE WHEN count(*) FILTER (WHERE r.observed_at >= %(usable_from)s AND r.monthly_active IS NULL) = 0
            THEN (sum(r.monthly_active) FILTER (WHERE r.observed_at >= %(usable_from)s))::bigint END AS monthly_active
    FROM accounts_instance_version i
    LEFT JOIN LATERAL (
        SELECT observed_at, seats, monthly_active FROM accounts_seatreading r
        WHERE r.instance_id = i.fact_id AND r.observed_at < %(day_end)s
            AND r.known_from <= %(known_at)s AND (r.known_to IS NULL OR r.known_to > %(known_at)s)
        ORDER BY r.observed_at DESC LIMIT 1
    ) r ON true
    WHERE i.known_from <= %(known_at)s AND (i.known_to IS NULL OR i.known_to > %(known_at)s) AND i.counted
    GROUP BY i.account_id
), tams AS (
    SELECT account_id, user_id FROM accounts_assignment_version
    WHERE known_from <= %(known_at)s AND (known_to IS NULL OR known_to > %(known_at)s)
        AND role = 'TAM' AND "primary" AND start <= %(day)s AND ("end" IS NULL OR "end" > %(day)s)
), facts AS (
    SELECT a.fact_id AS account_id, a.region, m.user_id AS tam_id,
        CASE WHEN a.internal THEN 'internal' WHEN a.archived THEN 'archived'
            WHEN a.status = 'prospect' THEN 'prospect' WHEN a.churned_on <= %(day)s THEN 'churned' END AS outside,
        CASE WHEN c.no_amount THEN 'missing_amount' WHEN c.no_rate THEN 'missing_rate' END AS problem,
        CASE WHEN c.runs IS NOT TRUE THEN 0 WHEN NOT c.no_amount AND NOT c.no_rate THEN c.arr END AS arr,
        c.renewal_on, c.customer_since, d.monthly_active,
        coalesce(c.licensed, 0) AS licensed, coalesce(c.unlimited, false) AS unlimited, d.deployed,
        CASE WHEN d.account_id IS NULL THEN 'no_instance' WHEN d.usable = d.instances THEN 'complete'
            WHEN d.usable > 0 THEN 'partial' WHEN d.heard_of > 0 THEN 'stale' ELSE 'no_reading' END AS data_state
    FROM accounts_account_version a
    LEFT JOIN contracts c ON c.account_id = a.fact_id
    LEFT JOIN counted d ON d.account_id = a.fact_id
    LEFT JOIN tams m ON m.account_id = a.fact_id
    WHERE a.known_from <= %(known_at)s AND (a.known_to IS NULL OR a.known_to > %(known_at)s)
), lined_up AS (
    SELECT *, outside IS NULL AND coalesce(arr > %(min_arr)s, false) AS eligible,
        100 * deployed >= %(share)s * licensed AS reaches
    FROM facts
)
SELECT account_id, trunc(arr, 6) AS arr, licensed, unlimited, deployed, data_state, eligible,
    CASE WHEN eligible AND NOT unlimited AND licensed > 0 AND deployed IS NOT NULL
        THEN CASE WHEN reaches THEN true WHEN data_state = 'complete' THEN false END END AS passes,
    CASE WHEN NOT eligible THEN coalesce(outside, problem, 'arr_not_above')
        WHEN unlimited THEN 'unlimited' WHEN licensed = 0 THEN 'no_entitlement'
        WHEN deployed IS NULL THEN data_state
        WHEN reaches AND deployed > licensed THEN 'over_deployed' WHEN reaches THEN 'passes'
        WHEN data_state = 'partial' THEN 'partial' ELSE 'below' END AS reason,
    region, (SELECT ids[width_bucket(arr, bands)] FROM tiers) AS tier_id, tam_id,
    monthly_active, renewal_on, customer_since
FROM lined_up

-- @changed
ANALYZE bare;
CREATE TEMPORARY TABLE bare_changed ON COMMIT DROP AS
SELECT bare.*, standing.id AS former FROM bare
LEFT JOIN metrics_metricrow standing ON standing.account_id = bare.account_id
    AND standing.definition_id = %(definition)s AND standing.layer = 1 AND standing.to_day IS NULL
WHERE (bare.arr, bare.licensed, bare.unlimited, bare.deployed, bare.data_state, bare.eligible, bare.passes,
        bare.reason, bare.region, bare.tier_id, bare.tam_id, bare.monthly_active, bare.renewal_on,
        bare.customer_since)
    IS DISTINCT FROM (standing.arr, standing.licensed, standing.unlimited, standing.deployed,
        standing.data_state, standing.eligible, standing.passes, standing.reason, standing.region,
        standing.tier_id, standing.tam_id, standing.monthly_active, standing.renewal_on,
        standing.customer_since)

-- @close
UPDATE metrics_metricrow SET to_day = %(day)s FROM bare_changed c WHERE c.former = metrics_metricrow.id

-- @write
INSERT INTO metrics_metricrow (definition_id, layer, from_day, account_id, arr, licensed, unlimited,
    deployed, data_state, eligible, passes, reason, region, tier_id, tam_id, monthly_active, renewal_on,
    customer_since)
SELECT %(definition)s, 1, %(day)s, account_id, arr, licensed, unlimited, deployed, data_state, eligible,
    passes, reason, region, tier_id, tam_id, monthly_active, renewal_on, customer_since
FROM bare_changed

-- @segments
SELECT grouping(tier_id, region, tam_id, reason), tier_id, region, tam_id, reason,
    count(*) FILTER (WHERE eligible AND NOT unlimited),
    count(*) FILTER (WHERE eligible AND NOT unlimited AND passes),
    count(*) FILTER (WHERE eligible AND NOT unlimited AND passes IS NULL)
FROM bare GROUP BY GROUPING SETS ((tier_id), (region), (tam_id), (reason), ())
