#!/usr/bin/env bash
# fuzz.sh [TIMES]: what npm test tries a few times at random, twenty times (or TIMES times) as often: mutated archives,
# random trees read by others, kill -9 at 200 moments. The seed is printed; OCI_PLONE_SEED repeats a run.
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/setup.sh test
export OCI_PLONE_FUZZ=${1:-20}
export OCI_PLONE_SEED=${OCI_PLONE_SEED:-$((RANDOM * 32768 + RANDOM))}
echo "OCI_PLONE_SEED=$OCI_PLONE_SEED"
node --test --test-reporter=spec dist/spec/layer/{fuzz,archive-broken,entry-index}.spec.js dist/spec/image/fuzz.spec.js \
  dist/spec/cli/kill.spec.js < /dev/null
