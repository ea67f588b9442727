#!/usr/bin/env bash
# Fetches what fixtures/nixpkgs is made from: Debian's packages, with apt-get alone (no root, no pip, no other download).
# Once there they stay, since Debian's archive moves on, and with it the digest of what is built from them. sources.json
# keeps the versions and hashes of what was fetched; to fetch anew, remove the folder.
set -euo pipefail
cd "$(dirname "$0")/../fixtures/nixpkgs"

exec 9< .
flock 9 # several test files may ask at the same time

wanted=$(node -p 'Object.values(JSON.parse(fs.readFileSync("debian.json"))).flat().join(" ")')
complete() {
  [ -x sources/bootstrap/busybox ] || return 1
  for name in $wanted; do [ -s "sources/$name.deb" ] && grep -qF "\"$name\"" sources/sources.json || return 1; done
}
if complete; then exit 0; fi

new=$(mktemp -d ./sources.XXXXXX)
trap 'rm -rf "$new"' EXIT
chmod 755 "$new"
cd "$new"
# shellcheck disable=SC2086 # a list of words
if ! log=$(apt-get download -q $wanted 2>&1); then
  echo "$log" >&2
  echo "apt-get cannot download the Debian packages of fixtures/nixpkgs; perhaps its lists are missing: apt-get update" >&2
  exit 1
fi

# The first builder of all unpacks the rest. In a folder, so that it is called busybox in the store, too.
mkdir bootstrap
for deb in *.deb; do # name_1%3a2.0-1_amd64.deb: the colon's code is no name for the store
  name=$(dpkg-deb --field "$deb" Package)
  mv "$deb" "$name.deb"
  echo "$name $(dpkg-deb --field "$name.deb" Version) $(sha256sum "$name.deb" | cut -d ' ' -f 1)"
done | node -e '
  const lines = fs.readFileSync(0, "utf8").trim().split("\n").map((line) => line.split(" "));
  const sources = Object.fromEntries(lines.map(([name, version, sha256]) => [name, { version, sha256 }]));
  fs.writeFileSync("sources.json", JSON.stringify(sources, null, 2) + "\n");
'
dpkg-deb --fsys-tarfile busybox-static.deb | tar -xO ./bin/busybox > bootstrap/busybox
chmod 755 bootstrap/busybox

cd ..
rm -rf sources
mv "$new" sources
