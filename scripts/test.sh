#!/usr/bin/env bash
# npm test: sets up what is missing, builds, lints, and runs every spec.
#   npm test -- --test-name-pattern=layer        what node --test understands is passed on
#   npm test -- dist/spec/layer/tar.spec.js      only this file
#   npm test -- --no-lint
set -euo pipefail
cd "$(dirname "$0")/.."

lint=yes options=() files=()
for argument; do
  case $argument in
    --no-lint) lint=no ;;
    *.spec.js) files+=("$argument") ;;
    *) options+=("$argument") ;;
  esac
done

scripts/setup.sh test
status=0
if [ $lint = yes ]; then npm run --silent lint || status=$?; fi

[ ${#files[@]} != 0 ] || files=(dist/spec/*/*.spec.js)
# The summary comes last, whatever failed.
node --test --test-reporter=spec ${options[@]+"${options[@]}"} "${files[@]}" < /dev/null || status=$?
exit $status
