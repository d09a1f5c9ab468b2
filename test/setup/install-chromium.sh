#!/usr/bin/env bash
# Installs Debian's Chromium for the test of the HTML report. Needs root, apt and a network.
set -eu

if command -v chromium >/dev/null 2>&1; then
  echo "chromium is already installed: $(command -v chromium)"
  exit 0
fi
if [ "$(id -u)" -ne 0 ]; then
  echo "install-chromium.sh: needs root (try: sudo $0)" >&2
  exit 1
fi
if ! command -v apt-get >/dev/null 2>&1; then
  echo "install-chromium.sh: needs apt-get (Debian or Ubuntu)" >&2
  exit 1
fi
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
apt-get install -y -qq --no-install-recommends chromium fonts-dejavu-core
