#!/usr/bin/env bash
# Installs Debian's Redis and etcd for the tests of stores that ends meet by, without starting them: each test has its own.
# Needs root, apt and a network.
set -eu

missing=()
command -v redis-server >/dev/null 2>&1 || missing+=(redis-server)
command -v etcd >/dev/null 2>&1 || missing+=(etcd-server)
if [ "${#missing[@]}" -eq 0 ]; then
  echo "Redis and etcd are already installed: $(command -v redis-server) $(command -v etcd)"
  exit 0
fi
if [ "$(id -u)" -ne 0 ]; then
  echo "install-stores.sh: needs root (try: sudo $0)" >&2
  exit 1
fi
if ! command -v apt-get >/dev/null 2>&1; then
  echo "install-stores.sh: needs apt-get (Debian or Ubuntu)" >&2
  exit 1
fi
# 101: whoever installs a package starts no service of it
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
  trap 'rm -f "$policy"' EXIT
  printf '#!/bin/sh\nexit 101\n' >"$policy"
  chmod +x "$policy"
fi
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq -o DPkg::Lock::Timeout=120
apt-get install -y -qq -o DPkg::Lock::Timeout=120 --no-install-recommends "${missing[@]}"
