#!/bin/sh
# Load everything that the sandbox has into output/warehouse.duckdb through Meltano, and show what is there.
set -eu
cd "$(dirname "$0")/.."

# The sandbox never outlives the demo, and the exit code is the demo's.
stop() {
    code=$?
    trap - EXIT
    .venv/bin/api-sandbox down >/dev/null 2>&1 || true
    exit "$code"
}
trap stop EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

mkdir -p output
log=output/demo.log
echo "==> meltano run demo: start the sandbox, five taps into target-duckdb, stop the sandbox; log: $log"
# A variable or a line of .env goes before meltano.yml: the demo would ask a real account, or load into its tables.
names='TAP_(EVENTS|SCHEDULING|PROMOTIONS|BILLING|REWARDS)_API_URL|TARGET_DUCKDB_(FILEPATH|DEFAULT_TARGET_SCHEMA)'
name=$({ env; cat .env 2>/dev/null; } | grep -Eo "^\s*(export\s+)?['\"]?($names)['\"]?\s*=\s*\S" | grep -Eom 1 '[A-Z_]{3,}') || true
if [ -n "$name" ]; then
    echo "demo: unset $name, and take it out of .env: the demo is for the local sandbox and a file of its own only" >&2
    exit 1
fi
# Without the whole of the warehouse, what Meltano remembers of earlier runs is out of date.
full=
if ! test -e output/warehouse.duckdb || ! test -e output/.demo-complete; then
    full=--full-refresh
    rm -f output/.demo-complete
fi
# shellcheck disable=SC2086  # no word if empty
if ! .venv/bin/meltano --environment=sandbox run $full demo >"$log" 2>&1; then
    cat "$log" >&2
    exit 1
fi
touch output/.demo-complete

echo
echo "==> output/warehouse.duckdb"
.venv/bin/python scripts/warehouse.py --schemas
cat <<'END'

See the tables: .venv/bin/python scripts/warehouse.py
Look further: .venv/bin/python scripts/warehouse.py "SELECT title FROM tap_events.events LIMIT 5"
See pictures of it, in output/report.html: make report
END
