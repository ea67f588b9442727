#!/usr/bin/env bash
# npm run test:plone: the specs that build, run and use a real Plone 6.2.2, from its buildout to containers on one database.
#   npm run test:plone -- --long     Plone 6.0.13, too
# What node --test understands is passed on.
set -euo pipefail
cd "$(dirname "$0")/.."

options=()
for argument; do
  case $argument in
    --long) export OCI_PLONE_LONG=1 ;;
    *) options+=("$argument") ;;
  esac
done
exec scripts/test.sh --no-lint ${options[@]+"${options[@]}"} dist/spec/plone-image/{content,site,mounted,servers}.spec.js \
  dist/spec/plone/programs-{commands,refusals,servers,settings,start}.spec.js dist/spec/project/plone.spec.js
