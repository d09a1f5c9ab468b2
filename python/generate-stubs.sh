#!/usr/bin/env bash
# Generates ccpark/v1 from the specification, with grpcio-tools of the extra `dev`: ./generate-stubs.sh [FOLDER]
set -eu
here=$(cd "$(dirname "$0")" && pwd)
out=${1:-$here}
${PYTHON:-python3} -m grpc_tools.protoc -I "$here/../proto" --python_out="$out" --pyi_out="$out" \
  --grpc_python_out="$out" ccpark/v1/environment.proto
