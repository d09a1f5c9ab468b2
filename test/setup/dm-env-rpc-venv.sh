#!/usr/bin/env bash
# A virtual environment with DeepMind's dm_env_rpc and its compliance suite, in the user's cache; prints its python.
# One of its own because dm_env_rpc wants NumPy below 2.
set -euo pipefail

cache="${XDG_CACHE_HOME:-$HOME/.cache}/ccpark"
# exact versions: the name of the folder changes with them
packages=(dm_env_rpc==1.1.7 dm-env==1.6 "numpy==1.26.4" grpcio==1.76.0 absl-py==2.3.1)
venv="$cache/dm-env-rpc-$(printf '%s\n' "${packages[@]}" | cksum | cut -d ' ' -f 1)"

if [ ! -e "$venv/ready" ]; then
  mkdir -p "$cache"
  rm -rf "$venv"
  python3 -m venv "$venv" >&2
  "$venv/bin/python" -m pip install --quiet --disable-pip-version-check "${packages[@]}" >&2
  touch "$venv/ready"
fi
echo "$venv/bin/python"
