#!/usr/bin/env bash
# npm run demo -- plone [--index URL]: Plone 6.2.2 from five lines of buildout to a site in the browser, until Enter is pressed.
# Root, or sudo without a password, serves apt and the start of the container. Nothing of it stays.
set -euo pipefail
cd "$(dirname "$0")/.."
PATH=$PATH:/usr/sbin:/sbin
scripts/setup.sh demo "$@"
. scripts/demo-lab.sh
container=oci-plone-demo

if ! "${sudo[@]}" true 2> /dev/null; then
  echo "runc needs root here, and there is no sudo without a password." >&2
  exit 1
fi
echo "LAB=$lab"
cp -r fixtures/plone "$lab/project"

say "A buildout as users have it; versions.cfg holds the pins of Plone 6.2.2"
show cat "$lab/project/buildout.cfg"

say "From the buildout to an image: resolved, built by Nix in a sandbox, packed"
show oci-plone pack "$lab/project/buildout.cfg" -I nixpkgs=fixtures/nixpkgs --store "$lab/nix" -o "$lab/plone.oci" "$@"

say "Unpacked, for runc: uid 1000, a read-only root, /data from outside"
show "${sudo[@]}" umoci unpack --image "$lab/plone.oci:latest" "$lab/bundle"
mkdir "$lab/data"
"${sudo[@]}" chown 1000:1000 "$lab/data"
port=$(node -e '
  const server = net.createServer().on("error", () => server.listen(0, "127.0.0.1"));
  server.listen(8080, "127.0.0.1", () => server.close(console.log(server.address().port)));
')
configure() { # the container's arguments; its network is this machine's, so that a browser reaches it
  "${sudo[@]}" cat "$lab/config.json" | node -e '
    const [data, port, ...words] = process.argv.slice(1);
    const config = JSON.parse(fs.readFileSync(0, "utf8"));
    const { process: run, root, mounts, linux } = config;
    const bind = { destination: "/data", type: "bind", source: data, options: ["rbind", "rw"] };
    const tmp = { destination: "/tmp", type: "tmpfs", source: "tmpfs", options: ["mode=1777", "nosuid", "nodev"] };
    console.log(JSON.stringify({
      ...config,
      process: { ...run, terminal: false, args: ["/app/bin/python", ...words], env: [...run.env, `LISTEN_PORT=${port}`] },
      root: { ...root, readonly: true },
      mounts: [...mounts.filter(({ destination }) => !["/data", "/tmp"].includes(destination)), bind, tmp],
      linux: { ...linux, namespaces: linux.namespaces.filter(({ type }) => type !== "network") },
    }));
  ' "$lab/data" "$port" "$@" | "${sudo[@]}" tee "$lab/bundle/config.json" > /dev/null
}
"${sudo[@]}" cp "$lab/bundle/config.json" "$lab/config.json"

say "Its own program makes a site: … run IMAGE create-site --type classic"
configure create-site --type classic
"${sudo[@]}" runc --root "$lab/state" run --bundle "$lab/bundle" $container > "$lab/site.log" 2>&1 < /dev/null ||
  { cat "$lab/site.log" >&2; exit 1; }
grep -E 'administrator|^/Plone' "$lab/site.log" || { cat "$lab/site.log" >&2; exit 1; }
password=$(sed -n 's/.*password: \([^ ]*\).*/\1/p' "$lab/site.log" | head -n 1)

say "Plone starts: … run IMAGE"
configure start
"${sudo[@]}" runc --root "$lab/state" run --bundle "$lab/bundle" $container > "$lab/plone.log" 2>&1 < /dev/null &
for _ in {1..600}; do
  if curl -fsS "http://localhost:$port/ok" > /dev/null 2>&1; then break; fi
  kill -0 $! 2> /dev/null || { cat "$lab/plone.log" >&2; exit 1; }
  sleep 0.1
done
curl -fsS "http://localhost:$port/Plone" | sed -n 's/.*\(<title>.*<\/title>\).*/\1/p' | head -n 1

printf '\n  http://localhost:%s/Plone      admin   %s\n\n' "$port" "$password"
printf 'Press Enter to stop it, and to remove everything. '
read -r _ || true
"${sudo[@]}" runc --root "$lab/state" kill $container INT
wait $! || true
tail -n 1 "$lab/plone.log"
