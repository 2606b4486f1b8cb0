#!/bin/sh
# Writes the list of exported symbols anew from a build: tests/abi/update.sh [BUILD_FOLDER]
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)
/usr/bin/python3 "$root/tests/abi/symbols.py" "${1:-$root/build/dev}/lib/libtunnel.so" \
  "$root/tests/abi/symbols.txt" --update
