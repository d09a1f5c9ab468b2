#!/usr/bin/env bash
# Installs Debian's Chromium for the test of the HTML report. Needs root, apt and a network.
set -eu
. "$(dirname "$0")/debian.sh"

if command -v chromium >/dev/null 2>&1; then
  echo "chromium is already installed: $(command -v chromium)"
  exit 0
fi
debian_install chromium fonts-dejavu-core
