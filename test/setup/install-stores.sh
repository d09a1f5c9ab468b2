#!/usr/bin/env bash
# Installs Debian's Redis and etcd for the tests of stores that ends meet by, without starting them: each test has its own.
# Needs root, apt and a network.
set -eu
. "$(dirname "$0")/debian.sh"

missing=()
command -v redis-server >/dev/null 2>&1 || missing+=(redis-server)
command -v etcd >/dev/null 2>&1 || missing+=(etcd-server)
if [ "${#missing[@]}" -eq 0 ]; then
  echo "Redis and etcd are already installed: $(command -v redis-server) $(command -v etcd)"
  exit 0
fi
# 101: whoever installs a package starts no service of it
policy=/usr/sbin/policy-rc.d
if [ "$(id -u)" -eq 0 ] && [ ! -e "$policy" ]; then
  trap 'rm -f "$policy"' EXIT
  printf '#!/bin/sh\nexit 101\n' >"$policy"
  chmod +x "$policy"
fi
debian_install "${missing[@]}"
