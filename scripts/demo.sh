#!/usr/bin/env bash
# npm run demo: a web server from its buildout to a container that answers; nothing of it stays.
# npm run demo -- plone: a Plone with a site, to click (scripts/demo-plone.sh).
#   npm run demo -- --index URL   with this package index; without, pip's own is taken, and python3-pip installed where it is missing
# Root, or sudo without a password, serves apt and the start of the container.
set -euo pipefail
cd "$(dirname "$0")/.."
PATH=$PATH:/usr/sbin:/sbin
if [ "${1:-}" = plone ]; then shift; exec scripts/demo-plone.sh "$@"; fi
scripts/setup.sh demo "$@"
. scripts/demo-lab.sh


echo "LAB=$lab"
host=127.0.0.1:$(node -e 's = net.createServer().listen(0, "127.0.0.1", () => s.close(console.log(s.address().port)))')
echo "{version: 0.1, http: {addr: '$host'}, storage: {filesystem: {rootdirectory: '$lab/registry'}}}" > "$lab/registry.yml"
docker-registry serve "$lab/registry.yml" > "$lab/registry.log" 2>&1 &
registry=$!
wait_for curl -fsS "http://$host/v2/"

say "A buildout with two eggs, their pins, and what the image is to be"
cp -r fixtures/buildout "$lab/project"
show cat "$lab/project/buildout.cfg" "$lab/project/versions.cfg"

say "Its Nix expressions, and a lock to review; without the lock an index was asked, with it none is"
show oci-plone nix "$lab/project/buildout.cfg" -I nixpkgs=fixtures/nixpkgs --store "$lab/nix" "$@"

say "From the buildout to an image, and on to a registry (docker-registry, at $host)"
show oci-plone pack "$lab/project/buildout.cfg" --frozen -I nixpkgs=fixtures/nixpkgs --store "$lab/nix" \
  -o "$lab/webapp.oci" -t demo --push "$host/webapp:demo"

say "What is in the image"
show oci-plone inspect "$lab/webapp.oci"

say "Pulled from the registry, and started as the image says: uid 1000, here on a read-only root"
show skopeo copy --quiet --src-tls-verify=false "docker://$host/webapp:demo" "oci:$lab/pulled:demo"
if ! "${sudo[@]}" true 2> /dev/null; then
  echo "Not started: runc needs root here, and there is no sudo without a password."
  exit
fi
show "${sudo[@]}" umoci unpack --image "$lab/pulled:demo" "$lab/bundle"
"${sudo[@]}" sed -i 's/"terminal": true/"terminal": false/; s/"path": "rootfs"/&, "readonly": true/' "$lab/bundle/config.json"
show "${sudo[@]}" runc --root "$lab/state" run --detach --bundle "$lab/bundle" --pid-file "$lab/pid" oci-plone-demo \
  > "$lab/container.log" 2>&1 < /dev/null || { cat "$lab/container.log" >&2; exit 1; }
# The container's own network, where port 8080 is always free.
within=("${sudo[@]}" nsenter --net --target "$("${sudo[@]}" cat "$lab/pid")")
wait_for "${within[@]}" curl -fsS http://127.0.0.1:8080/

say "The page on its port 8080"
"${within[@]}" curl -fsS http://127.0.0.1:8080/ | grep -E '^(Hello|SERVER_|wsgi.version)'
