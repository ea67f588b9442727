#!/usr/bin/env bash
# setup.sh demo|test|bench [--index URL]: what a fresh clone on a fresh Debian 12 needs for `npm run demo` or `npm test`: system
# packages by apt where that may be done (root, or sudo without a password), node_modules, the build, the sources of
# fixtures/nixpkgs. pip is among them unless an index is named: it knows one.
set -euo pipefail
cd "$(dirname "$0")/.."
PATH=$PATH:/usr/sbin:/sbin

# program=package
programs=(nix-build=nix-bin bwrap=bubblewrap docker-registry=docker-registry skopeo=skopeo umoci=umoci runc=runc
  nsenter=util-linux curl=curl)
[ "$1" = demo ] || programs+=(podman=podman buildah=buildah busybox=busybox-static haproxy=haproxy)
[ "$1" != bench ] || programs+=(pigz=pigz zstd=zstd /usr/bin/time=time)
[ "${2:-}" = --index ] || programs+=(pip3=python3-pip)

if [ "$1" != demo ]; then # PostgreSQL's server is on no PATH
  initdb=(/usr/lib/postgresql/*/bin/initdb)
  programs+=("${initdb[0]}=postgresql")
fi

as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo -n "$@"; fi; }

# Debian starts a service that it installs, such as the registry on port 5000: not here, where it is only a program.
install_packages() {
  local policy=/usr/sbin/policy-rc.d
  if [ ! -e $policy ]; then
    printf '#!/bin/sh\nexit 101\n' | as_root tee $policy > /dev/null
    as_root chmod 755 $policy
    trap 'as_root rm -f /usr/sbin/policy-rc.d' EXIT
  fi
  as_root apt-get update -qq
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends "$@"
}

missing=()
for program in "${programs[@]}"; do
  command -v "${program%=*}" > /dev/null || missing+=("${program#*=}")
done
if [ ${#missing[@]} != 0 ]; then
  if ! command -v apt-get > /dev/null || ! as_root true 2> /dev/null; then
    echo "Install these first, as root: apt-get install ${missing[*]}" >&2
    exit 1
  fi
  echo "Installing ${missing[*]}" >&2
  log=$(mktemp)
  install_packages "${missing[@]}" > "$log" 2>&1 || { cat "$log" >&2; exit 1; }
  rm -f "$log"
fi

installed=node_modules/.installed.sha256
if ! sha256sum --check --status $installed 2> /dev/null; then
  npm ci --no-progress --no-update-notifier --loglevel=error >&2
  sha256sum package-lock.json > $installed
fi
if [ "$1" = demo ]; then npm run --silent build >&2; else node_modules/.bin/tsc >&2; node scripts/bundle.mjs >&2; fi
find dist -path dist/bundle -prune -o -name '*.js' -print | while read -r file; do # compiled from a source that is gone
  source=${file#dist/}
  [ -e "${source%.js}.ts" ] || rm -f "${file%.js}".*
done

# Debian's archive drops a version when it gets the next one, so old lists name files that are gone.
fetch=scripts/fetch-nixpkgs-fixture.sh
if ! $fetch 2> /dev/null; then
  as_root apt-get update -qq 2> /dev/null || true
  $fetch || [ "$1" = test ] # the tests that need it are skipped, and say so
fi
