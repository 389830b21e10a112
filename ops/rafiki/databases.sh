# Rafiki's own user and databases, beside Faena's. Safe to repeat.
set -eu
export PGHOST="${PGHOST:-postgres}" PGUSER="${PGUSER:-faena}" PGDATABASE="${PGDATABASE:-faena}"
if [ -f /run/secrets/postgres_password ]; then
    PGPASSWORD="$(cat /run/secrets/postgres_password)"
    export PGPASSWORD
fi
psql --quiet --set ON_ERROR_STOP=1 --set password="$RAFIKI_DATABASE_PASSWORD" <<'SQL'
SELECT 'CREATE ROLE rafiki LOGIN' WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'rafiki') \gexec
ALTER ROLE rafiki PASSWORD :'password';
SELECT format('CREATE DATABASE %I OWNER rafiki', wanted)
  FROM unnest(ARRAY['rafiki_auth', 'rafiki_backend']) AS wanted
  WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = wanted) \gexec
SQL
