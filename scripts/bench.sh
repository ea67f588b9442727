#!/usr/bin/env bash
# npm run bench [-- RUNS [ROW…]]: sets up what bench.mjs needs, and runs it.
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/setup.sh bench
exec node scripts/bench.mjs "$@"
