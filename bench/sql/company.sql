-- The company, by number and a hash of it: the same for the same size, days, end and seed.
-- Parameters: accounts, days, until (the last day that was counted), seed, tams.

-- @functions
CREATE FUNCTION pg_temp.u(number bigint, what integer) RETURNS float8 IMMUTABLE LANGUAGE sql AS
$$ SELECT (hashint8extended(number * 64 + what, %(seed)s) & 4294967295)::float8 / 4294967296 $$;

-- @people
-- What migrations ship counts as known before the company's history begins.
UPDATE accounts_tier_version SET known_from = %(known)s::timestamptz - interval '100 days';
UPDATE accounts_company_version SET known_from = %(known)s::timestamptz - interval '100 days';
INSERT INTO people_user (id, email, name, password, is_active, is_system, theme, uuid)
SELECT 100 + i, 'person' || i || '@bench.invalid', 'Person ' || lpad(i::text, 4, '0'), '!', true,
    false, 'system', md5('person' || i)::uuid
FROM generate_series(1, %(tams)s) i;
INSERT INTO people_user_groups (user_id, group_id)
SELECT 100 + i, g.id FROM generate_series(1, %(tams)s) i
JOIN auth_group g ON g.name = CASE WHEN i = 1 THEN 'metric_owner' ELSE 'tam' END;
SELECT setval(pg_get_serial_sequence('people_user', 'id'), 100 + %(tams)s);

-- @rates
INSERT INTO accounts_exchangerate (version, currency, "on", rate)
SELECT 1, currency, "on"::date, base + round((0.05 * pg_temp.u(extract(julian FROM "on")::bigint, 1))::numeric, 4)
FROM (VALUES ('EUR', 1.10), ('GBP', 1.27), ('JPY', 0.0067)) AS c (currency, base),
    generate_series(%(until)s::date - 700, %(until)s::date - %(days)s - 10, interval '7 days') "on";

-- @accounts
INSERT INTO accounts_account (id, uuid, version, created_at, updated_at, source, external_id, name,
    status, churned_on, internal, archived, region, segment, currency, strategic, parent_id)
SELECT i, md5('account' || i)::uuid, 1, known, known, 'bench', 'A-' || lpad(i::text, 8, '0'),
    (ARRAY['Alder', 'Birch', 'Cedar', 'Dogwood', 'Elm', 'Fir', 'Ginkgo', 'Hazel', 'Iroko', 'Juniper',
        'Katsura', 'Larch', 'Maple', 'Nutmeg', 'Oak', 'Pine', 'Quince', 'Rowan', 'Spruce', 'Teak']
    )[1 + (20 * pg_temp.u(i, 1))::int %% 20] || ' ' ||
    (ARRAY['Analytics', 'Bank', 'Systems', 'Foods', 'Health', 'Logistics', 'Media', 'Motors', 'Power',
        'Retail', 'Software', 'Telecom', 'Travel', 'Water', 'Works', 'Mining']
    )[1 + (16 * pg_temp.u(i, 2))::int %% 16] || ' ' || upper(substr(md5('name' || i), 1, 5)),
    CASE WHEN s < 0.05 THEN 'prospect' WHEN s < 0.09 THEN 'churned' ELSE 'customer' END,
    CASE WHEN s >= 0.05 AND s < 0.09
        THEN %(until)s::date - %(days)s - (400 * pg_temp.u(i, 4))::int END,
    pg_temp.u(i, 5) < 0.005, pg_temp.u(i, 6) < 0.01,
    (ARRAY['EMEA', 'AMER', 'APAC', 'LATAM', 'DACH', 'Nordics', 'UKI', 'ANZ'])[1 + (8 * pg_temp.u(i, 7))::int %% 8],
    (ARRAY['Enterprise', 'Mid-market', 'Commercial'])[1 + (3 * pg_temp.u(i, 8))::int %% 3],
    'USD', pg_temp.u(i, 9) < 0.03,
    CASE WHEN i > 20 AND pg_temp.u(i, 10) < 0.02 THEN 1 + (19 * pg_temp.u(i, 11))::int END
FROM generate_series(1, %(accounts)s) i,
    LATERAL (SELECT pg_temp.u(i, 3) AS s, %(known)s::timestamptz - (i %% 90) * interval '1 hour' AS known) l;
SELECT setval(pg_get_serial_sequence('accounts_account', 'id'), %(accounts)s);

-- @subscriptions
INSERT INTO accounts_subscription (id, uuid, version, created_at, updated_at, source, external_id,
    account_id, product, kind, seats, unlimited, arr, tcv, currency, start, "end")
SELECT row_number() OVER (ORDER BY i, n), md5('subscription' || i || '-' || n)::uuid, 1, %(known)s,
    %(known)s, 'bench', 'S-' || lpad(i::text, 8, '0') || '-' || n, i,
    (ARRAY['Platform', 'Code', 'Batch', 'Server'])[1 + (4 * pg_temp.u(k, 21))::int %% 4],
    CASE WHEN n > 1 AND pg_temp.u(k, 22) < 0.1 THEN 'trial' ELSE 'paid' END,
    10 + (490 * pg_temp.u(k, 23))::int, pg_temp.u(k, 24) < 0.01,
    CASE WHEN NOT by_term THEN amount END, CASE WHEN by_term THEN 3 * amount END,
    CASE WHEN pg_temp.u(k, 26) < 0.85 THEN 'USD' WHEN pg_temp.u(k, 26) < 0.94 THEN 'EUR'
        WHEN pg_temp.u(k, 26) < 0.99 THEN 'GBP' ELSE 'JPY' END,
    %(until)s::date - 1000 + (600 * pg_temp.u(k, 27))::int,
    CASE WHEN by_term OR pg_temp.u(k, 28) < 0.8
        THEN %(until)s::date - %(days)s + (700 * pg_temp.u(k, 29))::int END
FROM generate_series(1, %(accounts)s) i,
    LATERAL generate_series(1, CASE WHEN pg_temp.u(i, 20) < 0.8 THEN 1 WHEN pg_temp.u(i, 20) < 0.95 THEN 2 ELSE 3 END) n,
    LATERAL (SELECT i::bigint * 4 + n AS k) k,
    LATERAL (SELECT round((9000 * exp(3.6 * pg_temp.u(k, 30)))::numeric, 2) AS amount,
        pg_temp.u(k, 25) < 0.1 AS by_term) l;
SELECT setval(pg_get_serial_sequence('accounts_subscription', 'id'), (SELECT max(id) FROM accounts_subscription));

-- @instances
INSERT INTO accounts_instance (id, uuid, version, created_at, updated_at, source, external_id,
    account_id, name, environment, counted, is_default)
SELECT row_number() OVER (ORDER BY i, n), md5('instance' || i || '-' || n)::uuid, 1, %(known)s, %(known)s,
    'bench', 'I-' || lpad(i::text, 8, '0') || '-' || n, i, 'Instance ' || n,
    CASE WHEN n = 1 THEN 'production' ELSE 'staging' END, n = 1 OR pg_temp.u(i, 41) < 0.5, false
FROM generate_series(1, %(accounts)s) i,
    LATERAL generate_series(1, CASE WHEN pg_temp.u(i, 40) < 0.02 THEN 0 WHEN pg_temp.u(i, 40) < 0.9 THEN 1 ELSE 2 END) n;
SELECT setval(pg_get_serial_sequence('accounts_instance', 'id'), (SELECT max(id) FROM accounts_instance));

-- @assignments
INSERT INTO accounts_assignment (id, uuid, version, created_at, updated_at, account_id, user_id,
    role, "primary", start, "end")
SELECT row_number() OVER (ORDER BY i, n), md5('assignment' || i || '-' || n)::uuid, 1, %(known)s, %(known)s,
    i, 102 + ((i + n * 7) %% (%(tams)s - 2)), CASE n WHEN 1 THEN 'TAM' ELSE 'CSM' END, true,
    %(until)s::date - 500 + (i %% 400)::int, NULL
FROM generate_series(1, %(accounts)s) i, LATERAL generate_series(1, 2) n
WHERE CASE n WHEN 1 THEN pg_temp.u(i, 50) < 0.95 ELSE pg_temp.u(i, 51) < 0.5 END;
SELECT setval(pg_get_serial_sequence('accounts_assignment', 'id'), (SELECT max(id) FROM accounts_assignment));

-- @events
INSERT INTO events_event (uuid, at, actor_id, token_key, verb, object_type, object_id, object_label,
    account_id, after, reason, request_id)
SELECT md5('event' || i || '-' || n)::uuid, %(known)s::timestamptz + n * interval '1 minute', 101, '',
    CASE n WHEN 1 THEN 'account.created' ELSE 'readings.imported' END, 'accounts.account',
    md5('account' || i)::uuid, 'A customer', i,
    CASE n WHEN 1 THEN '{"name": "A customer", "region": "EMEA"}'::jsonb
        ELSE '{"readings": 1, "corrected": 0, "source": "telemetry", "latest_observed_at": "2026-01-01T00:00:00+00:00"}' END,
    '', ''
FROM generate_series(1, %(accounts)s) i,
    LATERAL generate_series(1, CASE WHEN i %% 1000 = 1 THEN 300 ELSE 2 END) n;

-- @month
-- The readings of a part of a month, in the order in which they came in: night by night.
INSERT INTO {part} (instance_id, observed_at, source, known_from, seats, monthly_active)
SELECT i.id, d + (2 + pg_temp.u(i.id, 60)) * interval '1 hour', 'telemetry',
    d + interval '5 hours', bench_seats(i.id, s.seats, d::date), NULL
FROM generate_series(%(first)s::date, %(last)s::date, interval '1 day') AS days (d0),
    LATERAL (SELECT d0 AT TIME ZONE 'UTC' AS d) d,
    accounts_instance i
    JOIN (SELECT account_id, sum(seats) AS seats FROM accounts_subscription
          WHERE kind = 'paid' GROUP BY account_id) s USING (account_id)
WHERE pg_temp.u(i.id, 61) > 0.02
    AND (pg_temp.u(i.id, 62) > 0.02 OR d < %(until)s::date - 16)
ORDER BY d, i.id;

-- @seats
-- What stands on an instance on a day: about every 33rd changes from one day to the next.
CREATE OR REPLACE FUNCTION bench_seats(instance bigint, licensed numeric, day date) RETURNS integer
IMMUTABLE LANGUAGE sql AS $$
    SELECT (licensed * (0.55 + 0.6 * u) * (100 + mod((extract(julian FROM day)::bigint + instance) / 33, 12)) / 112)::integer
    FROM (SELECT (hashint8extended(instance, 7) & 4294967295)::float8::numeric / 4294967296 AS u) l
$$;
