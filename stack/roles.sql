-- The two roles and the database, made or brought up to date; for psql 15 or newer, run by a superuser.
-- keel_owner owns the tables and migrates them; keel_app is what the application runs as: it may not change the
-- tables, nor the log of events. What it may do in each table is given by `manage.py grant_app_role` after a migrate.
-- Passwords come from the environment: KEEL_OWNER_PASSWORD and KEEL_APP_PASSWORD.
\set QUIET on
\set ON_ERROR_STOP on
\getenv owner_password KEEL_OWNER_PASSWORD
\getenv app_password KEEL_APP_PASSWORD

SELECT format('CREATE ROLE %I LOGIN', role)
FROM unnest(ARRAY['keel_owner', 'keel_app']) AS role
WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = role) \gexec
ALTER ROLE keel_owner PASSWORD :'owner_password';
ALTER ROLE keel_app PASSWORD :'app_password';

SELECT 'CREATE DATABASE keel OWNER keel_owner'
WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = 'keel') \gexec
REVOKE ALL ON DATABASE keel FROM PUBLIC;
GRANT CONNECT, TEMPORARY ON DATABASE keel TO keel_app;
