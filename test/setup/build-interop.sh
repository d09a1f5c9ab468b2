#!/usr/bin/env bash
# Builds the Rust counterparts of the interoperability tests (test/interop) from the crates registry.
# Needs cargo, a C compiler, make, and libclang (for the bindings of the crate libccp), which it installs as root.
# Without them it says so and builds nothing, which is an error under CI=true only.
set -eu

cd "$(dirname "$0")/../interop"

have_libclang() {
  [ -n "${LIBCLANG_PATH:-}" ] && return
  for folder in "/usr/lib" "/usr/lib64" "/usr/lib/*-linux-*" "/usr/lib/llvm*/lib"; do
    if compgen -G "$folder/libclang.so*" >/dev/null || compgen -G "$folder/libclang-[0-9]*.so*" >/dev/null; then return; fi
  done
  return 1
}

missing() {
  echo "skipped: the interop crate needs $1" >&2
  [ "${CI:-}" != true ] && exit 0
  exit 1
}

PATH="$PATH:${CARGO_HOME:-$HOME/.cargo}/bin"
command -v cargo >/dev/null 2>&1 || missing "cargo (https://rustup.rs)"
command -v cc >/dev/null 2>&1 || missing "a C compiler"
command -v make >/dev/null 2>&1 || missing "make"
if ! have_libclang && [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null 2>&1; then
  echo "installing libclang for the bindings of the crate libccp"
  export DEBIAN_FRONTEND=noninteractive
  apt-get update -qq
  apt-get install -y -qq --no-install-recommends libclang1
fi
if ! have_libclang && [ "$(uname)" = Linux ]; then
  missing "libclang (Debian, Ubuntu: apt-get install libclang1)"
fi
# libclang alone comes without stdbool.h and its like; those of gcc will do
if [ -z "${BINDGEN_EXTRA_CLANG_ARGS:-}" ] && command -v gcc >/dev/null 2>&1; then
  export BINDGEN_EXTRA_CLANG_ARGS="-idirafter $(gcc -print-file-name=include)"
fi

start=$(date +%s)
CARGO_TARGET_DIR="$PWD/target" cargo build --release --locked --quiet
echo "interop crate built in $(($(date +%s) - start)) s"
