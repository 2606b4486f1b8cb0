#!/bin/sh
# Writes the lists of exported symbols anew from a build: tests/abi/update.sh [BUILD_FOLDER]
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)
build=${1:-$root/build/dev}
/usr/bin/python3 "$root/tests/abi/symbols.py" "$build/lib/libtunnel.so" \
  "$root/tests/abi/symbols.txt" --update
/usr/bin/python3 "$root/tests/abi/symbols.py" "$build/lib/libtunnel-host.so" \
  "$root/tests/abi/symbols-host.txt" --update
