# Sourced by what installs Debian packages for tests: says what stands in its way, then has apt-get install them.
# debian_install PACKAGE...
debian_install() {
  local who
  who=$(basename "$0")
  if [ "$(id -u)" -ne 0 ]; then
    echo "$who: needs root (try: sudo $0)" >&2
    return 1
  fi
  if ! command -v apt-get >/dev/null 2>&1; then
    echo "$who: needs apt-get (Debian or Ubuntu)" >&2
    return 1
  fi
  export DEBIAN_FRONTEND=noninteractive
  apt-get update -qq -o DPkg::Lock::Timeout=120
  apt-get install -y -qq -o DPkg::Lock::Timeout=120 --no-install-recommends "$@"
}
