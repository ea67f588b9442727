# Sourced by the demos: a folder that goes away with everything that was started, and how commands are shown.
lab=$(mktemp -d)
registry='' sudo=()
[ "$(id -u)" = 0 ] || sudo=(sudo -n)
clean_up() {
  "${sudo[@]}" runc --root "$lab/state" delete --force oci-plone-demo 2> /dev/null || true
  [ -z "$registry" ] || kill "$registry" || true
  chmod -R u+w "$lab/nix" 2> /dev/null || true # Nix makes its store read-only
  rm -rf "$lab" 2> /dev/null || "${sudo[@]}" rm -rf "$lab"
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

say() { printf '\n# %s\n' "$*"; }
exec 3>&1
show() {
  local word line='$'
  for word; do
    [[ $word =~ [^A-Za-z0-9_./:=-] ]] && line+=" '$word'" || line+=" $word"
  done
  echo "${line//"$lab"/\$LAB}" >&3
  "$@"
}
wait_for() { for _ in {1..100}; do if "$@" > /dev/null 2>&1; then return; fi; sleep 0.1; done; "$@"; }
oci-plone() { node dist/bundle/start.cjs "$@"; }
# The stand-in for nixpkgs needs no binary cache, and a machine without network would ask one in vain.
export NIX_CONFIG='substituters ='
