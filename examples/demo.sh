#!/bin/bash
# Shows a tunnel at work on this machine alone: installs what is missing, builds, runs the demo.
# The report lands in ./demo-report of the directory it is called from.
#
# usage: examples/demo.sh [option of `simplevpn demo`...]
set -euo pipefail
root=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/.." && pwd)

build() {
  cd "$root"
  cmake --preset release
  cmake --build --preset release --target simplevpn
}

"$root/cmake/install-dependencies.sh"
mkdir -p "$root/build"
log=$root/build/demo-build.log
echo "building; the log is $log"
if ! (build) >"$log" 2>&1; then
  tail -n 40 "$log" >&2
  echo "demo: the build failed, see $log" >&2
  exit 1
fi
exec "$root/build/release/bin/simplevpn" demo "$@"
