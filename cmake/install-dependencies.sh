#!/bin/sh
# Installs what the build, the tests and the demo need: the one package list (names of Debian 12).
#
# usage: cmake/install-dependencies.sh [--list | --tests]
#
# Does nothing, not even `apt-get update`, when everything is there; otherwise one transaction, with
# sudo when not root. A line may offer alternatives, the preferred one first: newer distributions
# have dropped some versions. With --tests some more are unpacked below build/debian, not installed.
set -eu

packages='
build-essential
cmake
ninja-build
pkg-config|pkgconf
ccache
git
libsodium-dev
libasio-dev
libmnl-dev
libnftables-dev
libc-ares-dev
libcli11-dev
nlohmann-json3-dev
libspdlog-dev
libqrcodegencpp-dev
catch2
python3
python3-dev
pybind11-dev
python3-pytest
clang-14|clang
libclang-rt-14-dev|libclang-rt-dev
clang-format-14|clang-format
iproute2
nftables
iputils-ping
netbase
procps
libzbar0
scdoc
systemd
dbus-daemon|dbus
zsh
fish
wireguard-go
wireguard-tools
iperf3
ethtool
openvpn
'

# A faster cipher, x86-64 only; programs load it at run time where it is there.
if [ "$(dpkg --print-architecture 2>/dev/null)" = amd64 ]; then
  packages="$packages libipsec-mb-dev"
fi

# Managers of /etc/resolv.conf, which replace that of the machine when they are installed. Tests run
# them in hosts of their own; where they cannot be fetched, these tests are skipped.
unpacked='
systemd-resolved+libsystemd-shared
resolvconf
openresolv
'
folder=$(dirname "$(readlink -f "$0")")/../build/debian

installed() {
  dpkg-query -W -f='${db:Status-Abbrev}' "$1" 2>/dev/null | grep -q '^ii'
}

# The first alternative that is installed; fails when none is.
present() {
  for name in $(echo "$1" | tr '|' ' '); do
    if installed "$name"; then return 0; fi
  done
  return 1
}

# The first alternative that apt can install.
choose() {
  for name in $(echo "$1" | tr '|' ' '); do
    if apt-cache show --no-all-versions "$name" >/dev/null 2>&1; then
      echo "$name"
      return 0
    fi
  done
  echo "install-dependencies: no package for '$1' in this distribution" >&2
  return 1
}

as_root() {
  if [ "$(id -u)" -eq 0 ]; then
    "$@"
  elif command -v sudo >/dev/null; then
    sudo "$@"
  else
    echo "install-dependencies: only root can install them, and there is no sudo here" >&2
    echo "install-dependencies: as root, run $(readlink -f "$0") once" >&2
    return 1
  fi
}

# unpack FOLDER PACKAGE...: all of them, or nothing.
unpack() {
  target=$1
  shift
  mkdir -p "$folder" && work=$(mktemp -d "$folder/.XXXXXX") || return 1
  (
    cd "$work" && apt-get download -q "$@" || exit 1
    for file in *.deb; do dpkg -x "$file" "$target" || exit 1; done
  ) >"$work/log" 2>&1 && mv "$work/$target" "$folder/" || cat "$work/log"
  rm -rf "$work"
  [ -d "$folder/$target" ]
}

unpack_all() {
  for line in $unpacked; do
    name=${line%%+*}
    # shellcheck disable=SC2046 # a list of names
    [ -d "$folder/$name" ] || unpack "$name" $(echo "$line" | tr '+' ' ') || return 1
  done
}

install_all() {
  missing=
  for line in $packages; do
    present "$line" || missing="$missing $line"
  done
  if [ -z "$missing" ]; then return 0; fi
  echo "install-dependencies: missing:$missing"
  as_root apt-get update -q -o Acquire::Retries=3
  names=
  for line in $missing; do names="$names $(choose "$line")"; done
  # shellcheck disable=SC2086 # a list of names
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends \
    -o Acquire::Retries=3 $names
}

case "${1:-}" in
  '' | --tests) ;;
  --list) for line in $packages; do echo "$line"; done; exit 0 ;;
  *) echo "usage: $0 [--list | --tests]" >&2; exit 2 ;;
esac

if ! command -v dpkg-query >/dev/null; then
  echo 'install-dependencies: not a Debian-like system; please install the equivalents of:' >&2
  for line in $packages; do echo "  $line" >&2; done
  exit 1
fi

install_all
if [ $# -eq 0 ] || unpack_all; then exit 0; fi
# The lists of packages may be missing or old.
if [ "$(id -u)" -eq 0 ] && apt-get update -q && unpack_all; then exit 0; fi
echo 'install-dependencies: some packages cannot be fetched; tests that need them are skipped' >&2
